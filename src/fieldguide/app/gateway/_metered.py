"""A model lent to one key: whoever holds it asks as with any runner, and every answer is taken out of the key's limits.

For pages and programs in this process, which speak no client's language and hold conversations and evaluations over
the use cases that the command line has too.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable

from fieldguide.app.gateway._identity import Identity
from fieldguide.app.gateway._models import Open
from fieldguide.app.gateway._visit import Ask, Visit
from fieldguide.domain import (
    Audio,
    Capabilities,
    Completion,
    CompletionRequest,
    Document,
    Image,
    ResolvedModel,
    StreamPiece,
    TextDelta,
    ToolCallDelta,
    Usage,
    Video,
    block_as_json,
)
from fieldguide.errors import BudgetExceededError, KeyLimitError, QuotaExhaustedError, RateLimitError

_MEDIA_TOKENS = 20_000
"""Set aside for each picture, sound or file: more than providers count for a usual one."""
_TEMPLATE_TOKENS = 1_000
"""Set aside for what a chat template puts around the turns."""

Begin = Callable[[Ask, Open, Usage], Awaitable[Visit]]


class MeteredRunner:
    """One open model as one key may use it."""

    def __init__(
        self,
        model: Open,
        identity: Identity,
        *,
        endpoint: str,
        begin: Begin,
        default_output_tokens: int,
        close: Callable[[], Awaitable[None]] | None = None,
        as_provider: bool = False,
    ) -> None:
        """`endpoint` says in the records what the answers were for; `close` is called where the model is not shared.

        With `as_provider` a limit of the key is told as a provider tells its own, which evaluations wait or end for.
        """
        self._close, self._as_provider = close, as_provider
        self._model, self._identity, self._endpoint = model, identity, endpoint
        self._begin, self._default_output_tokens = begin, default_output_tokens

    @property
    def model(self) -> ResolvedModel:
        """The exact model behind it."""
        return self._model.runner.model

    @property
    def capabilities(self) -> Capabilities:
        """What may be asked of it."""
        return self._model.runner.capabilities

    @property
    def provider(self) -> str:
        """The name under which its own blocks are kept."""
        return self._model.provider

    async def complete(self, request: CompletionRequest) -> Completion:
        """Return the whole answer.

        Raises:
            BudgetExceededError: The key's budget does not leave room for it.
            KeyLimitError: There was too much in this minute.
            FieldguideError: As of the runner itself.
        """
        visit = await self._let_in(request)
        try:
            completion = await self._model.runner.complete(request)
        except BaseException as error:
            visit.broke_off(error)
            raise
        visit.answered(completion.usage, completion.latency)
        return completion

    async def stream(self, request: CompletionRequest) -> AsyncIterator[StreamPiece | Completion]:
        """Yield the answer piece by piece and end with the whole; raises as `complete`."""
        visit = await self._let_in(request)
        pieces = self._model.runner.stream(request)
        try:
            async for piece in pieces:
                if isinstance(piece, TextDelta):
                    visit.seen += len(piece.text)
                elif isinstance(piece, ToolCallDelta):
                    visit.seen += len(piece.arguments)
                elif isinstance(piece, Completion):
                    visit.answered(piece.usage, piece.latency)
                yield piece
        except BaseException as error:
            visit.broke_off(error)
            raise
        finally:
            with contextlib.suppress(AttributeError):
                await pieces.aclose()  # type: ignore[attr-defined]

    async def close(self) -> None:
        """Close the model, unless it is the gateway's, which puts it away when nobody asks."""
        if self._close is not None:
            await self._close()

    async def _let_in(self, request: CompletionRequest) -> Visit:
        sent = _most_tokens(request)
        ask = Ask(identity=self._identity, model=self._model.config.alias, endpoint=self._endpoint, body_bytes=sent)
        wanted = request.max_output_tokens
        most = self._default_output_tokens if wanted is None else wanted
        try:
            return await self._begin(ask, self._model, Usage(input_tokens=sent, output_tokens=most))
        except KeyLimitError as error:
            if self._as_provider:
                raise RateLimitError(error.message, retry_after_s=error.retry_after_s) from error
            raise
        except BudgetExceededError as error:
            if self._as_provider:
                raise QuotaExhaustedError(error.message, hint=error.hint) from error
            raise


def _most_tokens(request: CompletionRequest) -> int:
    """Return a bound on the tokens of a request: no token is shorter than a byte."""
    words, media = len((request.prompt or "").encode("utf-8", "replace")), 0
    for message in request.messages or ():
        for block in message.blocks:
            if isinstance(block, Image | Audio | Video | Document):
                media += 1
            else:
                words += len(json.dumps(block_as_json(block)))
    tools = sum(len(json.dumps(tool.as_json())) for tool in request.tools)
    return words + tools + media * _MEDIA_TOKENS + _TEMPLATE_TOKENS
