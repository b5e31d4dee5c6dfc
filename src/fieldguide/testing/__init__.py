"""Public doubles and conformance suites: what our own tests use, yours can use too."""

from fieldguide.testing._fake_runner import FakeRunner
from fieldguide.testing._runner_conformance import RunnerConformance

__all__ = ["FakeRunner", "RunnerConformance"]
