"""The limits of a key hold around models that are asked in this process, for pages and for long work."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fieldguide.app.gateway import Gateway, GatewayConfig, KeyLimits, create_key, revoke_key
from fieldguide.app.key_limits import limits_of
from fieldguide.app.references import OpenedModel
from fieldguide.app.wiring import House, open_house
from fieldguide.domain import Completion, CompletionRequest, Message
from fieldguide.errors import InvalidKeyError, KeyLimitError, QuotaExhaustedError, RateLimitError, UnknownModelError
from fieldguide.testing import FakeRunner

REQUEST = CompletionRequest(messages=(Message(role="user", content="hi"),), max_output_tokens=5)


def _house(home: Path) -> House:
    return open_house({"home": str(home)}, environment={})


def _key(house: House, **limits: Any) -> str:
    return create_key(house, "k", role="user", limits=KeyLimits(**limits), expires_at=None).row.key_id


def _opened(provider: str = "openai-compatible") -> OpenedModel:
    return OpenedModel(runner=FakeRunner(lambda request: "hello"), provider=provider, licence=None, took=None)


async def test_work_under_a_key_waits_for_its_minute_and_ends_with_its_budget(tmp_path: Path) -> None:
    """Told as a provider tells its own limits, which an evaluation understands."""
    house = _house(tmp_path)
    async with limits_of(house, _key(house, requests_per_minute=1)) as limited:
        runner = limited("fake:one", _opened()).runner
        assert (await runner.complete(REQUEST)).text == "hello"
        with pytest.raises(RateLimitError) as told:
            await runner.complete(REQUEST)
        assert told.value.retry_after_s is not None
    async with limits_of(house, _key(house, budget_usd=Decimal(1))) as limited:
        with pytest.raises(QuotaExhaustedError, match="budget"):
            await limited("fake:one", _opened()).runner.complete(REQUEST)
    await house.close()


async def test_what_was_asked_under_a_key_is_accounted_for(tmp_path: Path) -> None:
    """Beside what was asked at the gateway."""
    house = _house(tmp_path)
    key = _key(house)
    async with limits_of(house, key) as limited:
        pieces = [piece async for piece in limited("fake:one", _opened()).runner.stream(REQUEST)]
        assert isinstance(pieces[-1], Completion)
    rows = house.gateway_records.usage_sums(since=None, key_id=key, by=("key_id", "model"))
    assert [(row["key_id"], row["model"], row["answered"]) for row in rows] == [(key, "fake:one", 1)]
    await house.close()


async def test_a_key_that_ended_or_may_not_ask_begins_nothing(tmp_path: Path) -> None:
    """Revoked meanwhile, never made, or without this model on its list; whoever has the machine has no limits."""
    house = _house(tmp_path)
    revoked = _key(house)
    revoke_key(house, revoked)
    for key in (revoked, "nothing"):
        with pytest.raises(InvalidKeyError):
            async with limits_of(house, key):
                pass
    async with limits_of(house, _key(house, models=("other",))) as limited:
        with pytest.raises(UnknownModelError):
            limited("fake:one", _opened())
    async with limits_of(house, None) as limited:
        opened = _opened()
        assert limited("fake:one", opened) is opened
    await house.close()


async def test_a_lent_model_tells_limits_as_the_gateway_does(tmp_path: Path) -> None:
    """For pages: a minute that is used up is an error of the key."""
    house = _house(tmp_path)
    key = _key(house, requests_per_minute=0)
    gateway = Gateway(house, GatewayConfig(), runners={"one": FakeRunner(lambda request: "hello")})
    async with gateway.lent(gateway.owner_named(key), "one", endpoint="web") as opened:
        with pytest.raises(KeyLimitError):
            await opened.runner.complete(REQUEST)
    await gateway.close()
    await house.close()
