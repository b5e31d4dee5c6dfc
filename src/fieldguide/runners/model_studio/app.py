"""Applications of Model Studio: agents, workflows and knowledge bases, asked by their id."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from fieldguide.domain import Capabilities, Completion, CompletionRequest, JsonValue, ResolvedModel, Text, Usage
from fieldguide.errors import UnsupportedError
from fieldguide.runners._http_runner import HttpRunner
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._json import count_of, object_of, objects_of
from fieldguide.runners._keys import base_url_of, identity_of, key_of, model_named
from fieldguide.runners._sse import events
from fieldguide.runners._transport import HttpCall, Transport
from fieldguide.runners.model_studio import BASE_URL, VARIABLES, WHERE, error_of, region_of, workspace_headers
from fieldguide.runners.model_studio._messages import wire_messages
from fieldguide.runners.model_studio._response import StreamedAnswer, parse_completion

__all__ = [
    "CAPABILITIES",
    "OPTIONS",
    "PROVIDER",
    "VARIABLES",
    "AppWire",
    "StreamedApp",
    "app_body",
    "counted",
    "open_runner",
]

PROVIDER = "model-studio-app"
OPTIONS = ("base_url", "region")
CAPABILITIES = Capabilities(text=False, chat=True, seed=True, stop=False, top_k=True)
_INPUT_FIELDS = frozenset(
    {"session_id", "memory_id", "biz_params", "doc_reference_type", "doc_tag_codes", "image_list", "file_list"}
)


def app_body(request: CompletionRequest, *, stream: bool) -> dict[str, JsonValue]:
    """Return the JSON body of a request; one turn of the user's goes as the prompt, which every application takes.

    Extra parameters stand among the parameters, but for those of the input (`session_id`, `biz_params`, ...).

    Raises:
        UnsupportedError: It bounds the answer, which is the application's own to do.
    """
    if request.max_output_tokens is not None:
        raise UnsupportedError("An application of Model Studio", "a bound on the answer", hint="Leave it out.")
    own = dict(request.extra.get(PROVIDER, {}))
    inputs: dict[str, JsonValue] = {name: own.pop(name) for name in sorted(_INPUT_FIELDS & set(own))}
    messages = request.messages or ()
    only = messages[0] if len(messages) == 1 else None
    if only is not None and only.role == "user" and all(isinstance(block, Text) for block in only.blocks):
        inputs["prompt"] = only.text
    else:
        inputs["messages"] = [each for message in messages for each in wire_messages(message, in_parts=False)]
    parameters = {name: value for name, value in _parameters(request) if value is not None} | own
    if stream:
        parameters["incremental_output"] = True
    return {"input": inputs, "parameters": parameters}


def _parameters(request: CompletionRequest) -> Iterator[tuple[str, JsonValue]]:
    yield "temperature", request.temperature
    yield "top_p", request.top_p
    yield "top_k", request.top_k
    yield "seed", request.seed


def counted(completion: Completion) -> Completion:
    """Return an answer with the tokens of all models that the application asked."""
    models = objects_of(object_of(completion.raw_usage).get("models"))
    if not models:
        return completion
    usage = Usage(input_tokens=_sum(models, "input_tokens"), output_tokens=_sum(models, "output_tokens"))
    return replace(completion, usage=usage)


def _sum(models: list[dict[str, Any]], name: str) -> int | None:
    counts = [count for model in models if (count := count_of(model.get(name))) is not None]
    return sum(counts) if len(counts) == len(models) else None


class StreamedApp(StreamedAnswer):
    """Puts a streamed answer of an application together."""

    def completion(self, *, now_s: float) -> Completion:
        """Return the whole answer; see `StreamedAnswer.completion`."""
        return counted(super().completion(now_s=now_s))


class AppWire:
    """One application in one region."""

    def __init__(self, base_url: str, app_id: str, *, headers: Mapping[str, str]) -> None:
        """`headers` go with every request, the key among them."""
        self._url, self._headers = f"{base_url}/apps/{quote(app_id, safe='')}/completion", headers

    @property
    def provider(self) -> str:
        """The name under which parameters of its own are given; what it says is kept as Model Studio's."""
        return PROVIDER

    def call(self, request: CompletionRequest, *, stream: bool) -> HttpCall:
        """Return the request."""
        sse = {"X-DashScope-SSE": "enable", "Accept": "text/event-stream"} if stream else {}
        return HttpCall(url=self._url, json=app_body(request, stream=stream), headers={**self._headers, **sse})

    def completion(self, text: str, *, headers: Mapping[str, str], e2e_latency_s: float) -> Completion:
        """Return the completion of a whole response body."""
        return counted(parse_completion(text, e2e_latency_s=e2e_latency_s))

    def frames(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
        """Yield the data of the events."""
        return events(pieces)

    def streamed(self, *, began_s: float) -> StreamedApp:
        """Return what puts a streamed answer together."""
        return StreamedApp(began_s=began_s)


async def open_runner(target: str, settings: RunnerSettings) -> HttpRunner:
    """Return a runner for an application's id; the option `region` is `cn` (default), `intl` or `us`.

    Raises:
        MissingKeyError: `DASHSCOPE_API_KEY` holds no key and no other variable was named.
        UsageError: No application is named, or there is no such address or region.
    """
    app_id = model_named(target, PROVIDER)
    base_url = base_url_of(settings, "DASHSCOPE_HTTP_BASE_URL", f"{region_of(settings)}/api/v1")
    key = key_of(settings, "DASHSCOPE_API_KEY", provider="Model Studio", where=WHERE)
    headers = {"Authorization": f"Bearer {key}", **workspace_headers(settings)}
    return HttpRunner(
        AppWire(base_url, app_id, headers=headers),
        Transport(base_url, settings, secrets=(key,), error_of=error_of),
        model=ResolvedModel(
            name=settings.display_name or app_id,
            reference=f"{PROVIDER}:{app_id}",
            identity=identity_of(PROVIDER, app_id, base_url, BASE_URL),
        ),
        capabilities=CAPABILITIES,
    )
