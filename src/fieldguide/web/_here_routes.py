"""stub"""

from __future__ import annotations

from typing import Any


def add_here(site: Any, router: Any) -> None: ...
