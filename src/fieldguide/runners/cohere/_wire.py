"""The wire of Cohere's chat API, and a runner that does more than chat with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from fieldguide.domain import (
    Capabilities,
    Completion,
    CompletionRequest,
    EmbeddingRequest,
    EmbeddingResult,
    JsonValue,
    ResolvedModel,
    TranscriptionRequest,
    TranscriptionResult,
)
from fieldguide.runners._http_runner import HttpRunner
from fieldguide.runners._sse import events
from fieldguide.runners._transport import HttpCall, Transport
from fieldguide.runners.cohere._media import (
    RerankRequest,
    RerankResult,
    embedding_body,
    parse_embeddings,
    parse_ranks,
    parse_transcription,
    rerank_body,
    transcription_form,
)
from fieldguide.runners.cohere._request import PROVIDER, request_body
from fieldguide.runners.cohere._response import StreamedAnswer, parse_completion

CAPABILITIES = Capabilities(
    text=False,
    chat=True,
    seed=True,
    images=True,
    tools=True,
    tool_choice=True,
    json_object=True,
    structured_output=True,
    reasoning=True,
    top_k=True,
    penalties=True,
    embeddings=True,
    speech_to_text=True,
)


class CohereWire:
    """One model at one base URL."""

    def __init__(self, base_url: str, model: str, *, headers: Mapping[str, str]) -> None:
        """`headers` go with every request, the key among them."""
        self._base_url, self._model, self._headers = base_url, model, headers

    @property
    def provider(self) -> str:
        """The name of its own blocks."""
        return PROVIDER

    def call(self, request: CompletionRequest, *, stream: bool) -> HttpCall:
        """Return the request."""
        return self.to("chat", request_body(request, model=self._model, stream=stream))

    def to(self, path: str, body: dict[str, JsonValue]) -> HttpCall:
        """Return a call of a path below /v2."""
        return HttpCall(url=f"{self._base_url}/v2/{path}", json=body, headers=self._headers)

    def completion(self, text: str, *, headers: Mapping[str, str], e2e_latency_s: float) -> Completion:
        """Return the completion of a whole response body."""
        return parse_completion(text, e2e_latency_s=e2e_latency_s)

    async def frames(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
        """Yield the data of the events up to the one that says that all were sent."""
        async for data in events(pieces):
            if data.strip() == "[DONE]":
                return
            yield data

    def streamed(self, *, began_s: float) -> StreamedAnswer:
        """Return what puts a streamed answer together."""
        return StreamedAnswer(began_s=began_s)


class CohereRunner(HttpRunner):
    """One model of Cohere's, which chats, or turns texts into vectors, or orders them, or writes speech down."""

    def __init__(
        self, base_url: str, model_id: str, transport: Transport, *, model: ResolvedModel, headers: Mapping[str, str]
    ) -> None:
        """`headers` go with every request, the key among them."""
        self._cohere = CohereWire(base_url, model_id, headers=headers)
        super().__init__(self._cohere, transport, model=model, capabilities=CAPABILITIES)
        self._model_id, self._base_url, self._headers = model_id, base_url, headers

    async def embed(self, request: EmbeddingRequest) -> EmbeddingResult:
        """Return one vector for each text; see `EmbeddingRunner`."""
        call = self._cohere.to("embed", embedding_body(request, model=self._model_id))
        received = await self._transport.whole(call)
        return parse_embeddings(received.text, e2e_latency_s=received.e2e_latency_s)

    async def rerank(self, request: RerankRequest) -> RerankResult:
        """Return the texts of a request in the order of their relevance.

        Raises:
            RunnerError: The order could not be had.
        """
        received = await self._transport.whole(self._cohere.to("rerank", rerank_body(request, model=self._model_id)))
        return parse_ranks(received.text, e2e_latency_s=received.e2e_latency_s)

    async def transcribe(self, request: TranscriptionRequest) -> TranscriptionResult:
        """Return what is said; see `TranscriptionRunner`."""
        form = transcription_form(request, model=self._model_id)
        call = HttpCall(url=f"{self._base_url}/v2/audio/transcriptions", form=form, headers=self._headers)
        received = await self._transport.whole(call)
        return parse_transcription(received.text, e2e_latency_s=received.e2e_latency_s)
