"""A runner that speaks chat completions."""

from __future__ import annotations

from dataclasses import replace

from fieldguide.domain import JsonValue, ResolvedModel
from fieldguide.runners._http_errors import error_of_status
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._keys import endpoint_of
from fieldguide.runners._transport import Authorize, ErrorOf, Transport
from fieldguide.runners.openai_chat._dialect import Dialect
from fieldguide.runners.openai_chat._wire import ChatWire
from fieldguide.runners.openai_media import MediaRunner


def open_chat_runner(
    base_url: str,
    model: str,
    settings: RunnerSettings,
    dialect: Dialect,
    *,
    key: str | None,
    reference: str,
    identity: dict[str, JsonValue],
    headers: dict[str, str] | None = None,
    authorize: Authorize | None = None,
    error_of: ErrorOf = error_of_status,
) -> MediaRunner:
    """Return a runner for one model at one address; nothing is sent before the first request.

    Args:
        base_url: Address without its last slash, up to what stands before /chat/completions.
        model: Model id as it is sent.
        settings: What the runner may use; its option `endpoint` chooses `chat` (default) or `completions` (text items
            go to /completions as they stand, for base models on servers that have it).
        dialect: In what the server differs.
        key: Bearer key; None sends none.
        reference: Full reference of the model, for records.
        identity: What makes it the same model.
        headers: Further headers; one of `Authorization` takes the place of the key's.
        authorize: Headers for each call, where a key is not enough.
        error_of: Turns error responses into errors, where the provider's are of a form of their own.

    Raises:
        UsageError: The option `endpoint` is neither of the two.
    """
    endpoint = endpoint_of(settings, "chat", "completions")
    bearer = {"Authorization": f"Bearer {key}"} if key else {}
    sent = bearer | (headers or {})
    return MediaRunner(
        ChatWire(base_url, model, dialect, headers=sent),
        Transport(base_url, settings, secrets=(key or "",), authorize=authorize, error_of=error_of),
        model=ResolvedModel(name=settings.display_name or model, reference=reference, identity=identity),
        capabilities=replace(dialect.capabilities, text=endpoint == "completions"),
        base_url=base_url,
        model_id=model,
        headers=sent,
    )
