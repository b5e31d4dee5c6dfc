"""Models that Ollama serves, over its own API, which shows thoughts, takes its options and counts what it read."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace

from fieldguide.domain import (
    Capabilities,
    Completion,
    CompletionRequest,
    EmbeddingRequest,
    EmbeddingResult,
    ResolvedModel,
    StreamPiece,
)
from fieldguide.errors import UsageError
from fieldguide.runners._http_runner import HttpRunner
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._keys import base_url_of, endpoint_of, model_named
from fieldguide.runners._transport import HttpCall, Transport, check_address
from fieldguide.runners.ollama._messages import PROVIDER, wire_messages
from fieldguide.runners.ollama._request import embed_body, older_embed_body, request_body
from fieldguide.runners.ollama._response import StreamedAnswer, parse_completion, parse_embeddings, warned
from fieldguide.runners.ollama._wire import OllamaWire, error_of

__all__ = [
    "CAPABILITIES",
    "OPTIONS",
    "PROVIDER",
    "VARIABLES",
    "OllamaRunner",
    "OllamaWire",
    "StreamedAnswer",
    "embed_body",
    "error_of",
    "older_embed_body",
    "open_runner",
    "parse_completion",
    "parse_embeddings",
    "request_body",
    "wire_messages",
]

VARIABLES = ("OLLAMA_HOST", "OLLAMA_API_KEY")
OPTIONS = ("base_url", "context_tokens", "endpoint")
BASE_URL = "http://127.0.0.1:11434"
CAPABILITIES = Capabilities(
    text=True,
    chat=True,
    seed=True,
    images=True,
    tools=True,
    json_object=True,
    structured_output=True,
    reasoning=True,
    logprobs=True,
    top_k=True,
    penalties=True,
    embeddings=True,
)


class OllamaRunner(HttpRunner):
    """One model of one server, which also makes vectors."""

    def __init__(
        self, wire: OllamaWire, transport: Transport, *, model: ResolvedModel, older_embeddings: bool = False
    ) -> None:
        """`older_embeddings` asks /api/embeddings, of servers that do not have /api/embed."""
        super().__init__(wire, transport, model=model, capabilities=CAPABILITIES)
        self._ollama, self._older = wire, older_embeddings

    async def complete(self, request: CompletionRequest) -> Completion:
        """Return the whole answer, with a warning where the prompt seems to have been cut."""
        return warned(await super().complete(request), request)

    async def stream(self, request: CompletionRequest) -> AsyncGenerator[StreamPiece | Completion, None]:
        """Yield the answer piece by piece; its completion warns as `complete` does."""
        pieces = super().stream(request)
        try:
            async for piece in pieces:
                yield warned(piece, request) if isinstance(piece, Completion) else piece
        finally:
            await pieces.aclose()

    async def embed(self, request: EmbeddingRequest) -> EmbeddingResult:
        """Return one vector for each text; see `EmbeddingRunner`."""
        wire = self._ollama
        body = (older_embed_body if self._older else embed_body)(request, model=wire.model)
        path = "/api/embeddings" if self._older else "/api/embed"
        received = await self._transport.whole(HttpCall(url=wire.base_url + path, json=body, headers=wire.headers))
        return parse_embeddings(received.text, e2e_latency_s=received.e2e_latency_s)


async def open_runner(target: str, settings: RunnerSettings) -> OllamaRunner:
    """Return a runner for `MODEL` (at `OLLAMA_HOST`, else port 11434 of this machine) or `ADDRESS#MODEL`.

    The option `context_tokens` says how much context the server is to give the model. A key in `OLLAMA_API_KEY` is
    sent as a bearer, which ollama.com wants and a server of one's own ignores.

    Raises:
        UsageError: No model is named, the address is none, `context_tokens` is no count, or there is no such
            endpoint.
    """
    address, separator, named = target.partition("#")
    if not separator:
        address, named = _address(settings), target
    address, model = check_address(address), model_named(named, PROVIDER)
    key = settings.api_key or settings.environment.get("OLLAMA_API_KEY", "")
    context_tokens = _context_tokens(settings.options.get("context_tokens"))
    identity = {"provider": PROVIDER, "base_url": address, "model": model}
    return OllamaRunner(
        OllamaWire(
            address,
            model,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            context_tokens=context_tokens,
        ),
        Transport(address, settings, secrets=(key,), error_of=error_of),
        model=ResolvedModel(
            name=settings.display_name or model,
            reference=f"{PROVIDER}:{model}" if address == BASE_URL else f"{PROVIDER}:{address}#{model}",
            identity=dict(identity) if context_tokens is None else {**identity, "context_tokens": context_tokens},
        ),
        older_embeddings=endpoint_of(settings, "chat", "embeddings") == "embeddings",
    )


def _address(settings: RunnerSettings) -> str:
    """Return the address of the server; `OLLAMA_HOST` may lack the scheme and the port, as for Ollama itself.

    0.0.0.0 is where a server listens; one that runs here is reached at 127.0.0.1.
    """
    host = settings.environment.get("OLLAMA_HOST", "").replace("0.0.0.0", "127.0.0.1")  # noqa: S104  # not bound to
    if host and "://" not in host:
        host = f"http://{host if ':' in host else host + ':11434'}"
    return base_url_of(replace(settings, environment={"OLLAMA_HOST": host}), "OLLAMA_HOST", BASE_URL)


def _context_tokens(given: str | None) -> int | None:
    if given is None:
        return None
    if not given.isdigit() or not int(given):
        raise UsageError(f"{given!r} is no number of tokens.", hint="Give a whole one, such as context_tokens=16384.")
    return int(given)
