"""What a runner cannot do is refused before anything is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fieldguide.domain import (
    Audio,
    Block,
    Capabilities,
    CompletionRequest,
    Document,
    Image,
    Message,
    ProviderBlock,
    ProviderTool,
    Reasoning,
    ReasoningOptions,
    ResponseSchema,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Video,
)
from fieldguide.errors import UnsupportedError
from fieldguide.runners._check import check

HELLO = (Message(role="user", content="hello"),)
NOTHING = Capabilities(text=False, chat=True, stop=False)
PARAMETERS: list[tuple[str, dict[str, Any]]] = [
    ("seed", {"seed": 1}),
    ("stop", {"stop": ("\n",)}),
    ("top_k", {"top_k": 1}),
    ("penalties", {"frequency_penalty": 0.0}),
    ("penalties", {"presence_penalty": 0.0}),
    ("tools", {"tools": (Tool(name="a"),)}),
    ("tool_choice", {"tool_choice": ToolChoice(mode="auto")}),
    ("parallel_tools", {"parallel_tool_calls": True}),
    ("json_object", {"response_schema": ResponseSchema()}),
    ("structured_output", {"response_schema": ResponseSchema(schema={})}),
    ("reasoning", {"reasoning": ReasoningOptions(effort="low")}),
    ("logprobs", {"logprobs": 0}),
]
BLOCKS: list[tuple[str, Block]] = [
    ("images", Image(data=b"x")),
    ("images", ToolResult(content=(Image(data=b"x"),))),
    ("audio", Audio(data=b"x")),
    ("video", Video(data=b"x")),
    ("documents", Document(data=b"x")),
    ("tools", ToolCall(name="a")),
    ("tools", ToolResult(content="x")),
]


def _check(request: CompletionRequest, can: Capabilities) -> None:
    check(request, can, subject="m", provider="mine")


@pytest.mark.parametrize(("capability", "asked"), PARAMETERS, ids=str)
def test_a_parameter_is_refused_until_it_is_declared(capability: str, asked: dict[str, Any]) -> None:
    """Each parameter has a capability that lets it through, and no other does."""
    request = CompletionRequest(messages=HELLO, **asked)
    with pytest.raises(UnsupportedError):
        _check(request, NOTHING)
    _check(request, replace(NOTHING, **{capability: True}))


@pytest.mark.parametrize(("capability", "block"), BLOCKS, ids=str)
def test_a_block_is_refused_until_it_is_declared(capability: str, block: Block) -> None:
    """Also inside the result of a tool."""
    request = CompletionRequest(messages=(Message(role="user", content=(Text(text="?"), block)),))
    with pytest.raises(UnsupportedError):
        _check(request, NOTHING)
    _check(request, replace(NOTHING, tools=True, **({capability: True} if capability != "tools" else {})))


@pytest.mark.parametrize(
    "block", [Reasoning(text="hm", provider="other"), Reasoning(text="hm"), ProviderBlock(provider="other", value={})]
)
def test_what_another_provider_made_is_refused_and_not_dropped(block: Block) -> None:
    """The hint says how to carry the conversation over."""
    request = CompletionRequest(messages=(Message(role="assistant", content=(block,)),))
    with pytest.raises(UnsupportedError) as caught:
        _check(request, NOTHING)
    assert "carried" in str(caught.value.hint)


def test_a_hosted_tool_goes_to_its_own_provider_only() -> None:
    """Its value means nothing to another."""
    can = replace(NOTHING, tools=True)
    mine, other = (ProviderTool(provider=name, value={"type": "search"}) for name in ("mine", "other"))
    _check(CompletionRequest(messages=HELLO, tools=(mine,)), can)
    with pytest.raises(UnsupportedError):
        _check(CompletionRequest(messages=HELLO, tools=(other,)), can)
