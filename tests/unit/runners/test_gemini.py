"""Gemini's wire: what recordings do not show, and what its API has no words for."""

from __future__ import annotations

import base64
import io
import json
import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fieldguide.domain import (
    Audio,
    BlockEnd,
    BlockStart,
    Completion,
    CompletionRequest,
    Document,
    EmbeddingRequest,
    FinishReason,
    Image,
    ImageRequest,
    Message,
    ProviderBlock,
    Reasoning,
    ReasoningOptions,
    ResponseSchema,
    SpeechRequest,
    Text,
    TextDelta,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Video,
    carried,
    kept_for,
)
from fieldguide.errors import (
    AuthenticationError,
    ContentFilterError,
    ContextLengthExceededError,
    ExpiredCredentialsError,
    InvalidRequestError,
    MissingKeyError,
    ProviderFaultError,
    QuotaExhaustedError,
    RateLimitError,
    ResponseFormatError,
    UnknownModelError,
    UnsupportedError,
    UsageError,
    WrongRegionError,
)
from fieldguide.http_client import LazySession
from fieldguide.runners import EmbeddingRunner, ImageRunner, RunnerSettings, SpeechRunner, openai_chat
from fieldguide.runners.gemini import VARIABLES, GeminiRunner, error_of, open_runner, request_body
from fieldguide.runners.gemini._response import StreamedAnswer, parse_completion
from tests.support.fake_server import Call, fake_server

USAGE = {"promptTokenCount": 7, "candidatesTokenCount": 3, "thoughtsTokenCount": 5, "totalTokenCount": 15}


def asked(*content: Any, **given: Any) -> CompletionRequest:
    return CompletionRequest(messages=(Message(role="user", content=content or "?"),), **given)


def body_of(request: CompletionRequest, provider: str = "gemini", model: str = "gemini-2.5-flash") -> dict[str, Any]:
    return json.loads(json.dumps(request_body(request, model=model, provider=provider)))  # type: ignore[no-any-return]


def answer(*parts: dict[str, Any], reason: str | None = "STOP", **more: Any) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": list(parts)}}
    if reason is not None:
        candidate["finishReason"] = reason  # type: ignore[assignment]
    return {"candidates": [candidate], "usageMetadata": USAGE, **more}


def parsed(body: dict[str, Any]) -> Completion:
    return parse_completion(json.dumps(body), e2e_latency_s=1.0, provider="gemini")


def streamed(*bodies: dict[str, Any]) -> tuple[list[Any], Completion]:
    whole = StreamedAnswer(began_s=0.0, provider="gemini")
    pieces = [piece for body in bodies for piece in whole.take(json.dumps(body), now_s=1.0)]
    return pieces, whole.completion(now_s=2.0)


def settings(tmp_path: Path, **given: Any) -> RunnerSettings:
    return RunnerSettings(home=tmp_path, session=LazySession(), **given)


async def test_a_missing_key_names_its_variable_and_where_to_get_one(tmp_path: Path) -> None:
    """Before anything is sent."""
    with pytest.raises(MissingKeyError) as caught:
        await open_runner("gemini-2.5-flash", settings(tmp_path))
    assert caught.value.variable == "GEMINI_API_KEY"
    assert "https://aistudio.google.com" in str(caught.value.hint)
    assert caught.value.variable in VARIABLES


@pytest.mark.parametrize(("target", "options"), [(" ", {}), ("gemini-2.5-flash", {"endpoint": "other"})])
async def test_wrong_use_is_told(target: str, options: dict[str, str], tmp_path: Path) -> None:
    """No model, or an endpoint that there is not."""
    with pytest.raises(UsageError):
        await open_runner(target, settings(tmp_path, environment={"GOOGLE_API_KEY": "k"}, options=options))


def test_signatures_stay_with_the_part_they_came_with() -> None:
    """Thoughts, words and calls are sent back to the byte; a signature without words is a block of its own."""
    parts: list[dict[str, Any]] = [
        {"text": "hm", "thought": True, "thoughtSignature": "AA=="},
        {"text": "Let me see.", "thoughtSignature": "AQ=="},
        {"functionCall": {"name": "f", "args": {"x": 1.0}}, "thoughtSignature": "Ag=="},
        {"functionCall": {"id": "b", "name": "g", "args": {}}},
        {"text": "", "thoughtSignature": "Aw=="},
    ]
    completion = parsed(answer(*parts))
    kinds = [type(block) for block in completion.reply.blocks]
    assert kinds == [Reasoning, Text, ToolCall, ToolCall, ProviderBlock]
    assert completion.finish_reason is FinishReason.TOOL_CALL
    assert completion.raw_finish_reason == "STOP"
    assert (completion.reasoning, completion.text) == ("hm", "Let me see.")
    sent = body_of(CompletionRequest(messages=(Message(role="user", content="?"), completion.reply)))
    assert sent["contents"][1] == {"role": "model", "parts": parts}


def test_a_stream_joins_plain_words_and_keeps_signed_ones_apart() -> None:
    """As Google asks: a signature holds for the text that it came with."""
    pieces, completion = streamed(
        answer({"text": "h", "thought": True}, reason=None),
        answer({"text": "m", "thought": True}, reason=None),
        answer({"text": "on"}, {"text": "e"}, reason=None),
        answer({"text": " two", "thoughtSignature": "AQ=="}, reason=None),
        answer({"functionCall": {"name": "f", "args": {}}}, {"text": ""}),
    )
    assert [getattr(block, "text", None) for block in completion.reply.blocks] == ["hm", "one", " two", None]
    assert completion.text == "one two"
    assert "".join(piece.text for piece in pieces if isinstance(piece, TextDelta) and not piece.reasoning) == "one two"
    ended = {piece.index: piece.block for piece in pieces if isinstance(piece, BlockEnd)}
    assert ended[2] == completion.reply.blocks[2]
    assert [piece.kind for piece in pieces if isinstance(piece, BlockStart)] == [
        "reasoning",
        "text",
        "text",
        "tool_call",
    ]
    sent = body_of(CompletionRequest(messages=(completion.reply,)))
    assert sent["contents"][0]["parts"][2] == {"text": " two", "thoughtSignature": "AQ=="}


def test_what_a_stream_says_in_pieces_of_its_sources_is_joined() -> None:
    """Lists of grounding grow, and what is said again is not said twice."""
    chunk = {"web": {"uri": "https://example.com"}}
    first, second = answer({"text": "a"}, reason=None), answer({"text": "b"})
    first["candidates"][0]["groundingMetadata"] = {"webSearchQueries": ["q"], "groundingChunks": [chunk]}
    second["candidates"][0]["groundingMetadata"] = {"groundingChunks": [chunk, {"web": {"uri": "https://b.example"}}]}
    _, completion = streamed(first, second)
    found: Any = completion.metadata["candidate"]
    assert found["groundingMetadata"]["webSearchQueries"] == ["q"]
    assert len(found["groundingMetadata"]["groundingChunks"]) == 2


def test_counts_are_inclusive() -> None:
    """Thoughts are part of the output, what hosted tools read is part of the input."""
    usage = parsed(answer({"text": "x"}) | {"usageMetadata": {**USAGE, "toolUsePromptTokenCount": 4}}).usage
    assert (usage.input_tokens, usage.output_tokens, usage.reasoning_tokens) == (11, 8, 5)
    assert usage.cached_input_tokens is None
    assert parsed({**answer({"text": "x"}), "usageMetadata": {}}).usage.output_tokens is None


def test_a_blocked_prompt_is_an_answer_without_words() -> None:
    """Whole and streamed: withheld, with the reason in Google's word."""
    blocked = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 7}}
    for completion in (parsed(blocked), streamed(blocked)[1]):
        assert completion.finish_reason is FinishReason.CONTENT_FILTER
        assert completion.raw_finish_reason == "PROHIBITED_CONTENT"
        assert completion.text == ""
        assert completion.metadata["promptFeedback"] == blocked["promptFeedback"]


@pytest.mark.parametrize(
    ("reason", "ours"),
    [
        ("SAFETY", FinishReason.CONTENT_FILTER),
        ("MAX_TOKENS", FinishReason.LENGTH),
        ("MALFORMED_FUNCTION_CALL", FinishReason.UNKNOWN),
        ("A_NEW_WORD", FinishReason.UNKNOWN),
    ],
)
def test_reasons_for_the_end_are_kept_in_both_words(reason: str, ours: FinishReason) -> None:
    """An answer that was withheld or malformed may hold nothing at all."""
    body = {"candidates": [{"finishReason": reason, "finishMessage": "why"}], "usageMetadata": USAGE}
    completion = parsed(body)
    assert (completion.finish_reason, completion.raw_finish_reason) == (ours, reason)
    assert completion.metadata["candidate"] == {"finishMessage": "why"}


@pytest.mark.parametrize("text", ["", "null", "<html>", '{"candidates": []}', '{"candidates": [{"content": {}}]}'])
def test_what_is_no_answer_is_said_to_be_none(text: str) -> None:
    """And may be asked again."""
    with pytest.raises(ResponseFormatError):
        parse_completion(text, e2e_latency_s=1.0, provider="gemini")


@pytest.mark.parametrize("odd", [None, 1, "x", [], {}, True, [{}]])
def test_fields_of_odd_types_are_passed_over(odd: Any) -> None:
    """Whatever stands where something else is expected, the answer around it is read."""
    parts = [{"text": odd}, {"functionCall": odd}, {"inlineData": odd}, {"text": "a", "thoughtSignature": odd}]
    body = answer(*parts, promptFeedback=odd, modelVersion=odd, usageMetadata=odd)
    body["candidates"][0] |= {"logprobsResult": odd, "groundingMetadata": odd, "finishMessage": odd}
    whole = parsed(body)
    assert whole.text.removeprefix("x") == "a"
    assert streamed(body)[1].text == whole.text
    assert isinstance(failed(400, "no", {"reason": odd, "violations": odd, "retryDelay": odd}), InvalidRequestError)


def test_a_stream_that_was_cut_is_no_answer() -> None:
    """Only a reason for the end ends it."""
    with pytest.raises(ResponseFormatError):
        streamed(answer({"text": "half"}, reason=None))


def test_an_error_within_a_stream_is_an_error() -> None:
    """Although its status was 200."""
    with pytest.raises(ProviderFaultError):
        streamed(answer({"text": "half"}, reason=None), {"error": {"code": 500, "message": "Internal", "status": "X"}})


def failed(status: int, message: str, *details: dict[str, Any], word: str = "INVALID_ARGUMENT") -> Any:
    error = {"error": {"code": status, "message": message, "status": word, "details": list(details)}}
    return error_of(status, json.dumps(error), {})


def test_context_exceeded_tells_both_numbers() -> None:
    """In the words of the Gemini API and in those of Vertex AI."""
    for message in (
        "The input token count (1250074) exceeds the maximum number of tokens allowed (1048576).",
        "Unable to submit request because the input token count is 1250074 but model only supports up to 1048576.",
    ):
        error = failed(400, message)
        assert isinstance(error, ContextLengthExceededError)
        assert (error.limit_tokens, error.requested_tokens) == (1048576, 1250074)
        assert error.refused


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (failed(400, "API key not valid.", {"reason": "API_KEY_INVALID"}), AuthenticationError),
        (failed(400, "API key expired. Please renew.", {"reason": "API_KEY_INVALID"}), ExpiredCredentialsError),
        (failed(401, "Request had invalid credentials.", {"reason": "ACCESS_TOKEN_EXPIRED"}), ExpiredCredentialsError),
        (failed(401, "Request had invalid authentication credentials."), AuthenticationError),
        (failed(404, "models/x is not found for API version v1beta"), UnknownModelError),
        (failed(404, "Publisher Model `projects/p/models/x` was not found."), UnknownModelError),
        (failed(400, "User location is not supported for the API use.", word="FAILED_PRECONDITION"), WrongRegionError),
        (failed(400, "Publisher Model `x` is not servable in region us-west1."), WrongRegionError),
        (failed(503, "The model is overloaded.", word="UNAVAILABLE"), Exception),
    ],
)
def test_errors_are_of_their_kind(error: Exception, kind: type[Exception]) -> None:
    """And never less than refused by the provider."""
    assert isinstance(error, kind)
    assert getattr(error, "refused", False)


def test_a_limit_by_the_minute_waits_and_one_by_the_day_does_not() -> None:
    """Google writes the wait into the body."""
    quota = {"@type": "QuotaFailure", "violations": [{"quotaId": "GenerateRequestsPerMinutePerProject"}]}
    wait = {"@type": "RetryInfo", "retryDelay": "48.5s"}
    soon = failed(429, "You exceeded your current quota", quota, wait, word="RESOURCE_EXHAUSTED")
    assert isinstance(soon, RateLimitError)
    assert soon.retry_after_s == 48.5
    quota = {"@type": "QuotaFailure", "violations": [{"quotaId": "GenerateRequestsPerDayPerProject-FreeTier"}]}
    assert isinstance(failed(429, "You exceeded your current quota", quota, wait), QuotaExhaustedError)


def test_a_disabled_api_says_where_to_enable_it() -> None:
    """The address is in the details."""
    detail = {"reason": "SERVICE_DISABLED", "metadata": {"activationUrl": "https://console.example/enable"}}
    error = failed(403, "Vertex AI API has not been used", detail, word="PERMISSION_DENIED")
    assert isinstance(error, AuthenticationError)
    assert "https://console.example/enable" in str(error.hint)


@pytest.mark.parametrize(
    "request_",
    [
        CompletionRequest(messages=(Message(role="user", content="?"), Message(role="system", content="late"))),
        CompletionRequest(messages=(Message(role="user", content="?", name="Ada"),)),
        asked(ToolCall(name="f", arguments=None, raw_arguments="{broken")),
        asked(ToolResult(call_id="unknown", content="1")),
        asked(Image(data=b"x", detail="enormous")),
        asked(reasoning=ReasoningOptions(summary="detailed")),
        asked(response_schema=ResponseSchema(schema={}, description="d")),
        asked(extra={"gemini": {"toolConfig": {"functionCallingConfig": {"streamFunctionCallArguments": True}}}}),
    ],
)
def test_what_the_api_has_no_words_for_is_refused(request_: CompletionRequest) -> None:
    """And never left out."""
    with pytest.raises(UnsupportedError):
        request_body(request_, model="gemini-2.5-flash", provider="gemini")


def test_results_of_tools_make_one_turn_and_say_whether_they_failed() -> None:
    """Objects go as objects, other texts under `output`, failures under `error`; names come from the calls."""
    calls = (ToolCall(name="f", call_id="a", arguments={}), ToolCall(name="g", call_id="b", arguments={}))
    messages = (
        Message(role="user", content="?"),
        Message(role="assistant", content=calls),
        Message(role="tool", content=(ToolResult(call_id="a", content='{"x": 1}'),)),
        Message(role="tool", content=(ToolResult(call_id="b", content="no", is_error=True),)),
        Message(role="tool", content=(ToolResult(name="h", content=(Text(text="see"), Image(data=b"\x89PNG"))),)),
    )
    turns = body_of(CompletionRequest(messages=messages))["contents"]
    assert [turn["role"] for turn in turns] == ["user", "model", "user"]
    results = [part["functionResponse"] for part in turns[2]["parts"]]
    assert results[0] == {"id": "a", "name": "f", "response": {"x": 1}}
    assert results[1] == {"id": "b", "name": "g", "response": {"error": "no"}}
    assert results[2]["response"] == {"output": "see"}
    assert results[2]["parts"] == [{"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}}]


def test_media_go_by_bytes_or_by_address() -> None:
    """Vertex AI wants the type of what it fetches, and takes names of files."""
    content = (
        Document(data=b"%PDF", name="a.pdf"),
        Audio(url="gs://bucket/sound.mp3"),
        Video(url="https://example.com/watch"),
        Document(file_id="files/abc", media_type="text/plain"),
        Image(data=b"x", media_type="image/png", detail="low"),
    )
    parts = body_of(asked(*content))["contents"][0]["parts"]
    assert parts[0] == {"inlineData": {"mimeType": "application/pdf", "data": "JVBERg=="}}
    assert parts[1] == {"fileData": {"mimeType": "audio/mpeg", "fileUri": "gs://bucket/sound.mp3"}}
    assert parts[2] == {"fileData": {"fileUri": "https://example.com/watch"}}
    assert parts[3]["fileData"]["fileUri"] == "https://generativelanguage.googleapis.com/v1beta/files/abc"
    assert parts[4]["mediaResolution"] == {"level": "MEDIA_RESOLUTION_LOW"}
    at_vertex = body_of(asked(*content), provider="vertex")["contents"][0]["parts"]
    assert at_vertex[0]["inlineData"]["displayName"] == "a.pdf"
    assert at_vertex[2]["fileData"]["mimeType"] == "video/mp4"


def test_parameters_go_to_their_places_and_extras_join_them() -> None:
    """What a request says and what its extra parameters say stand in one object."""
    body = body_of(
        asked(
            max_output_tokens=5,
            logprobs=2,
            response_schema=ResponseSchema(schema={"type": "object"}),
            reasoning=ReasoningOptions(enabled=False, summary="auto"),
            tools=(Tool(name="f", parameters={"type": "object"}, strict=True),),
            extra={"gemini": {"generationConfig": {"mediaResolution": "MEDIA_RESOLUTION_LOW"}, "cachedContent": "c"}},
        )
    )
    assert body["generationConfig"] == {
        "maxOutputTokens": 5,
        "responseLogprobs": True,
        "logprobs": 2,
        "responseMimeType": "application/json",
        "responseJsonSchema": {"type": "object"},
        "thinkingConfig": {"thinkingBudget": 0, "includeThoughts": True},
        "mediaResolution": "MEDIA_RESOLUTION_LOW",
    }
    assert body["toolConfig"] == {"functionCallingConfig": {"mode": "VALIDATED"}}
    assert body["cachedContent"] == "c"
    chosen = body_of(asked(tools=(Tool(name="f"),), tool_choice=ToolChoice(mode="tool", name="f")))
    assert chosen["toolConfig"]["functionCallingConfig"] == {"mode": "ANY", "allowedFunctionNames": ["f"]}


def test_calls_that_another_model_made_say_that_they_have_no_signature() -> None:
    """To models that want one, on the first call of a turn; a signature of their own is left as it is."""
    calls = (ToolCall(name="f", call_id="a", arguments={}), ToolCall(name="g", call_id="b", arguments={}))
    foreign = CompletionRequest(messages=(Message(role="assistant", content=calls),))
    first, second = body_of(foreign, model="gemini-3-pro-preview")["contents"][0]["parts"]
    assert base64.b64decode(first["thoughtSignature"]) == b"skip_thought_signature_validator"
    assert "thoughtSignature" not in second
    assert "thoughtSignature" not in body_of(foreign)["contents"][0]["parts"][0]
    own = replace(calls[0], provider_data=kept_for("gemini", {"thoughtSignature": "AA=="}))
    request = CompletionRequest(messages=(Message(role="assistant", content=(own, calls[1])),))
    assert body_of(request, model="gemini-3-pro-preview")["contents"][0]["parts"][0]["thoughtSignature"] == "AA=="


def test_a_conversation_goes_elsewhere_and_comes_back() -> None:
    """Words, calls without ids and their results go along; thoughts stay, and at home nothing is missing."""
    reply = parsed(
        answer(
            {"text": "hm", "thought": True},
            {"functionCall": {"name": "f", "args": {"x": 1}}, "thoughtSignature": "AA=="},
        )
    ).reply
    result = Message(role="tool", content=(ToolResult(name="f", content="2"),))
    history = (Message(role="user", content="?"), reply, result)
    there = carried(history, provider="openai")
    assert there.left_out == ("reasoning of gemini (1)",)
    sent: Any = openai_chat.request_body(CompletionRequest(messages=there.messages), model="m", stream=False)
    call, told = sent["messages"][1]["tool_calls"][0], sent["messages"][2]
    assert call["id"] == told["tool_call_id"]
    assert json.loads(call["function"]["arguments"]) == {"x": 1}
    foreign = Message(role="assistant", content=(ToolCall(name="g", call_id="c", raw_arguments="{}", arguments={}),))
    back = body_of(CompletionRequest(messages=(*history, foreign)), model="gemini-3-pro-preview")["contents"]
    assert back[1]["parts"][1] == {"functionCall": {"name": "f", "args": {"x": 1}}, "thoughtSignature": "AA=="}
    assert back[2]["parts"][0]["functionResponse"] == {"name": "f", "response": {"output": "2"}}
    assert "thoughtSignature" in back[3]["parts"][0]


def test_data_of_other_providers_stay_behind() -> None:
    """A signature of Vertex AI's is not shown to the Gemini API."""
    signed = Text(text="x", provider_data=kept_for("vertex", {"thoughtSignature": "AA=="}))
    assert body_of(asked(signed))["contents"][0]["parts"] == [{"text": "x"}]


def _other_modalities(call: Call) -> dict[str, Any]:
    if call.path.endswith(":batchEmbedContents"):
        return {"embeddings": [{"values": [0.5, 1]} for _ in call.body["requests"]]}
    if call.path.endswith(":countTokens"):
        return {"totalTokens": 9}
    wanted = call.body["generationConfig"]["responseModalities"]
    media_type = "image/png" if "IMAGE" in wanted else "audio/L16;codec=pcm;rate=24000"
    return answer({"inlineData": {"mimeType": media_type, "data": "AAABAA=="}})


async def test_vectors_pictures_speech_and_counts_of_tokens(tmp_path: Path) -> None:
    """One request each, to the method that gives them."""
    session = LazySession()
    async with fake_server(_other_modalities) as server:
        environment = {"GOOGLE_API_KEY": "secret-key", "GOOGLE_GEMINI_BASE_URL": server.url.removesuffix("/v1")}
        runner = await open_runner("gemini-x", RunnerSettings(home=tmp_path, session=session, environment=environment))
        assert isinstance(runner, GeminiRunner)
        assert isinstance(runner, EmbeddingRunner)
        assert isinstance(runner, ImageRunner)
        assert isinstance(runner, SpeechRunner)
        vectors = await runner.embed(EmbeddingRequest(texts=("a", "b"), purpose="RETRIEVAL_QUERY", dimensions=2))
        picture = await runner.make_images(ImageRequest(prompt="a cat", size="16:9"))
        speech = await runner.speak(SpeechRequest(text="Hello", voice="Kore", output_format="wav"))
        count = await runner.count_tokens(asked())
    await session.close()
    assert vectors.vectors == ((0.5, 1.0), (0.5, 1.0))
    assert picture.images[0].data == b"\0\0\1\0"
    assert count == 9
    with wave.open(io.BytesIO(speech.audio.data or b"")) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (24000, 2)
    embedding, image, spoken, counted = server.calls
    assert embedding.body["requests"][0] == {
        "model": "models/gemini-x",
        "taskType": "RETRIEVAL_QUERY",
        "outputDimensionality": 2,
        "content": {"parts": [{"text": "a"}]},
    }
    assert image.path == "/v1beta/models/gemini-x:generateContent"
    assert image.headers["x-goog-api-key"] == "secret-key"
    assert image.body["generationConfig"]["imageConfig"] == {"aspectRatio": "16:9"}
    voice = spoken.body["generationConfig"]["speechConfig"]["voiceConfig"]["prebuiltVoiceConfig"]
    assert voice == {"voiceName": "Kore"}
    assert counted.body["generateContentRequest"]["model"] == "models/gemini-x"


async def test_a_picture_that_was_withheld_is_an_error(tmp_path: Path) -> None:
    """Unlike words, it has no answer to be part of."""
    session = LazySession()
    async with fake_server(lambda call: {"candidates": [{"finishReason": "IMAGE_SAFETY"}]}) as server:
        environment = {"GEMINI_API_KEY": "k", "GOOGLE_GEMINI_BASE_URL": server.url.removesuffix("/v1")}
        runner = await open_runner("gemini-x", RunnerSettings(home=tmp_path, session=session, environment=environment))
        assert isinstance(runner, GeminiRunner)
        with pytest.raises(ContentFilterError):
            await runner.make_images(ImageRequest(prompt="a cat"))
        with pytest.raises(UnsupportedError):
            await runner.make_images(ImageRequest(prompt="a cat", size="1024x1024"))
        with pytest.raises(UnsupportedError):
            await runner.speak(SpeechRequest(text="x", speed=2.0))
    await session.close()
