"""Bedrock's endpoints at `bedrock-mantle`, which speak the languages of OpenAI and of Anthropic.

Addresses and signing names are those of OpenAI's and Anthropic's own libraries (`openai.providers.bedrock`,
`anthropic.lib.bedrock`): recorded exchanges have the open models and those of other makers at `/v1`.
"""

from __future__ import annotations

from dataclasses import replace

from fieldguide.domain import ResolvedModel
from fieldguide.runners import anthropic
from fieldguide.runners._http_runner import HttpRunner, Wire
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._keys import base_url_of, identity_of
from fieldguide.runners._transport import Authorize, Transport
from fieldguide.runners.aws import error_of, secrets_of
from fieldguide.runners.openai_chat import Dialect, open_chat_runner
from fieldguide.runners.openai_chat._dialect import ANY_SERVER
from fieldguide.runners.openai_responses import CAPABILITIES as RESPONSES_CAPABILITIES
from fieldguide.runners.openai_responses import ResponsesWire

MANTLE = "bedrock-mantle"
DIALECT = Dialect(
    provider=MANTLE,
    capabilities=replace(
        ANY_SERVER.capabilities,
        embeddings=False,
        image_generation=False,
        speech_to_text=False,
        text_to_speech=False,
    ),
    max_tokens="max_completion_tokens",
    developer_role=True,
)


def open_mantle(
    api: str, model: str, settings: RunnerSettings, *, region: str, key: str | None, authorize: Authorize | None
) -> HttpRunner:
    """Return a runner for a model id of this endpoint, which has no geography before and no version behind it."""
    usual = f"https://{MANTLE}.{region}.api.aws{path_of(api, model)}"
    base_url = base_url_of(settings, "AWS_BEDROCK_BASE_URL", usual)
    reference, identity = f"bedrock:{api}/{model}", identity_of(MANTLE, model, base_url, usual)
    if api == "chat":
        return open_chat_runner(
            base_url,
            model,
            settings,
            DIALECT,
            key=key,
            reference=reference,
            identity=identity,
            authorize=authorize,
            error_of=error_of,
        )
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    wire: Wire = ResponsesWire(base_url, model, provider=MANTLE, headers=headers)
    if api == "messages":
        wire = anthropic.AnthropicWire(base_url, model, headers={"anthropic-version": anthropic.VERSION, **headers})
    return HttpRunner(
        wire,
        Transport(
            base_url,
            settings,
            secrets=secrets_of(settings),
            authorize=authorize,
            error_of=anthropic.error_of if api == "messages" else error_of,
        ),
        model=ResolvedModel(name=settings.display_name or model, reference=reference, identity=identity),
        capabilities=anthropic.CAPABILITIES if api == "messages" else RESPONSES_CAPABILITIES,
    )


def path_of(api: str, model: str) -> str:
    """Return the path before an API's own: OpenAI's closed models have one to themselves."""
    if api == "messages":
        return "/anthropic"
    return "/openai/v1" if model.startswith("openai.") and not model.startswith("openai.gpt-oss") else "/v1"
