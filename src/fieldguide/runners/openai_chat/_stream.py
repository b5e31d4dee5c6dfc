"""Chunks of a streamed chat completion to pieces and, in the end, a completion."""

from __future__ import annotations

import json
from typing import Any

from fieldguide.domain import Audio, Block, Completion, JsonValue, ProviderBlock, StreamPiece, TokenLogprob, kept_for
from fieldguide.errors import ResponseFormatError
from fieldguide.runners._blocks import Blocks, OpenBlock
from fieldguide.runners._json import count_of, further, object_of, objects_of, text_of
from fieldguide.runners._media import from_base64
from fieldguide.runners.openai_chat._logprobs import parse_logprobs
from fieldguide.runners.openai_chat._response import (
    ANY,
    REASONING_FIELDS,
    completion_of,
    gathered,
    metadata_of,
    of_function,
    parse_json,
)

_DELTA_FIELDS = ("role", "content", "refusal", "tool_calls", "function_call", "audio", *REASONING_FIELDS)


class StreamedAnswer:
    """Puts a streamed answer together. Only a stream that says why it ended gives a completion."""

    def __init__(self, *, began_s: float, provider: str = ANY) -> None:
        """Begin at `began_s` (monotonic seconds), when the request was sent."""
        self._provider = provider
        self._blocks = Blocks(provider, began_s=began_s)
        self._raw: list[str] = []
        self._raw_reason: str | None = None
        self._body: dict[str, Any] = {}
        self._metadata: dict[str, Any] = {}
        self._message_fields: dict[str, JsonValue] = {}
        self._logprobs: list[TokenLogprob] = []
        self._tells_logprobs = False
        self._audio: dict[str, Any] = {}

    def take(self, data: str, *, now_s: float) -> list[StreamPiece]:
        """Take the data of one event and return the pieces in it.

        Raises:
            RunnerError: The event is an error.
            ResponseFormatError: It is not a JSON object.
        """
        self._raw.append(data)
        chunk = parse_json(data)
        self._body |= {name: chunk[name] for name in ("id", "model", "usage", "service_tier") if chunk.get(name)}
        choices = objects_of(chunk.get("choices"))
        choice = next((each for each in choices if not each.get("index")), {})
        gathered(self._metadata, metadata_of(chunk, choice))
        if not choice:
            return []
        self._take_logprobs(choice)
        delta = choice.get("delta")
        pieces = self._pieces(delta if isinstance(delta, dict) else {"content": choice.get("text")}, now_s)
        self._raw_reason = text_of(choice.get("finish_reason")) or self._raw_reason
        return [*pieces, *self._blocks.end_all()] if choice.get("finish_reason") else pieces

    def _take_logprobs(self, choice: dict[str, Any]) -> None:
        found = parse_logprobs(choice.get("logprobs"))
        if found is not None:
            self._tells_logprobs = True
            self._logprobs += found

    def _pieces(self, delta: dict[str, Any], now_s: float) -> list[StreamPiece]:
        gathered(self._message_fields, further(delta, *_DELTA_FIELDS))
        pieces: list[StreamPiece] = []
        for name in REASONING_FIELDS:
            if text_of(delta.get(name)):
                pieces += self._thought(name, name, delta[name], {"field": name}, now_s)
        content = delta.get("content")
        if isinstance(content, list):
            for part in objects_of(content):
                pieces += self._part(part, now_s)
        elif text_of(content):
            pieces += self._blocks.add("text", "text", str(content), now_s=now_s)
        if text_of(delta.get("refusal")):
            pieces += self._blocks.add("refusal", "refusal", delta["refusal"], now_s=now_s)
        if audio := object_of(delta.get("audio")):
            self._take_audio(audio)
        for place, call in enumerate(objects_of(delta.get("tool_calls"))):
            index = count_of(call.get("index"))
            pieces += self._call(place if index is None else index, call, now_s)
        if old := object_of(delta.get("function_call")):
            pieces += self._call("old", {"function": old}, now_s)
        return pieces

    def _thought(self, key: str, name: str, text: str, fields: dict[str, JsonValue], now_s: float) -> list[StreamPiece]:
        pieces = self._blocks.add(key, "reasoning", text, now_s=now_s)
        block = self._blocks.open(key)
        if block is not None:
            block.fields |= fields
        return pieces

    def _part(self, part: dict[str, Any], now_s: float) -> list[StreamPiece]:
        """Take a part of a content that comes as a list; thoughts in it are put together into one part again."""
        if part.get("type") != "thinking":
            text = text_of(part.get("text"))
            if text is None:
                whole_part = ProviderBlock(provider=self._provider, value=part)
                return self._blocks.whole(whole_part, "provider_block", now_s=now_s)
            return self._blocks.add("text", "text", text, now_s=now_s) if text else []
        inner = part.get("thinking")
        text = inner if isinstance(inner, str) else "".join(str(each.get("text", "")) for each in objects_of(inner))
        open_block = self._blocks.open("part")
        whole = object_of(open_block.fields.get("part")) if open_block else {}
        said = "".join(open_block.parts if open_block else ()) + text
        whole = {**whole, **part, "thinking": said if isinstance(inner, str) else [{"type": "text", "text": said}]}
        return self._thought("part", "part", text, {"part": whole}, now_s)

    def _take_audio(self, audio: dict[str, Any]) -> None:
        for name, value in audio.items():
            known = self._audio.get(name)
            grows = name in {"data", "transcript"} and isinstance(known, str) and isinstance(value, str)
            self._audio[name] = known + value if grows else value

    def _call(self, index: object, call: dict[str, Any], now_s: float) -> list[StreamPiece]:
        """Take a piece of a tool call. A new id, or a new name without one, under a taken index begins another call."""
        function = object_of(call.get("function")) or object_of(call.get("custom"))
        key, call_id = ("call", index), text_of(call.get("id")) or None
        name = text_of(function.get("name")) or ""
        block = self._blocks.open(key)
        pieces: list[StreamPiece] = []
        if block is None or _is_another(block, call_id, name):
            pieces = [
                *self._blocks.end(key),
                *self._blocks.start(key, "tool_call", call_id=call_id, name=name, now_s=now_s),
            ]
            block = self._blocks.open(key)
        if block is None:
            return pieces
        block.call_id, block.name = block.call_id or call_id, block.name or name
        block.fields |= further(call, "id", "function", "custom", "index", "type") | of_function(call)
        if call.get("type") not in (None, "", "function"):
            block.fields["type"] = call["type"]
        given = function.get("arguments") or function.get("input")
        arguments = json.dumps(given) if isinstance(given, dict) else text_of(given)  # some servers send an object
        return [*pieces, *self._blocks.add(key, "tool_call", arguments, now_s=now_s)] if arguments else pieces

    def completion(self, *, now_s: float) -> Completion:
        """Return the whole answer, once the stream has ended.

        Raises:
            ResponseFormatError: The stream ended without saying why, as one does that was cut.
        """
        if self._raw_reason is None:
            raise ResponseFormatError("The stream broke off before the answer was complete.")
        return completion_of(
            (*self._blocks.made, *self._sound()),
            raw_reason=self._raw_reason,
            empty=False,
            provider=self._provider,
            message_fields=self._message_fields,
            logprobs=tuple(self._logprobs) if self._tells_logprobs else None,
            body=self._body,
            metadata=self._metadata,
            latency=self._blocks.latency(now_s=now_s),
            raw="\n".join(self._raw),
        )

    def _sound(self) -> list[Block]:
        data = from_base64(str(self._audio.get("data", "")))
        fields = further(self._audio, "data")
        return [Audio(data=data, provider_data=kept_for(self._provider, fields))] if data else []


def _is_another(block: OpenBlock, call_id: str | None, name: str) -> bool:
    if call_id is not None:
        return block.call_id not in {None, call_id}
    return bool(name and block.parts and block.name not in {"", name})
