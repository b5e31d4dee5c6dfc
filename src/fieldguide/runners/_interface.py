"""The one interface to every place a model runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from fieldguide.domain import (
    Capabilities,
    Completion,
    CompletionRequest,
    EmbeddingRequest,
    EmbeddingResult,
    ImageRequest,
    ImageResult,
    ResolvedModel,
    SpeechRequest,
    SpeechResult,
    StreamPiece,
    TranscriptionRequest,
    TranscriptionResult,
)

if TYPE_CHECKING:
    import aiohttp

    from fieldguide.http_client import Lines


class Runner(Protocol):
    """Something that answers requests with one model.

    Opened by `open_runner`, which has done everything slow (loading, resolving names); closed once by `close`.
    `complete` and `stream` may be called from many tasks at once. Each call is one request to the model and is never
    repeated inside: retries belong to the evaluation, which keeps the books.
    """

    @property
    def model(self) -> ResolvedModel:
        """The exact model behind this runner."""

    @property
    def capabilities(self) -> Capabilities:
        """What may be asked of it."""

    async def complete(self, request: CompletionRequest) -> Completion:
        """Return the whole answer.

        Raises:
            RunnerError: One of its subclasses, with `retryable` telling whether asking again may help.
            UnsupportedError: The request asks for what `capabilities` denies.
        """

    def stream(self, request: CompletionRequest) -> AsyncIterator[StreamPiece | Completion]:
        """Yield the answer piece by piece and end with the whole `Completion`.

        Every runner yields `TextDelta`s. One that tells blocks apart encloses the pieces of each in a `BlockStart` and
        a `BlockEnd` with the block's `index` in the completion's message.

        Raises:
            RunnerError: Also in the middle of a stream; an answer that broke off never ends in a `Completion`.
            UnsupportedError: As for `complete`.
        """

    async def close(self) -> None:
        """Release connections and processes; calling it twice does no harm."""


@runtime_checkable
class EmbeddingRunner(Protocol):
    """A runner whose capabilities declare `embeddings`."""

    async def embed(self, request: EmbeddingRequest) -> EmbeddingResult:
        """Return one vector for each text; one call is one request."""


@runtime_checkable
class ImageRunner(Protocol):
    """A runner whose capabilities declare `image_generation`."""

    async def make_images(self, request: ImageRequest) -> ImageResult:
        """Return pictures; one call is one request."""


@runtime_checkable
class TranscriptionRunner(Protocol):
    """A runner whose capabilities declare `speech_to_text`."""

    async def transcribe(self, request: TranscriptionRequest) -> TranscriptionResult:
        """Return what is said; one call is one request."""


@runtime_checkable
class SpeechRunner(Protocol):
    """A runner whose capabilities declare `text_to_speech`."""

    async def speak(self, request: SpeechRequest) -> SpeechResult:
        """Return the text read aloud; one call is one request."""


@runtime_checkable
class PiecewiseSpeechRunner(Protocol):
    """A runner that passes sound on while it comes."""

    def speak_in_pieces(self, request: SpeechRequest) -> AsyncIterator[bytes]:
        """Yield the sound of a text, at least one piece of it; together they are what `speak` returns."""


@runtime_checkable
class HoldsAnswers(Protocol):
    """A runner that gives answers made earlier, and so has no answer for some items."""

    @property
    def attempts_held(self) -> int:
        """Most attempts held for any item."""

    @property
    def items_held(self) -> frozenset[str]:
        """Items with at least one answer."""

    def has_answer(self, item: str, attempt: int) -> bool:
        """Whether an answer to this attempt is held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerSettings:
    """What a runner may need from outside; it reads no environment and no settings itself."""

    home: Path
    """The user folder, for measurements that are kept."""
    session: Callable[[], aiohttp.ClientSession]
    """Returns the shared HTTP client session, made on first use."""
    lines: Callable[[], Lines] | None = None
    """Returns what sends requests faster than a session where no proxy is needed; None uses the session for all."""
    proxy_for: Callable[[str], str | None] = lambda url: None
    """Returns the proxy through which an address is to be reached; None reaches it directly."""
    api_key: str | None = field(default=None, repr=False)
    """Key for an HTTP endpoint, from the variable that the user named; None where none was named."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Values of the environment variables that the runner's module lists in `VARIABLES`, where they are set."""
    deadline_s: float = 600.0
    """Longest time for one request (seconds)."""
    idle_timeout_s: float = 60.0
    """Longest silence between two pieces of an answer (seconds)."""
    concurrency: int | None = None
    """Requests in flight that the caller intends; None lets the runner choose."""
    options: dict[str, str] = field(default_factory=dict)
    """Options of single runners; each module lists those that it takes in `OPTIONS`, and gets no others."""
    display_name: str | None = None
    """Name to show for the model, where the caller knows a better one than the reference."""
    progress: Callable[[str], None] | None = None
    """Told, in a few words, what slow thing is being done while the runner opens."""


OpenRunner: TypeAlias = Callable[[str, RunnerSettings], Awaitable[Runner]]
"""`async def open_runner(target, settings)`; `target` is what follows `provider:` in the reference."""
