"""The gateway: one door to every model, with keys, limits, retries, fallbacks and records."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from fieldguide.app.gateway._config import GatewayConfig, ModelConfig
from fieldguide.app.gateway._count import Count, count_tokens
from fieldguide.app.gateway._identity import ANYONE, Identity
from fieldguide.app.gateway._keys import KeyRing
from fieldguide.app.gateway._metered import MeteredRunner
from fieldguide.app.gateway._meters import Meters
from fieldguide.app.gateway._metrics import Metrics
from fieldguide.app.gateway._models import Models, Open
from fieldguide.app.gateway._visit import Ask, Visit, begin
from fieldguide.app.references import OpenedModel
from fieldguide.app.wiring import House
from fieldguide.domain import (
    Completion,
    CompletionRequest,
    Latency,
    StreamPiece,
    TextDelta,
    ToolCallDelta,
    Usage,
    carried,
)
from fieldguide.errors import (
    ContentFilterError,
    ContextLengthExceededError,
    FieldguideError,
    InvalidRequestError,
    RunnerError,
    StoreError,
    UnknownModelError,
)
from fieldguide.runners import HoldsAnswers, HttpRunner, Runner, Tap

T = TypeVar("T")
R = TypeVar("R")
Build = Callable[[Open], CompletionRequest]
"""Reads the client's request for one model: what only some providers take goes to those alone."""

TapFor = Callable[[Open], Tap | None]
"""Gives what reads along where a model speaks the client's own language; None where it does not."""

HOW_MANY = ("n", "best_of")
"""Parameters by which a client has several answers made, and pays for all of them."""
COMMIT_S = 0.05
"""How often usage is committed; so much of it a kill -9 loses at most."""
_MOST_PENDING = 20_000
_LONGEST_WAIT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer, and who gave it."""

    completion: Completion
    model: Open


class Gateway:
    """Everything that serving models takes, apart from the languages of clients."""

    def __init__(
        self,
        house: House,
        config: GatewayConfig,
        *,
        runners: dict[str, Runner] | None = None,
        clock: Callable[[], float] = time.time,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        """`runners` are open models by alias; `say` is told of faults of the records, in a line each."""
        self.config, self.clock = config, clock
        self._records = house.gateway_records
        self._ring = KeyRing(self._records)
        self._say = say
        self._keys_checked_s = -1e9
        self._keys_demanded = not config.loopback
        self.meters = Meters(self._records, process=secrets.token_hex(8), clock=clock)
        self.metrics = Metrics()
        self.models = Models(house, config, clock=clock, runners=runners or {})
        self._loop: asyncio.Task[None] | None = None
        self._fault: StoreError | None = None

    # -- life ---------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin to commit usage and to put idle models away."""
        self._loop = asyncio.get_running_loop().create_task(self._keep())

    async def close(self) -> None:
        """Commit everything, give back what was set aside, close the models.

        Raises:
            StoreError: The last usage could not be committed.
        """
        if self._loop is not None:
            self._loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop
        try:
            await self.meters.close()
        finally:
            await self.models.close()

    async def _keep(self) -> None:
        idle_s = self.clock()
        while True:
            await asyncio.sleep(COMMIT_S)
            try:
                await asyncio.shield(self.meters.commit())  # stopping must not leave it half done
                self._fault = None
            except StoreError as error:
                if self._fault is None:
                    self._say(f"usage cannot be committed and is kept in memory: {error.message}")
                self._fault = error
                await asyncio.sleep(1.0)
            if self.clock() - idle_s > 1.0:
                idle_s = self.clock()
                await self.models.put_away_idle()

    @property
    def running(self) -> bool:
        """Whether usage is being committed."""
        return self._loop is not None and not self._loop.done()

    @property
    def ready(self) -> bool:
        """Whether requests can be answered and accounted for."""
        return self._fault is None

    # -- who ----------------------------------------------------------------------------------------------------

    @property
    def keys_demanded(self) -> bool:
        """Whether a key is needed: beyond this machine always, on it once a key was made."""
        now_s = self.clock()
        if not self._keys_demanded and now_s - self._keys_checked_s > 1.0:
            self._keys_checked_s = now_s
            self._keys_demanded = self._records.has_keys()
        return self._keys_demanded

    def identity(self, key: str | None) -> Identity:
        """Return who asks.

        Raises:
            InvalidKeyError: A key is demanded, and this is none.
        """
        return self._ring.identity(key, now_s=self.clock()) if self.keys_demanded else ANYONE

    def owner_of(self, digest: str) -> Identity:
        """Return who has the key with this digest, whether or not keys are demanded.

        Raises:
            InvalidKeyError: It is not good, or no longer.
        """
        return self._ring.of_digest(digest, now_s=self.clock())

    def owner_named(self, key_id: str) -> Identity:
        """Return who has the key of this id: for work that goes on after whoever began it has gone.

        Raises:
            InvalidKeyError: It is not good, or no longer.
        """
        row = next((row for row in self._records.all_keys() if row.key_id == key_id), None)
        return self.owner_of("" if row is None else row.digest)

    # -- what ---------------------------------------------------------------------------------------------------

    def names(self, identity: Identity) -> list[str]:
        """Return the models that may be asked, by name."""
        return [name for name in self.models.names if identity.may_ask(name)]

    def config_of(self, identity: Identity, name: str) -> ModelConfig:
        """Return how a model is configured.

        Raises:
            UnknownModelError: There is none, or this key may not ask it; nobody learns which.
        """
        if not identity.may_ask(name):
            raise UnknownModelError("There is no such model here.", hint="The list of models says what there is.")
        return self.models.config(name)

    @contextlib.asynccontextmanager
    async def lent(
        self,
        identity: Identity,
        name: str,
        *,
        endpoint: str,
        anything: bool = False,
        note: Callable[[str], None] | None = None,
    ) -> AsyncIterator[OpenedModel]:
        """Give a model to a use case in this process; what it answers is taken out of the limits of the key.

        Args:
            identity: Who asks.
            name: A model of the gateway; with `anything`, whatever a person may name on the command line.
            endpoint: What the records call the use.
            anything: Whether more than the models of the gateway may be named.
            note: Told, in a sentence, what slow thing is done.

        Raises:
            FieldguideError: It may not be asked, or cannot be opened.
        """
        config = self.lendable(identity, name, anything=anything)
        async with self.models.used(config, note=note) as model:
            yield replace(model.opened, runner=self._metered(identity, model, endpoint))

    def metered(self, identity: Identity, name: str, opened: OpenedModel, *, endpoint: str) -> OpenedModel:
        """Return a model that was opened elsewhere, to be asked within the limits of a key; closing it closes it.

        Raises:
            CatalogueError: A book of prices is malformed.
        """
        if isinstance(opened.runner, HoldsAnswers):
            return opened  # nothing is asked
        model = self.models.taken_in(name, opened)
        runner = self._metered(identity, model, endpoint, close=opened.runner.close, as_provider=True)
        return replace(opened, runner=runner)

    def _metered(
        self,
        identity: Identity,
        model: Open,
        endpoint: str,
        *,
        close: Callable[[], Awaitable[None]] | None = None,
        as_provider: bool = False,
    ) -> MeteredRunner:
        return MeteredRunner(
            model,
            identity,
            endpoint=endpoint,
            begin=self._begin,
            default_output_tokens=self.config.default_output_tokens,
            close=close,
            as_provider=as_provider,
        )

    def lendable(self, identity: Identity, name: str, *, anything: bool) -> ModelConfig:
        """Return how a model would be lent; see `lent`.

        Raises:
            UnknownModelError: There is none, or this key may not ask it.
        """
        try:
            return self.config_of(identity, name)
        except UnknownModelError:
            if not anything or not identity.may_ask(name):
                raise
        return ModelConfig(alias=name, reference=name)

    async def complete(self, ask: Ask, build: Build) -> Answer:
        """Return the whole answer to a request.

        Raises:
            FieldguideError: There is none.
        """

        async def act(model: Open, visit: Visit, request: CompletionRequest) -> Answer:
            completion = await model.runner.complete(request)
            visit.answered(completion.usage, completion.latency)
            return Answer(completion=completion, model=model)

        return await self._tried(ask, lambda model: _carried(ask, model, build(model)), self._bound, act)

    async def written(
        self,
        ask: Ask,
        build: Build,
        write: Callable[[Completion, Open], bytes],
        usage_in: Callable[[Open], Callable[[str], Usage] | None],
    ) -> bytes:
        """Return the whole answer to a request in its client's words.

        Where `usage_in` gives something for the model, the model speaks those words itself: its answer goes out as it
        came, once its usage has been read. Otherwise `write` writes it.

        Raises:
            FieldguideError: There is none.
        """

        async def act(model: Open, visit: Visit, request: CompletionRequest) -> bytes:
            read = usage_in(model)
            if read is not None and isinstance(model.runner, HttpRunner):
                relayed, usage, latency = await model.runner.relay_whole(request, read)
                visit.answered(usage, latency)
                return relayed
            completion = await model.runner.complete(request)
            visit.answered(completion.usage, completion.latency)
            return write(completion, model)

        return await self._tried(ask, lambda model: _carried(ask, model, build(model)), self._bound, act)

    async def open(self, ask: Ask) -> Open:
        """Return a model, opened, without asking it anything.

        Raises:
            FieldguideError: There is none, or it cannot be opened.
        """
        async with self.models.used(self.config_of(ask.identity, ask.model)) as model:
            return model

    async def count(self, ask: Ask, build: Build) -> Count:
        """Return how many tokens a request holds; it is not answered, and costs nothing.

        Raises:
            FieldguideError: It cannot be counted.
        """
        async with self.models.used(self.config_of(ask.identity, ask.model)) as model:
            return await count_tokens(model, _carried(ask, model, build(model)))

    async def perform(
        self,
        ask: Ask,
        request_for: Callable[[Open], T],
        act: Callable[[Open, T], Awaitable[R]],
        *,
        output_tokens: int = 0,
    ) -> R:
        """Do something other than complete: vectors, pictures, speech. What `act` returns has `usage` and `latency`.

        Raises:
            FieldguideError: It could not be done.
        """

        async def doing(model: Open, visit: Visit, request: T) -> R:
            result = await act(model, request)
            usage, latency = getattr(result, "usage", Usage()), getattr(result, "latency", Latency())
            visit.answered(_with_no_output(usage) if not output_tokens else usage, latency)
            return result

        def bound(ask: Ask, request: T) -> Usage:
            return Usage(input_tokens=ask.body_bytes, output_tokens=output_tokens)

        return await self._tried(ask, request_for, bound, doing)

    async def _tried(
        self,
        ask: Ask,
        request_for: Callable[[Open], T],
        bound: Callable[[Ask, T], Usage],
        act: Callable[[Open, Visit, T], Awaitable[R]],
    ) -> R:
        """Try a model and those that stand in for it, each as often as its policy says."""
        candidates = list(self._candidates(ask))
        for place, config in enumerate(candidates):
            try:
                async with self.models.used(config) as model:
                    request = request_for(model)
                    visit = await self._begin(ask, model, bound(ask, request))
                    try:
                        while True:
                            try:
                                return await act(model, visit, request)
                            except FieldguideError as error:
                                if not await self._again(error, visit):
                                    raise
                    except BaseException as error:
                        visit.broke_off(error)
                        raise
            except FieldguideError as error:
                if place + 1 == len(candidates) or not _passes_on(error):
                    raise
        raise AssertionError("the last candidate answers or raises")

    async def stream(
        self, ask: Ask, build: Build, tap_for: TapFor = lambda model: None
    ) -> AsyncGenerator[StreamPiece | Completion | Open | bytes, None]:
        """Yield the model that answers, then the answer piece by piece, and last the whole `Completion`.

        Where `tap_for` gives a tap for the model, its own events follow instead, as bytes that its client can read.

        Raises:
            FieldguideError: There is none, or it broke off; before the first piece, others were tried.
        """
        candidates = list(self._candidates(ask))
        for place, config in enumerate(candidates):
            begun = False
            try:
                async with self.models.used(config) as model:
                    request = _carried(ask, model, build(model))
                    visit = await self._begin(ask, model, self._bound(ask, request))
                    try:
                        while True:
                            pieces = _pieces(model, request, tap_for(model), visit)
                            try:
                                async for piece in pieces:
                                    if not begun:
                                        begun = True
                                        yield model
                                    yield piece
                                return
                            except FieldguideError as error:
                                if begun or not await self._again(error, visit):
                                    raise
                            finally:
                                await pieces.aclose()
                    except BaseException as error:
                        visit.broke_off(error)
                        raise
            except FieldguideError as error:
                if begun or place + 1 == len(candidates) or not _passes_on(error):
                    raise

    async def _begin(self, ask: Ask, model: Open, bound: Usage) -> Visit:
        if self._fault is not None and self.meters.pending > _MOST_PENDING:
            raise self._fault
        return await begin(ask, model, bound, self.meters, self.metrics, self.clock())

    def _candidates(self, ask: Ask) -> Iterator[ModelConfig]:
        config = self.config_of(ask.identity, ask.model)
        yield config
        for name in config.fallbacks:
            if ask.identity.may_ask(name):
                yield self.models.config(name)

    def _bound(self, ask: Ask, request: CompletionRequest) -> Usage:
        """Return the most that a request may use: a token is at least a byte."""
        output = request.max_output_tokens
        numbers = (each.get(name) for each in request.extra.values() for name in HOW_MANY)
        count = max((number for number in numbers if isinstance(number, int)), default=1)
        return Usage(
            input_tokens=ask.body_bytes,
            output_tokens=(self.config.default_output_tokens if output is None else output) * max(count, 1),
        )

    async def _again(self, error: FieldguideError, visit: Visit) -> bool:
        """Wait before a fault that may pass is tried again; False where it is not to be."""
        wait_s = getattr(error, "retry_after_s", None)
        if not error.retryable or visit.tries > visit.model.config.retries:
            return False
        if wait_s is not None and wait_s > _LONGEST_WAIT_S:
            return False
        backoff_s = 0.2 * 2 ** (visit.tries - 1) * random.uniform(0.75, 1.25)  # noqa: S311
        visit.tries += 1
        await asyncio.sleep(backoff_s if wait_s is None else wait_s)
        return True


async def _pieces(
    model: Open, request: CompletionRequest, tap: Tap | None, visit: Visit
) -> AsyncGenerator[StreamPiece | Completion | bytes, None]:
    """Yield an answer as it comes, and note what of it has come."""
    if tap is not None and isinstance(model.runner, HttpRunner):
        async with contextlib.aclosing(model.runner.relay(request, tap)) as relayed:
            async for each in relayed:
                visit.seen = tap.seen
                if isinstance(each, bytes):
                    yield each
                else:
                    visit.answered(*each)
        return
    pieces = model.runner.stream(request)
    try:
        async for piece in pieces:
            if isinstance(piece, TextDelta):
                visit.seen += len(piece.text)
            elif isinstance(piece, ToolCallDelta):
                visit.seen += len(piece.arguments)
            elif isinstance(piece, Completion):
                visit.answered(piece.usage, piece.latency)
            yield piece
    finally:
        if (close := getattr(pieces, "aclose", None)) is not None:
            await close()


def _carried(ask: Ask, model: Open, request: CompletionRequest) -> CompletionRequest:
    """Return a request as another provider can take it; what stays behind is noted."""
    messages = request.messages
    if messages is None or all(isinstance(message.content, str) for message in messages):
        return request
    found = carried(messages, provider=model.provider)
    if not found.left_out:
        return request
    ask.notes.extend(note for note in found.left_out if note not in ask.notes)
    return replace(request, messages=found.messages)


def _with_no_output(usage: Usage) -> Usage:
    return usage if usage.output_tokens is not None else replace(usage, output_tokens=0)


def _passes_on(error: FieldguideError) -> bool:
    """Whether another model may do better: not where the request itself is at fault."""
    if isinstance(error, InvalidRequestError):
        return error.of_endpoint
    return isinstance(error, RunnerError) and not isinstance(error, ContentFilterError | ContextLengthExceededError)
