"""vLLM and llama-server."""

from __future__ import annotations

from dataclasses import replace

from fieldguide.runners import Runner, RunnerSettings
from fieldguide.runners.llama_server import LLAMA_SERVER
from fieldguide.runners.llama_server import open_runner as open_llama_server
from fieldguide.runners.vllm import VLLM
from fieldguide.runners.vllm import open_runner as open_vllm
from tests.support.replay import Exchange, Replay
from tests.support.replays._openai_chat import ALLOWED, Reader, oracle, text_oracle, text_restored

_VLLM, _LLAMA = Reader(VLLM), Reader(LLAMA_SERVER)


async def _open_vllm(url: str, exchange: Exchange, settings: RunnerSettings) -> Runner:
    return await open_vllm(f"{url}/v1#{exchange.body['model']}", settings)


async def _open_vllm_text(url: str, exchange: Exchange, settings: RunnerSettings) -> Runner:
    return await _open_vllm(url, exchange, replace(settings, options={"endpoint": "completions"}))


async def _open_llama(url: str, exchange: Exchange, settings: RunnerSettings) -> Runner:
    return await open_llama_server(f"{url}/v1#{exchange.body['model']}", settings)


REPLAYS = (
    Replay(
        provider="vllm",
        recordings=("vllm/chat",),
        read=_VLLM.request,
        write=_VLLM.write,
        parse=_VLLM.parse,
        oracle=oracle,
        restored=_VLLM.restored,
        allowed=ALLOWED,
        open=_open_vllm,
    ),
    Replay(
        provider="vllm",
        recordings=("vllm/completions",),
        read=_VLLM.request,
        write=_VLLM.write,
        parse=_VLLM.parse,
        oracle=text_oracle,
        restored=text_restored,
        allowed=ALLOWED,
        open=_open_vllm_text,
    ),
    Replay(
        provider="llama-server",
        recordings=("llamacpp/chat",),
        read=_LLAMA.request,
        write=_LLAMA.write,
        parse=_LLAMA.parse,
        oracle=oracle,
        restored=_LLAMA.restored,
        allowed=ALLOWED,
        open=_open_llama,
    ),
)
