"""OpenAI's vectors, pictures and speech; and vLLM's vectors."""

from __future__ import annotations

from typing import Any

from fieldguide.runners import RunnerSettings
from fieldguide.runners.openai_media import MediaRunner
from fieldguide.runners.vllm import open_runner as open_vllm
from tests.support.replay import Exchange, Replay
from tests.support.replays._openai_media import (
    EMBEDDING_ALLOWED,
    MediaReader,
    embedding_oracle,
    embedding_restored,
    image_oracle,
    image_restored,
    speech_oracle,
    speech_restored,
)
from tests.support.replays._openai_schemas import schema_errors
from tests.support.replays.openai_chat import open_openai

_OPENAI, _VLLM = MediaReader("openai"), MediaReader("vllm")


async def _open_vllm(url: str, exchange: Exchange, settings: RunnerSettings) -> MediaRunner:
    return await open_vllm(f"{url}/v1#{exchange.body['model']}", settings)


async def _embed(runner: MediaRunner, request: Any, stream: bool) -> Any:
    return await runner.embed(request)


async def _make_images(runner: MediaRunner, request: Any, stream: bool) -> Any:
    return await runner.make_images(request)


async def _speak(runner: MediaRunner, request: Any, stream: bool) -> Any:
    return await runner.speak(request)


REPLAYS = (
    Replay(
        provider="openai",
        recordings=("openai/embeddings",),
        read=_OPENAI.embedding,
        write=_OPENAI.write_embedding,
        parse=_OPENAI.parse_embedding,
        oracle=embedding_oracle,
        restored=embedding_restored,
        allowed=EMBEDDING_ALLOWED,
        schema_errors=lambda body, exchange: schema_errors("CreateEmbeddingRequest", body),
        open=open_openai,
        ask=_embed,
    ),
    Replay(
        provider="openai",
        recordings=("openai/images",),
        read=_OPENAI.image,
        write=_OPENAI.write_image,
        parse=_OPENAI.parse_image,
        oracle=image_oracle,
        restored=image_restored,
        open=open_openai,
        ask=_make_images,
    ),
    Replay(
        provider="openai",
        recordings=("openai/audio",),
        read=_OPENAI.speech,
        write=_OPENAI.write_speech,
        parse=_OPENAI.parse_speech,
        oracle=speech_oracle,
        restored=speech_restored,
        schema_errors=lambda body, exchange: schema_errors("CreateSpeechRequest", body),
        open=open_openai,
        ask=_speak,
    ),
    Replay(
        provider="vllm",
        recordings=("vllm/embeddings",),
        read=_VLLM.embedding,
        write=_VLLM.write_embedding,
        parse=_VLLM.parse_embedding,
        oracle=embedding_oracle,
        restored=embedding_restored,
        allowed=EMBEDDING_ALLOWED,
        open=_open_vllm,
        ask=_embed,
    ),
)
