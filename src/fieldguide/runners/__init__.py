"""One interface to every place a model runs; one module each, engines and SDKs imported on use."""

from fieldguide.runners._interface import (
    EmbeddingRunner,
    HoldsAnswers,
    ImageRunner,
    OpenRunner,
    Runner,
    RunnerSettings,
    SpeechRunner,
    TranscriptionRunner,
)

__all__ = [
    "EmbeddingRunner",
    "HoldsAnswers",
    "ImageRunner",
    "OpenRunner",
    "Runner",
    "RunnerSettings",
    "SpeechRunner",
    "TranscriptionRunner",
]
