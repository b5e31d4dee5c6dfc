"""Alibaba Cloud's Model Studio, over DashScope's own API; `model-studio-compatible` speaks OpenAI's protocol."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping

from fieldguide.domain import (
    Capabilities,
    EmbeddingRequest,
    EmbeddingResult,
    ImageRequest,
    ImageResult,
    JsonValue,
    ResolvedModel,
)
from fieldguide.errors import RunnerTimeoutError, UsageError
from fieldguide.runners._http_runner import HttpRunner
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._keys import base_url_of, endpoint_of, identity_of, key_of, model_named
from fieldguide.runners._transport import HttpCall, Transport
from fieldguide.runners.model_studio._errors import error_of
from fieldguide.runners.model_studio._images import IMAGE_PATH, Task, image_body, images_of, parse_task
from fieldguide.runners.model_studio._messages import PROVIDER
from fieldguide.runners.model_studio._request import embedding_body, request_body
from fieldguide.runners.model_studio._response import StreamedAnswer, parse_completion, parse_embeddings
from fieldguide.runners.model_studio._wire import DashScopeWire

__all__ = [
    "CAPABILITIES",
    "OPTIONS",
    "PROVIDER",
    "VARIABLES",
    "WHERE",
    "DashScopeRunner",
    "DashScopeWire",
    "StreamedAnswer",
    "Task",
    "embedding_body",
    "error_of",
    "image_body",
    "images_of",
    "open_runner",
    "parse_completion",
    "parse_embeddings",
    "parse_task",
    "region_of",
    "request_body",
    "workspace_headers",
]

VARIABLES = ("DASHSCOPE_API_KEY", "DASHSCOPE_HTTP_BASE_URL", "DASHSCOPE_WORKSPACE")
OPTIONS = ("base_url", "region", "endpoint", "poll_s")
HOSTS = {
    "cn": "https://dashscope.aliyuncs.com",
    "intl": "https://dashscope-intl.aliyuncs.com",
    "us": "https://dashscope-us.aliyuncs.com",
}
BASE_URL = f"{HOSTS['cn']}/api/v1"
WHERE = "https://bailian.console.aliyun.com (international: https://modelstudio.console.alibabacloud.com)"
CAPABILITIES = Capabilities(
    text=False,
    chat=True,
    seed=True,
    images=True,
    audio=True,
    video=True,
    tools=True,
    tool_choice=True,
    parallel_tools=True,
    json_object=True,
    structured_output=True,
    reasoning=True,
    logprobs=True,
    top_k=True,
    embeddings=True,
    image_generation=True,
)
_EMBEDDING_PATH = "/services/embeddings/text-embedding/text-embedding"
_POLL_S = 2.0


class DashScopeRunner(HttpRunner):
    """One model, which may also make vectors or pictures."""

    def __init__(
        self, wire: DashScopeWire, transport: Transport, *, model: ResolvedModel, deadline_s: float, poll_s: float
    ) -> None:
        """`poll_s` is the time between two questions after a task (seconds)."""
        super().__init__(wire, transport, model=model, capabilities=CAPABILITIES)
        self._dashscope, self._deadline_s, self._poll_s = wire, deadline_s, poll_s

    async def embed(self, request: EmbeddingRequest) -> EmbeddingResult:
        """Return one vector for each text; see `EmbeddingRunner`."""
        body = embedding_body(request, model=self._dashscope.model)
        received = await self._transport.whole(self._post(_EMBEDDING_PATH, body))
        return parse_embeddings(received.text, e2e_latency_s=received.e2e_latency_s)

    async def make_images(self, request: ImageRequest) -> ImageResult:
        """Return pictures; see `ImageRunner`. The task is asked for until it is done: that costs nothing.

        Raises:
            RunnerTimeoutError: It is not done within the deadline; it goes on at the provider.
        """
        began_s = time.perf_counter()
        body = image_body(request, model=self._dashscope.model)
        call = self._post(IMAGE_PATH, body, {"X-DashScope-Async": "enable"})
        task = parse_task((await self._transport.whole(call)).text)
        while not task.done:
            if time.perf_counter() - began_s + self._poll_s > self._deadline_s:
                raise RunnerTimeoutError(f"The task {task.task_id} is not done within {self._deadline_s:g} s.")
            await asyncio.sleep(self._poll_s)
            url = f"{self._dashscope.base_url}/tasks/{task.task_id}"
            asked = HttpCall(url=url, headers=self._dashscope.headers, method="GET")
            task = parse_task((await self._transport.whole(asked)).text)
        return images_of(task, e2e_latency_s=time.perf_counter() - began_s)

    def _post(self, path: str, body: dict[str, JsonValue], headers: Mapping[str, str] | None = None) -> HttpCall:
        wire = self._dashscope
        return HttpCall(url=wire.base_url + path, json=body, headers={**wire.headers, **(headers or {})})


async def open_runner(target: str, settings: RunnerSettings) -> DashScopeRunner:
    """Return a runner for a model id such as `qwen-max`.

    The option `region` is `cn` (default), `intl` or `us`; the option `endpoint` (`text`, `multimodal`) chooses where
    conversations go, which with `chat` (default) follows from the model's name and from what is shown to it.

    Raises:
        MissingKeyError: `DASHSCOPE_API_KEY` holds no key and no other variable was named.
        UsageError: No model is named, or there is no such address, region or endpoint.
    """
    model = model_named(target, PROVIDER)
    base_url = base_url_of(settings, "DASHSCOPE_HTTP_BASE_URL", f"{region_of(settings)}/api/v1")
    key = key_of(settings, "DASHSCOPE_API_KEY", provider="Model Studio", where=WHERE)
    endpoint = endpoint_of(settings, "chat", "text", "multimodal")
    headers = {"Authorization": f"Bearer {key}", **workspace_headers(settings)}
    multimodal = None if endpoint == "chat" else endpoint == "multimodal"
    return DashScopeRunner(
        DashScopeWire(base_url, model, headers=headers, multimodal=multimodal),
        Transport(base_url, settings, secrets=(key,), error_of=error_of),
        model=ResolvedModel(
            name=settings.display_name or model,
            reference=f"{PROVIDER}:{model}",
            identity=identity_of(PROVIDER, model, base_url, BASE_URL),
        ),
        deadline_s=settings.deadline_s,
        poll_s=_poll_s(settings.options.get("poll_s")),
    )


def _poll_s(given: str | None) -> float:
    if given is None:
        return _POLL_S
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise UsageError(f"{given!r} is no number of seconds above 0.", hint="Give one, such as poll_s=2.")
    return seconds


def region_of(settings: RunnerSettings) -> str:
    """Return the host of the region that the option names.

    Raises:
        UsageError: There is no such region.
    """
    region = settings.options.get("region", "cn")
    if region not in HOSTS:
        raise UsageError(f"Model Studio has no region {region!r}.", hint=f"Choose one of: {', '.join(HOSTS)}.")
    return HOSTS[region]


def workspace_headers(settings: RunnerSettings) -> dict[str, str]:
    """Return the header that names a workspace, where the environment does."""
    workspace = settings.environment.get("DASHSCOPE_WORKSPACE")
    return {"X-DashScope-WorkSpace": workspace} if workspace else {}
