"""The run engine: every answer once, every fault told apart, nothing lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from fieldguide.domain import Completion, CompletionRequest, Exam, FinishReason, Outcome, Usage
from fieldguide.errors import (
    AuthenticationError,
    ContentFilterError,
    ContextLengthExceededError,
    FieldguideError,
    InvalidRequestError,
    QuotaExhaustedError,
    ResponseFormatError,
    RunnerUnavailableError,
    UnsupportedError,
)
from fieldguide.evaluation import Budget, Progress, RetryPolicy, RunOptions, RunResult, Stop, TokenPrice, run_exam
from fieldguide.store import RunState, Store
from fieldguide.testing import FakeRunner
from tests.support.exams import SumsScorer, right_answer, sums

NO_WAIT = RetryPolicy(
    tries=3, first_wait_s=0, longest_wait_s=0, longest_probe_wait_s=0, patience_s=0.3, first_patience_s=0.1
)
DOLLAR_PER_TOKEN = TokenPrice(input_usd_per_mtok=Decimal(0), output_usd_per_mtok=Decimal(1_000_000))


class Lab:
    """A store and everything else that a run needs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store(folder / "records.sqlite")

    async def take(
        self,
        runner: FakeRunner,
        exam: Exam | None = None,
        *,
        scorer: SumsScorer | None = None,
        budget: Budget | None = None,
        stop: Stop | None = None,
        listener: Callable[[Progress], None] | None = None,
        attempts: int = 1,
        fresh: bool = False,
        concurrency: int | None = 4,
        price: TokenPrice | None = None,
        grace_s: float = 4.0,
    ) -> RunResult:
        return await run_exam(
            exam or sums(),
            runner,
            scorer or SumsScorer(),
            self.store,
            options=RunOptions(
                attempts=attempts, fresh=fresh, concurrency=concurrency, price=price, retry=NO_WAIT, grace_s=grace_s
            ),
            budget=budget or Budget(None),
            locks=self.folder / "locks",
            stop=stop or Stop(),
            environment={},
            listener=listener,
        )


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path)
    yield made
    made.store.close()


def answers_right(request: CompletionRequest) -> str:
    return right_answer(request.prompt or "")


def outcomes(result: RunResult) -> list[Outcome]:
    return [score.score.outcome for score in result.scores]


async def test_every_item_is_asked_once_and_scored(lab: Lab) -> None:
    """A run asks each item, in the exam's order of items, and judges each answer."""
    runner = FakeRunner(answers_right)
    result = await lab.take(runner)
    assert [score.item for score in result.scores] == [item.item for item in sums().items]
    assert outcomes(result) == [Outcome.CORRECT] * 10
    assert len(runner.requests) == 10
    assert result.run.state is RunState.FINISHED
    assert (result.planned, result.missing, result.reused) == (10, 0, 0)


async def test_running_again_asks_nothing(lab: Lab) -> None:
    """A finished run is reused whole; a longer exam asks only what is new; `fresh` asks everything."""
    runner = FakeRunner(answers_right)
    await lab.take(runner, sums(10))
    again = await lab.take(runner, sums(10))
    assert (again.reused, len(runner.requests)) == (10, 10)
    longer = await lab.take(runner, sums(15))
    assert (longer.reused, len(runner.requests)) == (10, 15)
    fresh = await lab.take(runner, sums(15), fresh=True)
    assert (fresh.reused, len(runner.requests)) == (0, 30)
    assert outcomes(fresh) == [Outcome.CORRECT] * 15


async def test_reused_answers_are_not_judged_again_unless_judging_had_failed(lab: Lab) -> None:
    """A stored score is reused; one that the scorer's death left open is made anew from the stored answer."""
    runner = FakeRunner(answers_right)
    first = await lab.take(runner, scorer=SumsScorer(broken="sums/3"))
    assert outcomes(first)[3] is Outcome.FAILED
    scorer = SumsScorer()
    second = await lab.take(runner, scorer=scorer)
    assert scorer.judged == ["sums/3"]
    assert outcomes(second) == [Outcome.CORRECT] * 10
    assert len(runner.requests) == 10


async def test_items_that_ask_the_same_share_one_answer(lab: Lab) -> None:
    """Two items with the same words are one request, judged for each by its own target."""
    from dataclasses import replace

    exam = sums(3)
    twin = replace(exam.items[1], item="sums/twin", target="something else")
    runner = FakeRunner(answers_right)
    result = await lab.take(runner, replace(exam, items=(*exam.items, twin)))
    assert len(runner.requests) == 3
    assert outcomes(result) == [Outcome.CORRECT] * 3 + [Outcome.WRONG]
    assert (result.missing, result.planned) == (0, 4)


async def test_concurrency_is_bounded(lab: Lab) -> None:
    """Never more requests are in flight than was asked for."""
    runner = FakeRunner(answers_right, delay_s=0.005)
    await lab.take(runner, sums(20), concurrency=3)
    assert runner.most_in_flight == 3


async def test_the_runner_says_how_much_is_worth_having_in_flight(lab: Lab) -> None:
    """Without a wish of the user's the runner's own bound holds."""
    runner = FakeRunner(answers_right, delay_s=0.005, max_concurrency=2)
    await lab.take(runner, sums(10), concurrency=None)
    assert runner.most_in_flight == 2


async def test_a_passing_fault_is_asked_again(lab: Lab) -> None:
    """A retryable error costs another request and no item."""
    failed: set[str] = set()

    def answer(request: CompletionRequest) -> str | FieldguideError:
        if request.item not in failed:
            failed.add(request.item or "")
            return RunnerUnavailableError("broke off")
        return answers_right(request)

    runner = FakeRunner(answer)
    result = await lab.take(runner)
    assert outcomes(result) == [Outcome.CORRECT] * 10
    assert len(runner.requests) == 20


async def test_a_fault_that_stays_is_failed_and_never_wrong(lab: Lab) -> None:
    """After the last try the attempt is failed with its reason, and the next run asks it again."""
    broken = True

    def answer(request: CompletionRequest) -> str | FieldguideError:
        if broken and request.item == "sums/2":
            return ResponseFormatError("no choice")
        return answers_right(request)

    runner = FakeRunner(answer)
    result = await lab.take(runner)
    assert outcomes(result)[2] is Outcome.FAILED
    assert result.failures == ("no choice",)
    assert len(runner.requests) == 9 + NO_WAIT.tries
    broken = False
    assert outcomes(await lab.take(runner)) == [Outcome.CORRECT] * 10


async def test_an_item_too_long_for_the_context_fails_alone(lab: Lab) -> None:
    """An error of one item that asking again cannot mend is not repeated and stops nothing."""

    def answer(request: CompletionRequest) -> str | FieldguideError:
        return ContextLengthExceededError("too long") if request.item == "sums/0" else answers_right(request)

    runner = FakeRunner(answer)
    result = await lab.take(runner)
    assert outcomes(result) == [Outcome.FAILED] + [Outcome.CORRECT] * 9
    assert len(runner.requests) == 10


async def test_a_withheld_answer_is_refused(lab: Lab) -> None:
    """A content filter is the model's doing: an answer that was refused, not a fault."""
    result = await lab.take(FakeRunner(ContentFilterError("no")), sums(2))
    assert outcomes(result) == [Outcome.REFUSED] * 2


@pytest.mark.parametrize(
    "error", [AuthenticationError("bad key"), QuotaExhaustedError("no credit"), InvalidRequestError("?")]
)
async def test_a_fault_of_every_request_stops_the_run_at_once(lab: Lab, error: FieldguideError) -> None:
    """What every request would meet is raised after the requests in flight, and the run says why it stopped."""
    runner = FakeRunner(error)
    with pytest.raises(type(error)):
        await lab.take(runner, sums(50))
    assert len(runner.requests) <= 2
    quota = isinstance(error, QuotaExhaustedError)
    assert lab.store.runs()[0].state is (RunState.PAUSED if quota else RunState.FAILED)
    assert lab.store.runs()[0].reason == ("quota: no credit" if quota else error.message)


async def test_an_invalid_request_after_good_ones_concerns_its_item_alone(lab: Lab) -> None:
    """If others were answered, the endpoint is right and the item is at fault."""

    def answer(request: CompletionRequest) -> str | FieldguideError:
        return InvalidRequestError("bad characters") if request.item == "sums/7" else answers_right(request)

    result = await lab.take(FakeRunner(answer), concurrency=1)
    assert outcomes(result)[7] is Outcome.FAILED
    assert outcomes(result).count(Outcome.CORRECT) == 9


async def test_an_item_refused_before_is_refused_again_without_stopping_the_run(lab: Lab) -> None:
    """Running again asks only the refused item; that others were answered is remembered."""

    def answer(request: CompletionRequest) -> str | FieldguideError:
        return InvalidRequestError("bad characters") if request.item == "sums/7" else answers_right(request)

    await lab.take(FakeRunner(answer), concurrency=1)
    again = await lab.take(FakeRunner(answer), concurrency=1)
    assert outcomes(again)[7] is Outcome.FAILED
    assert again.run.state is RunState.FINISHED


async def test_a_runner_that_stumbles_costs_one_attempt_and_not_the_run(lab: Lab) -> None:
    """An error that nobody foresaw is a failed attempt with its words."""

    def answer(request: CompletionRequest) -> str:
        if request.item == "sums/3":
            raise AttributeError("no such thing")
        return answers_right(request)

    result = await lab.take(FakeRunner(answer))
    assert outcomes(result)[3] is Outcome.FAILED
    assert "no such thing" in result.failures[0]
    assert outcomes(result).count(Outcome.CORRECT) == 9


async def test_a_fresh_run_that_was_stopped_goes_on_and_stays_fresh(lab: Lab) -> None:
    """Neither the same command nor one without `fresh` buys its answers again or mixes older ones in."""
    await lab.take(FakeRunner(answers_right))
    for again in (True, False):
        stop = Stop()

        def answer(request: CompletionRequest, stop: Stop = stop) -> str:
            if request.item == "sums/4":
                stop.request()
            return answers_right(request)

        stopped = await lab.take(FakeRunner(answer), fresh=True, stop=stop, concurrency=1)
        runner = FakeRunner(answers_right)
        rest = await lab.take(runner, fresh=again)
        assert rest.run.run_id == stopped.run.run_id
        assert len(runner.requests) == 10 - len(stopped.scores)
        assert {call.run_id for call in rest.calls} == {rest.run.run_id}


async def test_the_budget_holds_over_interruptions(lab: Lab) -> None:
    """What a run has spent counts when the same run is taken up again."""
    answer = Completion(text="1", finish_reason=FinishReason.STOP, usage=Usage(input_tokens=0, output_tokens=1))
    runner = FakeRunner(answer)
    for limit, asked in ((3, 3), (3, 3), (5, 5)):
        await lab.take(runner, sums(20), budget=Budget(Decimal(limit)), price=DOLLAR_PER_TOKEN, concurrency=4)
        assert len(runner.requests) == asked


async def test_a_dead_endpoint_ends_the_run_before_every_item_is_burnt(lab: Lab) -> None:
    """An address where nothing ever answered ends the run soon, with the reason."""
    runner = FakeRunner(RunnerUnavailableError("connection refused", unreached=True))
    with pytest.raises(RunnerUnavailableError, match="connection refused"):
        await lab.take(runner, sums(500), concurrency=2)
    assert lab.store.runs()[0].state is RunState.FAILED


async def test_a_stop_keeps_what_arrives_and_the_next_run_goes_on(lab: Lab) -> None:
    """Requests in flight are committed, nothing new is sent, and only the rest is asked later."""
    stop = Stop()

    def answer(request: CompletionRequest) -> str:
        if request.item == "sums/5":
            stop.request()
        return answers_right(request)

    runner = FakeRunner(answer, delay_s=0.01)
    result = await lab.take(runner, sums(30), stop=stop, concurrency=2)
    assert result.run.state is RunState.INTERRUPTED
    asked = len(runner.requests)
    assert asked == len(result.scores) < 30
    assert result.missing == 30 - asked
    rest = await lab.take(runner, sums(30))
    assert len(runner.requests) == 30
    assert outcomes(rest) == [Outcome.CORRECT] * 30


async def test_a_stop_does_not_wait_for_ever(lab: Lab) -> None:
    """A request that does not arrive within the grace time is given up and asked again by the next run."""
    stop = Stop()
    runner = FakeRunner(answers_right, delay_s=60)
    asyncio.get_running_loop().call_later(0.05, stop.request)
    result = await asyncio.wait_for(lab.take(runner, sums(3), stop=stop, grace_s=0.05), 5)
    assert (result.run.state, len(result.scores)) == (RunState.INTERRUPTED, 0)


async def test_a_cancelled_run_is_marked_and_keeps_its_answers(lab: Lab) -> None:
    """Cancelling, as a second Ctrl-C does, leaves committed answers and an interrupted run."""
    runner = FakeRunner(lambda request: answers_right(request), delay_s=0.01)
    task = asyncio.create_task(lab.take(runner, sums(200), concurrency=1))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    run = lab.store.runs()[0]
    kept = len(lab.store.answers(run)[0])
    assert run.state is RunState.INTERRUPTED
    assert 0 < kept < 200
    rest = await lab.take(FakeRunner(answers_right), sums(200))
    assert rest.reused == kept


async def test_the_budget_stops_before_it_is_exceeded(lab: Lab) -> None:
    """At one dollar an answer and five dollars, five are asked; the rest waits for more money."""
    answer = Completion(text="1", finish_reason=FinishReason.STOP, usage=Usage(input_tokens=0, output_tokens=1))
    runner = FakeRunner(answer)
    result = await lab.take(runner, sums(20), budget=Budget(Decimal(5)), price=DOLLAR_PER_TOKEN, concurrency=4)
    assert result.run.state is RunState.BUDGET
    assert len(runner.requests) == 5
    assert lab.store.spent_usd([result.run.run_id])[0] == Decimal(5)


async def test_a_budget_of_nothing_asks_nothing(lab: Lab) -> None:
    """Zero dollars buy no answer, but a free model is not stopped by it."""
    runner = FakeRunner(answers_right)
    result = await lab.take(runner, budget=Budget(Decimal(0)), price=DOLLAR_PER_TOKEN)
    assert (result.run.state, runner.requests) == (RunState.BUDGET, [])
    free = TokenPrice(input_usd_per_mtok=Decimal(0), output_usd_per_mtok=Decimal(0))
    assert (await lab.take(runner, budget=Budget(Decimal(0)), price=free)).run.state is RunState.FINISHED


async def test_several_attempts_are_separate_requests_with_their_own_seeds(lab: Lab) -> None:
    """k attempts ask every item k times; random sampling gets the attempt's number as seed."""
    runner = FakeRunner(answers_right)
    result = await lab.take(runner, sums(4, temperature=0.7), attempts=3)
    assert sorted((request.item, request.seed) for request in runner.requests) == [
        (f"sums/{item}", seed) for item in range(4) for seed in range(3)
    ]
    assert {(score.item, score.attempt) for score in result.scores} == {
        (f"sums/{item}", attempt) for item in range(4) for attempt in range(3)
    }


async def test_a_chat_only_model_gets_text_items_as_one_user_message(lab: Lab) -> None:
    """The text goes verbatim; stop texts, which belong to text that runs on, do not go along."""
    runner = FakeRunner(lambda request: right_answer((request.messages or ())[0].text), text=False)
    result = await lab.take(runner, sums(3))
    assert outcomes(result) == [Outcome.CORRECT] * 3
    request = runner.requests[0]
    assert request.messages is not None
    assert [(message.role, message.content) for message in request.messages] == [("user", "0 + 0 =")]
    assert request.stop == ()


async def test_progress_counts_to_the_end(lab: Lab) -> None:
    """The last thing told is the whole run, with its accuracy."""
    told: list[Progress] = []
    await lab.take(FakeRunner(answers_right), listener=told.append)
    last = told[-1]
    assert (last.answered, last.total, last.scored, last.correct) == (10, 10, 10, 10)
    assert last.accuracy == 1.0
    assert last.left_s == 0.0


async def test_an_exam_of_conversations_is_refused_by_a_text_only_model(lab: Lab) -> None:
    """What a runner cannot be asked is an error before anything is sent."""
    from dataclasses import replace

    from fieldguide.domain import ExamItem, Message

    item = ExamItem(item="c/0", messages=(Message(role="user", content="0 + 0 ="),), target="0")
    runner = FakeRunner(chat=False)
    with pytest.raises(UnsupportedError):
        await lab.take(runner, replace(sums(1), items=(item,)))
    assert runner.requests == []
