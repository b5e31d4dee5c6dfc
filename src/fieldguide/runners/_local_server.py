"""Servers that one runs oneself and that speak OpenAI's protocol: named by model, or by address and model."""

from __future__ import annotations

from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._keys import base_url_of, model_named
from fieldguide.runners._transport import check_address
from fieldguide.runners.openai_chat import Dialect, open_chat_runner
from fieldguide.runners.openai_media import MediaRunner


def open_local_server(
    target: str, settings: RunnerSettings, dialect: Dialect, *, base_url: str, address_variable: str, key_variable: str
) -> MediaRunner:
    """Return a runner for `MODEL` at the usual address, or for `BASE_URL#MODEL`; such servers seldom want a key.

    Raises:
        UsageError: No model is named, or the address is none.
    """
    address, separator, named = target.partition("#")
    if not separator:
        address, named = base_url_of(settings, address_variable, base_url), target
    address, model = check_address(address), model_named(named, dialect.provider)
    return open_chat_runner(
        address,
        model,
        settings,
        dialect,
        key=settings.api_key or settings.environment.get(key_variable),
        reference=f"{dialect.provider}:{address}#{model}",
        identity={"provider": dialect.provider, "base_url": address, "model": model},
    )
