"""Every recorded exchange with a provider as our own: the request we would have sent, the answer as we read it."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fieldguide.domain import Completion, Latency
from fieldguide.errors import RunnerError
from fieldguide.http_client import LazySession
from fieldguide.runners import RunnerSettings
from tests.support.replay import (
    Exchange,
    Outcome,
    Replay,
    all_replays,
    asked,
    exchanges,
    replay,
    served,
)

CASES = [(how, name) for how in all_replays() for name in how.recordings]
LEAST_SHARE = 0.98
SAMPLE = 12


def _id(case: object) -> str:
    return case.provider if isinstance(case, Replay) else str(case)


@pytest.mark.parametrize(("how", "name"), CASES, ids=_id)
def test_recorded_exchanges_would_have_been_ours(how: Replay, name: str) -> None:
    """Request equal but for listed differences and valid by the schema, nothing of the response lost: 98 % at least."""
    outcomes = _outcomes(CASES.index((how, name)))
    tried = [outcome for outcome in outcomes if outcome.skipped is None]
    assert tried
    assert len(tried) > len(outcomes) / 2 or how.mostly_skipped, "most exchanges are skipped"
    failed = [outcome for outcome in tried if not outcome.passed]
    assert len(failed) <= len(tried) * (1 - LEAST_SHARE), "\n".join(map(_told, failed))


@cache
def _outcomes(case: int) -> list[Outcome]:
    how, name = CASES[case]
    return [replay(how, exchange) for exchange in exchanges(name)]


def _told(outcome: Outcome) -> str:
    return f"{outcome.exchange.id} ({outcome.exchange.source}): " + "; ".join(outcome.faults[:3])


def _sample(how: Replay, name: str) -> list[tuple[Exchange, Any]]:
    """Return some exchanges that pass, of as many kinds as there are."""
    by_kind: dict[tuple[str, ...], list[Exchange]] = {}
    for outcome in _outcomes(CASES.index((how, name))):
        if outcome.passed:
            exchange = outcome.exchange
            by_kind.setdefault((*exchange.features, str(exchange.status)), []).append(exchange)
    chosen = [group[0] for group in by_kind.values()][:SAMPLE]
    return [(exchange, how.read(exchange)) for exchange in chosen]


@pytest.mark.parametrize(("how", "name"), [case for case in CASES if case[0].open is not None], ids=_id)
async def test_a_runner_sends_and_reads_what_its_wire_does(how: Replay, name: str, tmp_path: Path) -> None:
    """Over a real connection the same body goes to the recorded path, and the same completion or error comes back."""
    session = LazySession()
    try:
        for exchange, request in _sample(how, name):
            async with served(exchange) as (url, heard):
                assert how.open is not None
                runner = await how.open(url, exchange, RunnerSettings(home=tmp_path, session=session))
                got = await _ended((how.ask or asked)(runner, request, how.streams(exchange)))
                await runner.close()
                assert got == await _ended(_parsed(how, exchange))
            path, _, body = heard[0]
            assert len(heard) == 1
            assert path == how.path(exchange)
            assert json.loads(body) == json.loads(json.dumps(how.write(request, exchange)))
    finally:
        await session.close()


async def _parsed(how: Replay, exchange: Exchange) -> Any:
    return how.parse(exchange)


async def _ended(answer: Awaitable[Any]) -> object:
    """Return what an answer says, but for its times, or the kind of error that it ended with."""
    try:
        whole = await answer
    except RunnerError as error:
        return type(error), error.message
    if not isinstance(whole, Completion):
        return replace(whole, latency=Latency())
    return whole.reply, whole.finish_reason, whole.usage, whole.response_id, whole.metadata
