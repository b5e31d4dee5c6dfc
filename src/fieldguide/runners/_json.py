"""JSON of providers, read with care: what is not of the type it should be is unknown."""

from __future__ import annotations

import json
from typing import Any

from fieldguide.errors import ResponseFormatError

_MOST_COUNT = 2**53


def parse_object(text: str) -> dict[str, Any]:
    """Return the JSON object of a body or an event.

    Raises:
        ResponseFormatError: It is not a JSON object.
    """
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        start = " ".join(text[:80].split())
        raise ResponseFormatError(
            f"The endpoint answered with something that is not JSON: {start!r}." if start else "The answer is empty.",
            hint="Is this the base URL of the API? With OpenAI's protocol it usually ends in /v1.",
        ) from error
    if not isinstance(body, dict):
        raise ResponseFormatError("The endpoint answered with JSON that is not an object.")
    return body


def text_of(value: object) -> str | None:
    """Return a text, or None for anything else that stands in its place."""
    return value if isinstance(value, str) else None


def count_of(value: object) -> int | None:
    """Return a count from 0, or None for anything else that stands in its place."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST_COUNT else None


def object_of(value: object) -> dict[str, Any]:
    """Return an object, or an empty one for anything else that stands in its place."""
    return value if isinstance(value, dict) else {}


def list_of(value: object) -> list[Any]:
    """Return a list, or an empty one for anything else that stands in its place."""
    return value if isinstance(value, list) else []


def objects_of(value: object) -> list[dict[str, Any]]:
    """Return the objects of a list; what else stands in it is passed over."""
    return [each for each in list_of(value) if isinstance(each, dict)]


def further(body: dict[str, Any], *known: str) -> dict[str, Any]:
    """Return the fields that hold something and are not `known`: nothing that came is thrown away."""
    return {
        name: value for name, value in body.items() if name not in known and value is not None and value not in ([], {})
    }


def total(*counts: int | None) -> int | None:
    """Return the sum of counts; None where the first is unknown, and unknown further ones are none."""
    return None if not counts or counts[0] is None else sum(count or 0 for count in counts)
