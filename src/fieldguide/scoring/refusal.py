"""Recognises an answer that declines to answer."""

from __future__ import annotations

import re

_REFUSAL = re.compile(
    r"\b(?:I(?:'m| am) (?:not able|unable) to|I (?:can(?:'t|not| not)|won't|will not|must decline to)|I decline to"
    r"|(?:As an AI(?: language model)?,? I) (?:can(?:'t|not)|am unable to))\s+"
    r"(?:help|assist|comply|fulfil|answer (?:this|that)|provide (?:this|that|an answer)|continue with)\b",
    re.IGNORECASE,
)
_BEGINNING_CHARACTERS = 400


def is_refusal(text: str) -> bool:
    """Return whether a text without an answer begins by declining; not solving a problem is no refusal."""
    return _REFUSAL.search(text[:_BEGINNING_CHARACTERS].replace("’", "'")) is not None
