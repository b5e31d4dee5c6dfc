"""Whisper models on this machine, through faster-whisper and CTranslate2."""

from fieldguide.runners.faster_whisper._open import open_runner

__all__ = ["open_runner"]
