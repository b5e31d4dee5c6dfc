"""Model Studio: what its recordings do not show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from fieldguide.domain import (
    Audio,
    CompletionRequest,
    Document,
    FinishReason,
    Image,
    ImageRequest,
    JsonValue,
    Message,
    ProviderBlock,
    Reasoning,
    ReasoningOptions,
    Text,
    ToolChoice,
    ToolResult,
)
from fieldguide.errors import (
    AuthenticationError,
    ContentFilterError,
    ContextLengthExceededError,
    InvalidRequestError,
    MissingKeyError,
    QuotaExhaustedError,
    RateLimitError,
    ResponseFormatError,
    RunnerTimeoutError,
    UnknownModelError,
    UnsupportedError,
    UsageError,
)
from fieldguide.http_client import LazySession
from fieldguide.runners import RunnerSettings
from fieldguide.runners.model_studio import (
    DashScopeWire,
    StreamedAnswer,
    error_of,
    image_body,
    images_of,
    open_runner,
    parse_completion,
    parse_task,
    request_body,
)
from fieldguide.runners.model_studio.compatible import open_runner as open_compatible
from tests.support.fake_server import Call, fake_server
from tests.support.replay import exchanges

ASKED = (Message(role="user", content="?"),)


def settings(tmp_path: Path, **given: Any) -> RunnerSettings:
    return RunnerSettings(home=tmp_path, session=LazySession(), **given)


def body(*, stream: bool = False, in_parts: bool = False, **given: Any) -> dict[str, Any]:
    request = CompletionRequest(**{"messages": ASKED, **given})
    return request_body(request, model="m", stream=stream, in_parts=in_parts)


@pytest.mark.parametrize("opened", [open_runner, open_compatible])
async def test_a_missing_key_names_its_variable_and_where_to_get_one(opened: Any, tmp_path: Path) -> None:
    """A region that is none is wrong use."""
    with pytest.raises(MissingKeyError) as caught:
        await opened("qwen-max", settings(tmp_path))
    assert caught.value.variable == "DASHSCOPE_API_KEY"
    assert "console" in str(caught.value.hint)
    with pytest.raises(UsageError, match="region"):
        await opened("m", settings(tmp_path, environment={"DASHSCOPE_API_KEY": "k"}, options={"region": "moon"}))
    given = settings(tmp_path, environment={"DASHSCOPE_API_KEY": "k"}, options={"region": "intl"})
    assert "dashscope-intl" in str((await opened("m", given)).model.identity["base_url"])


def test_thought_is_switched_and_bounded_and_has_no_effort() -> None:
    """Qwen's two parameters; streams are of what is new."""
    sent = body(reasoning=ReasoningOptions(enabled=True, budget_tokens=50), stream=True)["parameters"]
    assert (sent["enable_thinking"], sent["thinking_budget"], sent["incremental_output"]) == (True, 50, True)
    with pytest.raises(UnsupportedError):
        body(reasoning=ReasoningOptions(effort="low"))
    with pytest.raises(UnsupportedError):
        body(stream=True, extra={"model-studio": {"incremental_output": False}})
    with pytest.raises(UnsupportedError):
        body(tool_choice=ToolChoice(mode="required"))


def test_what_is_seen_and_heard_goes_in_parts() -> None:
    """One field names the kind of each part; files have none."""
    own = ProviderBlock(provider="model-studio", value={"video": ["a.png", "b.png"]})
    turn = Message(role="user", content=(Text(text="?"), Image(data=b"\x89PNG"), Audio(url="https://h/a.wav"), own))
    sent = body(messages=(turn,), in_parts=True)["input"]["messages"][0]["content"]
    image = {"image": "data:image/png;base64,iVBORw=="}
    assert sent == [{"text": "?"}, image, {"audio": "https://h/a.wav"}, {"video": ["a.png", "b.png"]}]
    for in_parts, block in ((False, Image(data=b"x")), (True, Document(data=b"x")), (True, Image(file_id="f"))):
        with pytest.raises(UnsupportedError):
            body(messages=(Message(role="user", content=(block,)),), in_parts=in_parts)
    failed = Message(role="tool", content=(ToolResult(call_id="c", content="no", is_error=True),))
    assert body(messages=(failed,))["input"]["messages"][0]["content"] == "The tool failed:\nno"


@pytest.mark.parametrize(
    ("model", "block", "path"),
    [
        ("qwen-max", Text(text="?"), "text-generation"),
        ("qwen-max", Image(data=b"x"), "multimodal-generation"),
        ("qwen-vl-max", Text(text="?"), "multimodal-generation"),
        ("qwen3-vl-plus", Text(text="?"), "multimodal-generation"),
        ("qwen3-max", Text(text="?"), "text-generation"),
        ("qwen3.5-plus", Text(text="?"), "multimodal-generation"),
    ],
)
def test_the_endpoint_follows_from_model_and_content(model: str, block: Any, path: str) -> None:
    """And a stream is asked for by a header."""
    wire = DashScopeWire("https://h/api/v1", model, headers={})
    call = wire.call(CompletionRequest(messages=(Message(role="user", content=(block,)),)), stream=True)
    assert f"/{path}/" in call.url
    assert call.headers["X-DashScope-SSE"] == "enable"


def test_a_stream_of_thoughts_words_and_audio() -> None:
    """The reason is the word null until there is one; thoughts end where words begin."""
    answer = StreamedAnswer(began_s=0.0)
    messages: list[dict[str, Any]] = [
        {"reasoning_content": "h", "content": ""},
        {"reasoning_content": "m", "content": []},
        {"reasoning_content": "", "content": [{"text": "A"}]},
        {"content": [{"audio": {"data": "QQ==", "id": "a"}}]},
    ]
    for message in messages:
        event = {"output": {"choices": [{"message": message, "finish_reason": "null"}]}, "request_id": "r"}
        answer.take(json.dumps(event), now_s=1.0)
    usage = {"input_tokens": 5, "output_tokens": 9, "output_tokens_details": {"reasoning_tokens": 6}}
    with pytest.raises(ResponseFormatError):
        answer.completion(now_s=2.0)
    last = {"output": {"choices": [{"message": {"content": []}, "finish_reason": "length"}]}, "usage": usage}
    answer.take(json.dumps(last), now_s=1.5)
    whole = answer.completion(now_s=2.0)
    assert [type(block) for block in whole.reply.blocks] == [Reasoning, Text, ProviderBlock]
    assert (whole.reasoning, whole.text, whole.finish_reason) == ("hm", "A", FinishReason.LENGTH)
    assert (whole.usage.reasoning_tokens, whole.response_id) == (6, "r")


def test_an_error_may_come_in_a_stream_or_with_status_200() -> None:
    """It has a code and no output."""
    said = '{"code": "DataInspectionFailed", "message": "Output data may contain inappropriate content."}'
    with pytest.raises(ContentFilterError):
        StreamedAnswer(began_s=0.0).take(said, now_s=1.0)
    with pytest.raises(ContentFilterError):
        parse_completion(said, e2e_latency_s=1.0)


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (401, "InvalidApiKey", "Invalid API-key provided.", AuthenticationError),
        (400, "InvalidParameter", "Range of input length should be [1, 30720]", ContextLengthExceededError),
        (400, "Arrearage", "Access denied, please make sure your account is in good standing.", QuotaExhaustedError),
        (404, "ModelNotFound", "Model can not be found.", UnknownModelError),
        (400, "InvalidParameter", "Model not exist.", UnknownModelError),
        (429, "Throttling.RateQuota", "Requests rate limit exceeded.", RateLimitError),
        (400, "data_inspection_failed", "Input data may contain inappropriate content.", ContentFilterError),
        (400, "InvalidParameter", "temperature is out of range", InvalidRequestError),
    ],
)
def test_each_error_is_of_its_kind(status: int, code: str, message: str, kind: type[Exception]) -> None:
    """By its code, and where the code is a general one by its words."""
    error = error_of(status, json.dumps({"code": code, "message": message, "request_id": "r"}), {})
    assert type(error) is kind
    assert message in error.message
    assert error.refused
    if isinstance(error, ContextLengthExceededError):
        assert error.limit_tokens == 30720
    if kind is AuthenticationError:
        assert "region" in str(error.hint)


def test_recorded_tasks_go_on_to_their_end() -> None:
    """Pending, running, done; the pictures are addresses."""
    recorded = exchanges("dashscope/native_images_video_tasks")
    polls: dict[str, list[Any]] = {}
    for exchange in recorded:
        if exchange.method == "GET" and '"results"' in exchange.text:
            task = parse_task(exchange.text)
            polls[task.task_id] = [each for each in recorded if task.task_id in each.path]
    assert polls
    for asked in polls.values():
        statuses = {parse_task(each.text).status for each in asked}
        assert "SUCCEEDED" in statuses
        assert len(statuses) > 1
        done = next(task for each in asked if (task := parse_task(each.text)).done)
        made = images_of(done, e2e_latency_s=1.0)
        assert len(made.images) == done.output["task_metrics"]["SUCCEEDED"]
        assert all(str(image.url).startswith("https://") for image in made.images)


async def test_a_task_is_asked_for_until_it_is_done(tmp_path: Path) -> None:
    """It is handed in once; every question after it carries the key."""
    heard: list[tuple[str, str, str]] = []
    left = ["PENDING", "RUNNING", "SUCCEEDED"]

    async def answer(request: web.Request) -> web.Response:
        heard.append((request.method, request.path, request.headers["Authorization"]))
        results = [{"url": "https://h/1.png", "actual_prompt": "a big cat"}, {"code": "Throttling", "message": "no"}]
        output = {"task_id": "t", "task_status": left.pop(0), "results": results}
        return web.json_response({"output": output, "request_id": "r"})

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    server = web.AppRunner(app)
    await server.setup()
    await web.TCPSite(server, "127.0.0.1", 0).start()
    session = LazySession()
    url = f"http://127.0.0.1:{server.addresses[0][1]}/api/v1"
    environment = {"DASHSCOPE_API_KEY": "secret", "DASHSCOPE_HTTP_BASE_URL": url}
    given = RunnerSettings(home=tmp_path, session=session, environment=environment, options={"poll_s": "0.01"})
    made = await (await open_runner("wanx-v1", given)).make_images(ImageRequest(prompt="a cat"))
    await session.close()
    await server.cleanup()
    assert [image.url for image in made.images] == ["https://h/1.png"]
    assert made.revised_prompts == ("a big cat",)
    assert [method for method, _, _ in heard] == ["POST", "GET", "GET"]
    assert heard[1][1:] == ("/api/v1/tasks/t", "Bearer secret")


def test_a_picture_has_a_size_and_no_quality() -> None:
    """What should be avoided stands in the input; what the models do not take is refused."""
    extra: dict[str, dict[str, JsonValue]] = {"model-studio": {"negative_prompt": "blur", "seed": 1}}
    sent = image_body(ImageRequest(prompt="a cat", size="1024x1024", count=2, extra=extra), model="wanx-v1")
    assert sent["input"] == {"prompt": "a cat", "negative_prompt": "blur"}
    assert sent["parameters"] == {"n": 2, "size": "1024*1024", "seed": 1}
    with pytest.raises(UnsupportedError):
        image_body(ImageRequest(prompt="a cat", quality="high"), model="m")


def test_a_task_that_failed_is_the_error_it_names() -> None:
    """Also where its only picture failed."""
    ended = {"task_id": "t", "task_status": "FAILED", "code": "DataInspectionFailed", "message": "no"}
    with pytest.raises(ContentFilterError):
        parse_task(json.dumps({"output": ended}))
    failed = [{"code": "DataInspectionFailed", "message": "no"}]
    task = parse_task(json.dumps({"output": {"task_id": "t", "task_status": "SUCCEEDED", "results": failed}}))
    with pytest.raises(ContentFilterError):
        images_of(task, e2e_latency_s=1.0)


async def test_a_task_that_takes_too_long_is_given_up_and_a_workspace_is_named(tmp_path: Path) -> None:
    """It is handed in once, whatever comes of it."""
    session = LazySession()

    def answer(call: Call) -> Any:
        return {"output": {"task_id": "t", "task_status": "PENDING"}, "request_id": "r"}

    async with fake_server(answer) as server:
        environment = {
            "DASHSCOPE_API_KEY": "secret", "DASHSCOPE_HTTP_BASE_URL": server.url, "DASHSCOPE_WORKSPACE": "ws",
        }  # fmt: skip
        given = RunnerSettings(home=tmp_path, session=session, environment=environment, deadline_s=1.0)
        runner = await open_runner("wanx-v1", given)
        with pytest.raises(RunnerTimeoutError, match="t is not done"):
            await runner.make_images(ImageRequest(prompt="a cat"))
    await session.close()
    assert len(server.calls) == 1
    assert server.calls[0].headers["X-DashScope-Async"] == "enable"
    assert server.calls[0].headers["X-DashScope-WorkSpace"] == "ws"
