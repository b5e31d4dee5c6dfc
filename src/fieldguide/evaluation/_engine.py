"""Takes a model through an exam: bounded concurrency, retries, budget, and nothing finished is ever lost."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from fieldguide.domain import Completion, FinishReason
from fieldguide.errors import (
    ContentFilterError,
    FieldguideError,
    InvalidRequestError,
    ResponseFormatError,
    RunnerTimeoutError,
    RunnerUnavailableError,
)
from fieldguide.evaluation._budget import Budget, TokenPrice
from fieldguide.evaluation._judge import Judge, Judged
from fieldguide.evaluation._plan import PlannedAttempt
from fieldguide.evaluation._progress import Tally
from fieldguide.evaluation._retry import FATAL, RetryPolicy
from fieldguide.runners import HoldsAnswers, Runner
from fieldguide.store import Run, RunState, Store

_MOST_FAILURES_IN_A_ROW = 10


class Stop:
    """Asks a run to stop: no new request is sent, and those in flight get a moment to arrive."""

    def __init__(self) -> None:
        """Nothing is asked yet."""
        self._event = asyncio.Event()

    def request(self) -> None:
        """Ask; asking twice changes nothing."""
        self._event.set()

    @property
    def requested(self) -> bool:
        """Whether it was asked."""
        return self._event.is_set()

    async def wait(self) -> None:
        """Wait until asked to stop."""
        await self._event.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """How hard to try."""

    concurrency: int
    """Most requests in flight (count, >= 1)."""
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    grace_s: float = 4.0
    """Time that requests in flight get after a stop (seconds)."""


class Engine:
    """Sends the attempts of one run that have no answer yet."""

    def __init__(
        self,
        *,
        run: Run,
        runner: Runner,
        store: Store,
        judge: Judge,
        tally: Tally,
        budget: Budget,
        price: TokenPrice | None,
        settings: EngineSettings,
        stop: Stop,
        any_answer: bool,
    ) -> None:
        """Take everything it works with; nothing is sent before `send`.

        `any_answer` says that this model has answered items of this exam before: a request that is then called
        malformed is the item's fault and not the endpoint's.
        """
        self._run, self._runner, self._store, self._judge = run, runner, store, judge
        self._generates = not isinstance(runner, HoldsAnswers)
        self._tally, self._budget, self._price = tally, budget, price
        self._settings, self._stop = settings, stop
        self._random = random.Random()  # noqa: S311 - jitter
        self._room = asyncio.Event()
        self._halt = asyncio.Event()
        self._fatal: FieldguideError | None = None
        self._budget_reached = False
        self._failures_in_a_row = 0
        self._any_answer = any_answer

    async def send(self, attempts: list[PlannedAttempt]) -> RunState:
        """Send every attempt and return how that ended.

        Raises:
            FieldguideError: A fault that the next attempt would meet again; what was finished is committed.
        """
        pending = iter(attempts)
        count = min(self._settings.concurrency, len(attempts))
        workers = {asyncio.create_task(self._work(pending)) for _ in range(count)}
        try:
            await self._until_done(workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        for worker in workers:
            if not worker.cancelled() and (error := worker.exception()) is not None:
                raise error
        if self._fatal is not None:
            raise self._fatal
        if self._budget_reached:
            return RunState.BUDGET
        return RunState.INTERRUPTED if self._stop.requested else RunState.FINISHED

    async def _until_done(self, workers: set[asyncio.Task[None]]) -> None:
        stopping = asyncio.create_task(self._stop.wait())
        halting = asyncio.create_task(self._halt.wait())
        working = set(workers)
        try:
            while working and not self._ended:
                done, _ = await asyncio.wait({*working, stopping, halting}, return_when=asyncio.FIRST_COMPLETED)
                working -= done
                if any(task.exception() for task in done):
                    return
            self._halt.set()
            self._room.set()
            # What is in flight may be paid for already: only a person who asked to stop cuts it short.
            while working and not self._stop.requested:
                done, _ = await asyncio.wait({*working, stopping}, return_when=asyncio.FIRST_COMPLETED)
                working -= done
            if working:
                await asyncio.wait(working, timeout=self._settings.grace_s)
        finally:
            stopping.cancel()
            halting.cancel()

    @property
    def _ended(self) -> bool:
        return self._stop.requested or self._fatal is not None or self._budget_reached

    async def _work(self, pending: Iterator[PlannedAttempt]) -> None:
        while not self._ended:
            attempt = next(pending, None)
            if attempt is None or not await self._money_for(attempt):
                return
            try:
                await self._ask(attempt)
            except FATAL as error:
                self._end_with(error)
            except FieldguideError as error:
                self._count_failure(error)

    def _end_with(self, error: FieldguideError) -> None:
        self._fatal = self._fatal or error
        self._halt.set()
        self._room.set()

    def _count_failure(self, error: FieldguideError) -> None:
        self._tally.failed += 1
        self._tally.tell()
        self._failures_in_a_row += error.retryable  # an item's own fault says nothing of the next one
        if self._failures_in_a_row >= max(_MOST_FAILURES_IN_A_ROW, 2 * self._settings.concurrency):
            error.message = f"{self._failures_in_a_row} attempts in a row have failed; the last: {error.message}"
            self._end_with(error)

    async def _money_for(self, attempt: PlannedAttempt) -> bool:
        """Wait until the budget allows this attempt; False once it never will."""
        while not self._ended:
            if self._budget.allows(self._most_usd(attempt)):
                self._budget.sent()
                return True
            if not self._budget.waiting_helps:
                self._budget_reached = True
                self._halt.set()
                self._room.set()
                return False
            self._room.clear()
            await self._room.wait()
        return False

    def _most_usd(self, attempt: PlannedAttempt) -> Decimal:
        return Decimal(0) if self._price is None else self._price.most_usd(attempt.request)

    async def _ask(self, attempt: PlannedAttempt) -> None:
        """Ask until there is an answer; raise when asking again is not worth it. The budget counts one as in flight."""
        in_flight = True
        try:
            for try_number in itertools.count(1):
                if not in_flight:
                    if not await self._money_for(attempt):
                        return
                    in_flight = True
                error = await self._ask_once(attempt)
                in_flight = False
                if error is None:
                    return
                wait_s = self._settings.retry.wait_s(error, try_number, uniform=self._random)
                if wait_s is None:
                    raise error
                self._tally.waiting = f"{error.message} Asking again in {wait_s:.0f} s."
                self._tally.tell(at_once=True)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._halt.wait(), wait_s)
                self._tally.waiting = None
                if self._ended:
                    return
        finally:
            if in_flight:
                self._budget.ended(None, most_usd=self._most_usd(attempt))
            self._room.set()

    async def _ask_once(self, attempt: PlannedAttempt) -> FieldguideError | None:
        """Send one request, commit what comes, and return the error where nothing did."""
        most_usd = self._most_usd(attempt)
        key = attempt.key(self._run.model_key, self._run.generation)
        call_id = await self._store.record_sent(
            self._run.run_id, key, reserved_usd=None if self._price is None else most_usd
        )
        try:
            completion = await self._runner.complete(attempt.request)
        except ContentFilterError as withheld:
            completion = Completion(
                text="", finish_reason=FinishReason.CONTENT_FILTER, metadata={"withheld": withheld.message}
            )
        except Exception as caught:
            error = _as_ours(caught)
            if isinstance(error, InvalidRequestError) and self._any_answer:
                error = _of_this_item(error)
            cost_usd = self._failed_cost_usd(error)
            await self._store.record_failed(call_id, error, cost_usd=cost_usd)
            self._settle(cost_usd, most_usd)
            return error
        await self._keep(attempt, call_id, completion, most_usd)
        return None

    async def _keep(self, attempt: PlannedAttempt, call_id: int, completion: Completion, most_usd: Decimal) -> None:
        cost_usd = None if self._price is None else self._price.cost_usd(completion.usage)
        accepted = await self._store.record_received(call_id, completion, cost_usd=cost_usd)
        self._settle(cost_usd, most_usd)
        self._failures_in_a_row = 0
        self._any_answer = True
        self._tally.answered += 1
        if self._generates:
            self._tally.output_tokens += completion.usage.output_tokens or 0
        if accepted:
            self._judge.put(Judged(call_id=call_id, item=attempt.item, completion=completion))
        self._tally.tell()

    def _settle(self, cost_usd: Decimal | None, most_usd: Decimal) -> None:
        self._budget.ended(cost_usd, most_usd=most_usd)
        self._tally.spent_usd = self._budget.spent_usd
        self._room.set()

    def _failed_cost_usd(self, error: FieldguideError) -> Decimal | None:
        """Return 0 where the provider refused the work, and None where it may have done it and charged for it."""
        if self._price is None or isinstance(error, RunnerTimeoutError | ResponseFormatError | RunnerUnavailableError):
            return None
        return Decimal(0)


def _as_ours(error: Exception) -> FieldguideError:
    """Return the error itself, or, where a runner stumbled over something unforeseen, one that says so."""
    if isinstance(error, FieldguideError):
        return error
    unforeseen = ResponseFormatError(f"The answer could not be read ({type(error).__name__}: {error}).")
    unforeseen.__cause__ = error
    return unforeseen


def _of_this_item(error: InvalidRequestError) -> ResponseFormatError:
    """Return the error of a request that only this item makes malformed, since others were answered."""
    refused = _RefusedItemError(error.message, hint=error.hint)
    refused.__cause__ = error
    return refused


class _RefusedItemError(ResponseFormatError):
    """The provider takes other items of this exam and not this one."""

    retryable = False
