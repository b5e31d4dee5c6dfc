"""One interface to every place a model runs; one module each, engines and SDKs imported on use."""

from fieldguide.runners._http_runner import HttpRunner, Tap
from fieldguide.runners._interface import (
    EmbeddingRunner,
    HoldsAnswers,
    ImageRunner,
    OpenRunner,
    PiecewiseSpeechRunner,
    Runner,
    RunnerSettings,
    SpeechRunner,
    TranscriptionRunner,
)
from fieldguide.runners._listening import ListeningOrder, ListeningRunner
from fieldguide.runners._pcm import Sound, sentences, sound_of, wav_header, wav_of
from fieldguide.runners._voice import ReadingRunner

__all__ = [
    "EmbeddingRunner",
    "HoldsAnswers",
    "HttpRunner",
    "ImageRunner",
    "ListeningOrder",
    "ListeningRunner",
    "OpenRunner",
    "PiecewiseSpeechRunner",
    "ReadingRunner",
    "Runner",
    "RunnerSettings",
    "Sound",
    "SpeechRunner",
    "Tap",
    "TranscriptionRunner",
    "sentences",
    "sound_of",
    "wav_header",
    "wav_of",
]
