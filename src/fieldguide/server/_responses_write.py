"""Our answers as responses, whole and as events, in OpenAI's newer words."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from typing import Any

from fieldguide.app.gateway import Open
from fieldguide.domain import (
    Block,
    BlockEnd,
    BlockStart,
    Completion,
    FinishReason,
    Image,
    ProviderBlock,
    Reasoning,
    Refusal,
    StreamPiece,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
    provider_fields,
)
from fieldguide.server._chat_write import call_id, dumped, logprobs_of, raw_arguments
from fieldguide.server._citations import Source, sources_in, sources_of_the_whole
from fieldguide.server._seal import FIELD, data_sealed, foreign, seal, without_words

OWN_ID = "fieldguide_id"
"""Under which an item keeps its provider's id where a client was told another before that one was known."""
_INCOMPLETE = {FinishReason.LENGTH: "max_output_tokens", FinishReason.CONTENT_FILTER: "content_filter"}
_ECHOED = (
    "instructions", "max_output_tokens", "metadata", "parallel_tool_calls", "temperature", "text", "tool_choice",
    "tools", "top_p", "truncation", "reasoning", "user", "service_tier",
)  # fmt: skip


def write_response(completion: Completion, model: Open, request_id: str, body: Mapping[str, Any]) -> bytes:
    """Return a whole answer. One of a server that speaks this protocol goes out as it came."""
    if model.takes_response_fields and completion.raw is not None:
        return completion.raw.encode("utf-8", "replace")
    return dumped(response_of(completion, model, request_id, body))


def response_of(
    completion: Completion, model: Open, request_id: str, body: Mapping[str, Any], output: list[Any] | None = None
) -> dict[str, Any]:
    """Return a whole response; `output` takes the place of the items where they were told before."""
    if output is None:
        blocks = list(completion.reply.blocks)
        output = [item_of(block, f"{request_id}_{place}", model) for place, block in enumerate(blocks)]
        output = [item for item in output if item is not None] + _of_the_turn(completion, model, request_id)
        if completion.logprobs is not None:
            _with_logprobs(output, completion)
        _with_sources(output, completion, model)
    withheld = completion.finish_reason is FinishReason.CONTENT_FILTER and completion.text
    why = _INCOMPLETE.get(completion.finish_reason)
    if completion.finish_reason is FinishReason.CONTENT_FILTER and not withheld:
        why = None  # the refusal stands in the output
    return {
        **_shell(model, request_id, body),
        "id": completion.response_id or f"resp_{request_id}",
        "model": completion.model or model.config.alias,
        "status": "incomplete" if why else "completed",
        "incomplete_details": {"reason": why} if why else None,
        "output": output,
        "usage": usage_of(completion.usage),
    }


def _shell(model: Open, request_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": f"resp_{request_id}",
        "object": "response",
        "created_at": int(time.time()),
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "model": model.config.alias,
        "output": [],
        "previous_response_id": None,
        "store": False,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": None,
        **{name: body[name] for name in _ECHOED if body.get(name) is not None},
    }


def _with_logprobs(output: list[dict[str, Any]], completion: Completion) -> None:
    told = logprobs_of(completion.logprobs)
    for item in output:
        if item["type"] == "message" and told is not None:
            item["content"][0]["logprobs"] = told["content"]
            return


def item_of(block: Block, item_id: str, model: Open) -> dict[str, Any] | None:
    """Return a block as an item of the output; None where the protocol has no such thing."""
    if isinstance(block, Text | Refusal):
        item = _message(item_id, [_part(block, model)])
        if not model.takes_response_fields and isinstance(block, Text) and foreign(block, None):
            item[FIELD] = seal(without_words(block))
        return item
    if isinstance(block, Reasoning):
        summary = [{"type": "summary_text", "text": block.text}] if block.text else []
        own = provider_fields(block.provider_data, model.provider) if model.takes_response_fields else {}
        sealed = block.encrypted if model.takes_response_fields else seal(block)
        return {"id": f"rs_{item_id}", "type": "reasoning", "summary": summary, "encrypted_content": sealed, **own}
    if isinstance(block, ToolCall):
        return _call(block, item_id, model)
    if isinstance(block, ProviderBlock):
        if model.takes_response_fields:
            return dict(block.value)
        return {"id": f"rs_{item_id}", "type": "reasoning", "summary": [], "encrypted_content": seal(block)}
    if isinstance(block, Image) and block.data is not None:
        return _picture(block, item_id)
    return None


def _picture(block: Image, item_id: str) -> dict[str, Any]:
    data = base64.b64encode(block.data or b"").decode("ascii")
    item = {"id": f"ig_{item_id}", "type": "image_generation_call", "status": "completed", "result": data}
    return {**item, FIELD: seal(without_words(block))} if block.provider_data else item


def _message(item_id: str, content: list[dict[str, Any]], status: str = "completed") -> dict[str, Any]:
    return {"id": f"msg_{item_id}", "type": "message", "status": status, "role": "assistant", "content": content}


def _part(block: Text | Refusal, model: Open) -> dict[str, Any]:
    if isinstance(block, Refusal):
        return {"type": "refusal", "refusal": block.text}
    own = provider_fields(block.provider_data, model.provider) if model.takes_response_fields else {}
    annotations = own["annotations"] if "annotations" in own else _annotations(sources_in(block))
    return {"type": "output_text", "text": block.text, "annotations": annotations, "logprobs": []}


def _annotations(sources: list[Source]) -> list[dict[str, Any]]:
    return [
        {
            "type": "url_citation",
            "start_index": source.start,
            "end_index": source.end,
            "url": source.url,
            "title": source.title or "",
        }
        for source in sources
    ]


def _call(call: ToolCall, item_id: str, model: Open) -> dict[str, Any]:
    own = provider_fields(call.provider_data, model.provider) if model.takes_response_fields else {}
    custom = own.get("type") == "custom_tool_call"
    item = {
        "id": f"fc_{item_id}",
        "type": "function_call",
        "status": "completed",
        "call_id": call.call_id or call_id(),
        "name": call.name,
        "input" if custom else "arguments": raw_arguments(call),
        **own,
    }
    if call.provider_data and not model.takes_response_fields:
        item[FIELD] = seal(call)
    return item


def usage_of(usage: Usage) -> dict[str, Any] | None:
    """Return the counts; None where none are known."""
    if usage.input_tokens is None and usage.output_tokens is None:
        return None
    read, written = usage.input_tokens or 0, usage.output_tokens or 0
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": usage.cached_input_tokens or 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
        "total_tokens": read + written,
    }


def _of_the_turn(completion: Completion, model: Open, request_id: str) -> list[dict[str, Any]]:
    """Return the item that carries what its maker wants back with a turn as a whole."""
    sealed = None if model.takes_response_fields else data_sealed(completion.reply, known=None)
    if sealed is None:
        return []
    return [{"id": f"rs_{request_id}_turn", "type": "reasoning", "summary": [], "encrypted_content": sealed}]


def _with_sources(output: list[dict[str, Any]], completion: Completion, model: Open) -> None:
    """Put the pages that the whole answer rests on with its last words."""
    messages = [item for item in output if item["type"] == "message" and item["content"]]
    if messages and not model.takes_response_fields and (found := _annotations(sources_of_the_whole(completion))):
        part = messages[-1]["content"][-1]
        part["annotations"] = [*part.get("annotations", []), *found]


class _Item:
    """An item that is being told."""

    def __init__(self, place: int, kind: str, item: dict[str, Any]) -> None:
        self.place, self.kind, self.item = place, kind, item
        self.texts: list[str] = []
        self.begun = False


class ResponseEvents:
    """Writes the pieces of one answer as events."""

    heartbeat = b": still here\n\n"

    def __init__(self, model: Open, request_id: str, body: Mapping[str, Any]) -> None:
        self._model, self._request_id, self._body = model, request_id, body
        self._number = 0
        self._items: dict[int | str, _Item] = {}
        self._output: list[dict[str, Any]] = []

    def _event(self, kind: str, **value: Any) -> bytes:
        told = {"type": kind, "sequence_number": self._number, **value}
        self._number += 1
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), dumped(told))

    def begin(self) -> bytes:
        """Return the first events."""
        shell = _shell(self._model, self._request_id, self._body)
        return self._event("response.created", response=shell) + self._event("response.in_progress", response=shell)

    def piece(self, piece: StreamPiece) -> bytes:
        """Return what a piece is as events."""
        if isinstance(piece, TextDelta):
            kind = "reasoning" if piece.reasoning else "text"
            told, item = self._open(piece.index if piece.index is not None else kind, kind)
            item.texts.append(piece.text)
            return told + self._words(item, piece.text)
        if isinstance(piece, BlockStart):
            if piece.kind == "tool_call":
                return self._open(piece.index, "tool_call", call=piece)[0]
            return self._open(piece.index, piece.kind)[0] if piece.kind in {"text", "reasoning"} else b""
        if isinstance(piece, ToolCallDelta):
            told, item = self._open(piece.index, "tool_call")
            item.texts.append(piece.arguments)
            return told + self._event(
                "response.function_call_arguments.delta",
                item_id=item.item["id"],
                output_index=item.place,
                delta=piece.arguments,
            )
        return self._block_ends(piece)

    def _open(self, key: int | str, kind: str, call: BlockStart | None = None) -> tuple[bytes, _Item]:
        found = self._items.get(key)
        if found is not None:
            return b"", found
        told = b""
        if isinstance(key, str):  # a runner that does not tell blocks apart: the one before ends
            told = b"".join(self._end_item(other, None) for other in list(self._items))
        place = len(self._output)
        item_id = f"{self._request_id}_{place}"
        empty: dict[str, Any]
        if kind == "text":
            empty = _message(item_id, [], "in_progress")
        elif kind == "reasoning":
            empty = {"id": f"rs_{item_id}", "type": "reasoning", "summary": []}
        else:
            given = (call.call_id if call else None) or call_id()
            name = (call.name if call else None) or ""
            empty = {"id": f"fc_{item_id}", "type": "function_call", "status": "in_progress", "call_id": given}
            empty |= {"name": name, "arguments": ""}
        self._output.append(empty)
        item = self._items[key] = _Item(place, kind, empty)
        return told + self._event("response.output_item.added", output_index=place, item=empty), item

    def _words(self, item: _Item, text: str) -> bytes:
        told = b""
        at = {"item_id": item.item["id"], "output_index": item.place}
        if item.kind == "reasoning":
            if not item.begun:
                part = {"type": "summary_text", "text": ""}
                told = self._event("response.reasoning_summary_part.added", **at, summary_index=0, part=part)
            item.begun = True
            return told + self._event("response.reasoning_summary_text.delta", **at, summary_index=0, delta=text)
        if not item.begun:
            part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}  # type: ignore[dict-item]
            told = self._event("response.content_part.added", **at, content_index=0, part=part)
        item.begun = True
        return told + self._event("response.output_text.delta", **at, content_index=0, delta=text, logprobs=[])

    def _block_ends(self, end: BlockEnd) -> bytes:
        if end.index in self._items:
            return self._end_item(end.index, end.block)
        return self._whole(end.block)

    def _whole(self, block: Block) -> bytes:
        place = len(self._output)
        item = item_of(block, f"{self._request_id}_{place}", self._model)
        if item is None:
            return b""
        return self._told_whole(item)

    def _told_whole(self, item: dict[str, Any]) -> bytes:
        place = len(self._output)
        self._output.append(item)
        added = self._event("response.output_item.added", output_index=place, item=item)
        return added + self._event("response.output_item.done", output_index=place, item=item)

    def _end_item(self, key: int | str, block: Block | None) -> bytes:
        """Tell that an item is whole; `block` is None where only its words are known."""
        item = self._items.pop(key)
        text = "".join(item.texts)
        at = {"item_id": item.item["id"], "output_index": item.place}
        made = None if block is None else item_of(block, f"{self._request_id}_{item.place}", self._model)
        told = b""
        if item.kind == "text":
            part = (
                made["content"][0] if made else {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
            )
            if not item.begun:
                told += self._event("response.content_part.added", **at, content_index=0, part={**part, "text": ""})
            told += self._event("response.output_text.done", **at, content_index=0, text=part["text"], logprobs=[])
            told += self._event("response.content_part.done", **at, content_index=0, part=part)
            final = {**(made or {}), **_message(f"{self._request_id}_{item.place}", [part])}
            if isinstance(block, Text) and self._model.takes_response_fields:
                final |= _of_its_item(block, self._model.provider)
        elif item.kind == "reasoning":
            summary = [{"type": "summary_text", "text": text}] if text else []
            final = {**item.item, "summary": summary, **(made or {})}
            if item.begun:
                part = {"type": "summary_text", "text": text}
                told += self._event("response.reasoning_summary_text.done", **at, summary_index=0, text=text)
                told += self._event("response.reasoning_summary_part.done", **at, summary_index=0, part=part)
        else:
            arguments = raw_arguments(block) if isinstance(block, ToolCall) else text
            if not text and arguments:
                told += self._event("response.function_call_arguments.delta", **at, delta=arguments)
            name = item.item["name"]
            told += self._event("response.function_call_arguments.done", **at, name=name, arguments=arguments)
            final = {**item.item, **(made or {}), "call_id": item.item["call_id"], "status": "completed"}
            if "input" not in final:
                final["arguments"] = arguments
        if final["id"] != item.item["id"]:  # a client takes an item by the id that it was told first
            final = {**final, OWN_ID: final["id"], "id": item.item["id"]}
        self._output[item.place] = final
        return told + self._event("response.output_item.done", output_index=item.place, item=final)

    def end(self, completion: Completion) -> bytes:
        """Return the last events."""
        told = b"".join(self._end_item(key, None) for key in list(self._items))
        if not self._output or (completion.tool_calls and not any(_is_call(item) for item in self._output)):
            missing = [block for block in completion.reply.blocks if not self._output or isinstance(block, ToolCall)]
            told += b"".join(self._whole(block) for block in missing)
        for item in _of_the_turn(completion, self._model, self._request_id):
            told += self._told_whole(item)
        response = response_of(completion, self._model, self._request_id, self._body, self._output)
        if not response["output"] or not _same_items(ended := _as_it_ended(completion, self._model), self._output):
            ended = {}
        response |= ended
        _with_sources(response["output"], completion, self._model)
        response["id"] = f"resp_{self._request_id}"
        kind = "response.incomplete" if response["status"] == "incomplete" else "response.completed"
        return told + self._event(kind, response=response)

    def error(self, value: Mapping[str, object]) -> bytes:
        """Return the event that tells of an error in the middle; the stream ends with it."""
        inner = value["error"]
        assert isinstance(inner, dict)
        return self._event("error", code=inner["code"], message=inner["message"], param=inner["param"])


def _as_it_ended(completion: Completion, model: Open) -> dict[str, Any]:
    """Return the last event's response of a server that speaks this protocol: thoughts are sealed anew in it."""
    if not model.takes_response_fields or completion.raw is None:
        return {}
    try:
        response = json.loads(completion.raw.rpartition("\n")[2])["response"]
    except (ValueError, KeyError, TypeError):
        return {}
    return response if isinstance(response, dict) and response.get("output") else {}


def _same_items(response: dict[str, Any], told: list[dict[str, Any]]) -> bool:
    """Give the items of a provider's response the ids that a client was told; False where they are not the same."""
    items = response.get("output") or []
    if [item.get("type") for item in items] != [item["type"] for item in told]:
        return False
    for item, known in zip(items, told):
        if item.get("id") != known.get("id"):
            item |= {OWN_ID: item.get("id"), "id": known.get("id")}
    return True


def _of_its_item(block: Text, provider: str) -> dict[str, Any]:
    """Return what a provider says of the item that words stand in, its id under a name of our own."""
    item = provider_fields(block.provider_data, provider).get("item")
    if not isinstance(item, dict):
        return {}
    return {OWN_ID if name == "id" else name: value for name, value in item.items() if name in {"id", "phase"}}


def _is_call(item: Mapping[str, Any]) -> bool:
    return item["type"] in {"function_call", "custom_tool_call"}
