"""What the official clients of OpenAI, Anthropic and Ollama expose of an answer that came through the gateway.

`told_to` says what a client's protocol can express of an answer of ours; `CLIENTS` ask with the vendors' own libraries
and return what these expose, under the same names. A name that is in the one and not in the other is lost.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import anthropic
import ollama
import openai

from fieldguide.domain import (
    Audio,
    Completion,
    FinishReason,
    Image,
    Reasoning,
    Refusal,
    Text,
    TokenLogprob,
    ToolCall,
    Usage,
)

View = dict[str, Any]
"""What an answer says: words, thoughts, calls, why it ended, counts, probabilities, sources, pictures."""
_REASONS: Mapping[str, Mapping[FinishReason, str]] = {
    "chat": {
        FinishReason.STOP: "stop",
        FinishReason.LENGTH: "length",
        FinishReason.CONTENT_FILTER: "content_filter",
        FinishReason.TOOL_CALL: "tool_calls",
        FinishReason.PAUSE: "stop",
        FinishReason.UNKNOWN: "stop",
    },
    "messages": {
        FinishReason.STOP: "end_turn",
        FinishReason.LENGTH: "max_tokens",
        FinishReason.CONTENT_FILTER: "refusal",
        FinishReason.TOOL_CALL: "tool_use",
        FinishReason.PAUSE: "pause_turn",
        FinishReason.UNKNOWN: "end_turn",
    },
    "ollama": {FinishReason.LENGTH: "length"},
    "responses": {FinishReason.LENGTH: "max_output_tokens"},
}


def told_to(protocol: str, answer: Completion, *, speaks: bool) -> View:
    """Return what a client of a protocol is to be told of an answer; `speaks` is whether its provider speaks it too."""
    blocks = answer.reply.blocks
    words = "".join(block.text for block in blocks if isinstance(block, Text)) or answer.text
    refusal = "".join(block.text for block in blocks if isinstance(block, Refusal))
    thoughts = "".join(block.text or "" for block in blocks if isinstance(block, Reasoning)) or answer.reasoning or ""
    view: View = {
        "words": words,
        "thoughts": _unspaced(thoughts),
        "calls": [_call(block, protocol) for block in blocks if isinstance(block, ToolCall)],
        "reasons": [_reason(protocol, answer), answer.raw_finish_reason if speaks else None],
        "counts": _counts(protocol, answer.usage),
        "sources": _pages(answer),
        "pictures": [block.data for block in blocks if isinstance(block, Image) and block.data is not None],
    }
    if protocol in {"chat", "responses"}:
        view["refusal"] = refusal
    else:
        view["words"] += refusal
    if protocol != "messages" and answer.logprobs is not None:
        view["logprobs"] = [_token(token) for token in answer.logprobs]
    if protocol == "chat":
        view["sound"] = [block.data for block in blocks if isinstance(block, Audio) and block.data is not None]
    if protocol == "ollama":
        del view["sources"]  # it has no words for them
    return {name: each for name, each in view.items() if each not in (None, "", [], {})}


def _pages(answer: Completion) -> list[str]:
    """Return the addresses that stand anywhere in what a provider says of an answer's sources."""
    data = [each for block in (*answer.reply.blocks, answer.reply) for each in getattr(block, "provider_data", ())]
    told: list[Any] = [
        each.fields.get(name) for each in data for name in ("citations", "annotations", "citationsContent")
    ]
    candidate = answer.metadata.get("candidate")
    grounding = candidate.get("groundingMetadata") if isinstance(candidate, dict) else None
    told.append(grounding.get("groundingChunks") if isinstance(grounding, dict) else None)
    return sorted({text for each in told for text in addresses_in(each)})


def addresses_in(value: Any) -> Iterator[str]:
    """Yield the texts under the names that providers give to the address of a page."""
    if isinstance(value, dict):
        for name, each in value.items():
            if name in {"url", "uri", "source"} and isinstance(each, str) and each.startswith("http"):
                yield each
            yield from addresses_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from addresses_in(each)


def _unspaced(text: str) -> str:
    """Return thoughts without blanks: where a protocol has one text for them, blocks stand apart in it."""
    return "".join(text.split())


def _reason(protocol: str, answer: Completion) -> str | None:
    usual = "stop" if protocol == "ollama" else None
    return _REASONS[protocol].get(answer.finish_reason, usual)


def _call(call: ToolCall, protocol: str) -> dict[str, Any]:
    """Return a call; Ollama's library shows no ids, and has objects for arguments as Anthropic's has."""
    arguments: Any = call.arguments
    custom = any(data.fields.get("type") in {"custom", "custom_tool_call"} for data in call.provider_data)
    if custom and protocol in {"chat", "responses"}:
        arguments = call.raw_arguments
    elif arguments is None:
        raw = call.raw_arguments or ""
        arguments = raw if protocol in {"chat", "responses"} else {"raw_arguments": raw}
    told = {"name": call.name, "arguments": arguments}
    return told if protocol == "ollama" or not call.call_id else {**told, "id": call.call_id}


def _counts(protocol: str, usage: Usage) -> dict[str, int]:
    counts = {"input": usage.input_tokens, "output": usage.output_tokens}
    if protocol != "ollama":
        counts |= {"cached": usage.cached_input_tokens, "thoughts": usage.reasoning_tokens}
        counts["written"] = usage.cache_write_tokens
    if protocol == "chat":
        counts |= {"sound in": usage.input_audio_tokens, "sound out": usage.output_audio_tokens}
    known = {name: count for name, count in counts.items() if count}
    return known if usage.input_tokens is not None or usage.output_tokens is not None else {}


def _token(token: TokenLogprob) -> list[Any]:
    return [token.token, _number(token.logprob), [[each.token, _number(each.logprob)] for each in token.alternatives]]


def _number(logprob: float) -> float:
    return round(logprob, 6) if abs(logprob) < 9999 else -9999.0


def lost(told: View, seen: View) -> list[str]:
    """Return in words what of an answer a client does not see."""
    faults = []
    for name, each in told.items():
        found = seen.get(name)
        if name == "calls":
            faults += _lost_calls(each, found or [])
        elif name == "counts":
            faults += [f"{what}: {count} became {(found or {}).get(what)}" for what, count in each.items()
                       if (found or {}).get(what) != count]  # fmt: skip
        elif name == "reasons":
            faults += [] if seen.get("reason") in each else [f"reason: {each[0]} became {seen.get('reason')}"]
        elif found != each:
            faults.append(f"{name}: {_short(each)} became {_short(found)}")
    if said_twice := {"words", "thoughts", "refusal"} & set(seen) - set(told):
        faults += [f"{name}: {_short(seen[name])} came from nowhere" for name in said_twice if seen[name]]
    return faults


def _lost_calls(told: list[dict[str, Any]], seen: list[dict[str, Any]]) -> list[str]:
    if len(told) != len(seen):
        return [f"calls: {len(told)} became {len(seen)}"]
    faults = []
    for one, other in zip(told, seen):
        faults += [f"a call's {name}: {_short(each)} became {_short(other.get(name))}" for name, each in one.items()
                   if other.get(name) != each]  # fmt: skip
    ids = [each["id"] for each in seen if "id" in each]
    if len(set(ids)) != len(ids) or not all(ids):
        faults.append(f"calls have the ids {ids}")
    return faults


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 100 else f"{text[:60]} ... {text[-30:]}"


# -- the clients ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a client shows, and the turns that it sends back after it."""

    view: View
    turns: list[dict[str, Any]]
    """The answer as the client holds it, and a result of each call."""


class Clients:
    """The vendors' own libraries, pointed at a gateway."""

    def __init__(self, address: str) -> None:
        self.openai = openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)
        self.anthropic = anthropic.AsyncAnthropic(base_url=address, api_key="none", max_retries=0)
        self.ollama = ollama.AsyncClient(host=address)

    async def close(self) -> None:
        await self.openai.close()
        await self.anthropic.close()
        await self.ollama._client.aclose()


Ask = Callable[[Clients, bool, "list[dict[str, Any]]"], Awaitable[Seen]]
"""`async (clients, whether as a stream, earlier turns) -> Seen`."""
QUESTION = {"role": "user", "content": "What now?"}
RESULT = "it rains"


async def ask_chat(clients: Clients, stream: bool, turns: list[dict[str, Any]]) -> Seen:
    """Ask as a client of chat completions."""
    client, messages = clients.openai, cast(Any, [QUESTION, *turns])
    if not stream:
        whole = await client.chat.completions.create(model="m", messages=messages)
        [choice, *_] = whole.choices
        said = choice.message.model_dump(warnings=False)
        return _seen_chat(said, choice.finish_reason, whole.usage, choice.logprobs)
    message: dict[str, Any] = {"role": "assistant"}
    reason: str | None = None
    usage: Any = None
    tokens: list[Any] = []
    chunks = await client.chat.completions.create(
        model="m", messages=messages, stream=True, stream_options={"include_usage": True}
    )
    async for chunk in chunks:
        usage = chunk.usage or usage
        for piece in chunk.choices[:1]:
            if piece.index == 0:
                _add(message, piece.delta.model_dump(exclude_none=True, warnings=False))
                reason = piece.finish_reason or reason
                tokens += [] if piece.logprobs is None else piece.logprobs.content or []
    return _seen_chat(message, reason, usage, _Tokens(tokens) if tokens else None)


@dataclass
class _Tokens:
    content: list[Any]


def _add(whole: dict[str, Any], delta: Mapping[str, Any]) -> None:
    """Join a delta to what came before, as OpenAI's documentation has it: texts grow, calls by their index."""
    for name, each in delta.items():
        if name == "role":
            continue
        if name == "tool_calls":
            calls = whole.setdefault("tool_calls", [])
            for piece in each:
                while len(calls) <= piece["index"]:
                    calls.append({})
                _add_call(calls[piece["index"]], piece)
        elif isinstance(each, str):
            whole[name] = whole.get(name, "") + each
        elif isinstance(each, list):
            whole[name] = [*whole.get(name, []), *each]
        elif isinstance(each, dict):
            whole[name] = {**whole.get(name, {}), **each}
        else:
            whole[name] = each


def _add_call(whole: dict[str, Any], piece: Mapping[str, Any]) -> None:
    for name, each in piece.items():
        if name in {"function", "custom"} and isinstance(each, dict):
            inner = whole.setdefault(name, {})
            for key, text in each.items():
                inner[key] = inner.get(key, "") + text if isinstance(text, str) else text
        elif name != "index" and each:
            whole[name] = each


def _seen_chat(message: dict[str, Any], reason: str | None, usage: Any, logprobs: Any) -> Seen:
    calls = []
    for call in message.get("tool_calls") or ():
        function = call.get("function")
        arguments = function["arguments"] if function else call["custom"]["input"]
        name = function["name"] if function else call["custom"]["name"]
        calls.append({"id": call["id"], "name": name, "arguments": _parsed(arguments) if function else arguments})
    content = message.get("content")
    thoughts = message.get("reasoning_content") or message.get("reasoning") or ""
    if isinstance(content, list):  # of servers that say it in parts
        thoughts += "".join(each["text"] for part in content for each in part.get("thinking") or ())
        content = "".join(part.get("text") or "" for part in content)
    view: View = {
        "words": content or "",
        "refusal": message.get("refusal") or "",
        "thoughts": _unspaced(thoughts),
        "calls": calls,
        "reason": reason,
        "counts": {} if usage is None else _chat_counts(usage.model_dump()),
        "logprobs": None if logprobs is None else [_openai_token(each) for each in logprobs.content or ()],
        "sources": sorted(
            {
                each["url_citation"]["url"]
                for each in message.get("annotations") or ()
                if each.get("type") == "url_citation"
            }
        ),
        "pictures": [_of_data_url(each["image_url"]["url"]) for each in message.get("images") or ()],
        "sound": [base64.b64decode(message["audio"]["data"])] if (message.get("audio") or {}).get("data") else [],
    }
    back = {name: each for name, each in message.items() if each is not None}
    results = [{"role": "tool", "tool_call_id": each["id"], "content": RESULT} for each in calls]
    return Seen(view=view, turns=[back, *results])


def _chat_counts(usage: Mapping[str, Any]) -> dict[str, Any]:
    read, made = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details") or {}
    return {
        "input": usage.get("prompt_tokens"),
        "output": usage.get("completion_tokens"),
        "cached": read.get("cached_tokens") or usage.get("prompt_cache_hit_tokens") or usage.get("cached_tokens"),
        "written": read.get("cache_write_tokens") or read.get("cache_creation_tokens"),
        "thoughts": made.get("reasoning_tokens"),
        "sound in": read.get("audio_tokens"),
        "sound out": made.get("audio_tokens"),
    }


def _openai_token(token: Any) -> list[Any]:
    others = [[each.token, _number(each.logprob)] for each in token.top_logprobs or ()]
    return [token.token, _number(token.logprob), others]


def _parsed(arguments: str) -> Any:
    try:
        return json.loads(arguments) if arguments.strip() else {}
    except ValueError:
        return arguments


def _of_data_url(url: str) -> bytes:
    return base64.b64decode(url.partition(";base64,")[2])


async def ask_responses(clients: Clients, stream: bool, turns: list[dict[str, Any]]) -> Seen:
    """Ask as a client of the Responses API: a stream's events tell what its end tells, by the same ids."""
    given: Any = [QUESTION, *turns]
    include: Any = ["reasoning.encrypted_content"]
    if not stream:
        return _seen_response(await clients.openai.responses.create(model="m", input=given, include=include))
    words, ids, last = "", [], cast(Any, None)
    events: Any = await clients.openai.responses.create(model="m", input=given, include=include, stream=True)
    async for event in events:
        if event.type == "response.output_text.delta":
            words += event.delta
        elif event.type == "response.output_item.added":
            ids.append(event.item.id)
        elif event.type in {"response.completed", "response.incomplete"}:
            last = event.response
    seen = _seen_response(last)
    if words != seen.view["words"]:
        seen.view["words"] = f"in the events {words!r}, at the end {seen.view['words']!r}"
    if ids != [item.id for item in last.output]:
        seen.view["calls"] = f"items are called {ids} in the events, and others at the end"
    return seen


def _seen_response(response: Any) -> Seen:
    items = [item.model_dump(exclude_none=True, warnings=False) for item in response.output]
    parts = [part for item in items if item["type"] == "message" for part in item["content"]]
    thoughts = [part["text"] for item in items if item["type"] == "reasoning"
                for part in (item.get("summary") or []) + (item.get("content") or [])]  # fmt: skip
    calls = [
        {"id": item["call_id"], "name": item["name"],
         "arguments": _parsed(item["arguments"]) if item["type"] == "function_call" else item["input"]}
        for item in items if item["type"] in {"function_call", "custom_tool_call"}
    ]  # fmt: skip
    usage = None if response.usage is None else response.usage.model_dump()
    logprobs = [token for part in parts for token in part.get("logprobs") or ()]
    view: View = {
        "words": "".join(part.get("text") or "" for part in parts),
        "refusal": "".join(part.get("refusal") or "" for part in parts),
        "thoughts": _unspaced("".join(thoughts)),
        "calls": calls,
        "reason": (response.incomplete_details.reason if response.incomplete_details else None),
        "counts": {} if usage is None else {
            "input": usage["input_tokens"],
            "output": usage["output_tokens"],
            "cached": (usage.get("input_tokens_details") or {}).get("cached_tokens"),
            "written": (usage.get("input_tokens_details") or {}).get("cache_write_tokens"),
            "thoughts": (usage.get("output_tokens_details") or {}).get("reasoning_tokens"),
        },
        "logprobs": [
            [each["token"], _number(each["logprob"]),
             [[other["token"], _number(other["logprob"])] for other in each.get("top_logprobs") or ()]]
            for each in logprobs
        ] or None,
        "sources": sorted({each["url"] for part in parts for each in part.get("annotations") or ()
                           if each.get("type") == "url_citation"}),
        "pictures": [base64.b64decode(item["result"]) for item in items if item["type"] == "image_generation_call"],
    }  # fmt: skip
    results = [
        {"type": f"{item['type']}_output", "call_id": item["call_id"], "output": RESULT}
        for item in items
        if item["type"] in {"function_call", "custom_tool_call"}
    ]
    return Seen(view=view, turns=[*items, *results])


async def ask_messages(clients: Clients, stream: bool, turns: list[dict[str, Any]]) -> Seen:
    """Ask as a client of Anthropic's."""
    client, messages = clients.anthropic, cast(Any, [QUESTION, *turns])
    if not stream:
        return _seen_message(await client.messages.create(model="m", max_tokens=5000, messages=messages))
    async with client.messages.stream(model="m", max_tokens=5000, messages=messages) as events:
        return _seen_message(await events.get_final_message())


def _seen_message(message: Any) -> Seen:
    blocks = [block.model_dump(exclude_none=True, warnings=False) for block in message.content]
    usage = message.usage.model_dump()
    cached, written = usage.get("cache_read_input_tokens") or 0, usage.get("cache_creation_input_tokens") or 0
    uses = [block for block in blocks if block["type"] == "tool_use"]
    view: View = {
        "words": "".join(block["text"] for block in blocks if block["type"] == "text"),
        "thoughts": _unspaced("".join(block["thinking"] for block in blocks if block["type"] == "thinking")),
        "calls": [{"id": use["id"], "name": use["name"], "arguments": use["input"]} for use in uses],
        "reason": message.stop_reason,
        "counts": {
            "input": usage["input_tokens"] + cached + written,
            "output": usage["output_tokens"],
            "cached": cached,
            "written": written,
            "thoughts": (usage.get("output_tokens_details") or {}).get("thinking_tokens"),
        },
        "sources": sorted({page for block in blocks for page in addresses_in(block.get("citations"))}),
        "pictures": [base64.b64decode(block["source"]["data"]) for block in blocks if block["type"] == "image"],
    }
    results = [{"type": "tool_result", "tool_use_id": use["id"], "content": RESULT} for use in uses]
    after = [{"role": "user", "content": results}] if results else []
    return Seen(view=view, turns=[{"role": "assistant", "content": blocks}, *after])


async def ask_ollama(clients: Clients, stream: bool, turns: list[dict[str, Any]]) -> Seen:
    """Ask as a client of Ollama's."""
    messages: Any = [QUESTION, *turns]
    if stream:
        pieces = [piece async for piece in await clients.ollama.chat(model="m", messages=messages, stream=True)]
    else:
        pieces = [await clients.ollama.chat(model="m", messages=messages)]
    said, last = [piece.message for piece in pieces], pieces[-1]
    logprobs = [token for piece in pieces for token in piece.logprobs or ()]
    calls = [call for each in said for call in each.tool_calls or ()]
    view: View = {
        "words": "".join(each.content or "" for each in said),
        "thoughts": _unspaced("".join(each.thinking or "" for each in said)),
        "calls": [{"name": call.function.name, "arguments": dict(call.function.arguments)} for call in calls],
        "reason": last.done_reason,
        "counts": {"input": last.prompt_eval_count, "output": last.eval_count},
        "logprobs": [_openai_token(each) for each in logprobs] or None,
        "pictures": [base64.b64decode(str(image.value)) for each in said for image in each.images or ()],
    }
    back = {"role": "assistant", "content": view["words"], "tool_calls": [call.model_dump() for call in calls]}
    results = [{"role": "tool", "content": RESULT, "tool_name": call.function.name} for call in calls]
    return Seen(view=view, turns=[back, *results])


CLIENTS: Mapping[str, Ask] = {
    "chat": ask_chat,
    "responses": ask_responses,
    "messages": ask_messages,
    "ollama": ask_ollama,
}


def leaves_of(value: Any) -> Iterator[str]:
    """Yield all texts in a value; of those that are JSON, as arguments may be, the one way to write them."""
    if isinstance(value, dict):
        for each in value.values():
            yield from leaves_of(each)
    elif isinstance(value, list):
        for each in value:
            yield from leaves_of(each)
    elif isinstance(value, str):
        yield _one_way(value)


def _one_way(text: str) -> str:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return json.dumps(value, sort_keys=True) if isinstance(value, dict) else text
