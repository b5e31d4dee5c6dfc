"""Reads along while a stream of Anthropic's events is passed on as it came."""

from __future__ import annotations

from typing import Any

from fieldguide.domain import Latency, Usage
from fieldguide.errors import ResponseFormatError
from fieldguide.runners._json import object_of, parse_object, text_of
from fieldguide.runners.anthropic._errors import error_in_event
from fieldguide.runners.anthropic._response import parse_usage

_WORDS = ("text", "thinking", "partial_json")


class MessagesTap:
    """Passes events on, and learns what the answer cost and whether it ended as it should."""

    def __init__(self) -> None:
        self._usage: dict[str, Any] = {}
        self._reason: str | None = None
        self._first_s: float | None = None
        self.seen = 0
        self.done = False

    def take(self, data: str, *, at_s: float) -> bytes:
        """Return what the client gets of an event; see `Tap`."""
        event = parse_object(data)
        kind = event.get("type")
        if kind == "error" or (kind is None and event.get("error")):
            raise error_in_event(event)
        if kind == "content_block_delta":
            delta = object_of(event.get("delta"))
            self.seen += sum(len(text_of(delta.get(name)) or "") for name in _WORDS)
        elif kind == "content_block_start" and self._first_s is None:
            self._first_s = at_s
        elif kind == "message_start":
            self._count(object_of(event.get("message")).get("usage"))
        elif kind == "message_delta":
            self._reason = text_of(object_of(event.get("delta")).get("stop_reason")) or self._reason
            self._count(event.get("usage"))
        elif kind == "message_stop":
            self.done = True
        name = "".join((text_of(kind) or "message").split())
        lines = data.replace("\n", "\ndata: ")
        return f"event: {name}\ndata: {lines}\n\n".encode("utf-8", "replace")

    @property
    def begun(self) -> bool:
        """Whether anything of the answer has come."""
        return self._first_s is not None or self._reason is not None

    def _count(self, usage: object) -> None:
        self._usage |= {name: each for name, each in object_of(usage).items() if each is not None}

    def end(self, *, at_s: float) -> tuple[Usage, Latency]:
        """Return what it cost and how long it took, once the stream has ended; see `Tap`."""
        if self._reason is None:
            raise ResponseFormatError("The stream broke off before the answer was complete.")
        return parse_usage(self._usage), Latency(ttft_s=self._first_s, e2e_latency_s=at_s)
