"""A runner that also turns texts into vectors, makes pictures, reads aloud and counts tokens."""

from __future__ import annotations

from collections.abc import Mapping

from fieldguide.domain import (
    Capabilities,
    CompletionRequest,
    EmbeddingRequest,
    EmbeddingResult,
    ImageRequest,
    ImageResult,
    JsonValue,
    ResolvedModel,
    SpeechRequest,
    SpeechResult,
)
from fieldguide.runners._check import check
from fieldguide.runners._http_runner import HttpRunner
from fieldguide.runners._transport import HttpCall, Transport
from fieldguide.runners.gemini._count import counting_body, parse_count
from fieldguide.runners.gemini._media import (
    embedding_body,
    image_request,
    images_of,
    parse_embeddings,
    speech_of,
    speech_request,
)
from fieldguide.runners.gemini._wire import CAPABILITIES, GeminiWire


class GeminiRunner(HttpRunner):
    """One model of Google's."""

    def __init__(
        self,
        model_url: str,
        transport: Transport,
        *,
        provider: str,
        headers: Mapping[str, str],
        model: ResolvedModel,
        model_name: str,
        capabilities: Capabilities = CAPABILITIES,
    ) -> None:
        """`model_url` is what stands before the colon and the method, `model_name` the model as bodies name it."""
        wire = GeminiWire(model_url, model_name, provider=provider, headers=headers)
        super().__init__(wire, transport, model=model, capabilities=capabilities)
        self._model_url, self._headers, self._model_name = model_url, headers, model_name

    async def embed(self, request: EmbeddingRequest) -> EmbeddingResult:
        """Return one vector for each text; see `EmbeddingRunner`."""
        method, body = self._embedding(request)
        received = await self._transport.whole(self._to(method, body))
        return parse_embeddings(received.text, e2e_latency_s=received.e2e_latency_s)

    def _embedding(self, request: EmbeddingRequest) -> tuple[str, dict[str, JsonValue]]:
        body = embedding_body(request, model=self._model_name, provider=self._wire.provider)
        return "batchEmbedContents", body

    async def make_images(self, request: ImageRequest) -> ImageResult:
        """Return pictures; see `ImageRunner`."""
        return images_of(await self.complete(image_request(request, provider=self._wire.provider)))

    async def speak(self, request: SpeechRequest) -> SpeechResult:
        """Return the text read aloud; see `SpeechRunner`."""
        completion = await self.complete(speech_request(request, provider=self._wire.provider))
        return speech_of(completion, request.output_format)

    async def count_tokens(self, request: CompletionRequest) -> int:
        """Return how many tokens a request would be read as.

        Raises:
            RunnerError: The count could not be had.
            UnsupportedError: The request asks for what `capabilities` denies.
        """
        check(request, self._capabilities, subject=self._model.name, provider=self._wire.provider)
        body = self._counting(request)
        received = await self._transport.whole(self._to("countTokens", body))
        return parse_count(received.text)

    def _counting(self, request: CompletionRequest) -> dict[str, JsonValue]:
        return counting_body(request, model=self._model_name, provider=self._wire.provider)

    def _to(self, method: str, body: dict[str, JsonValue]) -> HttpCall:
        return HttpCall(url=f"{self._model_url}:{method}", json=body, headers=self._headers)
