"""Piper's neural voices on this machine."""

from fieldguide.runners.piper._open import open_runner

__all__ = ["open_runner"]
