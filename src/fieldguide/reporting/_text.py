"""Text that others wrote, made harmless to look at. Escaping for HTML is the template's work, not done here."""

from __future__ import annotations

import re

_MARKS = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_UNSEEN = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, but not tab and line feed
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks that turn the direction of writing
    "\u00ad\u180e\u200b\u2028\u2029\u2060-\u2064\ufeff\ufff9-\ufffb"  # invisible; but scripts need ZWJ and ZWNJ
    "\ud800-\udfff"  # lone surrogates, which UTF-8 cannot hold
    "\ufdd0-\ufdef\ufffe\uffff"  # not characters
    "\U000e0000-\U000e007f"  # invisible tags
    "]"
)

_STACKED = re.compile(f"({_MARKS}{{6}}){_MARKS}+")
"""More marks on one letter than any language sets; they would paint over the lines above."""


def visible(text: str) -> str:
    """Return `text` with every character that hides, or that turns the writing round, shown by its number: `⟨U+202E⟩`.

    Line ends become line feeds. The result can always be encoded as UTF-8.
    """
    shown = _UNSEEN.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text.replace("\r\n", "\n"))
    return _STACKED.sub(lambda match: f"{match[1]}⟨{len(match[0]) - len(match[1])} more marks⟩", shown)


def one_line(text: str, *, limit: int) -> str:
    """Return `text` on one line of at most `limit` characters, cut in the middle: names differ at both ends."""
    line = " ".join(visible(text[: 8 * limit] + text[-limit:] if len(text) > 9 * limit else text).split())
    if len(line) <= limit:
        return line
    head = (limit - 1) * 2 // 3
    return f"{line[:head]}…{line[-(limit - 1 - head) :]}"


def cut(text: str, *, limit: int) -> tuple[str, str, int]:
    """Return the beginning and the end of `text` and the number of characters left out between them.

    A text within `limit` is all beginning. Of a longer one two thirds of the limit are the beginning: questions are
    understood from their start, and answers stand at the end.
    """
    if len(text) <= limit:
        return text, "", 0
    head = limit * 2 // 3
    tail = limit - head
    return text[:head], text[-tail:], len(text) - limit
