"""The folder of real data and malformed files that lies beside a checkout, where there is one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def shared(*parts: str) -> Path:
    """Return a path below the shared folder (`FIELDGUIDE_SHARED`, else `../shared`); skip the test where it is not."""
    root = Path(os.environ.get("FIELDGUIDE_SHARED") or Path(__file__).parents[3] / "shared")
    path = root.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"needs {'/'.join(parts)} of the shared data (set FIELDGUIDE_SHARED to its folder)")
    return path
