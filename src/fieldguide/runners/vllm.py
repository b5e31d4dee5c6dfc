"""vLLM's server."""

from __future__ import annotations

from dataclasses import replace

from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._local_server import open_local_server
from fieldguide.runners.openai_chat import ANY_SERVER, Dialect, effort_or_switch
from fieldguide.runners.openai_media import MediaRunner

VARIABLES = ("VLLM_BASE_URL", "VLLM_API_KEY")
OPTIONS = ("base_url", "endpoint")
BASE_URL = "http://127.0.0.1:8000/v1"
VLLM = Dialect(
    provider="vllm",
    capabilities=replace(ANY_SERVER.capabilities, top_k=True, image_generation=False, text_to_speech=False),
    thinking=effort_or_switch,
)


async def open_runner(target: str, settings: RunnerSettings) -> MediaRunner:
    """Return a runner for `MODEL` (at `VLLM_BASE_URL`, else port 8000 of this machine) or `BASE_URL#MODEL`.

    Raises:
        UsageError: No model is named, or the address is none.
    """
    return open_local_server(
        target, settings, VLLM, base_url=BASE_URL, address_variable=VARIABLES[0], key_variable=VARIABLES[1]
    )
