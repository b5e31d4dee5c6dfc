r"""Finds the line that holds a short answer, in a bare continuation as well as in a chatty reply.

Rules, the first that applies wins:

1. Text after the next question (`Q:`, `Question:`, `Program:`) is not an answer; a base model without a stop runs
   on into questions that it makes up.
2. The last `Answer: …`, `The answer is …` or `A: …`; where nothing follows on the line, the line after it.
3. The last `\boxed{…}`.
4. The last line that is nothing but a bare answer in bold.
5. The first line, if it is a bare answer: the form asks for the answer right there.
6. The only line, or the last one that is not empty.

Of an answer that the token limit cut, the last line is not complete: rules 2 to 5 then see the other lines only (a
closed box counts wherever it stands) and rule 6 does not apply.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from fieldguide.scoring.boxed import last_boxed

_NEXT_QUESTION = re.compile(r"\n[\s*#]*(?:Q|Question|Problem|Program)\s*\d*\s*:")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_MARKER = re.compile(
    r"(?:^[\s*_#>`]*A[*_`]*:|\b(?i:answer)\b[\s*_`]*(?:\bis\b\s*:?|:|=))[\s*_]*(?P<rest>.*)$"
    r"|^[\s*_#]*(?i:(?:final )?answer)[\s*_]*$"
)
_BOLD_LINE = re.compile(r"(\*\*|__)(?P<inside>[^*_]+)\1[.]?")

_PAIRS = (
    ("**", "**"),
    ("__", "__"),
    ("$$", "$$"),
    ("```", "```"),
    ("*", "*"),
    ("`", "`"),
    ("$", "$"),
    ('"', '"'),
    ("'", "'"),
    ("“", "”"),
    ("‘", "’"),
    (r"\(", r"\)"),
    (r"\[", r"\]"),
    (r"\text{", "}"),
    (r"\boxed{", "}"),
    ("<answer>", "</answer>"),
)
_LONE_ENDS = re.compile(r"^(?:\*\*|[=$]\s*)\s*|\s*\*\*$|[.。]$")


def answer_line(text: str, *, finished: bool, bare: Callable[[str], bool]) -> str | None:
    """Return the line that holds the answer, without its wrapping; None where no rule applies.

    Args:
        text: What the model said, reasoning taken away.
        finished: Whether the model came to an end; False where the token limit cut it.
        bare: Whether an unwrapped line is an answer and nothing else.
    """
    text = text.strip()
    next_question = _NEXT_QUESTION.search(text)
    if next_question:
        text, finished = text[: next_question.start()], True
    lines = [line.strip() for line in text.splitlines() if line.strip() and not _FENCE.match(line)]
    complete = lines if finished else lines[:-1]
    for rule in (_marked, lambda _: _boxed(text), lambda some: _bold(some, bare), lambda some: _first(some, bare)):
        found = rule(complete)
        if found is not None:
            return unwrapped(found)
    return unwrapped(lines[-1]) if finished and lines else None


def unwrapped(line: str) -> str:
    """Return the line without quotes, code marks, emphasis, dollar signs, a leading `=` and a trailing full stop."""
    while True:
        line = line.strip()
        inner = _LONE_ENDS.sub("", line)
        for opening, closing in _PAIRS:
            if len(inner) > len(opening + closing) and inner.startswith(opening) and inner.endswith(closing):
                middle = inner[len(opening) : -len(closing)]
                if opening not in middle and closing not in middle:
                    inner = middle
                    break
        if inner == line:
            return line
        line = inner


def _marked(lines: list[str]) -> str | None:
    found = None
    for place, line in enumerate(lines):
        marker = _MARKER.search(line)
        if marker is None:
            continue
        rest = (marker["rest"] or "").strip(" *_")
        if rest:
            found = marker["rest"]
        elif place + 1 < len(lines):
            found = lines[place + 1]
    return found


def _boxed(text: str) -> str | None:
    box = last_boxed(text)
    return None if box is None else box.content or None


def _bold(lines: list[str], bare: Callable[[str], bool]) -> str | None:
    inside = [match["inside"] for line in lines if (match := _BOLD_LINE.fullmatch(line))]
    return next((line for line in reversed(inside) if bare(unwrapped(line))), None)


def _first(lines: list[str], bare: Callable[[str], bool]) -> str | None:
    return lines[0] if lines and bare(unwrapped(lines[0])) else None
