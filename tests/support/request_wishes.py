"""Every field of a request, one at a time: what a runner is asked without it and with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fieldguide.domain import (
    Block,
    CompletionRequest,
    Document,
    Image,
    JsonValue,
    Message,
    Reasoning,
    ReasoningOptions,
    ResponseSchema,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from fieldguide.runners._media import as_base64

_OBJECT: dict[str, JsonValue] = {
    "type": "object",
    "properties": {"x": {"type": "number"}},
    "required": ["x"],
    "additionalProperties": False,
}
_TOOL = Tool(name="f", parameters=_OBJECT)
_PDF = Document(data=b"%PDF-1.4", media_type="application/pdf")
_PNG = Image(data=b"\x89PNG\r\n", media_type="image/png")

SECRET_THOUGHT = "thought of another"
Pair = tuple[CompletionRequest, CompletionRequest]


def wishes(plain: CompletionRequest) -> dict[str, Pair]:
    """Return by name a request without a wish, and with it; those about conversations only where `plain` is one."""
    base = replace(plain, max_output_tokens=None if plain.max_output_tokens is None else 64, temperature=None)
    found = {name: (base, replace(base, **fields)) for name, fields in _fields().items()}
    bound = base.max_output_tokens
    found["max_output_tokens"] = (base, replace(base, max_output_tokens=32 if bound is None else bound + 1))
    if base.messages is None:
        return found
    return found | _of_tools(base) | _of_turns(base, base.messages)


def _fields() -> dict[str, dict[str, Any]]:
    return {
        "temperature": {"temperature": 0.5},
        "top_p": {"top_p": 0.5},
        "stop": {"stop": ("END",)},
        "seed": {"seed": 7},
        "top_k": {"top_k": 5},
        "frequency_penalty": {"frequency_penalty": 0.5},
        "presence_penalty": {"presence_penalty": 0.5},
        "logprobs=0": {"logprobs": 0},
        "logprobs=3": {"logprobs": 3},
        "tools": {"tools": (_TOOL,)},
        "json object": {"response_schema": ResponseSchema()},
        "json schema": {"response_schema": ResponseSchema(schema=_OBJECT)},
        "effort": {"reasoning": ReasoningOptions(effort="high")},
        "thought off": {"reasoning": ReasoningOptions(enabled=False)},
        "thought on": {"reasoning": ReasoningOptions(enabled=True)},
        "thinking budget": {"reasoning": ReasoningOptions(budget_tokens=32)},
        "summary of thoughts": {"reasoning": ReasoningOptions(summary="auto")},
    }


def _of_tools(base: CompletionRequest) -> dict[str, Pair]:
    asked = replace(base, tools=(_TOOL,))
    schema = replace(base, response_schema=ResponseSchema(schema=_OBJECT, name="n"))

    def tool(**fields: Any) -> Pair:
        return asked, replace(asked, tools=(replace(_TOOL, **fields),))

    def form(**fields: Any) -> Pair:
        return schema, replace(schema, response_schema=ResponseSchema(**{"schema": _OBJECT, "name": "n", **fields}))

    return {
        "no tool": (asked, replace(asked, tool_choice=ToolChoice(mode="none"))),
        "some tool": (asked, replace(asked, tool_choice=ToolChoice(mode="required"))),
        "this tool": (asked, replace(asked, tool_choice=ToolChoice(mode="tool", name="f"))),
        "one call": (asked, replace(asked, parallel_tool_calls=False)),
        "several calls": (asked, replace(asked, parallel_tool_calls=True)),
        "tool.description": tool(description="d"),
        "tool.strict": tool(strict=True),
        "schema.name": form(name="other"),
        "schema.description": form(description="d"),
        "schema.strict": form(strict=True),
    }


def _of_turns(base: CompletionRequest, turns: tuple[Message, ...]) -> dict[str, Pair]:
    def with_turns(*further: Message) -> CompletionRequest:
        return replace(base, messages=(*turns, *further))

    def shown(one: Block, other: Block) -> Pair:
        return tuple(with_turns(Message(role="user", content=(Text(text="?"), each))) for each in (one, other))  # type: ignore[return-value]

    def ran(**fields: Any) -> CompletionRequest:
        call = ToolCall(name="f", call_id="call_1", arguments={"x": 1}, raw_arguments='{"x":1}')
        result = ToolResult(**{"call_id": "call_1", "name": "f", "content": "2", **fields})
        asks, gives = Message(role="assistant", content=(call,)), Message(role="tool", content=(result,))
        return replace(with_turns(asks, gives), tools=(_TOOL,))

    return {
        "system": (base, replace(base, messages=(Message(role="system", content="s"), *turns))),
        "developer": (base, replace(base, messages=(Message(role="developer", content="s"), *turns))),
        "name": (
            with_turns(Message(role="user", content="?")),
            with_turns(Message(role="user", content="?", name="ann")),
        ),
        "picture": shown(_PNG, Image(data=b"\x89PNG\r\n2", media_type="image/png")),
        "picture's address": shown(Image(url="https://a/1.png"), Image(url="https://a/2.png")),
        "picture's file": shown(Image(file_id="file-1"), Image(file_id="file-2")),
        "detail": shown(_PNG, replace(_PNG, detail="low")),
        "file's name": shown(replace(_PDF, name="a.pdf"), replace(_PDF, name="b.pdf")),
        "file's address": shown(Document(url="https://a/1.pdf"), Document(url="https://a/2.pdf")),
        "result": (ran(), ran(content="3")),
        "result's picture": (ran(), ran(content=(Text(text="2"), _PNG))),
        "result is an error": (ran(), ran(is_error=True)),
    }


def told_elsewhere(maker: str) -> list[tuple[str, tuple[Message, ...], tuple[str, ...]]]:
    """Return conversations with another provider's model: what they need, their turns, and what has to arrive.

    `maker` says how calls of tools look: with ids and a text (`openai`), without both (`gemini`), or `broken`.
    """
    call_id, raw = (None, None) if maker == "gemini" else ("call_1", '{"city": "Z\u00fcrich"}')
    arguments: dict[str, Any] | None = {"city": "Zürich"}
    if maker == "broken":
        arguments, raw = None, '{"city": "Zür'
    call = ToolCall(name="weather", call_id=call_id, arguments=arguments, raw_arguments=raw)
    result = ToolResult(call_id=call_id, name="weather", content="sun, 21 degrees")
    thought = Reasoning(text=SECRET_THOUGHT, signature="seal", provider="nobody")
    asked = Message(role="user", content="Which city?")
    said = Message(role="assistant", content=(thought, Text(text="I will look.")))
    calls = Message(role="assistant", content=(thought, Text(text="I will look."), call))
    gave = Message(role="tool", content=(result,))
    again = Message(role="user", content="And then?")
    seen = Message(role="user", content=(Text(text="What is this?"), _PNG))
    return [
        ("chat", (asked, said, again), ("Which city?", "I will look.", "And then?")),
        ("images", (seen, said, again), ("What is this?", as_base64(b"\x89PNG\r\n"), "And then?")),
        (
            "broken" if maker == "broken" else "tools",
            (asked, calls, gave, again),
            ("Which city?", "I will look.", "weather", "Zür", "sun, 21 degrees", "And then?"),
        ),
    ]
