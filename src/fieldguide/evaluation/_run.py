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
from fieldguide.evaluation._plan import PlannedAttempt, plan
from fieldguide.evaluation._progress import Listener, Tally
from fieldguide.evaluation._retry import RetryPolicy
from fieldguide.runners import Runner
from fieldguide.store import Run, RunState, Store, StoredCall, StoredFailure, held

_DEFAULT_CONCURRENCY = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How to take an exam."""

    attempts: int = 1
    """Attempts per item (count, >= 1)."""
    fresh: bool = False
    """Ask everything anew, whatever was answered before."""
    concurrency: int | None = None
    """Most requests in flight; None takes what the runner is good for, or 8."""
    price: TokenPrice | None = None
    """Price of the model; None is unknown. A model on this machine costs 0."""
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    grace_s: float = 4.0
    """Time that requests in flight get after a stop (seconds)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What a run has brought so far."""

    run: Run
    exam: Exam
    scorer: ScorerIdentity
    scores: tuple[ItemScore, ...]
    """One per attempt that was answered or has failed, in the exam's order."""
    calls: dict[tuple[str, int], StoredCall]
    """Accepted answers by (item, attempt)."""
    failures: dict[tuple[str, int], StoredFailure]
    """The last error of each attempt that has failed, by (item, attempt)."""
    planned: int
    """Attempts that the run consists of."""
    reused: int
    """Answers that were there before this run began."""
    seconds: float
    """Time this call took (seconds); the run's `active_s` is the sum over all of them."""

    @property
    def missing(self) -> int:
        """Attempts neither answered nor failed: what an interrupted run still has to do."""
        return self.planned - len(self.scores)


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
        return await _Taking(exam, runner, scorer, store, options, budget, stop, environment, listener).result()


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
        self._hashes = [planned.request_hash for planned in self._plan]
        self._run = store.open_run(
            exam,
            runner.model,
            attempts=options.attempts,
            fresh=options.fresh,
            options={"concurrency": options.concurrency, "attempts": options.attempts},
            environment=environment,
        )
        self._only_generation = self._run.generation if options.fresh else None
        self._already = self._accepted()
        self._tally = Tally(
            model=runner.model.name,
            benchmark=exam.benchmark,
            total=len(self._plan),
            reused=len(self._already),
            listener=listener,
        )

    async def result(self) -> RunResult:
        began_s = time.monotonic()
        judge = Judge(self._store, self._exam, self._scorer, told=self._count)
        state, reason = RunState.INTERRUPTED, None
        try:
            self._judge_reused(judge)
            state = await self._engine(judge).send(
                [each for each in self._plan if self._key(each) not in self._already]
            )
        except FieldguideError as error:
            state, reason = RunState.FAILED, error.message
            raise
        finally:
            try:
                await asyncio.shield(asyncio.to_thread(judge.finish))
            finally:
                seconds = time.monotonic() - began_s
                self._store.end_run(self._run.run_id, state, reason=reason, active_s=seconds)
        self._tally.tell(at_once=True)
        return self._collect(seconds)

    def _engine(self, judge: Judge) -> Engine:
        concurrency = self._options.concurrency or self._runner.capabilities.max_concurrency or _DEFAULT_CONCURRENCY
        return Engine(
            run=self._run,
            runner=self._runner,
            store=self._store,
            judge=judge,
            tally=self._tally,
            budget=self._budget,
            price=self._options.price,
            settings=EngineSettings(concurrency=concurrency, retry=self._options.retry, grace_s=self._options.grace_s),
            stop=self._stop,
        )

    @staticmethod
    def _key(planned: PlannedAttempt) -> tuple[str, int]:
        return planned.item.item, planned.attempt

    def _accepted(self) -> dict[tuple[str, int], StoredCall]:
        calls = self._store.accepted_calls(self._run.model_key, self._hashes, generation=self._only_generation)
        return {
            self._key(each): calls[each.request_hash, each.attempt]
            for each in self._plan
            if (each.request_hash, each.attempt) in calls
        }

    def _judge_reused(self, judge: Judge) -> None:
        items = {each.item.item: each.item for each in self._plan}
        known = self._store.scores([call.call_id for call in self._already.values()])
        for (item, _), call in self._already.items():
            score = known.get((call.call_id, score_key(self._exam, items[item], self._scorer)))
            if score is None or score.outcome is Outcome.FAILED:
                judge.put(Judged(call_id=call.call_id, item=items[item], completion=call.completion))
            else:
                self._count(score)

    def _count(self, score: Score) -> None:
        if score.outcome is not Outcome.FAILED:
            self._tally.scored += 1
            self._tally.correct += score.outcome is Outcome.CORRECT
        self._tally.tell()

    def _collect(self, seconds: float) -> RunResult:
        calls = self._accepted()
        known = self._store.scores([call.call_id for call in calls.values()])
        failed = self._store.failures(self._run.model_key, self._hashes, generation=self._run.generation)
        scores: list[ItemScore] = []
        failures: dict[tuple[str, int], StoredFailure] = {}
        for each in self._plan:
            call = calls.get(self._key(each))
            failure = failed.get((each.request_hash, each.attempt))
            if call is not None:
                score = known[call.call_id, score_key(self._exam, each.item, self._scorer)]
            elif failure is not None:
                failures[self._key(each)] = failure
                score = Score(outcome=Outcome.FAILED, detail=failure.error_message)
            else:
                continue
            scores.append(ItemScore(item=each.item.item, attempt=each.attempt, score=score))
        return RunResult(
            run=self._store.run(self._run.run_id),
            exam=self._exam,
            scorer=self._scorer.identity,
            scores=tuple(scores),
            calls=calls,
            failures=failures,
            planned=len(self._plan),
            reused=len(self._already),
            seconds=seconds,
        )
