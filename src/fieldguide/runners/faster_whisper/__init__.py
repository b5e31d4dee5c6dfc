"""Whisper models on this machine, through faster-whisper and CTranslate2."""

from fieldguide.runners.faster_whisper._open import SIZES, open_runner

__all__ = ["SIZES", "open_runner"]
