"""What a static scanner says of a pickle; nothing is unpickled, and what it says changes nothing: it is refused."""

from __future__ import annotations

import logging
from pathlib import Path

_LARGEST_BYTES = 256 << 20
_MOST_TOLD = 5


def scanned(place: Path) -> str:
    """Return the end of a sentence: what a file would call if it were loaded; empty where nothing was found.

    picklescan (extra `safety`) reads the opcodes. Nothing is said where it is not installed, or cannot read the file.
    """
    try:
        from picklescan.scanner import SafetyLevel, scan_file_path
    except ImportError:
        return ""
    logging.getLogger("picklescan").setLevel(logging.CRITICAL)
    try:
        if place.stat().st_size > _LARGEST_BYTES:
            return ""
        found = scan_file_path(str(place))
    except Exception:  # A file that is made to break the scanner is refused all the same.
        return "; the scanner could not read it"
    names = sorted({f"{each.module}.{each.name}" for each in found.globals if each.safety is SafetyLevel.Dangerous})
    if not names:
        return ""
    told = ", ".join(name for name in names[:_MOST_TOLD] if name.isprintable())
    return f"; loading it would call {told}"
