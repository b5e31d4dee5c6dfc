"""Bedrock's runner: keys, addresses, what its APIs have no words for, streams that break."""

from __future__ import annotations

import base64
import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.domain import (
    BlockEnd,
    BlockStart,
    CompletionRequest,
    Document,
    EmbeddingRequest,
    FinishReason,
    Image,
    Message,
    Reasoning,
    ReasoningOptions,
    ResponseSchema,
    StreamPiece,
    Text,
    TextDelta,
    Tool,
    ToolCall,
    ToolCallDelta,
    ToolChoice,
    ToolResult,
    Usage,
    carried,
)
from fieldguide.errors import (
    FieldguideError,
    MissingKeyError,
    RateLimitError,
    ResponseFormatError,
    UnsupportedError,
    UsageError,
)
from fieldguide.http_client import LazySession
from fieldguide.runners import RunnerSettings
from fieldguide.runners.bedrock import VARIABLES, StreamedAnswer, open_runner, parse_completion, request_body
from fieldguide.runners.bedrock._invoke import anthropic_body
from fieldguide.runners.bedrock._prompts import StreamedText, form_of, prompt_body
from fieldguide.runners.bedrock._request import family_of
from fieldguide.runners.bedrock._runner import BedrockRunner, foundation_of
from fieldguide.runners.bedrock._wire import address, chunk_frames, named_frames
from tests.support.event_stream import event, exception, in_pieces

_HELLO = (Message(role="user", content="Hello"),)
_EVENTS = ("messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata")
_NAMES = (
    "contentBlockIndex", "start", "delta", "text", "toolUse", "toolResult", "reasoningContent", "reasoningText",
    "input", "citation", "image", "content", "name", "type", "source", "bytes", "format", "usage", "inputTokens",
    "document",
)  # fmt: skip
_CALLED = (*_HELLO, Message(role="assistant", content=(ToolCall(name="t", call_id="1", arguments={}),)))
_CLAUDE, _NOVA = "us.anthropic.claude-x", "us.amazon.nova-2-lite-v1:0"
_BEARER = {"AWS_BEARER_TOKEN_BEDROCK": "bedrock-key", "AWS_REGION": "eu-west-1"}


def settings(tmp_path: Path, environment: dict[str, str], **given: Any) -> RunnerSettings:
    return RunnerSettings(home=tmp_path, session=LazySession(), environment=environment, **given)


def asked(**options: Any) -> CompletionRequest:
    return CompletionRequest(messages=options.pop("messages", _HELLO), **options)


async def test_a_bearer_key_needs_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even botocore; the variable that the user named goes first; the region is no part of who the model is."""
    import sys

    monkeypatch.setitem(sys.modules, "botocore.credentials", None)
    runner = await open_runner("us.amazon.nova-micro-v1:0", settings(tmp_path, _BEARER))
    assert runner.model.identity == {"provider": "bedrock", "model": "us.amazon.nova-micro-v1:0"}
    assert runner.model.facts == {"region": "eu-west-1"}
    call = runner._wire.call(asked(), stream=True)
    host = "https://bedrock-runtime.eu-west-1.amazonaws.com"
    assert call.url == f"{host}/model/us.amazon.nova-micro-v1:0/converse-stream"
    assert call.headers == {"Authorization": "Bearer bedrock-key"}
    named = await open_runner("m", settings(tmp_path, _BEARER, api_key="named"))
    assert named._wire.call(asked(), stream=False).headers == {"Authorization": "Bearer named"}
    assert {*_BEARER} <= {*VARIABLES}


@pytest.mark.parametrize("target", [" ", "invoke/", "chat/ "])
async def test_a_reference_without_a_model_is_wrong_use(tmp_path: Path, target: str) -> None:
    """There is no model that everyone means."""
    with pytest.raises(UsageError):
        await open_runner(target, settings(tmp_path, _BEARER))


async def test_credentials_that_are_nowhere_are_missed_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the variable and where to read on."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(MissingKeyError) as caught:
        await open_runner("m", settings(tmp_path, {"AWS_REGION": "us-east-1", "AWS_CONFIG_FILE": str(tmp_path / "no")}))
    assert "AWS_ACCESS_KEY_ID" in caught.value.message
    assert "AWS_BEARER_TOKEN_BEDROCK" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("anthropic.claude-v2", "anthropic.claude-v2"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        (
            "arn:aws:bedrock:us-east-1:000000000000:inference-profile/us.amazon.nova-lite-v1:0",
            "arn:aws:bedrock:us-east-1:000000000000:inference-profile%2Fus.amazon.nova-lite-v1:0",
        ),
        ("../../evil?x=1#y", "..%2F..%2Fevil%3Fx%3D1%23y"),
    ],
)
def test_a_model_stands_in_the_address_and_never_leaves_its_place(model: str, path: str) -> None:
    """What follows a slash, a question mark or a hash is still the model."""
    assert address("https://h", model, "converse") == f"https://h/model/{path}/converse"


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("anthropic.claude-3-haiku-20240307-v1:0", "anthropic"),
        ("us.anthropic.claude-sonnet-5", "anthropic"),
        ("global.amazon.nova-2-lite-v1:0", "amazon.nova"),
        ("arn:aws:bedrock:us-west-2:000000000000:inference-profile/us.amazon.nova-lite-v1:0", "amazon.nova"),
        ("arn:aws:bedrock:us-east-1:000000000000:application-inference-profile/otnfa2ysixqd", None),
        ("openai.gpt-oss-120b-1:0", "openai"),
        ("minimax.minimax-m2", None),
    ],
)
def test_a_family_is_told_by_the_name(model: str, family: str | None) -> None:
    """Whatever stands before it; an ARN that hides the model tells none."""
    assert family_of(model) == family


@pytest.mark.parametrize(
    ("model", "options", "further", "output"),
    [
        (_CLAUDE, {"budget_tokens": 2000}, {"thinking": {"type": "enabled", "budget_tokens": 2000}}, None),
        (_CLAUDE, {"enabled": True, "effort": "high"}, {"thinking": {"type": "adaptive"}}, {"effort": "high"}),
        (_CLAUDE, {"enabled": False}, {"thinking": {"type": "disabled"}}, None),
        (_NOVA, {"effort": "low"}, {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}, None),
        (_NOVA, {"enabled": False}, {"reasoningConfig": {"type": "disabled"}}, None),
        ("openai.gpt-oss-20b-1:0", {"effort": "low"}, {"reasoning_effort": "low"}, None),
        ("some.model", {"effort": "low"}, None, {"effort": "low"}),
    ],
)
def test_each_family_is_told_how_to_think_in_its_words(
    model: str, options: dict[str, Any], further: Any, output: Any
) -> None:
    """Fields that the user adds for a model stand beside ours."""
    body = request_body(asked(reasoning=ReasoningOptions(**options)), model=model)
    assert body.get("additionalModelRequestFields") == further
    assert body.get("outputConfig") == output
    extra = {"bedrock": {"additionalModelRequestFields": {"top_k": 5}}}
    body = request_body(asked(reasoning=ReasoningOptions(**options), extra=extra), model=model)
    assert body["additionalModelRequestFields"] == {**(further or {}), "top_k": 5}


@pytest.mark.parametrize(
    "given",
    [
        {"reasoning": ReasoningOptions(budget_tokens=5), "model": "us.amazon.nova-2-lite-v1:0"},
        {"reasoning": ReasoningOptions(enabled=True), "model": "some.model"},
        {"reasoning": ReasoningOptions(summary="auto")},
        {"messages": _CALLED, "tool_choice": ToolChoice(mode="none"), "tools": (Tool(name="t"),)},
        {"messages": (Message(role="user", content=(Image(url="https://example.com/a.png"),)),)},
        {"messages": (Message(role="user", content=(Image(file_id="f"),)),)},
        {"messages": (Message(role="user", content=(Image(data=b"x", detail="low"),)),)},
        {"messages": (Message(role="user", content="a", name="Ann"),)},
        {"messages": (Message(role="assistant", content=(ToolCall(name="t", raw_arguments="{"),)),)},
        {"response_schema": ResponseSchema(schema={}, strict=False)},
    ],
)
def test_what_converse_has_no_words_for_is_refused(given: dict[str, Any]) -> None:
    """Never dropped."""
    model = given.pop("model", "us.anthropic.claude-x")
    with pytest.raises(UnsupportedError):
        request_body(asked(**given), model=model)


def test_a_ban_on_tools_is_kept_by_not_showing_them() -> None:
    """Converse has no word for it."""
    body = request_body(asked(tool_choice=ToolChoice(mode="none"), tools=(Tool(name="t"),)), model="m")
    assert "toolConfig" not in body


def test_a_conversation_goes_out_in_converses_words() -> None:
    """Results of tools join in one turn of the user's; the system's first words stand apart."""
    turns = (
        Message(role="system", content="Be brief."),
        Message(role="user", content=(Text(text="?"), Document(data=b"a,b", media_type="text/csv", name="t"))),
        Message(
            role="assistant",
            content=(
                Reasoning(text="hm", signature="s", provider="bedrock"),
                ToolCall(name="f", call_id="1", arguments={"a": 1}),
                ToolCall(name="g", call_id="2", arguments={}),
            ),
        ),
        Message(role="tool", content=(ToolResult(call_id="1", content="one", is_error=False),)),
        Message(role="tool", content=(ToolResult(call_id="2", content="bad", is_error=True),)),
        Message(role="developer", content="Now in French."),
    )
    tool = Tool(name="f", parameters={"type": "object"}, strict=True)
    body = request_body(asked(messages=turns, tools=(tool,), max_output_tokens=9, stop=("x",)), model="m")
    assert body["system"] == [{"text": "Be brief."}]
    assert body["inferenceConfig"] == {"maxTokens": 9, "stopSequences": ["x"]}
    document = {"format": "csv", "name": "t", "source": {"bytes": "YSxi"}}
    assert body["messages"] == [
        {"role": "user", "content": [{"text": "?"}, {"document": document}]},
        {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
                {"toolUse": {"toolUseId": "1", "name": "f", "input": {"a": 1}}},
                {"toolUse": {"toolUseId": "2", "name": "g", "input": {}}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"toolResult": {"toolUseId": "1", "content": [{"text": "one"}], "status": "success"}},
                {"toolResult": {"toolUseId": "2", "content": [{"text": "bad"}], "status": "error"}},
            ],
        },
        {"role": "system", "content": [{"text": "Now in French."}]},
    ]


def test_cached_tokens_are_part_of_the_input() -> None:
    """Bedrock leaves them out of `inputTokens`; what was kept for how long is told apart."""
    usage = {
        "inputTokens": 3, "outputTokens": 5, "totalTokens": 1008, "cacheReadInputTokens": 700,
        "cacheWriteInputTokens": 300,
        "cacheDetails": [{"ttl": "5m", "inputTokens": 100}, {"ttl": "1h", "inputTokens": 200}],
    }  # fmt: skip
    body = {"output": {"message": {"role": "assistant", "content": [{"text": "a"}]}}, "stopReason": "end_turn"}
    completion = parse_completion(json.dumps({**body, "usage": usage}), e2e_latency_s=1.0)
    assert completion.usage == Usage(
        input_tokens=1003,
        output_tokens=5,
        cached_input_tokens=700,
        cache_write_tokens=300,
        cache_write_5m_tokens=100,
        cache_write_1h_tokens=200,
    )
    assert completion.raw_usage == usage


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("guardrail_intervened", FinishReason.CONTENT_FILTER),
        ("content_filtered", FinishReason.CONTENT_FILTER),
        ("max_tokens", FinishReason.LENGTH),
        ("malformed_tool_use", FinishReason.UNKNOWN),
    ],
)
def test_the_reason_to_stop_is_kept_in_both_words(reason: str, finish: FinishReason) -> None:
    """A guardrail that intervened gives an answer that was withheld, and what it found is kept."""
    body = {
        "output": {"message": {"role": "assistant", "content": [{"text": "Sorry."}]}},
        "stopReason": reason,
        "trace": {"guardrail": {"actionReason": "blocked"}},
    }
    completion = parse_completion(json.dumps(body), e2e_latency_s=1.0)
    assert (completion.finish_reason, completion.raw_finish_reason) == (finish, reason)
    assert completion.metadata["trace"] == body["trace"]


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"output": {}}', '{"output": {"message": {"content": "x"}}}', "nul"])
def test_a_body_that_is_no_answer_is_an_error(body: str) -> None:
    """Never an empty answer."""
    with pytest.raises(ResponseFormatError):
        parse_completion(body, e2e_latency_s=1.0)


async def streamed(data: bytes) -> tuple[list[StreamPiece], Any]:
    answer, pieces = StreamedAnswer(began_s=0.0), []
    async for frame in named_frames(in_pieces(data)):
        pieces += answer.take(frame, now_s=1.0)
    return pieces, answer.completion(now_s=2.0)


def delta(place: int, **value: Any) -> bytes:
    return event("contentBlockDelta", {"contentBlockIndex": place, "delta": value, "p": "abc"})


_END = event("messageStop", {"stopReason": "tool_use", "p": "a"}) + event(
    "metadata", {"usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}, "metrics": {"latencyMs": 4}}
)


async def test_a_stream_gives_its_blocks_as_they_come() -> None:
    """Thoughts with their seal, words, calls whose places have gaps; padding is dropped, the unknown is kept."""
    data = (
        event("messageStart", {"role": "assistant", "p": "ab"})
        + delta(0, reasoningContent={"text": "h"})
        + delta(0, reasoningContent={"text": "m"})
        + delta(0, reasoningContent={"signature": "seal"})
        + event("contentBlockStop", {"contentBlockIndex": 0})
        + event("contentBlockStart", {"contentBlockIndex": 1, "start": {}})
        + event("contentBlockStop", {"contentBlockIndex": 1})
        + delta(4, text="Hel")
        + event("somethingNew", {"a": 1})
        + event("somethingEmpty", b"")
        + delta(4, text="lo")
        + event("contentBlockStart", {"contentBlockIndex": 7, "start": {"toolUse": {"toolUseId": "1", "name": "f"}}})
        + delta(7, toolUse={"input": '{"a"'})
        + delta(7, toolUse={"input": ": 1}"})
        + _END
    )
    pieces, completion = await streamed(data)
    call = ToolCall(name="f", call_id="1", arguments={"a": 1})
    assert completion.reply.blocks == (
        Reasoning(text="hm", signature="seal", provider="bedrock"),
        Text(text="Hello"),
        call,
    )
    assert [piece.index for piece in pieces if isinstance(piece, BlockStart)] == [0, 1, 2]
    assert [piece.block for piece in pieces if isinstance(piece, BlockEnd)] == list(completion.reply.blocks)
    assert [piece.text for piece in pieces if isinstance(piece, TextDelta)] == ["h", "m", "Hel", "lo"]
    assert "".join(piece.arguments for piece in pieces if isinstance(piece, ToolCallDelta)) == '{"a": 1}'
    assert completion.finish_reason is FinishReason.TOOL_CALL
    assert completion.metadata == {"somethingNew": {"a": 1}, "metrics": {"latencyMs": 4}}
    assert completion.latency.ttft_s == 1.0


def test_a_conversation_goes_to_anthropic_and_back_whole() -> None:
    """What only Bedrock can take stays behind on the way and is there again on the way back."""
    content = [
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sealed"}}},
        {"citationsContent": {"content": [{"text": "Let me add."}], "citations": [{"title": "t"}]}},
        {"toolUse": {"toolUseId": "1", "name": "add", "input": {"a": 1}}},
    ]
    said = {"output": {"message": {"role": "assistant", "content": content}}, "stopReason": "tool_use"}
    reply = parse_completion(json.dumps(said), e2e_latency_s=1.0).reply
    history = (*_HELLO, reply, Message(role="tool", content=(ToolResult(call_id="1", content="2", is_error=True),)))
    there = carried(history, provider="anthropic")
    assert there.left_out == ("reasoning of bedrock (1)",)
    sent: Any = anthropic_body(asked(messages=there.messages))["messages"]
    assert sent[1]["content"] == [
        {"type": "text", "text": "Let me add."},
        {"type": "tool_use", "id": "1", "name": "add", "input": {"a": 1}},
    ]
    back: Any = request_body(asked(messages=carried(history, provider="bedrock").messages), model="m")["messages"]
    assert back[1]["content"] == content
    assert back[2]["content"][0]["toolResult"]["status"] == "error"


async def test_what_a_hosted_tool_gave_is_kept_whole() -> None:
    """Call and result of a tool that Bedrock ran are no wish of the model's; they are its own when sent back."""
    call = {"toolUseId": "1", "name": "nova_grounding", "type": "server_tool_use"}
    data = (
        event("contentBlockStart", {"contentBlockIndex": 0, "start": {"toolUse": call}})
        + delta(0, toolUse={"input": '{"query": "x"}'})
        + event("contentBlockStop", {"contentBlockIndex": 0})
        + delta(1, toolResult=[{"text": "found"}])
        + event("messageStop", {"stopReason": "end_turn"})
    )
    pieces, completion = await streamed(data)
    assert completion.tool_calls == ()
    assert completion.finish_reason is FinishReason.STOP
    assert [piece.index for piece in pieces if isinstance(piece, BlockStart)] == [0, 1]
    assert not any(isinstance(piece, ToolCallDelta) for piece in pieces)
    sent: Any = request_body(asked(messages=(*_HELLO, completion.reply)), model="m")["messages"]
    assert sent[1]["content"] == [
        {"toolUse": {**call, "input": {"query": "x"}}},
        {"toolResult": {"content": [{"text": "found"}]}},
    ]


async def test_broken_arguments_are_kept_as_they_stand() -> None:
    """A model wrote them so; what goes with them is for the caller to say."""
    start = event("contentBlockStart", {"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "1", "name": "f"}}})
    _, completion = await streamed(start + delta(0, toolUse={"input": '{"a": '}) + _END)
    assert completion.tool_calls == (ToolCall(name="f", call_id="1", arguments=None, raw_arguments='{"a": '),)


async def test_a_stream_that_breaks_off_is_no_answer() -> None:
    """By its silence, in the middle of a message, or by an exception."""
    begun = event("messageStart", {"role": "assistant"}) + delta(0, text="Hel")
    for data in (begun, begun[:-3], b""):
        with pytest.raises(ResponseFormatError):
            await streamed(data)
    with pytest.raises(RateLimitError):
        await streamed(begun + exception("throttlingException", "Too many tokens."))


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2) | st.floats() | st.sampled_from(["", "f", "%%", '{"a"', "text"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=3),
    max_leaves=6,
)


@given(events=st.lists(st.tuples(st.sampled_from(_EVENTS), _ANY), max_size=6), body=_ANY)
def test_whatever_comes_is_an_answer_or_our_error(events: list[tuple[str, Any]], body: Any) -> None:
    """Values of any type in any place: no other exception, in streams and in whole answers."""
    answer = StreamedAnswer(began_s=0.0)
    with contextlib.suppress(FieldguideError):
        for name, value in events:
            answer.take(json.dumps({name: value}), now_s=1.0)
        answer.take(json.dumps({"messageStop": {"stopReason": "end_turn"}}), now_s=1.0)
        request_body(asked(messages=(*_HELLO, answer.completion(now_s=2.0).reply)), model="m")
    with contextlib.suppress(FieldguideError):
        parse_completion(json.dumps({"output": {"message": {"content": [body]}}, "usage": body}), e2e_latency_s=1.0)


async def test_chunks_that_hold_nothing_readable_are_an_error() -> None:
    """Neither base64 nor text."""
    for value in ("%%%", base64.b64encode(b"\xff\xfe").decode()):
        with pytest.raises(ResponseFormatError):
            [each async for each in chunk_frames(in_pieces(event("chunk", {"bytes": value})))]


def test_prompts_take_what_their_maker_has_words_for() -> None:
    """Llama has no stop texts; Titan's parameters stand apart."""
    llama, titan = form_of("meta"), form_of("amazon.titan")
    assert llama is not None
    assert titan is not None
    with pytest.raises(UnsupportedError):
        prompt_body(CompletionRequest(prompt="a", stop=("x",)), llama, stream=False)
    body = prompt_body(CompletionRequest(prompt="a", stop=("x",), max_output_tokens=5), titan, stream=True)
    assert body == {"inputText": "a", "textGenerationConfig": {"maxTokenCount": 5, "stopSequences": ["x"]}}
    assert form_of("anthropic") is None


def test_a_streamed_text_without_its_reason_was_cut() -> None:
    """And a guardrail that intervened is a reason."""
    form = form_of("amazon.titan")
    assert form is not None
    answer = StreamedText(form, began_s=0.0)
    answer.take('{"outputText": "Hel"}', now_s=1.0)
    with pytest.raises(ResponseFormatError):
        answer.completion(now_s=2.0)
    answer.take('{"outputText": "Blocked", "amazon-bedrock-guardrailAction": "INTERVENED"}', now_s=1.0)
    assert answer.completion(now_s=2.0).finish_reason is FinishReason.CONTENT_FILTER


async def test_invoke_takes_the_form_of_the_models_maker_or_says_that_it_knows_none(tmp_path: Path) -> None:
    """An ARN hides it: the option `family` tells; texts to continue are the text families' only form."""
    given = settings(tmp_path, _BEARER)
    claude = await open_runner("invoke/us.anthropic.claude-x", given)
    assert claude._wire.provider == "anthropic"
    body = claude._wire.call(asked(extra={"anthropic": {"betas": ["b"]}}), stream=False).json
    assert body is not None
    assert {name: body[name] for name in ("anthropic_version", "anthropic_beta")} == {
        "anthropic_version": "bedrock-2023-05-31",
        "anthropic_beta": ["b"],
    }
    assert "model" not in body
    llama = await open_runner("invoke/meta.llama3-8b-v1:0", given)
    assert llama.capabilities.text
    assert not llama.capabilities.chat
    assert not llama.capabilities.stop
    with pytest.raises(UsageError, match="tells no form"):
        await open_runner("invoke/minimax.minimax-m2", given)
    arn = "arn:aws:bedrock:us-east-1:000000000000:application-inference-profile/x"
    told = settings(tmp_path, _BEARER, options={"family": "anthropic"})
    hidden = await open_runner(f"invoke/{arn}", told)
    assert hidden._wire.provider == "anthropic"


async def test_an_arn_that_hides_its_model_is_told_to_think_by_the_family(tmp_path: Path) -> None:
    """Over Converse too."""
    arn = "arn:aws:bedrock:us-east-1:000000000000:application-inference-profile/x"
    runner = await open_runner(arn, settings(tmp_path, _BEARER, options={"family": "anthropic"}))
    call = runner._wire.call(asked(reasoning=ReasoningOptions(enabled=False)), stream=False)
    assert call.json is not None
    assert call.json["additionalModelRequestFields"] == {"thinking": {"type": "disabled"}}
    assert "us-east-1" in call.url


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("chat/openai.gpt-oss-safeguard-20b", "/v1/chat/completions"),
        ("chat/mistral.voxtral-mini-3b-2507", "/v1/chat/completions"),
        ("chat/openai.gpt-5.6-luna", "/openai/v1/chat/completions"),
        ("responses/openai.gpt-oss-20b", "/v1/responses"),
        ("responses/openai.gpt-5.6-luna", "/openai/v1/responses"),
        ("messages/anthropic.claude-opus-4-8", "/anthropic/v1/messages"),
    ],
)
async def test_other_makers_languages_are_spoken_at_mantle(tmp_path: Path, target: str, path: str) -> None:
    """Each at its path; requests are signed for mantle, or carry the bearer key."""
    host = "https://bedrock-mantle.eu-west-1.api.aws"
    runner = await open_runner(target, settings(tmp_path, _BEARER))
    call = runner._wire.call(asked(), stream=False)
    assert call.url == host + path
    assert call.headers["Authorization"] == "Bearer bedrock-key"
    assert runner.model.identity == {"provider": "bedrock-mantle", "model": target.partition("/")[2]}
    keys = {"AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "eu-west-1"}
    signing = await open_runner(target, settings(tmp_path, keys))
    authorize = signing._transport._authorize
    assert authorize is not None
    added = await authorize(signing._wire.call(asked(), stream=False))
    assert "/eu-west-1/bedrock-mantle/aws4_request" in added["Authorization"]


async def test_a_model_that_makes_vectors_does_nothing_else(tmp_path: Path) -> None:
    """And others make none; Titan takes one text at a time."""
    vectors = await open_runner("amazon.titan-embed-text-v2:0", settings(tmp_path, _BEARER))
    assert isinstance(vectors, BedrockRunner)
    assert vectors.capabilities.embeddings
    with pytest.raises(UnsupportedError):
        await vectors.complete(asked())
    with pytest.raises(UnsupportedError):
        await vectors.embed(EmbeddingRequest(texts=("a", "b")))
    chat = await open_runner("amazon.nova-lite-v1:0", settings(tmp_path, _BEARER))
    assert isinstance(chat, BedrockRunner)
    with pytest.raises(UnsupportedError):
        await chat.embed(EmbeddingRequest(texts=("a",)))


@pytest.mark.parametrize(
    ("model", "foundation"),
    [
        ("us.anthropic.claude-sonnet-4-20250514-v1:0", "anthropic.claude-sonnet-4-20250514-v1:0"),
        ("global.amazon.nova-2-lite-v1:0", "amazon.nova-2-lite-v1:0"),
        ("anthropic.claude-v2", "anthropic.claude-v2"),
    ],
)
def test_tokens_are_counted_by_the_model_behind_a_profile(model: str, foundation: str) -> None:
    """Profiles are not counted."""
    assert foundation_of(model) == foundation
