"""Parts an answer from the reasoning that some models write before it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TAG = re.compile(
    r"<(?P<close>/)?(?:think|thinking|thoughts?|reasoning|analysis)>"
    r"|\[(?P<close_square>/)?THINK\]"
    r"|◁(?P<close_kimi>/)?think▷"
    r"|<\|(?P<word>begin|end)_of_thought\|>",
    re.IGNORECASE,
)
_SOLUTION_TAG = re.compile(r"<\|(?:begin|end)_of_solution\|>", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class VisibleAnswer:
    """What a model says once its reasoning is taken away."""

    text: str
    unfinished: bool
    """The reasoning has no end, so that no answer was begun after it."""


def strip_reasoning(text: str) -> VisibleAnswer:
    """Return the answer without its `<think>…</think>` blocks and their kin.

    A closing tag without an opening one ends reasoning that began in the prompt (chat templates of reasoning models
    put the opening tag there): everything before it goes. Tags do not nest; a second opening tag is part of the
    reasoning.
    """
    kept: list[str] = []
    position = 0
    inside = False
    for tag in _TAG.finditer(text):
        closes = (
            any(tag[name] for name in ("close", "close_square", "close_kimi")) or (tag["word"] or "").lower() == "end"
        )
        if closes:
            if not inside:
                kept.clear()
            inside = False
            position = tag.end()
        elif not inside:
            kept.append(text[position : tag.start()])
            inside = True
    if not inside:
        kept.append(text[position:])
    return VisibleAnswer(text=_SOLUTION_TAG.sub("", "".join(kept)).strip(), unfinished=inside)
