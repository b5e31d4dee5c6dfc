"""A conversation: rounds with tools, budgets, what is kept when it is stopped, and going on with another model."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from fieldguide.app.references import OpenedModel
from fieldguide.app.talk import Asking, Reply, Round, Talk
from fieldguide.app.talk_records import TalkRecords, find
from fieldguide.app.tools import Called, Toolbox
from fieldguide.app.wiring import House, open_house
from fieldguide.catalogue.prices import price_usage
from fieldguide.domain import (
    Completion,
    CompletionRequest,
    FinishReason,
    Image,
    Message,
    Reasoning,
    Text,
    ToolCall,
    Usage,
)
from fieldguide.errors import BudgetExceededError, RateLimitError, UnsupportedError, UsageError
from fieldguide.testing import FakeRunner
from fieldguide.testing._fake_runner import all_capabilities

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)


def wants(*calls: tuple[str, str]) -> Completion:
    """Return an answer that calls the calculator for each (call id, expression)."""
    blocks = tuple(ToolCall(name="calculator", call_id=each, arguments={"expression": text}) for each, text in calls)
    return Completion(
        text="",
        finish_reason=FinishReason.TOOL_CALL,
        usage=Usage(input_tokens=10, output_tokens=5),
        message=Message(role="assistant", content=blocks),
    )


def results_of(request: CompletionRequest) -> list[str]:
    last = (request.messages or ())[-1]
    return [str(block.content) for block in last.blocks] if last.role == "tool" else []  # type: ignore[union-attr]


@pytest.fixture
async def house(tmp_path: Path):  # type: ignore[no-untyped-def]
    made = open_house({"home": str(tmp_path / "home")}, environment={})
    yield made
    await made.close()


def talk_with(
    house: House, runner: FakeRunner, asking: Asking | None = None, *tools: str, provider: str = "fake"
) -> Talk:
    box = Toolbox()
    for tool in tools:
        box.add(tool)
    opened = OpenedModel(runner=runner, provider=provider, licence=None, took=None)
    talk = Talk(house, opened, asking or Asking(), box, TalkRecords(house.store.conversations, "chat", "fake:m"))
    if provider == "fake":
        talk.price()
    return talk


def user(text: str) -> Message:
    return Message(role="user", content=text)


async def test_tools_are_run_side_by_side_and_their_results_sent_back(house: House) -> None:
    """Each round is one request, told and recorded; the results stand in the order of the calls."""

    def answer(request: CompletionRequest) -> Completion | str:
        given = results_of(request)
        return f"so {given}" if given else wants(("a", "6*7"), ("b", "1/0"))

    runner = FakeRunner(answer, capabilities=all_capabilities())
    talk = talk_with(house, runner, None, "calculator")
    told: list[object] = []
    talk.told = told.append
    reply = await talk.say(user("What is 6*7?"))
    assert reply.last.text == "so ['42', 'The tool failed: division by zero']"
    assert [len(each.called) for each in reply.rounds] == [2, 0]
    assert len(runner.requests) == 2
    assert runner.requests[0].tools[0].name == "calculator"  # type: ignore[union-attr]
    assert sum(isinstance(event, Called) for event in told) == 2
    assert sum(isinstance(event, Round) for event in told) == 2
    turns = house.store.conversations.turns(find(house, None).conversation_id)
    assert [turn.message.role for turn in turns] == ["user", "assistant", "tool", "assistant"]
    assert [turn.answer is not None for turn in turns] == [False, True, False, True]
    assert [turn.message for turn in turns] == talk.messages


async def test_rounds_are_bounded(house: House) -> None:
    """A model that calls tools for ever is stopped, and the reply says so."""
    talk = talk_with(
        house, FakeRunner(wants(("a", "1")), capabilities=all_capabilities()), Asking(max_rounds=3), "calculator"
    )
    reply = await talk.say(user("go on"))
    assert (reply.ended, len(reply.rounds)) == ("max_rounds", 3)
    assert talk.messages[-1].role == "tool"


async def test_a_call_that_the_token_limit_cut_is_not_run(house: House) -> None:
    """Its arguments may be half of what was meant."""
    cut = replace(wants(("a", "1")), finish_reason=FinishReason.LENGTH)
    talk = talk_with(house, FakeRunner(cut, capabilities=all_capabilities()), None, "calculator")
    reply = await talk.say(user("go on"))
    assert (reply.ended, reply.rounds[0].called) == ("answered", ())


async def test_an_error_leaves_the_conversation_as_it_was(house: House) -> None:
    """The question is taken back, so that it can be asked again."""
    answers: list[str | RateLimitError] = ["fine", RateLimitError("slow down"), "again"]
    talk = talk_with(house, FakeRunner(lambda request: answers.pop(0)))
    await talk.say(user("one"))
    with pytest.raises(RateLimitError):
        await talk.say(user("two"))
    assert [message.text for message in talk.messages] == ["one", "fine"]
    await talk.say(user("three"))
    turns = house.store.conversations.turns(find(house, None).conversation_id)
    assert [(turn.message.text, turn.taken_back) for turn in turns] == [
        ("one", False), ("fine", False), ("two", True), ("three", False), ("again", False),
    ]  # fmt: skip


async def test_an_error_after_a_tool_was_run_leaves_the_conversation_as_it_was_too(house: House) -> None:
    """What was paid for stays counted, and its turns stay in the records as taken back."""
    answers: list[Completion | RateLimitError] = [wants(("a", "1+1")), RateLimitError("slow down")]
    runner = FakeRunner(lambda request: answers.pop(0), capabilities=all_capabilities())
    talk = talk_with(house, runner, None, "calculator")
    with pytest.raises(RateLimitError):
        await talk.say(user("one"))
    assert (talk.messages, len(talk.rounds)) == ([], 1)
    turns = house.store.conversations.turns(find(house, None).conversation_id)
    assert [turn.taken_back for turn in turns] == [True, True, True]


async def test_what_had_come_is_kept_when_a_person_stops_it(house: House) -> None:
    """Ctrl-C is a cancellation: the words so far are the answer, marked as stopped."""

    class Slow(FakeRunner):
        async def stream(self, request: CompletionRequest):  # type: ignore[no-untyped-def]
            from fieldguide.domain import TextDelta

            yield TextDelta(text="half an ")
            await asyncio.sleep(60)
            yield Completion(text="", finish_reason=FinishReason.STOP)

    talk = talk_with(house, Slow("x"))
    task = asyncio.create_task(talk.say(user("tell me")))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [message.text for message in talk.messages] == ["tell me", "half an "]
    answer = house.store.conversations.turns(find(house, None).conversation_id)[-1].answer
    assert answer is not None
    assert answer["stopped"] is True


async def test_taken_back_questions_leave_the_conversation_and_stay_in_the_records(house: House) -> None:
    """Undo twice, then nothing is left; a system message stays."""
    talk = talk_with(house, FakeRunner("ok"))
    talk.set_system("Be brief.")
    await talk.say(user("one"))
    await talk.say(user("two"))
    talk.set_system("Be long.")
    taken = talk.take_back()
    assert taken is not None
    assert taken.text == "two"
    assert [message.text for message in talk.messages] == ["Be long.", "one", "ok"]
    assert talk.take_back() is not None
    assert talk.take_back() is None
    resumed = TalkRecords(house.store.conversations, "chat", "x").resume(find(house, None))
    assert [message.text for message in resumed] == ["Be long."]


async def test_a_budget_is_never_exceeded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that might cost more than is left is not sent; an unknown price cannot keep a budget."""
    from fieldguide.app import talk as module
    from fieldguide.app.prices import price_of

    known = price_of(house.settings.home, "openai", "gpt-4o")
    assert known is not None
    monkeypatch.setattr(module, "known_price", lambda house, opened: known)
    runner = FakeRunner("ok " * 100)
    talk = talk_with(house, runner, Asking(max_output_tokens=100, budget_usd=Decimal("0.02")), provider="openai")
    talk.price()
    for _ in range(50):
        try:
            await talk.say(user("hello"))
        except BudgetExceededError:
            break
    spent = talk.spent_usd
    assert spent is not None
    assert 0 < spent <= Decimal("0.02")
    assert len(talk.rounds) == len(runner.requests) > 1
    assert spent == sum(
        (price_usage(known.rates, each.completion.usage) or Decimal(0) for each in talk.rounds), Decimal(0)
    )
    monkeypatch.setattr(module, "known_price", lambda house, opened: None)
    with pytest.raises(UsageError, match="price"):
        talk.price()
    talk.asking = replace(talk.asking, budget_usd=None)
    assert talk.price() is None
    assert (await talk.say(user("hello"))).cost_usd is None


async def test_a_model_that_cannot_see_is_told_before_anything_is_kept(house: House) -> None:
    """The picture is refused, nothing is sent and nothing recorded."""
    runner = FakeRunner("ok")
    talk = talk_with(house, runner)
    with pytest.raises(UnsupportedError, match="pictures"):
        await talk.say(Message(role="user", content=(Image(data=PNG), Text(text="what is it?"))))
    assert (runner.requests, talk.messages) == ([], [])


async def test_a_conversation_is_carried_and_comes_back_whole(house: House) -> None:
    """Pictures, tools and foreign reasoning stay behind for a model that takes none, and are there again afterwards."""
    seeing = FakeRunner(
        lambda request: "fine" if results_of(request) else wants(("a", "1+1")), capabilities=all_capabilities()
    )
    talk = talk_with(house, seeing, None, "calculator")
    await talk.say(Message(role="user", content=(Image(data=PNG), Text(text="count"))))
    talk.messages.append(
        Message(role="assistant", content=(Reasoning(text="hm", provider="elsewhere"), Text(text="well")))
    )
    first = talk.opened
    blind = FakeRunner("plain")
    talk.opened = OpenedModel(runner=blind, provider="fake", licence=None, took=None)
    talk.toolbox = Toolbox()
    assert talk.left_out() == ("reasoning of elsewhere (1)", "image (1)", "tool call (1)", "tool result (1)")
    await talk.say(user("and now?"))
    sent = blind.requests[0].messages or ()
    assert [message.text for message in sent] == ["count", "fine", "well", "and now?"]
    talk.opened = first
    await talk.say(user("back"))
    assert isinstance((seeing.requests[-1].messages or ())[0].blocks[0], Image)


def test_an_answer_of_several_rounds_costs_their_sum() -> None:
    """And is unknown where one of them is."""
    done = Completion(text="x", finish_reason=FinishReason.STOP)
    known = Round(completion=done, cost_usd=Decimal("0.1"))
    assert Reply(rounds=(known, known), ended="answered").cost_usd == Decimal("0.2")
    assert Reply(rounds=(known, replace(known, cost_usd=None)), ended="answered").cost_usd is None


@pytest.mark.parametrize("provider", ["openai-responses", "anthropic", "openai-compatible"])
async def test_a_models_own_reasoning_goes_back_to_it(house: House, provider: str) -> None:
    """Under the very name of its runner; another's stays behind."""
    opened = OpenedModel(
        runner=FakeRunner("x", capabilities=all_capabilities()), provider=provider, licence=None, took=None
    )
    talk = Talk(house, opened, Asking())
    own = Message(role="assistant", content=(Reasoning(encrypted="e", provider=provider), Text(text="a")))
    talk.messages = [user("q"), own]
    assert talk.left_out() == ()
    talk.messages = [user("q"), replace(own, content=(Reasoning(text="t", provider="other"), Text(text="a")))]
    assert talk.left_out() == ("reasoning of other (1)",)
