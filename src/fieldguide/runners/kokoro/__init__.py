"""Kokoro's neural voices on this machine."""

from fieldguide.runners.kokoro._open import open_runner

__all__ = ["open_runner"]
