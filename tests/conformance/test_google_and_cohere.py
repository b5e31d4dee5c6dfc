"""The suite on Google's and Cohere's runners, before a server of ours that speaks their languages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fieldguide.http_client import LazySession
from fieldguide.runners import Runner, RunnerSettings
from fieldguide.runners.cohere import open_runner as open_cohere
from fieldguide.runners.gemini import open_runner as open_gemini
from fieldguide.runners.vertex import open_runner as open_vertex
from fieldguide.testing import RunnerConformance
from tests.support.fake_server import Call, FakeServer, chat, fake_server, sse

_USAGE = {"promptTokenCount": 3, "candidatesTokenCount": 1}
_GEMINI = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "hello"}]}, "finishReason": "STOP"}],
    "usageMetadata": _USAGE,
}
_COHERE = {
    "id": "r",
    "finish_reason": "COMPLETE",
    "message": {"role": "assistant", "content": [{"type": "text", "text": "hello"}]},
    "usage": {"tokens": {"input_tokens": 3, "output_tokens": 1}},
}
_CLAUDE = {
    "type": "message",
    "id": "m",
    "role": "assistant",
    "content": [{"type": "text", "text": "hello"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 3, "output_tokens": 1},
}


def _cohere_stream() -> str:
    def content(kind: str, **given: str) -> dict[str, Any]:
        return {"type": kind, "index": 0, "delta": {"message": {"content": given}}}

    return sse(
        {"type": "message-start", "id": "r", "delta": {"message": {"role": "assistant"}}},
        content("content-start", type="text", text=""),
        content("content-delta", text="hel"),
        content("content-delta", text="lo"),
        {"type": "content-end", "index": 0},
        {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": _COHERE["usage"]}},
        "[DONE]",
    )


def _claude_stream() -> str:
    return sse(
        {"type": "message_start", "message": {**_CLAUDE, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hello"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    )


def _answer(call: Call) -> Any:
    if "generateContent" in call.path or "GenerateContent" in call.path:
        half = {"candidates": [{"content": {"role": "model", "parts": [{"text": "hel"}]}}]}
        rest = {
            "candidates": [{"content": {"parts": [{"text": "lo"}]}, "finishReason": "STOP"}],
            "usageMetadata": _USAGE,
        }
        return sse(half, rest) if ":stream" in call.path else _GEMINI
    if "anthropic" in call.path:
        return _claude_stream() if ":stream" in call.path else _CLAUDE
    if call.path.endswith("/v2/chat"):
        return _cohere_stream() if call.body["stream"] else _COHERE
    if call.body.get("stream"):
        return sse({"choices": [{"delta": {"content": "hello"}, "finish_reason": "stop"}]}, "[DONE]")
    return chat("hello")


class _Served(RunnerConformance):
    """A runner before our server."""

    server: FakeServer
    target = "m"

    @pytest.fixture(autouse=True)
    async def _serving(self, tmp_path: Path) -> AsyncIterator[None]:
        self.session = LazySession()
        async with fake_server(_answer) as self.server:
            self.home = tmp_path
            yield
        await self.session.close()

    def settings(self, address: str, **given: str) -> RunnerSettings:
        environment = {address: self.server.url.removesuffix("/v1"), **given}
        return RunnerSettings(home=self.home, session=self.session, environment=environment)


class TestGemini(_Served):
    """The Gemini API."""

    async def open_runner(self) -> Runner:
        return await open_gemini("m", self.settings("GOOGLE_GEMINI_BASE_URL", GEMINI_API_KEY="k"))


class TestCohere(_Served):
    """Cohere."""

    async def open_runner(self) -> Runner:
        return await open_cohere("m", self.settings("COHERE_BASE_URL", COHERE_API_KEY="k"))


class TestVertex(_Served):
    """Google's models at Vertex AI."""

    async def open_runner(self) -> Runner:
        token = {"GOOGLE_OAUTH_ACCESS_TOKEN": "t", "GOOGLE_CLOUD_PROJECT": "p"}
        return await open_vertex(self.target, self.settings("GOOGLE_VERTEX_BASE_URL", **token))


class TestVertexAnthropic(TestVertex):
    """Anthropic's models at Vertex AI."""

    target = "claude-x"


class TestVertexMistral(TestVertex):
    """Mistral's models at Vertex AI."""

    target = "mistral-x"


class TestVertexOthers(TestVertex):
    """Others' models at Vertex AI."""

    target = "meta/llama-x"
