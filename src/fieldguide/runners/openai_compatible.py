"""Any server that speaks OpenAI's protocol, by its base URL and a model id."""

from __future__ import annotations

from fieldguide.errors import UsageError
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._transport import check_address
from fieldguide.runners.openai_chat import open_chat_runner
from fieldguide.runners.openai_chat._dialect import ANY_SERVER
from fieldguide.runners.openai_media import MediaRunner

OPTIONS = ("endpoint",)


async def open_runner(target: str, settings: RunnerSettings) -> MediaRunner:
    """Return a runner for `BASE_URL#MODEL`; nothing is sent before the first request.

    The option `endpoint` chooses `chat` (default: every item goes to /chat/completions) or `completions` (text items
    go to /completions as they stand, for base models on servers that have it).

    Raises:
        UsageError: The address is not an HTTP URL or names no model.
    """
    base_url, _, model = target.partition("#")
    address = check_address(base_url)
    if not model:
        raise UsageError(f"{base_url} names no model.", hint=f"Write it as {base_url}#MODEL.")
    return open_chat_runner(
        address,
        model,
        settings,
        ANY_SERVER,
        key=settings.api_key,
        reference=f"{address}#{model}",
        identity={"provider": "openai-compatible", "base_url": address, "model": model},
    )
