r"""Finds the final answer in what a model wrote. Each rule has a name and a version, which stand in the exam's id."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from fieldguide.errors import UnknownNameError
from fieldguide.scoring.boxed import closing_brace, last_boxed

_ANSWER_MARK = re.compile(
    r"(?:\banswer|\bответ|答案)[ \t]{0,4}"
    r"(?:[*_]{0,3}[ \t]{0,4}(?:\bis[ \t]{0,4})?[:：][ \t]?[}*_]{0,3}|\bis\b(?![ \t]{0,4}not\b))",
    re.IGNORECASE,
)
_WITHOUT_QUOTES = re.compile(r"[ \t]{0,4}\(without quotes\)\.?$", re.IGNORECASE)
_HOPE = re.compile(r"\.?\s{0,4}I hope (?:it|this) is correct.*", re.IGNORECASE | re.DOTALL)
_SENTENCE_END = re.compile(r"\.\s+(?=[A-Z])")
_HASHES = re.compile(r"####[ \t]*(?P<rest>[^\n]+)")
_LAST_NUMBER = re.compile(r"-?(?:\d+(?:,\d{3})+|\d+)(?:\.\d+)?(?:/\d+)?|-?\.\d+")
_QWEN_NUMBER = re.compile(r"-?\d*\.?\d+")
_OPENERS = {r"\[": r"\]", r"\(": r"\)", "$$": "$$", "$": "$"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalAnswer:
    """What a rule found."""

    text: str | None
    """The answer as written; None where no rule found one."""
    complete: bool = True
    """False where the answer may lack its end if the whole text does: a line that ends with the text, a last number."""


_NOTHING = FinalAnswer(text=None)


def find_final_answer(rule: str, text: str) -> FinalAnswer:
    """Return the final answer in `text`, from which reasoning has been taken away, by the named rule.

    Raises:
        UnknownNameError: There is no such rule.
    """
    if rule not in _RULES:
        raise UnknownNameError("extraction rule", rule, sorted(_RULES))
    return _RULES[rule](text)


def _fieldguide_maths(text: str) -> FinalAnswer:
    r"""Last `\boxed`, else the last line that says `Answer:` or `answer is`.

    A last box that is never closed means that the answer was not finished, and nothing else is tried.
    """
    boxed = last_boxed(text)
    if boxed is not None:
        return FinalAnswer(text=boxed.content or None)
    return _answer_line(text)


def _fieldguide_gsm8k(text: str) -> FinalAnswer:
    """As for other mathematics, then the data set's own `#### N`, then the last number of the text."""
    if last_boxed(text) is not None:
        return _fieldguide_maths(text)
    found = _answer_line(text)
    if found.text is not None and any(map(str.isdigit, found.text)):
        return found
    hashes = deque(_HASHES.finditer(text), maxlen=1)
    if hashes:
        return FinalAnswer(text=hashes[0]["rest"].strip(), complete=hashes[0].end() < len(text))
    numbers = deque(_LAST_NUMBER.finditer(text), maxlen=1)
    return FinalAnswer(text=numbers[0][0], complete=False) if numbers else _NOTHING


def _qwen(text: str) -> FinalAnswer:
    r"""Qwen2.5-Math's order: `final answer is $…$. I hope`, box, `he answer is`, `final answer is`, last number."""
    if "final answer is $" in text and "$. I hope" in text:
        return _qwen_found(text.split("final answer is $", 1)[1].split("$. I hope", 1)[0])
    if "boxed" in text:
        return _qwen_found(_after_boxed(text.rsplit("boxed", 1)[1]))
    for phrase in ("he answer is", "final answer is"):
        if phrase in text:
            return _qwen_found(text.rsplit(phrase, 1)[1])
    numbers = deque(_QWEN_NUMBER.finditer(text.replace(",", "")), maxlen=1)
    return FinalAnswer(text=numbers[0][0]) if numbers else _NOTHING


_RULES: dict[str, Callable[[str], FinalAnswer]] = {
    "fieldguide-maths/1": _fieldguide_maths,
    "fieldguide-gsm8k/1": _fieldguide_gsm8k,
    "qwen2.5-math/1": _qwen,
}


def _answer_line(text: str) -> FinalAnswer:
    marks = deque(_ANSWER_MARK.finditer(text), maxlen=1)
    if not marks:
        return _NOTHING
    line_end = text.find("\n", marks[0].end())
    end = len(text) if line_end < 0 else line_end
    rest = text[marks[0].end() : end].strip(" \t*_")
    if rest in _OPENERS or not rest:
        rest, end = _next_block(text, end, _OPENERS.get(rest))
    rest = _SENTENCE_END.split(_HOPE.sub("", rest), maxsplit=1)[0].strip(" \t*_")
    rest = _WITHOUT_QUOTES.sub("", rest)
    return FinalAnswer(text=rest or None, complete=end < len(text))


def _next_block(text: str, start: int, closer: str | None) -> tuple[str, int]:
    """Return what follows an answer line that holds nothing itself, to the end of the formula or of the line."""
    block = text[start:].lstrip()
    opener = next((one for one in _OPENERS if closer is None and block.startswith(one)), None)
    if opener is not None:
        block, closer = block[len(opener) :], _OPENERS[opener]
    end = block.find(closer or "\n")
    found = block if end < 0 else block[:end]
    return found.strip(), len(text) if end < 0 else len(text) - len(block) + end + 1


def _after_boxed(rest: str) -> str:
    if rest.startswith("{"):
        end = closing_brace(rest, 0)
        return rest[1:] if end is None else rest[1:end]
    return rest.split("$", 1)[0]


def _qwen_found(answer: str) -> FinalAnswer:
    answer = re.sub(r"\n\s*", "", answer).strip().lstrip(":").strip().rstrip("./").strip()
    return FinalAnswer(text=answer or None)
