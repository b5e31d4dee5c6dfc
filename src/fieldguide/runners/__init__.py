"""One interface to every place a model runs; one module each, engines and SDKs imported on use."""

from fieldguide.runners._interface import OpenRunner, Runner, RunnerSettings

__all__ = ["OpenRunner", "Runner", "RunnerSettings"]
