r"""Finds the answer a model put in `\boxed{…}`."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass

_BOX = re.compile(r"\\(?:boxed|fbox)(?![a-zA-Z])\s*")
_UNBRACED = re.compile(r"[^\s$\\{}]+|\\[a-zA-Z]+")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Boxed:
    r"""The last `\boxed` or `\fbox` of a text."""

    content: str | None
    """What stands between its braces, stripped; None where the closing brace is missing."""


def last_boxed(text: str) -> Boxed | None:
    r"""Return the last `\boxed{…}` or `\fbox{…}`, or None where there is none.

    Braces are matched, escaped ones (`\{`) do not count, and a box without braces (`\boxed 5`) holds one word. Of
    nested boxes the innermost last one is taken. A box that is never closed has no content: what a model was about to
    write is not an answer.
    """
    boxes = deque(_BOX.finditer(text), maxlen=1)
    if not boxes:
        return None
    last = boxes.pop()
    if text[last.end() : last.end() + 1] != "{":
        word = _UNBRACED.match(text, last.end())
        return Boxed(content=word[0].rstrip(".,;") if word else None)
    end = closing_brace(text, last.end())
    return Boxed(content=None if end is None else text[last.end() + 1 : end].strip())


def closing_brace(text: str, opening: int) -> int | None:
    r"""Return the index of the brace that closes the one at `opening`, or None; `\{` and `\}` do not count."""
    depth = 0
    for brace in _BRACE.finditer(text, opening):
        if brace[0] == "{":
            depth += 1
        elif brace[0] == "}":
            depth -= 1
            if depth == 0:
                return brace.start()
    return None
