"""Public doubles and conformance suites: what our own tests use, yours can use too."""

from fieldguide.testing._fake_runner import FakeRunner, all_capabilities
from fieldguide.testing._runner_conformance import Gap, RunnerConformance
from fieldguide.testing._speech_conformance import SpeechConformance

__all__ = ["FakeRunner", "Gap", "RunnerConformance", "SpeechConformance", "all_capabilities"]
