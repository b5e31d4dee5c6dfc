"""Public doubles and conformance suites: what our own tests use, yours can use too."""

from fieldguide.testing._fake_runner import FakeRunner, all_capabilities
from fieldguide.testing._fake_source import FakeSource
from fieldguide.testing._runner_conformance import Gap, RunnerConformance
from fieldguide.testing._source_conformance import SourceConformance
from fieldguide.testing._speech_conformance import SpeechConformance

__all__ = [
    "FakeRunner",
    "FakeSource",
    "Gap",
    "RunnerConformance",
    "SourceConformance",
    "SpeechConformance",
    "all_capabilities",
]
