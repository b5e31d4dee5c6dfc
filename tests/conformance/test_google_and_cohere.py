"""The suite on Google's and Cohere's runners, before a server of ours that speaks their languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fieldguide.domain import ReasoningOptions
from fieldguide.runners import Runner
from fieldguide.runners.cohere import open_runner as open_cohere
from fieldguide.runners.gemini import open_runner as open_gemini
from fieldguide.runners.vertex import open_runner as open_vertex
from tests.conformance import test_runners
from tests.conformance.test_runners import ALWAYS_STRICT, NO_LABEL, OverHttp, lacking
from tests.support.fake_server import Call, chat, sse

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


def _answer(call: Call) -> Any:
    if "generateContent" in call.path or "GenerateContent" in call.path:
        half = {"candidates": [{"content": {"role": "model", "parts": [{"text": "hel"}]}}]}
        rest = {
            "candidates": [{"content": {"parts": [{"text": "lo"}]}, "finishReason": "STOP"}],
            "usageMetadata": _USAGE,
        }
        return sse(half, rest) if ":stream" in call.path else _GEMINI
    if "anthropic" in call.path:
        return test_runners.TestAnthropic.answer(call)
    if call.path.endswith("/v2/chat"):
        return _cohere_stream() if call.body["stream"] else _COHERE
    if call.body.get("stream"):
        return sse({"choices": [{"delta": {"content": "hello"}, "finish_reason": "stop"}]}, "[DONE]")
    return chat("hello")


_NO_PARALLEL = lacking("never", "the API has no word on calls at once", "parallel_tools")


class TestGemini(OverHttp):
    """The Gemini API."""

    same_either_way = NO_LABEL | ALWAYS_STRICT | {"file's name": "the API takes none, and a name asks for nothing"}
    answer = staticmethod(_answer)
    gaps = _NO_PARALLEL

    async def open_runner(self) -> Runner:
        url = self.server.url.removesuffix("/v1")
        return await open_gemini("m", self.settings(GEMINI_API_KEY="secret", GOOGLE_GEMINI_BASE_URL=url))


class TestCohere(OverHttp):
    """Cohere."""

    same_either_way = NO_LABEL | ALWAYS_STRICT
    answer = staticmethod(_answer)
    thinks = ReasoningOptions(budget_tokens=100)
    gaps = (
        _NO_PARALLEL
        | lacking("never", "the API reads text and pictures", "audio", "video")
        | lacking("notimpl", "documents are a parameter of the request there (`extra`)", "documents")
        | lacking("notyet", "the API tells probabilities of its own tokens only (`extra`)", "logprobs")
    )

    async def open_runner(self) -> Runner:
        url = self.server.url.removesuffix("/v1")
        return await open_cohere("m", self.settings(COHERE_API_KEY="secret", COHERE_BASE_URL=url))


class TestVertex(OverHttp):
    """Google's models at Vertex AI."""

    same_either_way: Mapping[str, str] = NO_LABEL | ALWAYS_STRICT
    answer = staticmethod(_answer)
    gaps = _NO_PARALLEL
    target = "m"

    async def open_runner(self) -> Runner:
        given = {"GOOGLE_OAUTH_ACCESS_TOKEN": "secret", "GOOGLE_CLOUD_PROJECT": "p"}
        url = self.server.url.removesuffix("/v1")
        return await open_vertex(self.target, self.settings(GOOGLE_VERTEX_BASE_URL=url, **given))


class TestVertexAnthropic(TestVertex):
    """Anthropic's models at Vertex AI."""

    target = "claude-x"
    same_either_way = test_runners.TestAnthropic.same_either_way
    gaps = test_runners.TestAnthropic.gaps


class TestVertexMistral(TestVertex):
    """Mistral's models at Vertex AI."""

    target = "mistral-x"
    same_either_way: Mapping[str, str] = {}
    gaps = lacking("never", "Mistral's API has no such parameter", "top_k", "logprobs") | lacking(
        "notimpl", "Mistral has its own name for it, which is not written yet: give it as `extra`", "seed"
    ) | lacking("notyet", "its chat at Vertex AI reads text and pictures", "audio", "video", "documents")  # fmt: skip


class TestVertexOthers(TestVertex):
    """Others' models at Vertex AI."""

    target = "meta/llama-x"
    same_either_way: Mapping[str, str] = {}
    gaps = lacking("never", "chat completions have no such parameter", "top_k") | lacking(
        "notyet", "its chat completions read text and pictures", "audio", "video", "documents"
    )
