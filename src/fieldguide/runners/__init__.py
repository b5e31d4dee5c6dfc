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
from fieldguide.runners._listening import ListeningOrder, ListeningRunner

__all__ = [
    "EmbeddingRunner",
    "HoldsAnswers",
    "ImageRunner",
    "ListeningOrder",
    "ListeningRunner",
    "OpenRunner",
    "Runner",
    "RunnerSettings",
    "SpeechRunner",
    "TranscriptionRunner",
]
