"""Models on endpoints of Amazon SageMaker, whatever their containers speak."""

from __future__ import annotations

from dataclasses import replace

from fieldguide.domain import Capabilities, ResolvedModel
from fieldguide.runners._http_runner import HttpRunner, Wire
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._keys import base_url_of, identity_of, model_named
from fieldguide.runners._transport import Transport
from fieldguide.runners.aws import VARIABLES as AWS_VARIABLES
from fieldguide.runners.aws import access_of, error_of, region_of, secrets_of
from fieldguide.runners.openai_chat import Dialect
from fieldguide.runners.openai_chat._dialect import ANY_SERVER, effort_or_switch
from fieldguide.runners.sagemaker._inputs import PROVIDER
from fieldguide.runners.sagemaker._wire import ChatEndpointWire, InputsWire

__all__ = ["DIALECT", "OPTIONS", "PROVIDER", "VARIABLES", "open_runner"]

VARIABLES = (*AWS_VARIABLES, "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME")
OPTIONS = ("region", "profile", "component", "variant", "custom_attributes", "base_url")
DIALECT = Dialect(
    provider=PROVIDER,
    capabilities=replace(
        ANY_SERVER.capabilities,
        embeddings=False,
        image_generation=False,
        speech_to_text=False,
        text_to_speech=False,
    ),
    thinking=effort_or_switch,
)
_FORMS = {
    "chat": DIALECT.capabilities,
    "completions": replace(DIALECT.capabilities, text=True),
    "inputs": Capabilities(text=True, chat=False, seed=True, top_k=True, logprobs=True),
    "turns": Capabilities(text=False, chat=True, seed=True, top_k=True),
}
"""What an endpoint's container may speak; `turns` is the chat form of JumpStart's first Llama models."""


async def open_runner(target: str, settings: RunnerSettings) -> HttpRunner:
    """Return a runner for the name of an endpoint.

    `chat`, the usual form, is OpenAI's chat completions; `completions/`, `inputs/` or `turns/` before the name chooses
    another, and `#MODEL` behind it says what the container calls the model. The options `component` and `variant` name
    an inference component and a variant, and `custom_attributes` what some containers ask for (`accept_eula=true`).

    Raises:
        MissingKeyError: There are no credentials.
        MissingDependencyError: botocore is not installed.
        UsageError: No endpoint or no region is named.
    """
    form, endpoint, model = _named(target)
    region = await region_of(settings, target=endpoint, provider="Amazon SageMaker")
    access = await access_of(settings, region=region, service=PROVIDER, provider="Amazon SageMaker")
    usual = f"https://runtime.sagemaker.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")
    base_url = base_url_of(settings, "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", usual)
    headers = _headers(settings)
    wire: Wire = InputsWire(base_url, endpoint, headers=headers)
    if form in {"chat", "completions"}:
        wire = ChatEndpointWire(base_url, endpoint, model or endpoint, DIALECT, headers=headers)
    return HttpRunner(
        wire,
        Transport(base_url, settings, secrets=secrets_of(settings), authorize=access.authorize, error_of=error_of),
        model=ResolvedModel(
            name=settings.display_name or model or endpoint,
            reference=f"{PROVIDER}:{target.strip()}",
            identity=identity_of(PROVIDER, model or endpoint, base_url, "") | {"endpoint": endpoint},
        ),
        capabilities=_FORMS[form],
    )


def _named(target: str) -> tuple[str, str, str]:
    """Return form, endpoint and model of a reference; the model is empty where it names none."""
    endpoint, _, model = target.strip().partition("#")
    form, slash, rest = endpoint.partition("/")
    form, endpoint = (form, rest) if slash and form in _FORMS else ("chat", endpoint)
    return form, model_named(endpoint, PROVIDER), model.strip()


def _headers(settings: RunnerSettings) -> dict[str, str]:
    """Return the headers that choose a part of an endpoint, and those that its container wants."""
    named = {
        "X-Amzn-SageMaker-Inference-Component": settings.options.get("component"),
        "X-Amzn-SageMaker-Target-Variant": settings.options.get("variant"),
        "X-Amzn-SageMaker-Custom-Attributes": settings.options.get("custom_attributes"),
    }
    return {name: value for name, value in named.items() if value is not None}
