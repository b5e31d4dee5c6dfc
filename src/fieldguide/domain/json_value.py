"""JSON values and their one canonical form, from which every content address is taken."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

JsonValue: TypeAlias = bool | int | float | str | Sequence["JsonValue"] | Mapping[str, "JsonValue"] | None


def canonical_json(value: JsonValue) -> bytes:
    """Return the same bytes for equal values on any machine: sorted keys, no spaces, UTF-8, no NaN.

    Raises:
        ValueError: The value holds NaN or an infinity, which JSON cannot express.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode(
        "utf-8", "surrogatepass"
    )


def content_sha256(value: JsonValue) -> str:
    """Return the sha256 (64 hex digits) of the canonical form of `value`."""
    return hashlib.sha256(canonical_json(value)).hexdigest()
