"""Finds Kokoro's weights, for tests that speak."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def kokoro_weights() -> Path:
    """Return the weights with their voices beside them (`FIELDGUIDE_KOKORO`, else the user's own); else skip."""
    usual = Path.home() / ".local/share/fieldguide/models/speech/kokoro-82m"
    weights = Path(os.environ.get("FIELDGUIDE_KOKORO") or usual) / "kokoro-v1.0.int8.onnx"
    if not weights.is_file():
        pytest.skip("needs Kokoro (run `fieldguide pull kokoro-82m`, or set FIELDGUIDE_KOKORO to its folder)")
    pytest.importorskip("kokoro_onnx", reason="the extra `kokoro` is not installed")
    return weights
