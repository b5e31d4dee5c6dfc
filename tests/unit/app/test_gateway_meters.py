"""What a process sets aside of limits: nothing is lost, and nothing is kept that nobody needs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from fieldguide.app.gateway import ANYONE, Ask, Gateway, GatewayConfig, Open, flow, limits_from_json
from fieldguide.app.gateway._meters import Held, Meters, Want
from fieldguide.app.gateway._metrics import Metrics
from fieldguide.app.gateway._visit import begin
from fieldguide.app.wiring import open_house
from fieldguide.domain import CompletionRequest, Usage
from fieldguide.errors import KeyLimitError, ResponseFormatError
from fieldguide.store import MeterKey, UsageRow
from fieldguide.testing import FakeRunner

BUDGET = MeterKey("k", "usd", "")
ROW = UsageRow(at="2026-11-26T00:00:00", key_id="k", model="m", reference=None, endpoint="chat", outcome="answered")
ASK = Ask(identity=ANYONE, model="m", endpoint="chat", body_bytes=100)


@asynccontextmanager
async def _gateway(folder: Path) -> AsyncIterator[Gateway]:
    house = open_house({"home": str(folder)}, environment={})
    yield Gateway(house, GatewayConfig(), runners={"m": FakeRunner("y")})
    await house.close()


def _meters(gateway: Gateway, now: list[float]) -> Meters:
    return Meters(gateway._records, process="p", clock=lambda: now[0])


async def test_a_request_that_takes_nothing_holds_its_limit_all_the_same(tmp_path: Path) -> None:
    """A model that costs nothing, asked with a budget and answering for long: its end finds what it began with."""
    now = [1_800_000_000.0]
    async with _gateway(tmp_path) as gateway:
        meters = _meters(gateway, now)
        paid = await meters.take([Want(BUDGET, 1000, 10)])
        free = await meters.take([Want(BUDGET, 1000, 0)])
        assert isinstance(paid, Held)
        assert isinstance(free, Held)
        meters.settle(paid, lambda meter: 10, ROW)
        for _ in range(3):
            now[0] += 3.0
            await meters.commit()
        meters.settle(free, lambda meter: 0, ROW)
        await meters.close()
        assert gateway._records.used("k") == {("usd", ""): 10}


async def test_limits_of_minutes_that_are_over_are_forgotten(tmp_path: Path) -> None:
    """Used up or refused at once, a minute leaves nothing in memory."""
    now = [1_800_000_000.0]
    async with _gateway(tmp_path) as gateway:
        meters = _meters(gateway, now)
        for minute in range(20):
            meter = MeterKey("k", "requests", str(minute))
            held = await meters.take([Want(meter, 1, 1)])
            assert isinstance(held, Held)
            assert isinstance(await meters.take([Want(meter, 1, 1)]), Want)
            assert isinstance(await meters.take([Want(MeterKey("k", "tokens", str(minute)), 1, 2)]), Want)
            meters.settle(held, lambda meter: 1, ROW)
            await meters.commit()
            now[0] += 60.0
        await meters.commit()
        assert not meters._pools
        await meters.close()


async def test_no_tokens_a_minute_are_none(tmp_path: Path) -> None:
    """A limit of nothing lets nothing through."""
    async with _gateway(tmp_path) as gateway:
        model = await gateway.models.opened(gateway.models.config("m"))
        limits = limits_from_json({"tokens_per_minute": 0})
        ask = Ask(identity=replace(ANYONE, key_id="k", limits=limits), model="m", endpoint="chat", body_bytes=100)
        with pytest.raises(KeyLimitError):
            await begin(ask, model, Usage(input_tokens=9, output_tokens=9), gateway.meters, gateway.metrics, 1.8e9)


async def test_all_answers_that_are_made_are_set_aside(tmp_path: Path) -> None:
    """`best_of` is paid as `n` is."""
    async with _gateway(tmp_path) as gateway:
        request = CompletionRequest(prompt="x", max_output_tokens=10, extra={"p": {"n": 2, "best_of": 4}})
        assert gateway._bound(ASK, request) == Usage(input_tokens=100, output_tokens=40)


async def test_a_model_that_gives_nothing_has_failed(tmp_path: Path) -> None:
    """Speech without a sound is an error that a client can read."""

    async def nothing(model: Open, request: str) -> AsyncGenerator[bytes, None]:
        pieces: tuple[bytes, ...] = ()
        for piece in pieces:
            yield piece

    async with _gateway(tmp_path) as gateway:
        with pytest.raises(ResponseFormatError):
            await anext(flow(gateway, ASK, lambda model: "x", nothing))


def test_names_that_clients_make_up_do_not_fill_the_metrics() -> None:
    """Beyond a thousand models the rest is counted together."""
    metrics = Metrics()
    for number in range(3000):
        metrics.in_flight += 1
        metrics.ended(model=f"p:{number}", endpoint="chat", outcome="failed", usage=Usage(), seconds=0.1)
    text = metrics.text(loaded=0, pending=0)
    assert text.count("fieldguide_requests_total{") == 1001
    assert 'model="(further)",endpoint="chat",outcome="failed"} 2000' in text
