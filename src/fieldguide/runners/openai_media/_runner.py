"""A runner that also turns texts into vectors, makes pictures, writes down speech and reads aloud."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Mapping

from fieldguide.domain import (
    Capabilities,
    EmbeddingRequest,
    EmbeddingResult,
    ImageRequest,
    ImageResult,
    ResolvedModel,
    SpeechRequest,
    SpeechResult,
    TranscriptionRequest,
    TranscriptionResult,
)
from fieldguide.errors import ResponseFormatError, UnsupportedError
from fieldguide.runners._http_runner import HttpRunner, Wire
from fieldguide.runners._transport import HttpCall, Transport
from fieldguide.runners.openai_media._embeddings import embedding_body, parse_embeddings
from fieldguide.runners.openai_media._images import image_call, parse_images
from fieldguide.runners.openai_media._speech import (
    MEDIA_TYPES,
    is_json,
    parse_speech,
    parse_transcription,
    sound_in_json,
    speech_body,
    transcription_form,
    transcription_path,
)


class MediaRunner(HttpRunner):
    """One model at one base URL; what it may be asked beside chat, its capabilities say."""

    def __init__(
        self,
        wire: Wire,
        transport: Transport,
        *,
        model: ResolvedModel,
        capabilities: Capabilities,
        base_url: str,
        model_id: str,
        headers: Mapping[str, str],
    ) -> None:
        """`headers` go with every request, the key among them."""
        super().__init__(wire, transport, model=model, capabilities=capabilities)
        self._base_url, self._model_id, self._headers = base_url, model_id, headers

    async def embed(self, request: EmbeddingRequest) -> EmbeddingResult:
        """Return one vector for each text; see `EmbeddingRunner`."""
        self._need(self._capabilities.embeddings, "embeddings")
        body = embedding_body(request, model=self._model_id, provider=self._wire.provider)
        call = HttpCall(url=f"{self._base_url}/embeddings", json=body, headers=self._headers)
        received = await self._transport.whole(call)
        return parse_embeddings(received.text, e2e_latency_s=received.e2e_latency_s)

    async def make_images(self, request: ImageRequest) -> ImageResult:
        """Return pictures; see `ImageRunner`."""
        self._need(self._capabilities.image_generation, "making pictures")
        provider = self._wire.provider
        path, body = image_call(request, model=self._model_id, provider=provider)
        call = HttpCall(url=self._base_url + path, json=body, headers=self._headers)
        received = await self._transport.whole(call)
        return parse_images(received.text, e2e_latency_s=received.e2e_latency_s, provider=provider)

    async def transcribe(self, request: TranscriptionRequest) -> TranscriptionResult:
        """Return what is said; see `TranscriptionRunner`."""
        self._need(self._capabilities.speech_to_text, "writing down speech")
        form = transcription_form(request, model=self._model_id, provider=self._wire.provider)
        call = HttpCall(url=self._base_url + transcription_path(request), form=form, headers=self._headers)
        received = await self._transport.whole(call)
        return parse_transcription(received.text, e2e_latency_s=received.e2e_latency_s)

    async def speak(self, request: SpeechRequest) -> SpeechResult:
        """Return the text read aloud; see `SpeechRunner`."""
        self._need(self._capabilities.text_to_speech, "reading aloud")
        body = speech_body(request, model=self._model_id, provider=self._wire.provider)
        call = HttpCall(url=f"{self._base_url}/audio/speech", json=body, headers=self._headers)
        received = await self._transport.whole(call)
        kind = MEDIA_TYPES.get(str(body.get("response_format", "mp3")))
        return parse_speech(received.content, received.headers, media_type=kind, e2e_latency_s=received.e2e_latency_s)

    async def speak_in_pieces(self, request: SpeechRequest) -> AsyncGenerator[bytes, None]:
        """Yield the sound as it comes; see `PiecewiseSpeechRunner`."""
        self._need(self._capabilities.text_to_speech, "reading aloud")
        body = speech_body(request, model=self._model_id, provider=self._wire.provider)
        call = HttpCall(url=f"{self._base_url}/audio/speech", json=body, headers=self._headers)
        async with contextlib.aclosing(self._transport.pieces(call)) as pieces:
            first = await anext(pieces, b"")
            if not first:
                raise ResponseFormatError("The endpoint answered without any sound.")
            if first.startswith(b"{"):
                content = b"".join([first, *[piece async for piece in pieces]])
                yield sound_in_json(content) if is_json(content) else content
                return
            yield first
            async for piece in pieces:
                yield piece

    def _need(self, able: bool, what: str) -> None:
        if not able:
            raise UnsupportedError(self._model.name, what)
