"""A runner over one supervised engine."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import TYPE_CHECKING, Protocol

from fieldguide.domain import Capabilities, Completion, CompletionRequest, JsonValue, ResolvedModel, StreamPiece
from fieldguide.errors import ResponseFormatError, RunnerTimeoutError, RunnerUnavailableError, UnsupportedError
from fieldguide.runners import openai_chat as chat_wire
from fieldguide.runners._check import check
from fieldguide.runners._http_errors import error_of_status
from fieldguide.runners._sse import events
from fieldguide.runners.llama_cpp import _native_wire as text_wire
from fieldguide.runners.llama_cpp._pictures import has_pictures, looked_over
from fieldguide.runners.llama_cpp._supervisor import Connection, Supervisor

if TYPE_CHECKING:
    import aiohttp

DIALECT = chat_wire.Dialect(
    provider="llama.cpp",
    capabilities=Capabilities(
        text=True,
        chat=True,
        seed=True,
        json_object=True,
        structured_output=True,
        logprobs=True,
    ),
)
"""What the engine's chat endpoint keeps to, where there is a chat template. It also takes tools, but a template that
knows none passes over them without a word: tools are declared for those that have a place for them, and a choice
among tools never, since nothing holds a model to it."""
_BLIND = (
    "No projector (a file with `mmproj` in its name) that fits it lies beside it: pull the model from a repository "
    "that has one, or name it with --option llama.cpp:mmproj=FILE."
)
_MOST_BODY_BYTES = 32 * 1024 * 1024


class _Streamed(Protocol):
    def take(self, data: str, *, now_s: float) -> list[StreamPiece]: ...

    def completion(self, *, now_s: float) -> Completion: ...


class LlamaCppRunner:
    """One GGUF file behind a child process."""

    def __init__(
        self,
        supervisor: Supervisor,
        *,
        model: ResolvedModel,
        capabilities: Capabilities,
        has_template: bool,
        deadline_s: float,
        idle_timeout_s: float,
        picture_session: Callable[[], aiohttp.ClientSession] | None = None,
    ) -> None:
        """See `open_runner`; without a template a conversation is sent as plain text."""
        self._supervisor = supervisor
        self._model, self._capabilities = model, capabilities
        self._has_template = has_template
        self._deadline_s, self._idle_timeout_s = deadline_s, idle_timeout_s
        self._picture_session = picture_session

    @property
    def model(self) -> ResolvedModel:
        """The file, by its sha256; the same on every machine."""
        return self._model

    @property
    def capabilities(self) -> Capabilities:
        """Text and chat, always."""
        return self._capabilities

    async def complete(self, request: CompletionRequest) -> Completion:
        """Return the whole answer; see `Runner.complete`."""
        request = await self._checked(request)
        chat = self._uses_template(request)
        try:
            async with asyncio.timeout(self._deadline_s):
                connection = await self._supervisor.connection()
                began_s = time.perf_counter()
                async with self._sent(connection, request, stream=False) as response:
                    text = await _whole_body(response)
        except TimeoutError as error:
            raise self._too_late() from error
        e2e_latency_s = time.perf_counter() - began_s
        if chat:
            return chat_wire.parse_completion(text, e2e_latency_s=e2e_latency_s, provider=DIALECT.provider)
        return text_wire.parse_completion(text, e2e_latency_s=e2e_latency_s)

    async def stream(self, request: CompletionRequest) -> AsyncGenerator[StreamPiece | Completion, None]:
        """Yield the answer piece by piece; see `Runner.stream`."""
        request = await self._checked(request)
        deadline_s = asyncio.get_running_loop().time() + self._deadline_s
        async with contextlib.AsyncExitStack() as stack:
            try:
                async with asyncio.timeout_at(deadline_s):
                    connection = await self._supervisor.connection()
                    began_s = time.perf_counter()
                    response = await stack.enter_async_context(self._sent(connection, request, stream=True))
            except TimeoutError as error:
                raise self._too_late() from error
            answer: _Streamed = (
                chat_wire.StreamedAnswer(began_s=began_s, provider=DIALECT.provider)
                if self._uses_template(request)
                else text_wire.StreamedText(began_s=began_s)
            )
            async for data in self._timed(events(response.content.iter_any()), deadline_s=deadline_s):
                if data.strip() == "[DONE]":
                    break
                for delta in answer.take(data, now_s=time.perf_counter()):
                    yield delta
        yield answer.completion(now_s=time.perf_counter())

    async def close(self) -> None:
        """End the child process; twice does no harm."""
        await self._supervisor.close()

    async def _checked(self, request: CompletionRequest) -> CompletionRequest:
        """Return the request as it is sent; refuse what the model or the engine would pass over."""
        pictures = has_pictures(request)
        if pictures and not self._capabilities.images:
            raise UnsupportedError(self._model.name, "pictures in messages", hint=_BLIND)
        check(request, self._capabilities, subject=self._model.name, provider=DIALECT.provider)
        if not pictures:
            return request
        return await looked_over(request, subject=self._model.name, session=self._picture_session)

    def _uses_template(self, request: CompletionRequest) -> bool:
        return request.messages is not None and self._has_template

    def _too_late(self) -> RunnerTimeoutError:
        return RunnerTimeoutError(f"No complete answer within {self._deadline_s:.0f} s.")

    async def _timed(self, data: AsyncIterator[str], *, deadline_s: float) -> AsyncIterator[str]:
        """Pass events on; the first may take until the deadline, each further one the idle timeout."""
        clock = asyncio.get_running_loop().time
        until_s = deadline_s
        while True:
            try:
                async with asyncio.timeout_at(until_s):
                    piece = await anext(data, None)
            except TimeoutError as error:
                if until_s == deadline_s:
                    raise self._too_late() from error
                raise RunnerTimeoutError(f"The engine was silent for {self._idle_timeout_s:.0f} s.") from error
            if piece is None:
                return
            yield piece
            until_s = min(deadline_s, clock() + self._idle_timeout_s)

    @contextlib.asynccontextmanager
    async def _sent(
        self, connection: Connection, request: CompletionRequest, *, stream: bool
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send and give the response, once it is one that answers; turn every fault into one of our errors."""
        import aiohttp

        path, body = self._body(request, stream=stream)
        try:
            async with connection.session.post(path, json=body) as response:
                if response.status != 200:
                    raise error_of_status(response.status, await _whole_body(response), response.headers)
                yield response
        except (aiohttp.ClientError, OSError, RuntimeError) as error:
            if isinstance(error, TimeoutError) or (isinstance(error, RuntimeError) and not connection.session.closed):
                raise
            raise await self._broken_off(connection) from error

    async def _broken_off(self, connection: Connection) -> RunnerUnavailableError:
        ended = await connection.process.how_it_ended()
        if ended is None:
            return RunnerUnavailableError("The llama.cpp engine broke off in the middle of the answer.")
        return RunnerUnavailableError(
            f"The llama.cpp engine ended {ended} in the middle of the answer.",
            hint="It is started again for the next request.",
        )

    def _body(self, request: CompletionRequest, *, stream: bool) -> tuple[str, dict[str, JsonValue]]:
        """Return path and JSON body of a request."""
        if self._uses_template(request):
            body = chat_wire.request_body(request, model=self._model.name, stream=stream, dialect=DIALECT)
            return "/v1/chat/completions", body | text_wire.sampling(request) | {"cache_prompt": True}
        plain_chat = request.messages is not None
        return "/completion", text_wire.request_body(
            request,
            prompt=text_wire.plain_chat(request.messages) if request.messages is not None else request.prompt or "",
            stop=(*request.stop, text_wire.PLAIN_CHAT_STOP) if plain_chat else request.stop,
            cache_prompt=True,
            stream=stream,
        )


async def _whole_body(response: aiohttp.ClientResponse) -> str:
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > _MOST_BODY_BYTES:
            raise ResponseFormatError("The answer is larger than 32 MiB and was not read.")
    return body.decode("utf-8", "replace")
