"""Bedrock's endpoints that speak OpenAI's language, chat completions and responses, at `bedrock-mantle`."""

from __future__ import annotations

from dataclasses import replace

from fieldguide.domain import ResolvedModel
from fieldguide.runners._http_runner import HttpRunner
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._keys import base_url_of
from fieldguide.runners._transport import Authorize, Transport
from fieldguide.runners.aws import error_of
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
    path = "/v1" if api == "chat" else "/openai/v1"
    base_url = base_url_of(settings, "AWS_BEDROCK_BASE_URL", f"https://{MANTLE}.{region}.api.aws{path}")
    reference, identity = f"bedrock:{api}/{model}", {"provider": MANTLE, "model": model}
    if api == "chat":
        return open_chat_runner(
            base_url,
            model,
            settings,
            DIALECT,
            key=key,
            reference=reference,
            identity=dict(identity),
            authorize=authorize,
            error_of=error_of,
        )
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return HttpRunner(
        ResponsesWire(base_url, model, provider=MANTLE, headers=headers),
        Transport(base_url, settings, secrets=(key or "",), authorize=authorize, error_of=error_of),
        model=ResolvedModel(name=settings.display_name or model, reference=reference, identity=dict(identity)),
        capabilities=RESPONSES_CAPABILITIES,
    )
