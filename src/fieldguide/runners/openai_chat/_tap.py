"""Reads along while a stream of chat completions is passed on as it came."""

from __future__ import annotations

from typing import Any

from fieldguide.domain import Latency, Usage
from fieldguide.errors import ResponseFormatError
from fieldguide.runners._json import object_of, objects_of, text_of
from fieldguide.runners.openai_chat._response import (
    REASONING_FIELDS,
    check_ended,
    parse_completion,
    parse_json,
    parse_usage,
)

_WORDS = ("content", "refusal", *REASONING_FIELDS)


def usage_in(text: str) -> Usage:
    """Return what a whole answer cost, without taking it apart any further than is needed to see that it is one.

    Raises:
        RunnerError: It is none, or an error in disguise.
    """
    body = parse_json(text)
    choice = next(iter(objects_of(body.get("choices"))), {})
    said = object_of(choice.get("message")).get("content")
    if not said or not isinstance(said, str) or choice.get("finish_reason") == "error":
        return parse_completion(text, e2e_latency_s=0.0).usage  # which knows an answer without words from none
    return parse_usage(body.get("usage"))


class ChatTap:
    """Passes on what a client of this protocol may see, and learns what it cost and whether it ended as it should."""

    def __init__(self, *, with_usage: bool) -> None:
        """`with_usage` is whether the client has asked for the chunk that holds nothing but counts."""
        self._with_usage = with_usage
        self._usage: object = None
        self._reason: str | None = None
        self._first_s: float | None = None
        self.seen = 0
        self.done = False

    def take(self, data: str, *, at_s: float) -> bytes:
        """Return what the client gets of an event; see `Tap`."""
        if self.done:
            return b""
        if data.strip() == "[DONE]":
            self.done = True
            return b""
        chunk = parse_json(data)
        choices = objects_of(chunk.get("choices"))
        self._usage = chunk.get("usage") or self._usage
        for choice in choices:
            self._read(choice, at_s)
        if not choices and chunk.get("usage") and not self._with_usage:
            return b""
        return b"data: %b\n\n" % data.replace("\n", "\ndata: ").encode("utf-8", "replace")

    @property
    def begun(self) -> bool:
        """Whether anything of the answer has come."""
        return self._first_s is not None or self._reason is not None

    def _read(self, choice: dict[str, Any], at_s: float) -> None:
        self._reason = text_of(choice.get("finish_reason")) or self._reason
        delta = choice.get("delta")
        if isinstance(delta, dict):
            for name in _WORDS:
                if words := delta.get(name):
                    self._note(len(words) if isinstance(words, str) else len(str(words)), at_s)
            if calls := delta.get("tool_calls") or delta.get("function_call"):
                self._note(_arguments(calls), at_s)
        elif words := text_of(choice.get("text")):
            self._note(len(words), at_s)

    def _note(self, characters: int, at_s: float) -> None:
        self.seen += characters
        if self._first_s is None:
            self._first_s = at_s

    def end(self, *, at_s: float) -> tuple[Usage, Latency]:
        """Return what it cost and how long it took, once the stream has ended; see `Tap`."""
        if self._reason is None:
            raise ResponseFormatError("The stream broke off before the answer was complete.")
        check_ended(self._reason)
        return parse_usage(self._usage), Latency(ttft_s=self._first_s, e2e_latency_s=at_s)


def _arguments(calls: object) -> int:
    """Return how many characters of arguments there are in a piece of tool calls."""
    each = calls if isinstance(calls, list) else [{"function": calls}]
    inner = (call.get("function") or call.get("custom") for call in objects_of(each))
    return sum(len(str(given.get("arguments") or given.get("input") or "")) for given in objects_of(list(inner)))
