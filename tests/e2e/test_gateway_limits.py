"""Budgets, rate limits and records: held by every process, exact afterwards."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from fieldguide.app.gateway import (
    ANYONE,
    Ask,
    Gateway,
    GatewayConfig,
    KeyLimits,
    ModelConfig,
    create_key,
    revoke_key,
)
from fieldguide.app.gateway._meters import LEASE_S
from fieldguide.domain import Completion, FinishReason, Usage
from fieldguide.errors import RunnerUnavailableError
from fieldguide.runners import Runner
from fieldguide.server._site import Site
from fieldguide.testing import FakeRunner
from tests.support.gateway import Lab, house_in, lab, said

BODY = {"model": "m", "messages": [{"role": "user", "content": "x"}], "max_tokens": 100}
PRICED = ModelConfig(alias="m", reference="fake:m", price_in=Decimal(0), price_out=Decimal(100))
"""$0.0001 for each output token: a request above may cost $0.01."""


def answer(tokens: int) -> Completion:
    usage = Usage(input_tokens=3, output_tokens=tokens)
    return Completion(text="y", finish_reason=FinishReason.STOP, usage=usage)


def config(**models: ModelConfig) -> GatewayConfig:
    return GatewayConfig(models=models or {"m": PRICED}, drain_s=2.0)


async def post(at: Lab, key: str, body: dict[str, Any] = BODY) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{at.address}/v1/chat/completions", json=body, headers={"Authorization": f"Bearer {key}"}
        ) as reply,
    ):
        await reply.read()
        return reply.status


async def test_parallel_calls_never_exceed_a_budget(tmp_path: Path) -> None:
    """100 calls at once at a limit of $0.10, each of which costs $0.01: ten are answered, and no more is spent."""
    async with lab(tmp_path, {"m": FakeRunner(answer(100), delay_s=0.01)}, config=config()) as at:
        made = at.key(budget_usd=Decimal("0.10"))
        statuses = await asyncio.gather(*(post(at, made.key) for _ in range(100)))
        assert sorted(set(statuses)) == [200, 429]
        assert statuses.count(200) == 10
        await at.gateway.meters.commit()
        spent = at.house.gateway_records.used(made.row.key_id)
        assert spent["usd", ""] == 100_000_000  # nano-dollars


async def test_what_is_not_spent_comes_back(tmp_path: Path) -> None:
    """Answers that cost less than was set aside leave the rest to later ones."""
    async with lab(tmp_path, {"m": FakeRunner(answer(10))}, config=config()) as at:
        made = at.key(budget_usd=Decimal("0.02"))
        statuses = [await post(at, made.key) for _ in range(12)]
        assert statuses == [200] * 11 + [429]  # after $0.011 less is left than a request may cost


async def test_two_processes_share_a_limit(tmp_path: Path) -> None:
    """Two gateways over the same records together answer what one would."""
    house = house_in(tmp_path)
    gateways = [Gateway(house, config(), runners={"m": FakeRunner(answer(100))}) for _ in range(2)]
    for gateway in gateways:
        await gateway.start()

    made = create_key(house, "k", role="user", limits=KeyLimits(budget_usd=Decimal("0.20")), expires_at=None)
    sites = [Site(gateway) for gateway in gateways]
    headers = {"authorization": f"Bearer {made.key}"}
    path = "/v1/chat/completions"
    got = await asyncio.gather(*(said(sites[n % 2], path, BODY, headers=headers) for n in range(60)))
    answered = [each.status for each in got].count(200)
    assert 15 <= answered <= 20  # what one has set aside and does not use, the other cannot have at that moment
    for gateway in gateways:
        await gateway.close()
    assert house.gateway_records.used(made.row.key_id)["usd", ""] == answered * 10_000_000
    await house.close()


async def test_what_a_killed_process_had_set_aside_counts_as_used(tmp_path: Path) -> None:
    """A lease that nobody renews ends after a minute and joins what is used: the budget is neither held up nor lost."""
    house, now = house_in(tmp_path), [1_800_000_000.0]
    killed = Gateway(house, config(), runners={"m": FakeRunner(answer(100), delay_s=60)}, clock=lambda: now[0])

    made = create_key(house, "k", role="user", limits=KeyLimits(budget_usd=Decimal("0.05")), expires_at=None)
    headers = {"authorization": f"Bearer {made.key}"}
    hanging = asyncio.ensure_future(said(Site(killed), "/v1/chat/completions", BODY, headers=headers))
    await asyncio.sleep(0.3)
    before = house.gateway_records.used(made.row.key_id)["usd", ""]
    assert before >= 10_000_000
    now[0] += LEASE_S + 1
    after = Gateway(house, config(), runners={"m": FakeRunner(answer(100))}, clock=lambda: now[0])
    await after.start()
    statuses = [(await said(Site(after), "/v1/chat/completions", BODY, headers=headers)).status for _ in range(6)]
    assert 0 < statuses.count(200) <= 4
    await after.close()
    assert house.gateway_records.used(made.row.key_id)["usd", ""] <= 50_000_000
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)
    await house.close()


async def test_requests_and_tokens_a_minute(tmp_path: Path) -> None:
    """The limit of a minute answers 429 with the seconds until the next."""
    async with lab(tmp_path, {"m": FakeRunner(answer(5))}, config=config()) as at:
        at.gateway.clock = lambda: 1_800_000_000.0
        few = at.key("few", requests_per_minute=3)
        assert [await post(at, few.key) for _ in range(4)] == [200, 200, 200, 429]
        small = at.key("small", tokens_per_minute=10)
        assert await post(at, small.key) == 200  # a fresh minute lets the first one through
        assert await post(at, small.key) == 429


async def test_only_models_and_keys_that_are_allowed(tmp_path: Path) -> None:
    """A model outside the list looks like one that is not there; a revoked key is none within a second."""
    runners: dict[str, Runner] = {"m": FakeRunner(answer(5)), "other": FakeRunner(answer(5))}
    async with lab(tmp_path, runners, config=config()) as at:
        made = at.key(models=("m",))
        assert await post(at, made.key) == 200
        assert await post(at, made.key, {**BODY, "model": "other"}) == 404
        revoke_key(at.house, made.row.key_id)
        await asyncio.sleep(1.1)
        assert await post(at, made.key) == 401


async def test_a_budget_wants_a_price(tmp_path: Path) -> None:
    """A model without a known price is refused to a key with a budget, with the way out in words."""
    async with lab(tmp_path, {"m": FakeRunner(answer(5))}) as at:
        made = at.key(budget_usd=Decimal(1))
        assert await post(at, made.key) == 429


async def test_retries_and_fallbacks_by_policy(tmp_path: Path) -> None:
    """A fault that may pass is tried again, then the next model answers; usage tells both."""
    down = FakeRunner(RunnerUnavailableError("down", unreached=True))
    models = {
        "m": ModelConfig(alias="m", reference="fake:m", retries=1, fallbacks=("spare",)),
        "spare": ModelConfig(alias="spare", reference="fake:spare"),
    }
    spare = FakeRunner("from the spare")
    async with lab(tmp_path, {"m": down, "spare": spare}, config=config(**models)) as at:
        made = at.key()
        assert await post(at, made.key) == 200
        assert await post(at, made.key, {**BODY, "stream": True}) == 200
        await at.gateway.meters.commit()
        sums = at.house.gateway_records.usage_sums(since=None, key_id=None, by=["model"])
        assert {row["model"]: (row["answered"], row["failed"]) for row in sums} == {"m": (0, 2), "spare": (2, 0)}
    assert len(down.requests) == 4


async def test_a_client_that_goes_away_cancels_the_upstream(tmp_path: Path) -> None:
    """100 clients hang up in mid-answer: every upstream call is cancelled at once, and recorded as abandoned."""
    slow = FakeRunner(answer(5), delay_s=60)
    async with lab(tmp_path, {"m": slow}, config=config()) as at:
        made = at.key()
        tasks = [asyncio.ensure_future(post(at, made.key)) for _ in range(100)]
        async with asyncio.timeout(20):
            while slow.most_in_flight < 100:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        for task in tasks:
            task.cancel()
        async with asyncio.timeout(5):
            while slow._in_flight:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await asyncio.gather(*tasks, return_exceptions=True)
        assert at.gateway.metrics.in_flight == 0
        await at.gateway.meters.commit()
        [row] = at.house.gateway_records.usage_sums(since=None, key_id=made.row.key_id, by=["model"])
        assert row["abandoned"] == 100


async def test_usage_is_complete_after_a_clean_stop(tmp_path: Path) -> None:
    """Every answer has its row once the gateway has stopped, and nothing stays set aside."""
    async with lab(tmp_path, {"m": FakeRunner(answer(7))}, config=config()) as at:
        made = at.key(budget_usd=Decimal(5), requests_per_minute=10_000)
        assert set(await asyncio.gather(*(post(at, made.key) for _ in range(40)))) == {200}
    house = house_in(tmp_path)
    [row] = house.gateway_records.usage_sums(since=None, key_id=made.row.key_id, by=["key_id"])
    assert (row["requests"], row["answered"], row["output_tokens"]) == (40, 40, 280)
    assert row["nano_usd"] == 40 * 700_000
    assert house.gateway_records.used(made.row.key_id)["usd", ""] == 40 * 700_000
    await house.close()


@pytest.mark.parametrize(
    "bad", [{"budget_usd": Decimal(0)}, {"daily_usd": Decimal(0)}, {"model_usd": {"m": Decimal(0)}}]
)
async def test_every_kind_of_budget_holds(bad: dict[str, Any], tmp_path: Path) -> None:
    """For all time, for the day, for one model: nothing left is nothing answered."""
    async with lab(tmp_path, {"m": FakeRunner(answer(5))}, config=config()) as at:
        assert await post(at, at.key(**bad).key) == 429


async def test_models_that_run_here_are_opened_on_demand_and_put_away(tmp_path: Path) -> None:
    """Nothing is open before the first request, and nothing after five minutes without one."""
    answers = tmp_path / "answers.jsonl"
    answers.write_text('{"item": "a", "attempt": 0, "completion": "y"}\n', encoding="utf-8")
    now = [1_800_000_000.0]
    house = house_in(tmp_path)
    models = {"r": ModelConfig(alias="r", reference=f"recorded:{answers}")}
    gateway = Gateway(house, config(**models), clock=lambda: now[0])
    assert gateway.models.loaded == []
    await gateway.open(Ask(identity=ANYONE, model="r", endpoint="chat", body_bytes=1))
    assert gateway.models.loaded == ["r"]
    now[0] += 299
    await gateway.models.put_away_idle()
    assert gateway.models.loaded == ["r"]
    now[0] += 2
    await gateway.models.put_away_idle()
    assert gateway.models.loaded == []
    await gateway.close()
    await house.close()
