"""Sizes of Whisper: where the hub keeps them converted, and what a name of one means."""

from __future__ import annotations

REPOSITORIES = {
    **{
        size: f"Systran/faster-whisper-{size}"
        for size in ("tiny", "tiny.en", "base.en", "small", "small.en", "medium", "medium.en")
    },
    **{f"large-{version}": f"Systran/faster-whisper-large-{version}" for version in ("v1", "v2", "v3")},
    "large": "Systran/faster-whisper-large-v3",
    "turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
}
"""Sizes and the repositories of the hub that hold them in CTranslate2's format (faster_whisper/utils.py 1.2.1)."""
PACKAGED = "base"
"""The size that comes from Python packages."""


def whisper_size(name: str) -> str | None:
    """Return the size that a name of Whisper means, with the options after it: `base` of `whisper-base`; else None."""
    whole, comma, options = name.partition(",")
    size = whole.removeprefix("whisper-")
    known = size in REPOSITORIES or size == PACKAGED
    return f"{size}{comma}{options}" if whole != size and known else None
