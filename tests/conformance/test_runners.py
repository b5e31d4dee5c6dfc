"""Every runner passes the same suite."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fieldguide.domain import CompletionRequest
from fieldguide.http_client import LazySession
from fieldguide.runners import Runner, RunnerSettings
from fieldguide.runners.llama_cpp import open_runner as open_llama_cpp
from fieldguide.runners.openai_compatible import open_runner as open_http
from fieldguide.runners.recorded import open_runner as open_recorded
from fieldguide.testing import FakeRunner, RunnerConformance
from tests.support.embedded import settings
from tests.support.fake_server import Call, FakeServer, chat, fake_server, sse
from tests.support.tiny_gguf import tiny_gguf


class TestFakeRunner(RunnerConformance):
    """The double itself."""

    async def open_runner(self) -> Runner:
        return FakeRunner("hello there")


class TestFakeRunnerWithoutText(RunnerConformance):
    """A double that only converses."""

    async def open_runner(self) -> Runner:
        return FakeRunner("hello", text=False)


class TestRecorded(RunnerConformance):
    """Answers from a file."""

    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.path = tmp_path / "answers.jsonl"
        self.path.write_text(json.dumps({"item": "a", "attempt": 0, "completion": "hello"}) + "\n")

    async def open_runner(self) -> Runner:
        return await open_recorded(str(self.path), RunnerSettings(home=self.path.parent, session=LazySession()))

    def request(self, runner: Runner, *, max_output_tokens: int = 8) -> CompletionRequest:
        return CompletionRequest(prompt="?", item="a", max_output_tokens=max_output_tokens)


def _answer(call: Call) -> object:
    if call.body.get("stream"):
        return sse({"choices": [{"delta": {"content": "hello"}, "finish_reason": "stop"}]}, "[DONE]")
    return chat("hello")


class TestOpenAICompatible(RunnerConformance):
    """Any server with OpenAI's protocol."""

    server: FakeServer

    @pytest.fixture(autouse=True)
    async def _serving(self, tmp_path: Path) -> AsyncIterator[None]:
        self.session = LazySession()
        async with fake_server(_answer) as self.server:  # type: ignore[arg-type]
            self.home = tmp_path
            yield
        await self.session.close()

    async def open_runner(self) -> Runner:
        return await open_http(f"{self.server.url}#m", RunnerSettings(home=self.home, session=self.session))


class TestLlamaCpp(RunnerConformance):
    """The embedded engine on a model of random weights with a chat template."""

    @pytest.fixture(autouse=True)
    def _model(self, tmp_path: Path) -> None:
        pytest.importorskip("xllamacpp", reason="the llama-cpp extra is not installed")
        self.home = tmp_path
        self.path = tiny_gguf(tmp_path / "tiny.gguf")

    async def open_runner(self) -> Runner:
        return await open_llama_cpp(str(self.path), settings(self.home))
