"""Answers of Converse that come as a stream of events."""

from __future__ import annotations

import json
from typing import Any

from fieldguide.domain import (
    Block,
    BlockEnd,
    BlockStart,
    Completion,
    JsonValue,
    Latency,
    StreamPiece,
    TextDelta,
    ToolCallDelta,
    kind_of,
)
from fieldguide.errors import ResponseFormatError
from fieldguide.runners._json import count_of, further, list_of, object_of, parse_object, text_of
from fieldguide.runners._media import as_base64, from_base64
from fieldguide.runners.bedrock._content import block_of
from fieldguide.runners.bedrock._response import completion_of


class StreamedAnswer:
    """Puts a streamed answer together. Only a stream that says why it ended gives a completion."""

    def __init__(self, *, began_s: float) -> None:
        """Begin at `began_s` (monotonic seconds), when the request was sent."""
        self._began_s = began_s
        self._first_s: float | None = None
        self._raw: list[str] = []
        self._body: dict[str, Any] = {}
        self._message: dict[str, Any] = {}
        self._parts: dict[int, Part] = {}

    def take(self, data: str, *, now_s: float) -> list[StreamPiece]:
        """Take one event, an object with its name, and return the pieces in it.

        Raises:
            ResponseFormatError: It is not a JSON object.
        """
        self._raw.append(data)
        event = parse_object(data)
        pieces: list[StreamPiece] = []
        for name, value in event.items():
            pieces += self._event(name, object_of(value), value, now_s)
        return pieces

    def _event(self, name: str, given: dict[str, Any], value: Any, now_s: float) -> list[StreamPiece]:
        if name == "messageStart":
            self._message = further(given, "p")
        elif name in {"contentBlockStart", "contentBlockDelta"}:
            return self._grown(given, now_s)
        elif name == "contentBlockStop":
            part = self._parts.get(count_of(given.get("contentBlockIndex")) or 0)
            return [] if part is None else part.end()
        elif name == "messageStop":
            self._body |= further(given, "p")
            return [piece for part in self._parts.values() for piece in part.end()]
        elif name == "metadata":
            self._body |= further(given, "p")
        elif value:
            self._body[name] = value  # kept, whatever it may be
        return []

    def _grown(self, given: dict[str, Any], now_s: float) -> list[StreamPiece]:
        if self._first_s is None:
            self._first_s = now_s
        place = count_of(given.get("contentBlockIndex")) or 0
        start, delta = object_of(given.get("start")), object_of(given.get("delta"))
        if place not in self._parts and (start or delta):
            self._parts[place] = Part(len(self._parts))
        part = self._parts.get(place)
        return [] if part is None else part.start(start) + part.add(delta)

    def completion(self, *, now_s: float) -> Completion:
        """Return the whole answer, once the stream has ended.

        Raises:
            ResponseFormatError: The stream ended without saying why, as one does that was cut.
        """
        if text_of(self._body.get("stopReason")) is None:
            raise ResponseFormatError("The stream broke off before the answer was complete.")
        content = [part.whole for part in self._parts.values() if part.whole]
        body = self._body | {"output": {"message": self._message | {"content": content}}}
        ttft_s = None if self._first_s is None else self._first_s - self._began_s
        latency = Latency(ttft_s=ttft_s, e2e_latency_s=now_s - self._began_s)
        return completion_of(body, latency=latency, raw="\n".join(self._raw))


class Part:
    """One part of the content that is still arriving."""

    def __init__(self, index: int) -> None:
        """`index` is its place in the message."""
        self._index = index
        self._given: dict[str, Any] = {}
        self._text: list[str] = []
        self._input: list[str] = []
        self._citations: list[JsonValue] = []
        self._begun = self._ended = False

    def start(self, given: dict[str, Any]) -> list[StreamPiece]:
        """Begin with what the stream says of it beforehand: a call's name, a result's, a picture's format."""
        self._given |= {name: dict(value) for name, value in given.items() if isinstance(value, dict)}
        if not self._given:
            return []
        call = object_of(self._given.get("toolUse"))
        hosted = call.get("type") == "server_tool_use"
        return self._begin(
            None if hosted else text_of(call.get("toolUseId")), None if hosted else text_of(call.get("name"))
        )

    def _begin(self, call_id: str | None = None, name: str | None = None) -> list[StreamPiece]:
        if self._begun:
            return []
        self._begun = True
        return [BlockStart(index=self._index, kind=kind_of(block_of(self.whole)), call_id=call_id, name=name)]

    def add(self, delta: dict[str, Any]) -> list[StreamPiece]:
        """Add what came and return the pieces in it."""
        pieces: list[StreamPiece] = []
        for name, value in delta.items():
            if name == "text" and isinstance(value, str):
                self._text.append(value)
                pieces += [*self._begin(), *([TextDelta(text=value, index=self._index)] if value else [])]
            elif name == "toolUse":
                pieces += self._arguments(text_of(object_of(value).get("input")) or "")
            elif name == "reasoningContent":
                pieces += self._thought(object_of(value))
            elif name == "citation":
                self._citations.append(value)
                pieces += self._begin()
            elif name == "toolResult":
                result = self._given.setdefault("toolResult", {})
                result["content"] = [*list_of(result.get("content")), *list_of(value)]
                pieces += self._begin()
            else:
                known = self._given.get(name)
                self._given[name] = known | value if isinstance(known, dict) and isinstance(value, dict) else value
                pieces += self._begin()
        return pieces

    def _arguments(self, text: str) -> list[StreamPiece]:
        self._given.setdefault("toolUse", {})
        self._input.append(text)
        hosted = self._given["toolUse"].get("type") == "server_tool_use"
        return self._begin() + ([] if hosted or not text else [ToolCallDelta(index=self._index, arguments=text)])

    def _thought(self, given: dict[str, Any]) -> list[StreamPiece]:
        held = self._given.setdefault("reasoningContent", {})
        pieces: list[StreamPiece] = []
        for name, value in given.items():
            if name in {"text", "signature"} and isinstance(value, str):
                text = held.setdefault("reasoningText", {})
                text[name] = text.get(name, "") + value
            elif name == "redactedContent" and isinstance(value, str):
                held[name] = _joined_base64(held.get(name), value)
            else:
                held[name] = value
        pieces += self._begin()
        if words_ := text_of(given.get("text")):
            pieces.append(TextDelta(text=words_, reasoning=True, index=self._index))
        return pieces

    def end(self) -> list[StreamPiece]:
        """End it, where it has begun."""
        if not self._begun or self._ended:
            return []
        self._ended = True
        return [BlockEnd(index=self._index, block=self.block)]

    @property
    def block(self) -> Block:
        """The block, as far as it came."""
        return block_of(self.whole)

    @property
    def whole(self) -> dict[str, Any]:
        """The part as a whole answer would have it, as far as it came."""
        if "toolUse" in self._given:
            return {**self._given, "toolUse": {**self._given["toolUse"], "input": _parsed("".join(self._input))}}
        if self._given:
            return self._given
        if self._citations:
            return {"citationsContent": {"content": [{"text": "".join(self._text)}], "citations": self._citations}}
        return {"text": "".join(self._text)} if self._text else {}


def _joined_base64(known: str | None, more: str) -> str:
    one, other = from_base64(known or ""), from_base64(more)
    return (known or "") + more if one is None or other is None else as_base64(one + other)


def _parsed(text: str) -> Any:
    """Return the arguments that were streamed: an object, or the text itself where it is none."""
    if not text.strip():
        return {}
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
