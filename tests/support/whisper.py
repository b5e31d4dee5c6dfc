"""Finds Whisper base, for tests that hear."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def whisper_base() -> Path:
    """Return the folder of the model (`FIELDGUIDE_WHISPER`, else the user's own); skip where it is not."""
    usual = Path.home() / ".local/share/fieldguide/models/speech/whisper-base"
    folder = Path(os.environ.get("FIELDGUIDE_WHISPER") or usual)
    if not (folder / "model.bin").is_file():
        pytest.skip("needs Whisper base (run `fieldguide transcribe` once, or set FIELDGUIDE_WHISPER to its folder)")
    pytest.importorskip("faster_whisper", reason="the extra `audio` is not installed")
    return folder
