"""Models of other makers in Google's cloud: in their makers' own words (`rawPredict`), or over OpenAI's protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fieldguide.domain import CompletionRequest, ResolvedModel
from fieldguide.errors import RunnerError
from fieldguide.runners import anthropic
from fieldguide.runners._http_runner import HttpRunner
from fieldguide.runners._interface import Runner, RunnerSettings
from fieldguide.runners._json import object_of
from fieldguide.runners._transport import HttpCall
from fieldguide.runners.anthropic import AnthropicWire
from fieldguide.runners.gemini import error_of
from fieldguide.runners.openai_chat import ANY_SERVER, ChatWire, Dialect, open_chat_runner
from fieldguide.runners.vertex._address import Named
from fieldguide.runners.vertex._place import Place

API_VERSION = "v1"
VERSION = "vertex-2023-10-16"
"""Version of the Messages API, which Google wants in the body."""
MISTRAL = Dialect(
    provider="mistral",
    capabilities=replace(
        ANY_SERVER.capabilities,
        seed=False,
        logprobs=False,
        audio=False,
        documents=False,
        embeddings=False,
        image_generation=False,
        speech_to_text=False,
        text_to_speech=False,
    ),
    stream_usage=False,
)
COMPATIBLE = Dialect(
    provider="vertex-compatible",
    capabilities=replace(
        ANY_SERVER.capabilities,
        audio=False,
        documents=False,
        embeddings=False,
        image_generation=False,
        speech_to_text=False,
        text_to_speech=False,
    ),
)


def _method(*, stream: bool) -> str:
    return "streamRawPredict" if stream else "rawPredict"


class VertexAnthropicWire(AnthropicWire):
    """Anthropic's Messages API, its model named by the address."""

    def __init__(self, model_url: str, *, headers: Mapping[str, str]) -> None:
        """`model_url` is what stands before the colon and the method."""
        super().__init__(model_url, "", headers=headers)
        self._model_url = model_url

    def call(self, request: CompletionRequest, *, stream: bool) -> HttpCall:
        """Return the request."""
        call = super().call(request, stream=stream)
        body = {name: value for name, value in (call.json or {}).items() if name != "model"}
        return replace(
            call, url=f"{self._model_url}:{_method(stream=stream)}", json={"anthropic_version": VERSION, **body}
        )


class VertexMistralWire(ChatWire):
    """Mistral's chat completions."""

    def __init__(self, model_url: str, model: str, *, headers: Mapping[str, str]) -> None:
        """`model_url` is what stands before the colon and the method."""
        super().__init__(model_url, model, MISTRAL, headers=headers)
        self._model_url = model_url

    def call(self, request: CompletionRequest, *, stream: bool) -> HttpCall:
        """Return the request."""
        return replace(super().call(request, stream=stream), url=f"{self._model_url}:{_method(stream=stream)}")


def partner_error_of(status: int, text: str, headers: Mapping[str, str]) -> RunnerError:
    """Return the error of a response, which is Google's or, in the form of its API, Anthropic's."""
    try:
        body: Any = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    if object_of(body).get("type") == "error":
        return anthropic.error_of(status, text, headers)
    return error_of(status, text, headers)


def open_partner(
    model: Named, place: Place, settings: RunnerSettings, resolved: ResolvedModel, *, compatible: bool
) -> Runner:
    """Return a runner for a model of another maker, or for any over OpenAI's protocol."""
    url = place.url(API_VERSION, model.path)
    transport = place.transport(settings, partner_error_of)
    if model.publisher == "anthropic" and not compatible:
        claude = VertexAnthropicWire(url, headers=place.headers)
        return HttpRunner(claude, transport, model=resolved, capabilities=anthropic.CAPABILITIES)
    if model.publisher == "mistralai" and not compatible:
        mistral = VertexMistralWire(url, model.model, headers=place.headers)
        return HttpRunner(mistral, transport, model=resolved, capabilities=MISTRAL.capabilities)
    return open_chat_runner(
        place.url(API_VERSION, "endpoints/openapi"),
        f"{model.publisher}/{model.model}",
        replace(settings, options={name: each for name, each in settings.options.items() if name != "endpoint"}),
        COMPATIBLE,
        key=None,
        reference=resolved.reference,
        identity=resolved.identity,
        headers=place.headers,
        authorize=place.authorize,
        error_of=partner_error_of,
    )
