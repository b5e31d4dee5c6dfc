"""Every runner passes the same suite."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from aiohttp import web

from fieldguide.domain import Completion, CompletionRequest, FinishReason, Message, Reasoning, Text, carried
from fieldguide.errors import RunnerError, UnsupportedError
from fieldguide.http_client import LazySession
from fieldguide.runners import Runner, RunnerSettings
from fieldguide.runners.anthropic import open_runner as open_anthropic
from fieldguide.runners.bedrock import open_runner as open_bedrock
from fieldguide.runners.llama_cpp import open_runner as open_llama_cpp
from fieldguide.runners.llama_server import open_runner as open_llama_server
from fieldguide.runners.openai import open_runner as open_openai
from fieldguide.runners.openai_compatible import open_runner as open_http
from fieldguide.runners.openai_responses import open_runner as open_responses
from fieldguide.runners.recorded import open_runner as open_recorded
from fieldguide.runners.sagemaker import open_runner as open_sagemaker
from fieldguide.runners.vllm import open_runner as open_vllm
from fieldguide.testing import FakeRunner, Gap, RunnerConformance, all_capabilities
from tests.support.embedded import settings
from tests.support.event_stream import event
from tests.support.fake_server import Call, FakeServer, chat, fake_server, sse
from tests.support.request_wishes import SECRET_THOUGHT, told_elsewhere, wishes
from tests.support.tiny_gguf import tiny_gguf


def lacking(kind: Literal["notimpl", "notyet", "never"], reason: str, *names: str) -> dict[str, Gap]:
    """Return gaps of one kind and reason."""
    return {name: Gap(kind=kind, reason=reason) for name in names}


_MOST = (
    "images", "audio", "video", "documents", "tools", "tool_choice", "parallel_tools", "json_object",
    "structured_output", "reasoning", "logprobs", "top_k", "penalties",
)  # fmt: skip
_WORDS_ONLY = lacking("never", "a double that is asked for words only", *_MOST)


class TestFakeRunner(RunnerConformance):
    """The double itself."""

    gaps = _WORDS_ONLY

    async def open_runner(self) -> Runner:
        return FakeRunner("hello there")


class TestFakeRunnerWithoutText(RunnerConformance):
    """A double that only converses."""

    gaps = _WORDS_ONLY

    async def open_runner(self) -> Runner:
        return FakeRunner("hello", text=False)


class TestFakeRunnerOfEverything(RunnerConformance):
    """A double that takes whatever there is, and answers in blocks."""

    async def open_runner(self) -> Runner:
        blocks = (Reasoning(text="hm", provider="fake"), Text(text="hello"))
        message = Message(role="assistant", content=blocks)
        answer = Completion(text="hello", reasoning="hm", finish_reason=FinishReason.STOP, message=message)
        return FakeRunner(answer, capabilities=all_capabilities())


class TestRecorded(RunnerConformance):
    """Answers from a file."""

    sends = False

    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.path = tmp_path / "answers.jsonl"
        self.path.write_text(json.dumps({"item": "a", "attempt": 0, "completion": "hello"}) + "\n")

    async def open_runner(self) -> Runner:
        return await open_recorded(str(self.path), RunnerSettings(home=self.path.parent, session=LazySession()))

    def request(self, runner: Runner, *, max_output_tokens: int = 8) -> CompletionRequest:
        return CompletionRequest(prompt="?", item="a", max_output_tokens=max_output_tokens)


def _chat(call: Call) -> object:
    if call.body.get("stream"):
        return sse({"choices": [{"delta": {"content": "hello"}, "finish_reason": "stop"}]}, "[DONE]")
    return chat("hello")


def _messages(call: Call) -> object:
    whole = {"type": "message", "id": "m", "role": "assistant", "model": "c", "stop_reason": "end_turn"}
    usage = {"input_tokens": 3, "output_tokens": 1}
    if not call.body.get("stream"):
        return {**whole, "content": [{"type": "text", "text": "hello"}], "usage": usage}
    return sse(
        {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None, "usage": usage}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hello"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    )


def _response(call: Call) -> object:
    part = {"type": "output_text", "text": "hello", "annotations": []}
    item = {"type": "message", "id": "msg", "role": "assistant", "status": "completed", "content": [part]}
    whole = {"id": "resp", "object": "response", "status": "completed", "output": [item]}
    if not call.body.get("stream"):
        return whole
    return sse(
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": []}},
        {"type": "response.content_part.added", "output_index": 0, "content_index": 0, "part": {**part, "text": ""}},
        {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "hello"},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": whole},
    )


class OverHttp(RunnerConformance):
    """What runners over HTTP have in common: a server on loopback that says hello in their language."""

    answer: Callable[[Call], object] = staticmethod(_chat)
    server: FakeServer
    same_either_way: Mapping[str, str] = {}
    """Wishes that change nothing of what is sent, each with its reason."""

    @pytest.fixture(autouse=True)
    async def _serving(self, tmp_path: Path) -> AsyncIterator[None]:
        self.session = LazySession()
        async with fake_server(type(self).answer) as self.server:  # type: ignore[arg-type]
            self.home = tmp_path
            yield
        await self.session.close()

    def settings(self, **environment: str) -> RunnerSettings:
        return RunnerSettings(home=self.home, session=self.session, environment=environment)

    async def test_nothing_that_is_asked_is_dropped(self) -> None:
        """Each field of a request changes what is sent, or is refused beforehand."""
        runner = await self.open_runner()
        dropped = set()
        for wish, (without, asked) in wishes(self.request(runner)).items():
            try:
                plain, changed = await self._sent(runner, without), await self._sent(runner, asked)
            except UnsupportedError:
                continue
            if plain == changed:
                dropped.add(wish)
        await runner.close()
        assert dropped == set(self.same_either_way)

    @pytest.mark.parametrize("maker", ["openai", "gemini", "broken"])
    async def test_a_conversation_from_elsewhere_arrives_whole(self, maker: str) -> None:
        """Words, pictures, calls and results of another provider's model; what cannot go is refused by its name."""
        runner = await self.open_runner()
        provider = runner.model.reference.partition(":")[0]
        plain = self.request(runner)
        for kind, turns, signs in told_elsewhere(maker):
            turns = carried(turns, provider=provider).messages
            try:
                _, body = await self._sent(runner, replace(plain, prompt=None, messages=turns))
            except UnsupportedError:
                assert not runner.capabilities.chat or kind == "broken" or not getattr(runner.capabilities, kind, True)
                continue
            sent = json.dumps(body, ensure_ascii=False)
            assert [sign for sign in signs if sign not in sent and json.dumps(sign)[1:-1] not in sent] == []
            assert SECRET_THOUGHT not in sent
        await runner.close()

    async def _sent(self, runner: Runner, request: CompletionRequest) -> tuple[str, object]:
        with contextlib.suppress(RunnerError):
            await runner.complete(request)
        return self.server.calls[-1].path, self.server.calls[-1].body


NO_LABEL = {"schema.name": "the API has no name for a schema, and a name asks for nothing"}
ALWAYS_STRICT = {"schema.strict": "a schema is always followed to the letter"}
_NO_TOP_K = lacking("never", "chat completions have no such parameter", "top_k")
_NO_VIDEO = lacking("never", "the protocol has no moving pictures", "video")


class TestOpenAICompatible(OverHttp):
    """Any server with OpenAI's protocol."""

    gaps = _NO_TOP_K | _NO_VIDEO

    async def open_runner(self) -> Runner:
        return await open_http(f"{self.server.url}#m", self.settings())


class TestOpenAI(OverHttp):
    """OpenAI's chat completions."""

    gaps = _NO_TOP_K | _NO_VIDEO

    async def open_runner(self) -> Runner:
        return await open_openai("m", self.settings(OPENAI_API_KEY="secret", OPENAI_BASE_URL=self.server.url))


class TestOpenAIResponses(OverHttp):
    """OpenAI's Responses API."""

    answer = staticmethod(_response)
    gaps = lacking("never", "the Responses API has no such parameter", "seed", "stop", "top_k", "penalties") | lacking(
        "notyet", "the Responses API takes no sound and no moving pictures", "audio", "video"
    )

    async def open_runner(self) -> Runner:
        return await open_responses("m", self.settings(OPENAI_API_KEY="secret", OPENAI_BASE_URL=self.server.url))


class TestAnthropic(OverHttp):
    """Anthropic's Messages API."""

    answer = staticmethod(_messages)
    same_either_way = NO_LABEL | ALWAYS_STRICT
    gaps = lacking("never", "the Messages API has no such parameter", "seed", "penalties", "logprobs") | lacking(
        "notyet", "the Messages API has neither sound nor moving pictures, nor JSON without a schema",
        "audio", "video", "json_object",
    )  # fmt: skip

    async def open_runner(self) -> Runner:
        url = self.server.url.removesuffix("/v1")
        return await open_anthropic("m", self.settings(ANTHROPIC_API_KEY="secret", ANTHROPIC_BASE_URL=url))


class TestVllm(OverHttp):
    """vLLM's server."""

    gaps = lacking("notimpl", "vLLM's video_url parts are not written yet", "video")

    async def open_runner(self) -> Runner:
        return await open_vllm(f"{self.server.url}#m", self.settings())


class TestLlamaServer(OverHttp):
    """llama.cpp's own server."""

    gaps = _NO_VIDEO | lacking("notyet", "llama-server takes no files", "documents")

    async def open_runner(self) -> Runner:
        return await open_llama_server(f"{self.server.url}#m", self.settings())


def _converse(call: Call) -> object:
    usage = {"inputTokens": 3, "outputTokens": 1, "totalTokens": 4}
    if not call.path.endswith("-stream"):
        message = {"role": "assistant", "content": [{"text": "hello"}]}
        return {"output": {"message": message}, "stopReason": "end_turn", "usage": usage}
    data = event("messageStart", {"role": "assistant"})
    data += event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "hello"}})
    data += event("contentBlockStop", {"contentBlockIndex": 0})
    data += event("messageStop", {"stopReason": "end_turn"}) + event("metadata", {"usage": usage})
    return web.Response(body=data)


def _endpoint(call: Call) -> object:
    answer = _chat(call)
    return web.Response(body=event("PayloadPart", answer.encode())) if isinstance(answer, str) else answer


def _generated(call: Call) -> object:
    details = {"finish_reason": "length", "generated_tokens": 1}
    if not call.path.endswith("-stream"):
        return web.json_response([{"generated_text": "hello", "details": details}])
    data = f"data:{json.dumps({'token': {'text': 'hello'}, 'generated_text': 'hello', 'details': details})}\n\n"
    return web.Response(body=event("PayloadPart", data[:9].encode()) + event("PayloadPart", data[9:].encode()))


_NO_MORE_THAN_WORDS = lacking(
    "never", "a body of words alone",
    "images", "audio", "video", "documents", "tools", "tool_choice", "parallel_tools", "json_object",
    "structured_output", "reasoning", "penalties", "logprobs",
)  # fmt: skip
_SIGNED = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-secret", "AWS_REGION": "us-east-1"}


class TestBedrock(OverHttp):
    """Amazon Bedrock over Converse, with signed requests."""

    answer = staticmethod(_converse)
    same_either_way = ALWAYS_STRICT
    gaps = lacking(
        "never", "Converse has no such parameter; `extra` of bedrock reaches what a model has of its own",
        "seed", "top_k", "penalties", "logprobs", "parallel_tools", "json_object",
    )  # fmt: skip

    async def open_runner(self) -> Runner:
        url = self.server.url.removesuffix("/v1")
        return await open_bedrock("m", self.settings(**_SIGNED, AWS_ENDPOINT_URL_BEDROCK_RUNTIME=url))


class TestSageMaker(OverHttp):
    """An endpoint of Amazon SageMaker whose container speaks chat completions."""

    answer = staticmethod(_endpoint)
    gaps = _NO_TOP_K | _NO_VIDEO

    async def open_runner(self) -> Runner:
        url = self.server.url.removesuffix("/v1")
        return await open_sagemaker("e", self.settings(**_SIGNED, AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=url))


class TestSageMakerTurns(OverHttp):
    """An endpoint of JumpStart's first chat models."""

    answer = staticmethod(_generated)
    gaps = _NO_MORE_THAN_WORDS

    async def open_runner(self) -> Runner:
        url = self.server.url.removesuffix("/v1")
        return await open_sagemaker("turns/e", self.settings(**_SIGNED, AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=url))


class TestSageMakerInputs(TestSageMakerTurns):
    """An endpoint whose container continues texts."""

    gaps = lacking("never", "it does not converse")

    async def open_runner(self) -> Runner:
        url = self.server.url.removesuffix("/v1")
        return await open_sagemaker("inputs/e", self.settings(**_SIGNED, AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=url))


class TestLlamaCpp(RunnerConformance):
    """The embedded engine on a model of random weights with a chat template."""

    gaps = lacking(
        "notimpl", "the engine passes over them with many templates, which cannot be told beforehand yet",
        "tools", "tool_choice", "parallel_tools", "reasoning",
    ) | lacking(
        "notimpl", "pictures, sound and files need a projector file, which is not loaded yet",
        "images", "audio", "video", "documents",
    ) | lacking(
        "notimpl", "how tokens are sampled is kept to what exams state", "top_k", "penalties"
    )  # fmt: skip

    @pytest.fixture(autouse=True)
    def _model(self, tmp_path: Path) -> None:
        pytest.importorskip("xllamacpp", reason="the llama-cpp extra is not installed")
        self.home = tmp_path
        self.path = tiny_gguf(tmp_path / "tiny.gguf")

    async def open_runner(self) -> Runner:
        return await open_llama_cpp(str(self.path), settings(self.home))
