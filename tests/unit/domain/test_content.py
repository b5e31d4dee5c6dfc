"""Blocks, messages and requests: their JSON, their hashes, and what is carried elsewhere."""

from __future__ import annotations

import json

import pytest

from fieldguide.domain import (
    Audio,
    Block,
    Completion,
    CompletionRequest,
    Document,
    FinishReason,
    Image,
    Message,
    ProviderBlock,
    ProviderData,
    ProviderTool,
    Reasoning,
    ReasoningOptions,
    Refusal,
    ResponseSchema,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Video,
    block_as_json,
    block_from_json,
    carried,
    message_as_json,
    message_from_json,
)

OWN = (ProviderData(provider="anthropic", fields={"cache_control": {"type": "ephemeral"}}),)
BLOCKS: list[Block] = [
    Text(text="hello", provider_data=OWN),
    Refusal(text="no"),
    Image(data=b"\x89PNG", media_type="image/png", detail="low"),
    Image(url="https://example.com/a.png"),
    Audio(data=b"RIFF", media_type="audio/wav"),
    Video(file_id="f1", media_type="video/mp4"),
    Document(data=b"%PDF", name="a.pdf"),
    ToolCall(name="add", call_id="c1", arguments={"a": 1}, raw_arguments='{"a": 1}'),
    ToolCall(name="add", raw_arguments='{"a": '),
    ToolResult(call_id="c1", content="2", is_error=False, name="add"),
    ToolResult(call_id="c1", content=(Text(text="see"), Image(data=b"GIF8"))),
    Reasoning(text="hm", signature="s", encrypted="e", provider="anthropic", provider_data=OWN),
    ProviderBlock(provider="anthropic", value={"type": "server_tool_use", "id": "x"}),
]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: type(block).__name__)
def test_a_block_comes_back_from_json_as_it_was(block: Block) -> None:
    """Nothing is lost on the way to a record and back."""
    written = json.loads(json.dumps(block_as_json(block)))
    assert block_from_json(written) == block


def test_a_message_comes_back_from_json_as_it_was() -> None:
    """Text and blocks alike, with name and provider data."""
    for message in (
        Message(role="user", content="hello"),
        Message(role="assistant", content=tuple(BLOCKS), name="a", provider_data=OWN),
    ):
        assert message_from_json(json.loads(json.dumps(message_as_json(message)))) == message


@pytest.mark.parametrize("value", [{"type": "cat"}, {"type": "text"}, {"type": "image"}, {"type": "text", "x": 1}])
def test_what_is_no_block_is_said_to_be_none(value: dict[str, str]) -> None:
    """A record that is damaged is an error and not another block."""
    with pytest.raises(ValueError):
        block_from_json(value)


def test_requests_of_plain_text_keep_the_hashes_that_records_hold() -> None:
    """Attempts are found by these: they must never change."""
    text = CompletionRequest(prompt="One, two,", max_output_tokens=8, temperature=0)
    chat = CompletionRequest(
        messages=(Message(role="system", content="Be brief."), Message(role="user", content="2 + 2?")),
        max_output_tokens=5,
        temperature=0.7,
        top_p=0.95,
        stop=("\n",),
        seed=7,
    )
    assert text.request_hash == "49eda73e4561615fcf2c3be71cd0608cb6b0d6efd26099c446af5101eeea0c84"
    assert chat.request_hash == "8e9385cc6d116733829601c11fbe5081fe51f33edae803fc2495bfae9442f8dc"
    assert list(text.as_json()) == [
        "prompt", "messages", "max_output_tokens", "temperature", "top_p", "stop", "seed",
    ]  # fmt: skip


def test_everything_that_is_asked_is_part_of_the_hash() -> None:
    """Two requests that differ in anything that is sent are two requests."""
    messages = (Message(role="user", content="hello"),)
    further: list[dict[str, object]] = [
        {},
        {"top_k": 5},
        {"frequency_penalty": 0.0},
        {"presence_penalty": 0.5},
        {"tools": (Tool(name="a"),)},
        {"tools": (Tool(name="a", parameters={"type": "object"}),)},
        {"tools": (ProviderTool(provider="openai", value={"type": "web_search"}),)},
        {"tool_choice": ToolChoice(mode="none")},
        {"parallel_tool_calls": False},
        {"response_schema": ResponseSchema()},
        {"response_schema": ResponseSchema(schema={"type": "object"})},
        {"reasoning": ReasoningOptions(effort="low")},
        {"logprobs": 0},
        {"extra": {"openai": {"user": "x"}}},
    ]
    requests = [CompletionRequest(messages=messages, **each) for each in further]  # type: ignore[arg-type]
    requests.append(CompletionRequest(messages=(Message(role="user", content=(Text(text="hello"),)),)))
    assert len({request.request_hash for request in requests}) == len(requests)


def test_media_is_given_in_one_way() -> None:
    """Bytes, an address or an uploaded file: exactly one."""
    with pytest.raises(ValueError):
        Image()
    with pytest.raises(ValueError):
        Image(data=b"x", url="https://example.com")


def test_a_turn_of_tools_holds_results_and_nothing_else() -> None:
    """A plain text in it would reach no provider in one piece."""
    Message(role="tool", content=(ToolResult(call_id="c", content="2"),))
    with pytest.raises(ValueError):
        Message(role="tool", content="2")
    with pytest.raises(ValueError):
        Message(role="tool", content=(Text(text="2"),))


def test_carrying_leaves_out_what_is_bound_to_another_provider_and_says_so() -> None:
    """Words, tools and pictures go along; sealed thoughts and hosted tools stay, and the original is untouched."""
    turn = Message(
        role="assistant",
        content=(
            Reasoning(text="hm", signature="s", provider="anthropic"),
            ProviderBlock(provider="anthropic", value={"type": "server_tool_use"}),
            Text(text="4"),
        ),
    )
    history = (Message(role="user", content="2 + 2?"), turn)
    there = carried(history, provider="openai")
    assert there.messages == (history[0], Message(role="assistant", content=(Text(text="4"),)))
    assert there.left_out == ("reasoning of anthropic (1)", "server_tool_use of anthropic (1)")
    assert carried(history, provider="anthropic").messages == history
    assert carried(history, provider="anthropic").left_out == ()


def test_a_completion_of_text_alone_can_be_sent_back() -> None:
    """The reply is the message with its blocks, or the text where no more is known."""
    plain = Completion(text="4", finish_reason=FinishReason.STOP)
    assert plain.reply == Message(role="assistant", content="4")
    call = ToolCall(name="add", call_id="c")
    whole = Completion(
        text="", finish_reason=FinishReason.TOOL_CALL, message=Message(role="assistant", content=(call,))
    )
    assert whole.tool_calls == (call,)


def test_calls_without_ids_get_some_where_they_are_carried() -> None:
    """Gemini's older models tell results apart by the tool's name; others want ids."""
    history = (
        Message(role="assistant", content=(ToolCall(name="f", arguments={}), ToolCall(name="g", arguments={}))),
        Message(role="tool", content=(ToolResult(name="g", content="2"), ToolResult(name="f", content="1"))),
        Message(role="assistant", content=(ToolCall(name="f", arguments={}),)),
        Message(role="tool", content=(ToolResult(name="f", content="3"),)),
    )
    first, results, second, result = carried(history, provider="openai").messages
    assert [call.call_id for call in first.blocks if isinstance(call, ToolCall)] == ["carried_1", "carried_2"]
    assert [each.call_id for each in results.blocks if isinstance(each, ToolResult)] == ["carried_2", "carried_1"]
    assert [each.call_id for each in (*second.blocks, *result.blocks) if isinstance(each, ToolCall | ToolResult)] == [
        "carried_3",
        "carried_3",
    ]
