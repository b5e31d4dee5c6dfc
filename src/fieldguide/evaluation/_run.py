"""One exam taken by one model, from plan to scores."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

from fieldguide.benchmarks import AnswerScorer
from fieldguide.domain import Exam, ItemScore, JsonValue, Outcome, Score, ScorerIdentity, content_sha256
from fieldguide.errors import FieldguideError
from fieldguide.evaluation._budget import Budget, TokenPrice
from fieldguide.evaluation._engine import Engine, EngineSettings, Stop
from fieldguide.evaluation._judge import Judge, Judged, score_key
from fieldguide.evaluation._pace import Pace
from fieldguide.evaluation._plan import PlannedAttempt, plan
from fieldguide.evaluation._progress import Listener, Tally
from fieldguide.evaluation._retry import RetryPolicy
from fieldguide.runners import Runner
from fieldguide.store import PlannedCall, Run, RunState, Store, StoredAnswer, StoredCall, held

_MOST_CONCURRENCY = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How to take an exam."""

    attempts: int = 1
    """Attempts per item (count, >= 1)."""
    fresh: bool = False
    """Ask everything anew, whatever was answered before."""
    fresh_since: str | None = None
    """A fresh run that was begun at this moment (ISO 8601, UTC) or later goes on, even if it is finished."""
    concurrency: int | None = None
    """Most requests in flight; None takes what the runner is good for, or finds out, up to 64."""
    price: TokenPrice | None = None
    """Price of the model; None is unknown. A model on this machine costs 0."""
    spent_counted: bool = False
    """Whether the budget knows already what earlier sessions of this run have spent."""
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    grace_s: float = 4.0
    """Time that requests in flight get after a stop (seconds)."""
    deadline_s: float | None = None
    """Time after which a request is sent again while its own answer may still come; None leaves it to the runner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What a run has brought so far."""

    run: Run
    exam: Exam
    scorer: ScorerIdentity
    answers: tuple[StoredAnswer, ...]
    """Attempts that were answered or have failed, in the exam's order, each with its score."""
    planned: int
    """Attempts that the run consists of."""
    reused: int
    """Answers that were there before this run began."""
    seconds: float
    """Time this call took (seconds); the run's `active_s` is the sum over all of them."""

    @property
    def scores(self) -> tuple[ItemScore, ...]:
        """One per attempt that was answered or has failed."""
        return tuple(
            ItemScore(item=answer.item.item, attempt=answer.attempt, score=answer.score)
            for answer in self.answers
            if answer.score is not None
        )

    @property
    def calls(self) -> tuple[StoredCall, ...]:
        """The accepted answers."""
        return tuple(answer.call for answer in self.answers if answer.call is not None)

    @property
    def failures(self) -> tuple[str, ...]:
        """The last error of each attempt that has failed."""
        return tuple(
            answer.score.detail or "unknown" for answer in self.answers if answer.call is None and answer.score
        )

    @property
    def missing(self) -> int:
        """Attempts neither answered nor failed: what an interrupted run still has to do."""
        return self.planned - len(self.answers)


async def run_exam(
    exam: Exam,
    runner: Runner,
    scorer: AnswerScorer,
    store: Store,
    *,
    options: RunOptions,
    budget: Budget,
    locks: Path,
    stop: Stop,
    environment: dict[str, JsonValue],
    listener: Listener | None = None,
) -> RunResult:
    """Take `exam` with `runner`, reusing every committed answer, and return the scores.

    An answer is committed before it is judged, and judging runs beside generation. Stopping, a budget that is reached
    and a kill at any moment leave a run that goes on where it stopped.

    Args:
        exam: What is asked.
        runner: The model.
        scorer: Judges the answers.
        store: Keeps everything.
        options: How to take it.
        budget: Counts the money; may be shared by several runs.
        locks: Folder of lock files.
        stop: Asks the run to stop early.
        environment: Machine and versions, recorded with the run.
        listener: Told of progress, at most ten times a second.

    Raises:
        StoreError: Another process is at work on this model and benchmark, or the records cannot be written.
        FieldguideError: A fault that every further request would meet; the answers so far are kept.
    """
    model = runner.model
    lock = locks / f"{content_sha256([model.model_key, exam.benchmark, exam.protocol])[:32]}.lock"
    with held(lock, subject=f"{exam.benchmark} with {model.name}"):
        taking = await asyncio.to_thread(
            _Taking, exam, runner, scorer, store, options, budget, stop, environment, listener
        )
        return await taking.result()


class _Taking:
    def __init__(
        self,
        exam: Exam,
        runner: Runner,
        scorer: AnswerScorer,
        store: Store,
        options: RunOptions,
        budget: Budget,
        stop: Stop,
        environment: dict[str, JsonValue],
        listener: Listener | None,
    ) -> None:
        self._exam, self._runner, self._scorer, self._store = exam, runner, scorer, store
        self._options, self._budget, self._stop = options, budget, stop
        self._plan = plan(exam, runner, attempts=options.attempts)
        self._run = store.open_run(
            exam,
            runner.model,
            planned=[self._planned_call(each) for each in self._plan],
            attempts=options.attempts,
            fresh=options.fresh,
            fresh_since=options.fresh_since,
            options={
                "concurrency": options.concurrency,
                "attempts": options.attempts,
                "fresh": options.fresh,
                "price": None if options.price is None else options.price.as_json(),
            },
            environment=environment,
        )
        self._already = {
            (answer.item.item, answer.attempt): answer
            for answer in store.answers(self._run, items=exam.items)[0]
            if answer.call is not None
        }
        if not options.spent_counted:
            budget.spent_before(store.spent_usd([self._run.run_id])[0])
        self._tally = Tally(
            model=runner.model.name,
            benchmark=exam.benchmark,
            run_id=self._run.run_id,
            items=len({each.item.item for each in self._plan}),
            total=len(self._plan),
            reused=len(self._already),
            priced=options.price is not None,
            listener=listener,
        )

    def _planned_call(self, planned: PlannedAttempt) -> PlannedCall:
        return PlannedCall(
            item=planned.item.item,
            attempt=planned.attempt,
            request_hash=planned.request_hash,
            score_key=score_key(self._exam, planned.item, self._scorer),
        )

    async def result(self) -> RunResult:
        began_s = time.monotonic()
        judge = Judge(self._store, self._exam, self._scorer, told=self._count)
        state, reason = RunState.INTERRUPTED, None
        engine = self._engine(judge)
        try:
            self._judge_reused(judge)
            state = await engine.send([each for each in self._plan if self._key(each) not in self._already])
        except FieldguideError as error:
            state, reason = RunState.FAILED, error.message
            if engine.paused_by is not None:
                state, reason = RunState.PAUSED, f"{engine.paused_by}: {error.message}"
            raise
        finally:
            await asyncio.shield(asyncio.to_thread(self._end, judge, state, reason, began_s))
        self._tally.tell(at_once=True)
        return await asyncio.to_thread(self._collect, time.monotonic() - began_s)

    def _end(self, judge: Judge, state: RunState, reason: str | None, began_s: float) -> None:
        try:
            if not judge.finish(drop=self._stop.requested) and state is RunState.FINISHED:
                state = RunState.INTERRUPTED
        finally:
            seconds = time.monotonic() - began_s
            self._store.end_run(self._run.run_id, state, reason=reason, active_s=seconds)

    def _engine(self, judge: Judge) -> Engine:
        options = self._options
        return Engine(
            run=self._run,
            runner=self._runner,
            store=self._store,
            judge=judge,
            tally=self._tally,
            budget=self._budget,
            price=options.price,
            settings=EngineSettings(
                pace=self._pace(), retry=options.retry, grace_s=options.grace_s, deadline_s=options.deadline_s
            ),
            stop=self._stop,
            any_answer=bool(self._already),
        )

    def _pace(self) -> Pace:
        wanted, known = self._options.concurrency, self._runner.capabilities.max_concurrency
        return Pace(
            wanted or known or _MOST_CONCURRENCY, known=known is not None, eager=wanted is not None and known is None
        )

    @staticmethod
    def _key(planned: PlannedAttempt) -> tuple[str, int]:
        return planned.item.item, planned.attempt

    def _judge_reused(self, judge: Judge) -> None:
        for answer in self._already.values():
            if answer.call is None:
                continue
            if answer.score is None or answer.score.outcome is Outcome.FAILED:
                judge.put(Judged(call_id=answer.call.call_id, item=answer.item))
            else:
                self._count(answer.score)

    def _count(self, score: Score) -> None:
        self._tally.judged += 1
        self._tally.outcomes[score.outcome] += 1
        if score.outcome is not Outcome.FAILED:
            self._tally.scored += 1
            self._tally.correct += score.outcome is Outcome.CORRECT
        self._tally.tell()

    def _collect(self, seconds: float) -> RunResult:
        run = self._store.run(self._run.run_id)
        answers, planned = self._store.answers(run, items=self._exam.items)
        return RunResult(
            run=run,
            exam=self._exam,
            scorer=self._scorer.identity,
            answers=tuple(answers),
            planned=planned,
            reused=len(self._already),
            seconds=seconds,
        )
