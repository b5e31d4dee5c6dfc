"""One interface to every place a model runs; one module each, engines and SDKs imported on use."""

from fieldguide.runners._interface import HoldsAnswers, OpenRunner, Runner, RunnerSettings

__all__ = ["HoldsAnswers", "OpenRunner", "Runner", "RunnerSettings"]
