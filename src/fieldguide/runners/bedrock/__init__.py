"""Models on Amazon Bedrock: over Converse, over InvokeModel, and at `bedrock-mantle`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fieldguide.domain import Capabilities, ResolvedModel
from fieldguide.errors import UsageError
from fieldguide.runners._http_runner import HttpRunner, Wire
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._keys import base_url_of, identity_of, model_named
from fieldguide.runners._transport import Authorize, Transport
from fieldguide.runners.aws import VARIABLES as AWS_VARIABLES
from fieldguide.runners.aws import access_of, error_of, region_of, secrets_of
from fieldguide.runners.bedrock._content import PROVIDER
from fieldguide.runners.bedrock._embeddings import makes_vectors
from fieldguide.runners.bedrock._prompts import PromptWire, form_of
from fieldguide.runners.bedrock._request import family_of, request_body
from fieldguide.runners.bedrock._response import parse_completion
from fieldguide.runners.bedrock._runner import BedrockRunner
from fieldguide.runners.bedrock._stream import StreamedAnswer
from fieldguide.runners.bedrock._wire import ConverseWire, NovaWire

__all__ = [
    "CAPABILITIES",
    "OPTIONS",
    "PROVIDER",
    "VARIABLES",
    "BedrockRunner",
    "StreamedAnswer",
    "open_runner",
    "parse_completion",
    "request_body",
]

VARIABLES = (*AWS_VARIABLES, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_BEDROCK_BASE_URL")
OPTIONS = ("region", "profile", "family", "base_url")
CAPABILITIES = Capabilities(
    text=False,
    chat=True,
    images=True,
    audio=True,
    video=True,
    documents=True,
    tools=True,
    tool_choice=True,
    structured_output=True,
    reasoning=True,
)
_NOVA = replace(CAPABILITIES, structured_output=False, reasoning=False)
_PROMPTS = Capabilities(text=True, chat=False)
_VECTORS = Capabilities(text=False, chat=False, streaming=False, stop=False, embeddings=True)
_MANTLE = "bedrock-mantle"
_MANTLE_APIS = ("chat", "responses", "messages")
_APIS = ("converse", "invoke", *_MANTLE_APIS)


async def open_runner(target: str, settings: RunnerSettings) -> HttpRunner:
    """Return a runner for a model id, the id of an inference profile, or an ARN.

    `converse` is the usual API; `invoke/`, `chat/`, `responses/` or `messages/` before the id chooses another. A bearer
    key (the variable that the user named, or `AWS_BEARER_TOKEN_BEDROCK`) goes before all other credentials. The option
    `family` says whose model an ARN hides.

    Raises:
        MissingKeyError: There are neither a key nor credentials.
        MissingDependencyError: There is no bearer key, and botocore is not installed.
        UsageError: No model or no region is named.
    """
    api, model = _named(target)
    region = await region_of(settings, target=model, provider="Amazon Bedrock")
    key = settings.api_key or settings.environment.get("AWS_BEARER_TOKEN_BEDROCK")
    authorize: Authorize | None = None
    if not key:
        service = _MANTLE if api in _MANTLE_APIS else PROVIDER
        authorize = (await access_of(settings, region=region, service=service, provider="Amazon Bedrock")).authorize
    if api in _MANTLE_APIS:
        from fieldguide.runners.bedrock._mantle import open_mantle

        return open_mantle(api, model, settings, region=region, key=key, authorize=authorize)
    usual = f"https://bedrock-runtime.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")
    base_url = base_url_of(settings, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME", usual)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    wire, capabilities = _wire(api, base_url, model, headers, settings)
    return BedrockRunner(
        wire,
        Transport(base_url, settings, secrets=secrets_of(settings), authorize=authorize, error_of=error_of),
        model=ResolvedModel(
            name=settings.display_name or model,
            reference=f"{PROVIDER}:{target.strip()}",
            identity=identity_of(PROVIDER, model, base_url, usual),
            facts={"region": region},
        ),
        capabilities=capabilities,
        base_url=base_url,
        model_id=model,
        headers=headers,
        family=settings.options.get("family"),
    )


def _named(target: str) -> tuple[str, str]:
    """Return API and model of a reference."""
    model = model_named(target, PROVIDER)
    api, slash, rest = model.partition("/")
    if slash and api in _APIS:
        return api, model_named(rest, PROVIDER)
    return "converse", model


def _wire(
    api: str, base_url: str, model: str, headers: Mapping[str, str], settings: RunnerSettings
) -> tuple[Wire, Capabilities]:
    told = settings.options.get("family") or model
    converse = ConverseWire(base_url, model, headers=headers, told_by=told)
    if makes_vectors(told):
        return converse, _VECTORS
    if api == "converse":
        return converse, CAPABILITIES
    family = family_of(told)
    if family == "anthropic":
        from fieldguide.runners.anthropic import CAPABILITIES as ANTHROPIC_CAPABILITIES
        from fieldguide.runners.bedrock._invoke import AnthropicInvokeWire

        return AnthropicInvokeWire(base_url, model, headers=headers), ANTHROPIC_CAPABILITIES
    if family == "amazon.nova":
        return NovaWire(base_url, model, headers=headers, told_by=told), _NOVA
    form = form_of(family)
    if form is None:
        raise UsageError(
            f"{model} tells no form of a body for InvokeModel.", hint=f"Ask over Converse: {PROVIDER}:{model}."
        )
    return PromptWire(base_url, model, form, headers=headers), replace(_PROMPTS, stop=form.stop is not None)
