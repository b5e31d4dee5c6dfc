"""Every client against every backend's recorded answers, through the gateway: nothing lost that a protocol can say.

That our values hold all that a provider's own library exposes is held by test_replay.py; here they are compared with
what the official libraries of OpenAI, Anthropic and Ollama expose once the answer has gone through the gateway.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fieldguide.app.references import OpenedModel
from fieldguide.domain import Completion, CompletionRequest, Message
from fieldguide.errors import FieldguideError
from fieldguide.http_client import LazySession
from fieldguide.runners import HttpRunner, RunnerSettings
from fieldguide.testing import FakeRunner
from tests.support.gateway import Lab, lab
from tests.support.replay import Exchange, Replay, SkippedError, all_replays, exchanges, served
from tests.support.round_trips import CLIENTS, QUESTION, RESULT, Clients, addresses_in, leaves_of, lost, told_to

CASES = [(how, name) for how in all_replays() if how.open is not None and how.ask is None for name in how.recordings]
SAMPLE = 3
_OF_THE_FORM = {"text", "input_text", "output_text"}
"""A text alone, and a list with one part of text, say the same."""
_SEALED_BY_OPENAI = "gAAAA"
"""The Responses API seals thoughts when they end and once more when the answer does: either goes back."""


def _id(case: object) -> str:
    return case.provider if isinstance(case, Replay) else str(case)


@cache
def _answers(case: int) -> list[tuple[Exchange, Completion]]:
    """Return exchanges that ended in an answer to a conversation, and the answers."""
    how, name = CASES[case]
    found = []
    for exchange in exchanges(name):
        if exchange.status != 200 or exchange.body is None:
            continue
        try:
            request = how.read(exchange)
            answer = how.parse(exchange)
        except (SkippedError, FieldguideError):
            continue
        if isinstance(answer, Completion) and isinstance(request, CompletionRequest) and request.messages:
            found.append((exchange, answer))
    return found


def _sample(case: int) -> list[tuple[Exchange, Completion]]:
    """Return some with as many unlike features as there are, and with as many unlike kinds of blocks."""
    by_kind: dict[tuple[Any, ...], tuple[Exchange, Completion]] = {}
    for exchange, answer in _answers(case):
        kinds = sorted({type(block).__name__ for block in answer.reply.blocks})
        by_kind.setdefault(
            (*kinds, answer.finish_reason, exchange.streamed, answer.logprobs is None), (exchange, answer)
        )
    return sorted(by_kind.values(), key=lambda each: -len(each[1].reply.blocks))[:SAMPLE]


def _told(protocol: str, answer: Completion, model: Any, stream: bool) -> dict[str, Any]:
    """Return what a client is to see."""
    spoken = {"chat": model.takes_chat_fields, "responses": model.takes_response_fields}
    speaks = spoken.get(protocol, model.provider == {"messages": "anthropic"}.get(protocol, protocol))
    told = told_to(protocol, answer, speaks=speaks)
    if protocol == "messages" and stream and "sources" in told and not _sourced(answer):
        del told["sources"]  # they come last, and Anthropic's streams tell them with the block that they are of
    return told


def _sourced(answer: Completion) -> bool:
    """Whether the sources of an answer are told with its blocks."""
    data = [each.fields for block in answer.reply.blocks for each in getattr(block, "provider_data", ())]
    return any(addresses_in(data))


class _Trip:
    """One backend behind a gateway."""

    def __init__(self, at: Lab, how: Replay, settings: RunnerSettings) -> None:
        self._at, self._how, self._settings = at, how, settings
        self.clients = Clients(at.address)

    async def faults(self, exchange: Exchange, answer: Completion) -> list[str]:
        """Return what clients do not see of an answer, and what comes back changed when they send it back."""
        assert self._how.open is not None
        found: list[str] = []
        async with served(exchange) as (url, heard):
            runner = await self._how.open(url, exchange, self._settings)
            if not runner.capabilities.chat or (exchange.streamed and not runner.capabilities.streaming):
                return []
            behind = OpenedModel(runner=runner, provider=self._how.provider, licence=None, took=None)
            models = self._at.gateway.models
            models._open["m"] = models.taken_in("m", behind)
            for protocol, ask in CLIENTS.items():
                stream = self._how.streams(exchange)
                try:
                    seen = await ask(self.clients, stream, [])
                except Exception as error:
                    found.append(f"{protocol}: {type(error).__name__}: {error}")
                    continue
                faults = lost(_told(protocol, answer, models._open["m"], stream), seen.view)
                if runner.capabilities.tools or not seen.view["calls"]:
                    heard.clear()
                    faults += await self._sent_back(protocol, stream, seen.turns, answer, runner, heard)
                found += [f"{protocol}: {fault}" for fault in faults]
        return found

    async def _sent_back(
        self, protocol: str, stream: bool, turns: list[dict[str, Any]], answer: Completion, runner: Any, heard: Any
    ) -> list[str]:
        """Send an answer back as the client holds it, and hold what the provider hears to what it had said."""
        try:
            await CLIENTS[protocol](self.clients, stream, [*turns, QUESTION])
        except Exception as error:
            return [f"sent back, {type(error).__name__}: {error}"]
        came = set(leaves_of(json.loads(heard[-1][2])))
        faults = []
        if answer.tool_calls and not any(RESULT in text for text in came):
            faults.append("sent back, the results of the calls are not in what the provider hears")
        if protocol == "ollama" or not isinstance(runner, HttpRunner):
            return faults
        question = Message(role="user", content="What now?")
        request = CompletionRequest(messages=(question, answer.reply, question))
        try:
            wanted = runner.wire.call(request, stream=stream).json
        except FieldguideError:
            return faults
        for text in {*leaves_of(json.loads(json.dumps(wanted)))} - came - _OF_THE_FORM:
            sealed_anew = stream and text.startswith(_SEALED_BY_OPENAI)
            if text and not sealed_anew and not any(text in each for each in came):  # or words that were joined
                faults.append(f"sent back, {text[:60]!r} is not in what the provider hears")
        return faults


@asynccontextmanager
async def _trip(how: Replay, folder: Path) -> AsyncIterator[_Trip]:
    session = LazySession()
    async with lab(folder, {"m": FakeRunner("x")}) as at:
        trip = _Trip(at, how, RunnerSettings(home=folder, session=session))
        yield trip
        await trip.clients.close()
    await session.close()


@pytest.mark.parametrize(("how", "name"), CASES, ids=_id)
async def test_answers_of_every_kind_reach_every_client(how: Replay, name: str, tmp_path: Path) -> None:
    """Some answers of each kind, whole and streamed: each client sees all of it, and can send it back."""
    await _hold(how, name, tmp_path, _sample(CASES.index((how, name))))


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("how", "name"), CASES, ids=_id)
async def test_every_recorded_answer_reaches_every_client(how: Replay, name: str, tmp_path: Path) -> None:
    """All that were ever recorded."""
    await _hold(how, name, tmp_path, _answers(CASES.index((how, name))))


async def _hold(how: Replay, name: str, folder: Path, answers: list[tuple[Exchange, Completion]]) -> None:
    failed = []
    async with _trip(how, folder) as trip:
        for exchange, answer in answers:
            failed += [f"{exchange.id} {fault}" for fault in await trip.faults(exchange, answer)]
    assert not failed, "\n".join([f"{len(failed)} faults of {len(answers)} answers", *failed[:40]])
