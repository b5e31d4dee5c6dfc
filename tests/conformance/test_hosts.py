"""The runners of hosts and local servers pass the suite of every runner."""

from __future__ import annotations

import json
from dataclasses import replace

from fieldguide.domain import CompletionRequest, ReasoningOptions
from fieldguide.runners import Runner, deepseek, groq, huggingface, mistral, modelscope, openrouter, xai
from fieldguide.runners._host import Host
from fieldguide.runners.azure import open_runner as open_azure
from fieldguide.runners.azure.foundry import open_runner as open_foundry
from fieldguide.runners.azure.responses import open_runner as open_azure_responses
from fieldguide.runners.model_studio import open_runner as open_model_studio
from fieldguide.runners.model_studio.app import open_runner as open_app
from fieldguide.runners.model_studio.compatible import open_runner as open_compatible
from fieldguide.runners.ollama import open_runner as open_ollama
from tests.conformance import test_runners as common
from tests.conformance.test_runners import ALWAYS_STRICT, NO_LABEL, OverHttp, lacking
from tests.support.fake_server import Call, sse

_NO_TOP_K = lacking("never", "chat completions have no such parameter", "top_k")
_NO_VIDEO = lacking("never", "the protocol has no moving pictures", "video")
_NO_SOUND = lacking("notyet", "sound has another form here, and few models take it", "audio")
_NO_MEDIA = ("audio", "video", "documents")
_NO_FILES = lacking("notyet", "files have another form here, or none", "documents")


def _ollama(call: Call) -> object:
    last = {"model": "m", "done": True, "done_reason": "stop", "prompt_eval_count": 30, "eval_count": 1}
    key = "message" if "messages" in call.body else "response"
    said = {"message": {"role": "assistant", "content": "hello"}, "response": "hello"}[key]
    if not call.body["stream"]:
        return {**last, key: said}
    lines = ({"model": "m", "done": False, key: said}, last)
    return "".join(json.dumps(line) + "\n" for line in lines)


class TestOllama(OverHttp):
    """Ollama's own API."""

    answer = staticmethod(_ollama)
    same_either_way = NO_LABEL | ALWAYS_STRICT
    gaps = lacking("never", "the API has neither sound nor moving pictures nor files", *_NO_MEDIA) | (
        lacking("notyet", "the API has no such parameter", "tool_choice", "parallel_tools")
    )

    async def open_runner(self) -> Runner:
        return await open_ollama("m", self.settings(OLLAMA_HOST=self.server.url))


class TestAzure(OverHttp):
    """Azure's chat completions at `/openai/v1`."""

    gaps = _NO_TOP_K | _NO_VIDEO

    async def open_runner(self) -> Runner:
        given = self.settings(AZURE_OPENAI_API_KEY="secret", AZURE_OPENAI_ENDPOINT=self.server.url)
        return await open_azure("m", given)


class TestAzureDeployment(OverHttp):
    """Azure's older path of a deployment."""

    gaps = _NO_TOP_K | _NO_VIDEO

    async def open_runner(self) -> Runner:
        given = {"AZURE_OPENAI_API_KEY": "secret", "AZURE_OPENAI_ENDPOINT": self.server.url.removesuffix("/v1")}
        return await open_azure("m", self.settings(**given, OPENAI_API_VERSION="2024-10-21"))


class TestAzureResponses(OverHttp):
    """Azure's Responses API."""

    answer = staticmethod(common._response)
    gaps = common.TestOpenAIResponses.gaps

    async def open_runner(self) -> Runner:
        given = self.settings(AZURE_OPENAI_API_KEY="secret", AZURE_OPENAI_ENDPOINT=self.server.url)
        return await open_azure_responses("m", given)


class TestFoundryAnthropic(OverHttp):
    """Claude in Foundry."""

    answer = staticmethod(common._messages)
    same_either_way = common.TestAnthropic.same_either_way
    gaps = common.TestAnthropic.gaps

    async def open_runner(self) -> Runner:
        given = {"ANTHROPIC_FOUNDRY_API_KEY": "secret", "ANTHROPIC_FOUNDRY_BASE_URL": self.server.url}
        return await open_foundry("m", self.settings(**given))


def _dashscope(call: Call) -> object:
    usage = {"input_tokens": 3, "output_tokens": 1, "total_tokens": 4}
    message = {"role": "assistant", "content": "hello"}
    whole = {"output": {"choices": [{"message": message, "finish_reason": "stop"}]}, "usage": usage, "request_id": "r"}
    if not call.body["parameters"].get("incremental_output"):
        return whole
    first = {**whole, "output": {"choices": [{"message": message, "finish_reason": "null"}]}}
    empty = {"role": "assistant", "content": ""}
    return sse(first, {**whole, "output": {"choices": [{"message": empty, "finish_reason": "stop"}]}})


class TestModelStudio(OverHttp):
    """DashScope's own API."""

    answer = staticmethod(_dashscope)
    thinks = ReasoningOptions(enabled=True, budget_tokens=100)
    gaps = lacking("notyet", "the API has no penalty on frequency", "penalties") | _NO_FILES

    async def open_runner(self) -> Runner:
        given = self.settings(DASHSCOPE_API_KEY="secret", DASHSCOPE_HTTP_BASE_URL=self.server.url)
        return await open_model_studio("m", given)


def _app(call: Call) -> object:
    said = {"text": "hello", "finish_reason": "stop", "session_id": "s"}
    whole = {"output": said, "usage": {"models": [{"input_tokens": 3, "output_tokens": 1}]}, "request_id": "r"}
    return sse(whole) if call.body["parameters"].get("incremental_output") else whole


class TestModelStudioApp(OverHttp):
    """An application of Model Studio, which has its own tools, form and bounds."""

    answer = staticmethod(_app)
    bound = None
    gaps = lacking(
        "never", "an application is made with its own",
        "stop", "penalties", "tools", "tool_choice", "parallel_tools", "json_object", "structured_output", "logprobs",
        "reasoning",
    ) | lacking("notimpl", "pictures and files go through `extra`", "images", *_NO_MEDIA)  # fmt: skip

    async def open_runner(self) -> Runner:
        return await open_app("m", self.settings(DASHSCOPE_API_KEY="secret", DASHSCOPE_HTTP_BASE_URL=self.server.url))

    def request(self, runner: Runner, *, max_output_tokens: int = 8) -> CompletionRequest:
        return replace(super().request(runner), max_output_tokens=None)


class TestModelStudioCompatible(OverHttp):
    """Model Studio in OpenAI's protocol."""

    gaps = _NO_VIDEO | _NO_FILES

    async def open_runner(self) -> Runner:
        given = self.settings(DASHSCOPE_API_KEY="secret", DASHSCOPE_BASE_URL=self.server.url)
        return await open_compatible("m", given)


class TestHuggingFace(OverHttp):
    """Hugging Face's router."""

    gaps = _NO_VIDEO | _NO_SOUND | _NO_FILES

    async def open_runner(self) -> Runner:
        given = self.settings(HF_TOKEN="secret", HF_INFERENCE_BASE_URL=self.server.url)
        return await huggingface.open_runner("org/m", given)


class OfHost(OverHttp):
    """What runners of a host have in common."""

    __test__ = False
    host: Host

    async def open_runner(self) -> Runner:
        return self.host.open("m", self.settings(**{self.host.keys[0]: "secret", self.host.address: self.server.url}))


class TestGroq(OfHost):
    """Groq."""

    __test__ = True
    host = groq.HOST
    gaps = _NO_TOP_K | _NO_VIDEO | _NO_SOUND | _NO_FILES | lacking(
        "notyet", "its documentation says that no model takes them", "logprobs", "penalties"
    )  # fmt: skip


class TestMistral(OfHost):
    """Mistral."""

    __test__ = True
    host = mistral.HOST
    gaps = _NO_TOP_K | _NO_VIDEO | _NO_SOUND | _NO_FILES | lacking("notyet", "the API gives none", "logprobs")


class TestOpenRouter(OfHost):
    """OpenRouter."""

    __test__ = True
    host = openrouter.HOST
    gaps = _NO_VIDEO


class TestDeepSeek(OfHost):
    """DeepSeek."""

    __test__ = True
    host = deepseek.HOST
    gaps = _NO_TOP_K | _NO_VIDEO | _NO_SOUND | _NO_FILES | lacking(
        "notyet", "the API has no such parameter", "seed", "images", "parallel_tools", "structured_output"
    )  # fmt: skip


class TestXai(OfHost):
    """xAI."""

    __test__ = True
    host = xai.HOST
    gaps = _NO_TOP_K | _NO_VIDEO | _NO_SOUND | _NO_FILES


class TestModelScope(OfHost):
    """ModelScope's API-Inference."""

    __test__ = True
    host = modelscope.HOST
    gaps = _NO_VIDEO | _NO_SOUND | _NO_FILES
