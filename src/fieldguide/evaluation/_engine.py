"""Takes a model through an exam: as fast as the endpoint takes it, within the budget, and nothing finished is lost."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from decimal import Decimal

from fieldguide.domain import Completion, FinishReason
from fieldguide.errors import (
    AuthenticationError,
    ContentFilterError,
    FieldguideError,
    InvalidRequestError,
    QuotaExhaustedError,
    RateLimitError,
    ResponseFormatError,
    RunnerTimeoutError,
    RunnerUnavailableError,
)
from fieldguide.evaluation._budget import Budget, TokenPrice
from fieldguide.evaluation._circuit import Circuit
from fieldguide.evaluation._forecast import Forecaster
from fieldguide.evaluation._hearing import answer_to
from fieldguide.evaluation._judge import Judge, Judged
from fieldguide.evaluation._pace import Pace
from fieldguide.evaluation._plan import PlannedAttempt
from fieldguide.evaluation._progress import Tally
from fieldguide.evaluation._queue import Job, Queue
from fieldguide.evaluation._retry import FATAL, OUTAGE, RetryPolicy
from fieldguide.runners import HoldsAnswers, Runner
from fieldguide.store import Run, RunState, Store

_MOST_FAILURES_IN_A_ROW = 10
_MOST_FAILURES_AT_FIRST = 4
_FORECAST_EVERY_S = 0.1


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

    pace: Pace
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    grace_s: float = 4.0
    """Time that requests in flight get after a stop (seconds)."""
    deadline_s: float | None = None
    """Time after which a request is sent again while its answer may still come; None leaves it to the runner."""


@dataclass(slots=True, eq=False)
class _Call:
    """One request in flight."""

    job: Job
    call_id: int = 0
    began_s: float = 0.0
    held_usd: Decimal = Decimal(0)
    """What the budget holds back for it."""
    released: bool = False
    recording: asyncio.Task[None] | None = None
    """Set once its deadline has passed: records that, and has the attempt asked again."""


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
        self._settings, self._stop, self._pace = settings, stop, settings.pace
        self._random = random.Random()  # noqa: S311 - jitter
        self._circuit = Circuit(longest_wait_s=settings.retry.longest_probe_wait_s, uniform=self._random)
        self._queue = Queue(())
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._idle = asyncio.Event()
        self._closed = False
        self._in_flight = 0
        self._late_calls: set[_Call] = set()
        """Requests past their deadline that are listened to."""
        self._probe: Job | None = None
        """The attempt that tries whether an endpoint that was down is back."""
        self._fatal: BaseException | None = None
        self._budget_reached = False
        self._failures_in_a_row = 0
        self._any_answer = any_answer
        self._reached = False
        self._progress_s = time.monotonic()
        self._forecaster: Forecaster | None = None
        self._foreseen_s = 0.0
        self.paused_by: str | None = None
        """Why the provider takes nothing more for now: `quota`, `rate limit` or `outage`; None where it is not so."""

    async def send(self, attempts: list[PlannedAttempt]) -> RunState:
        """Send every attempt and return how that ended.

        Raises:
            FieldguideError: A fault that the next attempt would meet again; what was finished is committed.
        """
        jobs = self._jobs(attempts)
        self._queue = Queue(jobs)
        if self._generates:
            self._forecaster = Forecaster([job.planned.request for job in jobs], self._price)
            self._tally.budget_usd = self._budget.limit_usd
        self._progress_s = time.monotonic()
        try:
            self._fill()
            await self._until_done()
        finally:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._fatal is not None:
            raise self._fatal
        if self._budget_reached:
            return RunState.BUDGET
        left = self._tally.total - self._tally.answered - self._tally.failed
        return RunState.INTERRUPTED if self._stop.requested and left else RunState.FINISHED

    def _jobs(self, attempts: list[PlannedAttempt]) -> list[Job]:
        jobs: dict[tuple[str, int], Job] = {}
        for attempt in attempts:
            key = (attempt.request_hash, attempt.attempt)
            if key in jobs:
                jobs[key].twins.append(attempt)
            else:
                jobs[key] = Job(attempt, [], self._most_usd(attempt))
        return list(jobs.values())

    async def _until_done(self) -> None:
        """Wait for the last answer; what is in flight may be paid for, so only a person's stop cuts it short."""
        stopping = asyncio.create_task(self._stop.wait())
        idle = asyncio.create_task(self._idle.wait())
        try:
            await asyncio.wait({stopping, idle}, return_when=asyncio.FIRST_COMPLETED)
            if not self._idle.is_set():
                self._fill()
                await asyncio.wait({idle}, timeout=self._settings.grace_s)
        finally:
            stopping.cancel()
            idle.cancel()

    # -- what goes next -----------------------------------------------------------------------------------------

    @property
    def _ended(self) -> bool:
        return self._stop.requested or self._closed or self._fatal is not None or self._budget_reached

    def _fill(self) -> None:
        """Send whatever may be sent now."""
        while not self._ended:
            job = self._next(time.monotonic())
            if job is None:
                break
            self._in_flight += 1
            self._start(self._ask(job, self._budget.sent(job.most_usd)))
        if self._in_flight <= 0 and (self._fatal is not None or self._nothing_comes):
            self._idle.set()

    @property
    def _nothing_comes(self) -> bool:
        """Whether nothing more is to be sent, and no late answer that would count can come."""
        return (self._ended or not len(self._queue)) and not self._late_answers_count

    @property
    def _late_answers_count(self) -> bool:
        return any(not call.job.answered for call in self._late_calls)

    def _start(self, work: object) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._ended_task)
        return task

    def _ended_task(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fatal = self._fatal or error  # a defect of ours must not hang the run
            self._idle.set()

    def _next(self, now_s: float) -> Job | None:
        """Return the attempt to be sent now, or None after setting a timer where only time is wanting."""
        if self._in_flight + len(self._late_calls) >= self._pace.cap:
            return None
        if self._circuit.open:
            job = self._next_probe(now_s)
        else:
            job = self._queue.take_due(now_s)
            if job is None and self._in_flight + self._queue.waiting < self._pace.limit:
                job = self._queue.take_new()
            if job is None and (due_s := self._queue.next_due_s) is not None:
                self._wake_at(due_s)
        if job is None or self._budget.allows(job.most_usd):
            return job
        self._queue.put_back(job)
        self._probe = None
        self._budget_reached = not self._budget.waiting_helps and not self._late_answers_count
        return None

    def _next_probe(self, now_s: float) -> Job | None:
        if self._probe is not None:
            return None
        due_s = self._circuit.next_probe_s
        if not self._reached and self._circuit.since_s is not None:
            due_s = min(due_s, self._circuit.since_s + self._settings.retry.first_patience_s)
        if now_s < due_s:
            self._wake_at(due_s)
            return None
        self._probe = self._queue.take_least_tried()
        return self._probe

    def _wake_at(self, moment_s: float) -> None:
        """Look again at `moment_s` (monotonic seconds, which are the loop's own)."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(moment_s, self._fill)

    def _end_with(self, error: FieldguideError) -> None:
        self._fatal = self._fatal or error

    def _most_usd(self, attempt: PlannedAttempt) -> Decimal:
        return Decimal(0) if self._price is None else self._price.most_usd(attempt.request)

    # -- one request --------------------------------------------------------------------------------------------

    async def _ask(self, job: Job, held_usd: Decimal) -> None:
        """Send one request, and commit what comes before anything looks at it."""
        call = _Call(job, began_s=time.monotonic(), held_usd=held_usd)
        job.tries += 1
        planned = job.planned
        try:
            call.call_id = await self._store.record_sent(
                self._run.run_id,
                planned.key(self._run.model_key, self._run.generation),
                reserved_usd=None if self._price is None else job.most_usd,
            )
            if self._ended:
                await self._store.withdraw(call.call_id)
                self._release(call, Decimal(0))
            else:
                await self._send(call)
        except FieldguideError as error:  # the records cannot be written
            self._end_with(error)
            self._release(call, None)
        finally:
            self._fill()

    async def _send(self, call: _Call) -> None:
        answer = await self._complete(call)
        if call.recording is not None:
            await self._late(call, answer)
        elif isinstance(answer, Completion):
            await self._keep(call, answer)
        else:
            await self._failed(call, answer)

    async def _complete(self, call: _Call) -> Completion | FieldguideError:
        timer = None
        if self._settings.deadline_s is not None:
            timer = asyncio.get_running_loop().call_later(self._settings.deadline_s, self._overdue, call)
        try:
            return await answer_to(self._runner, call.job.planned)
        except ContentFilterError as withheld:
            return _withheld(withheld)
        except Exception as caught:
            return _as_ours(caught)
        finally:
            if timer is not None:
                timer.cancel()

    def _release(self, call: _Call, cost_usd: Decimal | None) -> None:
        """Count the request as ended, once."""
        if call.released:
            return
        call.released = True
        self._in_flight -= 1
        if self._probe is call.job:
            self._probe = None
        self._budget.ended(cost_usd, held_usd=call.held_usd)
        self._tally.spent_usd = self._budget.spent_usd

    async def _keep(self, call: _Call, completion: Completion) -> None:
        cost_usd = None if self._price is None else self._price.cost_usd(completion.usage)
        accepted = await self._store.record_received(call.call_id, completion, cost_usd=cost_usd)
        self._release(call, cost_usd)
        self._answers_come()
        self._pace.answered(self._progress_s)
        if accepted:
            self._accept(call, completion, cost_usd)
        self._tally.tell()

    def _answers_come(self) -> None:
        """Note that the endpoint answers, in time or late."""
        self._progress_s = time.monotonic()
        self._lives(self._progress_s)
        self._failures_in_a_row = 0
        self._any_answer = True
        self._tally.waiting = None

    def _accept(self, call: _Call, completion: Completion, cost_usd: Decimal | None) -> None:
        job = call.job
        job.answered = True
        self._tally.answered += 1 + len(job.twins)
        if self._generates:
            self._tally.output_tokens += completion.usage.output_tokens or 0
        for planned in (job.planned, *job.twins):
            self._judge.put(Judged(call_id=call.call_id, item=planned.item, completion=completion))
        self._learn(call, completion, cost_usd)

    # -- faults -------------------------------------------------------------------------------------------------

    async def _failed(self, call: _Call, error: FieldguideError) -> None:
        """Record a request that brought no answer, and decide what becomes of its attempt and of the run."""
        job = call.job
        if self._any_answer and _may_concern_the_item(error):
            error = _of_this_item(error)
        cost_usd = self._failed_cost_usd(error)
        await self._store.record_failed(call.call_id, error, cost_usd=cost_usd)
        self._release(call, cost_usd)
        now_s = time.monotonic()
        if isinstance(error, FATAL):
            self.paused_by = "quota" if isinstance(error, QuotaExhaustedError) else self.paused_by
            self._end_with(error)
            return
        self._take_note(job, error, now_s)
        if self._out_of_patience(error, now_s):
            self._end_with(error)
        if self._ended or job.answered:
            return
        wait_s = self._settings.retry.wait_s(error, job.tries, job.throttles, uniform=self._random)
        if wait_s is None:
            self._give_up(call, error)
            return
        self._queue.wait(job, now_s + wait_s)
        if self._circuit.open:
            wait_s = max(wait_s, self._circuit.next_probe_s - now_s)
        self._tally.waiting = f"{error.message} Asking again in {wait_s:.0f} s."
        self._tally.tell(at_once=True)

    def _take_note(self, job: Job, error: FieldguideError, now_s: float) -> None:
        """Let pace and circuit learn from a fault."""
        asked_s = getattr(error, "retry_after_s", None)
        if isinstance(error, OUTAGE):
            if getattr(error, "unreached", False):
                job.tries -= 1  # nothing was asked
            else:
                self._reached = True
            capped_s = None if asked_s is None else min(asked_s, self._settings.retry.longest_retry_after_s)
            self._circuit.failed(now_s, asked_s=capped_s)
            return
        self._lives(now_s)
        if isinstance(error, RateLimitError):
            job.tries -= 1
            job.throttles += 1
            self._pace.throttled(now_s)

    def _lives(self, now_s: float) -> None:
        self._reached = True
        if self._circuit.lives():
            self._pace.restart(now_s)

    def _out_of_patience(self, error: FieldguideError, now_s: float) -> bool:
        """Whether nothing has been answered for too long; then say so in the error."""
        retry = self._settings.retry
        if not self._reached and self._circuit.since_s is not None:
            return now_s - self._circuit.since_s >= retry.first_patience_s
        if isinstance(error, RateLimitError):
            lasted_s, reason = now_s - self._progress_s, "rate limit"
        elif self._circuit.since_s is not None:
            lasted_s, reason = now_s - self._circuit.since_s, "outage"
        else:
            return False
        if lasted_s <= retry.patience_s:
            return False
        self.paused_by = reason
        error.message = f"Nothing was answered for {lasted_s:.0f} s; the last: {error.message}"
        return True

    def _give_up(self, call: _Call, error: FieldguideError) -> None:
        """Count the attempt as failed, unless a late request of it may still bring an answer."""
        call.job.given_up = True
        if not call.job.late:
            self._count_failure(call, error)

    def _count_failure(self, call: _Call, error: FieldguideError) -> None:
        self._tally.failed += 1 + len(call.job.twins)
        self._learn(call, None, None)
        self._tally.tell()
        # An item's own fault says nothing of the next one, unless one after the other is refused.
        self._failures_in_a_row += error.retryable or isinstance(error, _RefusedItemError)
        most = max(_MOST_FAILURES_IN_A_ROW, 2 * self._pace.limit) if self._any_answer else _MOST_FAILURES_AT_FIRST
        if self._failures_in_a_row >= most:
            error.message = f"{self._failures_in_a_row} attempts in a row have failed; the last: {error.message}"
            self._end_with(error)

    def _failed_cost_usd(self, error: FieldguideError) -> Decimal | None:
        """Return 0 where the provider refused the work, and None where it may have done it and charged for it."""
        if getattr(error, "unreached", False) or getattr(error, "refused", False):
            return Decimal(0)
        if self._price is None or isinstance(error, RunnerTimeoutError | ResponseFormatError | RunnerUnavailableError):
            return None
        return Decimal(0)

    # -- late answers -------------------------------------------------------------------------------------------

    def _overdue(self, call: _Call) -> None:
        """Ask again, and keep listening: what comes late was paid for all the same."""
        call.job.late += 1
        self._late_calls.add(call)
        error = RunnerTimeoutError(f"No complete answer within {self._settings.deadline_s:g} s.")
        call.recording = self._start(self._fail_overdue(call, error))

    async def _fail_overdue(self, call: _Call, error: FieldguideError) -> None:
        try:
            await self._failed(call, error)
        finally:
            self._fill()

    async def _late(self, call: _Call, answer: Completion | FieldguideError) -> None:
        """Commit an answer that came after its deadline: it counts if the attempt has no other yet."""
        job = call.job
        assert call.recording is not None
        await asyncio.wait({call.recording})
        try:
            if isinstance(answer, Completion):
                await self._keep_late(call, answer)
        finally:
            job.late -= 1
            self._late_calls.discard(call)
        if job.given_up and not job.answered and not job.late:
            self._count_failure(call, RunnerTimeoutError("No complete answer, not even a late one."))
        self._tally.tell()

    async def _keep_late(self, call: _Call, answer: Completion) -> None:
        cost_usd = None if self._price is None else self._price.cost_usd(answer.usage)
        accepted = await self._store.record_received(call.call_id, answer, cost_usd=cost_usd)
        self._budget.corrected(cost_usd, held_usd=call.held_usd)
        self._tally.spent_usd = self._budget.spent_usd
        self._answers_come()
        if accepted:
            self._accept(call, answer, cost_usd)

    # -- forecast -----------------------------------------------------------------------------------------------

    def _learn(self, call: _Call, completion: Completion | None, cost_usd: Decimal | None) -> None:
        if self._forecaster is None:
            return
        now_s = time.monotonic()
        self._forecaster.ended(call.job.planned.request, completion, seconds=now_s - call.began_s, cost_usd=cost_usd)
        if now_s - self._foreseen_s < _FORECAST_EVERY_S:
            return
        steady = self._queue.waiting == 0 and not self._circuit.open
        forecast = self._forecaster.forecast(
            elapsed_s=now_s - self._tally.began_s, in_flight=self._pace.limit if steady else None
        )
        if forecast is not None:
            self._foreseen_s = now_s
            if self._tally.forecast is None:
                self._store.keep_forecast(self._run.run_id, forecast.as_json())
            self._tally.forecast = forecast


def _withheld(error: ContentFilterError) -> Completion:
    return Completion(text="", finish_reason=FinishReason.CONTENT_FILTER, metadata={"withheld": error.message})


def _as_ours(error: Exception) -> FieldguideError:
    """Return the error itself, or, where a runner stumbled over something unforeseen, one that says so."""
    if isinstance(error, FieldguideError):
        return error
    unforeseen = ResponseFormatError(f"The answer could not be read ({type(error).__name__}: {error}).")
    unforeseen.__cause__ = error
    return unforeseen


def _may_concern_the_item(error: FieldguideError) -> bool:
    """Whether an endpoint that answers others may have refused this item for what is in it."""
    if isinstance(error, InvalidRequestError):
        return not error.of_endpoint
    return isinstance(error, AuthenticationError) and error.forbidden


def _of_this_item(error: FieldguideError) -> ResponseFormatError:
    """Return the error of a request that only this item makes malformed, since others were answered."""
    refused = _RefusedItemError(error.message, hint=error.hint)
    refused.__cause__ = error
    return refused


class _RefusedItemError(ResponseFormatError):
    """The provider takes other items of this exam and not this one."""

    retryable = False
