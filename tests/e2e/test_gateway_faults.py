"""Upstreams that break in every way and clients that leave: nothing hangs, nothing leaks, and the books are right."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fieldguide.app.gateway import GatewayConfig, ModelConfig
from tests.support.fault_server import (
    Behaviour,
    Call,
    Exchange,
    FaultServer,
    claims_length,
    closes,
    cuts_chunks,
    half_open,
    resets,
    responds,
    serving,
    stops_in_the_middle,
    streams,
)
from tests.support.gateway import Lab, house_in, lab
from tests.support.gateway_load import (
    BODY,
    OUTPUT_TOKENS,
    PROMPT_TOKENS,
    Heard,
    ask,
    comes_to_rest,
    events,
    files_open,
    sums_of,
)

CLIENTS = 24
WORDS = ["one ", "two ", "three"]
SILENCE_S = 1.0
ERROR = {"error": {"message": "the engine is on fire", "type": "server_error"}}
NANO_EACH = OUTPUT_TOKENS * 100_000


def raw(data: bytes) -> Behaviour:
    """Send bytes that are no HTTP, and close."""

    async def act(exchange: Exchange) -> None:
        await exchange.raw(data)
        exchange.keeps = False

    return act


def event(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


WHOLE: dict[str, tuple[Callable[[], Behaviour], set[int]]] = {
    "closes at once": (closes, {503}),
    "resets at once": (resets, {503}),
    "closes in its body": (lambda: closes(in_the_body=True), {502}),
    "resets in its body": (lambda: resets(in_the_body=True), {502}),
    "ends its chunks early": (cuts_chunks, {502}),
    "promises more than it sends": (lambda: claims_length(50), {502}),
    "never answers": (half_open, {504}),
    "stops in its body": (stops_in_the_middle, {504}),
    "speaks no HTTP": (lambda: raw(b"\x00\x01 garbage\r\n\r\n" * 20), {503}),
    "sends no JSON": (lambda: responds(200, "<html>busy</html>"), {502}),
    "sends another JSON": (lambda: responds(200, {"choices": []}), {502}),
    "errs with status 200": (lambda: responds(200, ERROR), {502}),
    "answers twice": (lambda: raw(2 * (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")), {502}),
    "wants less": (lambda: responds(429, ERROR, headers={"Retry-After": "30"}), {429}),
    "is broken": (lambda: responds(500, ERROR), {502}),
}
STREAMED: dict[str, tuple[Callable[[], Behaviour], bool]] = {
    "closes at once": (closes, False),
    "speaks no HTTP": (lambda: raw(b"data: hello\n\n" * 10), False),
    "errs with status 200": (lambda: responds(200, ERROR), False),
    "errs in its first event": (lambda: streams([event(ERROR)]), False),
    "errs after the role": (lambda: streams([*events([], ends=False), event(ERROR)]), False),
    "ends before it begins": (lambda: streams([]), False),
    "is cut": (lambda: streams(events(WORDS, ends=False), end="cut"), True),
    "is reset": (lambda: streams(events(WORDS, ends=False), end="reset"), True),
    "falls silent": (lambda: streams(events(WORDS, ends=False), end="hang"), True),
    "ends without a reason": (lambda: streams(events(WORDS, ends=False)), True),
    "errs in the middle": (lambda: streams([*events(WORDS, ends=False), event(ERROR)]), True),
    "sends no JSON": (lambda: streams([*events(WORDS, ends=False), b"data: {garbage\n\n"]), True),
    "sends no text": (lambda: streams([*events(WORDS, ends=False), b"data: \xff\xfe\n\n"]), True),
}
"""What the upstream does, and whether an answer has begun by then."""


def config(upstream: FaultServer, *, retries: int = 0, **further: Any) -> GatewayConfig:
    model = ModelConfig(
        alias="m", reference=f"{upstream.url}#m", retries=retries, price_in=Decimal(0), price_out=Decimal(100)
    )
    return GatewayConfig(models={"m": model}, drain_s=2.0, **further)


def mixed(fault: Callable[[], Behaviour], good: Callable[[], Behaviour]) -> Callable[[Call], Behaviour]:
    """Let every other call meet a fault."""
    return lambda call: fault() if call.number % 2 else good()


def good_whole() -> Behaviour:
    usage = {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": OUTPUT_TOKENS}

    async def act(exchange: Exchange) -> None:
        await exchange.send(exchange.answer_body(usage=usage))

    return act


async def all_at_once(at: Lab, key: str, *, stream: bool) -> list[Heard]:
    async with asyncio.timeout(60):
        body = {**BODY, "stream": stream}
        return await asyncio.gather(*(ask(at.server.port, key, body) for _ in range(CLIENTS)))


async def check_books(at: Lab, upstream: FaultServer, key_id: str, heard: list[Heard]) -> None:
    """Every request has its row, what was answered is what clients heard, and the budget has lost no more than that."""
    await comes_to_rest(at, upstream)
    row = await sums_of(at, key_id)
    answered = sum(each.good for each in heard)
    assert (row["requests"], row["answered"]) == (len(heard), answered)
    assert row["output_tokens"] == answered * OUTPUT_TOKENS
    assert row["nano_usd"] == answered * NANO_EACH
    left = {line for line in at.house.lines._all if not line.usable}
    assert not left, "a connection to the upstream is neither free nor closed"


@pytest.mark.parametrize("name", WHOLE)
async def test_an_upstream_that_breaks_costs_its_own_requests_alone(name: str, tmp_path: Path) -> None:
    """Half of 24 requests at once meet the fault and get its status; the others are answered, and the books say so."""
    fault, statuses = WHOLE[name]
    before = files_open()
    async with serving(mixed(fault, good_whole)) as upstream:
        times: dict[str, Any] = {"deadline_s": 3 * SILENCE_S, "idle_timeout_s": SILENCE_S}
        async with lab(tmp_path, {}, config=config(upstream), **times) as at:
            made = at.key(budget_usd=Decimal(1))
            heard = await all_at_once(at, made.key, stream=False)
            assert all(each.whole for each in heard)
            assert sorted(each.good for each in heard) == [False] * (CLIENTS // 2) + [True] * (CLIENTS // 2)
            assert {each.status for each in heard if not each.good} == statuses
            await check_books(at, upstream, made.row.key_id, heard)
            key_id = made.row.key_id
    check_budget(tmp_path, key_id, least=CLIENTS // 2 * NANO_EACH)
    await no_file_stays_open(before)


@pytest.mark.parametrize("name", STREAMED)
async def test_a_stream_that_breaks_says_so(name: str, tmp_path: Path) -> None:
    """What came goes out, then the error in the stream and its end; before anything came there is a status instead."""
    fault, begun = STREAMED[name]
    before = files_open()
    async with serving(mixed(fault, lambda: streams(events(WORDS)))) as upstream:
        times: dict[str, Any] = {"deadline_s": 3 * SILENCE_S, "idle_timeout_s": SILENCE_S}
        async with lab(tmp_path, {}, config=config(upstream), **times) as at:
            made = at.key(budget_usd=Decimal(1))
            heard = await all_at_once(at, made.key, stream=True)
            assert all(each.whole for each in heard)
            good = [each for each in heard if each.good]
            broken = [each for each in heard if not each.good]
            assert len(good) == len(broken) == CLIENTS // 2
            assert {each.text for each in good} == {"".join(WORDS)}
            assert all(each.body.endswith(b"data: [DONE]\n\n") for each in good)
            assert not any(b"[DONE]" in each.body for each in broken)
            assert all(b'"error"' in each.body for each in broken)
            if begun:
                assert {each.status for each in broken} == {200}
                assert {each.text for each in broken} == {"".join(WORDS)}
            else:
                assert all(each.status >= 500 for each in broken)
            await check_books(at, upstream, made.row.key_id, heard)
            key_id = made.row.key_id
    check_budget(tmp_path, key_id, least=CLIENTS // 2 * NANO_EACH)
    await no_file_stays_open(before)


def check_budget(folder: Path, key_id: str, *, least: int) -> None:
    """After the end nothing is set aside; what was used is between what was answered and what may have been."""
    house = house_in(folder)
    used = house.gateway_records.used(key_id)["usd", ""]
    house.gateway_records.close()
    most = least + CLIENTS * len("".join(WORDS)) * 100_000
    assert least <= used <= most


async def no_file_stays_open(before: int) -> None:
    async with asyncio.timeout(10):
        while files_open() > before:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_a_stream_that_has_not_begun_is_asked_for_again(tmp_path: Path) -> None:
    """An error behind the first, empty chunk is mended by the retry that the policy allows; clients see none of it."""
    fault = streams([*events([], ends=False), event(ERROR)])
    async with (
        serving(lambda call: fault if call.number % 2 else streams(events(WORDS))) as upstream,
        lab(tmp_path, {}, config=config(upstream, retries=4)) as at,
    ):
        heard = [await ask(at.server.port, at.key().key, {**BODY, "stream": True}) for _ in range(3)]
        assert [each.text for each in heard] == ["".join(WORDS)] * 3


async def test_a_storm_of_refusals_is_weathered(tmp_path: Path) -> None:
    """An upstream takes four at once and refuses the rest: who is not answered is told to wait, and is counted."""
    busy = [0]

    async def four_at_once(exchange: Exchange) -> None:
        if busy[0] >= 4:
            await exchange.send(json.dumps(ERROR).encode(), status=429, headers={"Retry-After": "0.1"})
            return
        busy[0] += 1
        await asyncio.sleep(0.05)
        busy[0] -= 1
        await good_whole()(exchange)

    async with (
        serving(lambda call: four_at_once) as upstream,
        lab(tmp_path, {}, config=config(upstream, retries=2)) as at,
    ):
        made = at.key(budget_usd=Decimal(1))
        heard = await all_at_once(at, made.key, stream=False)
        assert {each.status for each in heard} <= {200, 429}
        assert sum(each.good for each in heard) >= 4
        await check_books(at, upstream, made.row.key_id, heard)
        used = at.house.gateway_records.used(made.row.key_id)
        await at.gateway.meters.close()
        used = at.house.gateway_records.used(made.row.key_id)
        assert used["usd", ""] == sum(each.good for each in heard) * NANO_EACH


async def test_clients_that_leave_free_everything(tmp_path: Path) -> None:
    """Half of 100 clients hang up in mid-stream: their upstream calls, which had no end, end; the others come whole."""
    endless = streams(events(["left"], ends=False), end="hang")
    slow = streams(events(WORDS), between_s=0.2)
    before = files_open()
    async with (
        serving(lambda call: endless if call.prompt == "leave" else slow) as upstream,
        lab(tmp_path, {}, config=config(upstream)) as at,
    ):
        made = at.key(budget_usd=Decimal(1))
        body = {**BODY, "stream": True}
        other = {**body, "messages": [{"role": "user", "content": "leave"}]}
        leaving = [ask(at.server.port, made.key, other, leave_after=b"left") for _ in range(50)]
        staying = [ask(at.server.port, made.key, body) for _ in range(50)]
        async with asyncio.timeout(30):
            heard = await asyncio.gather(*leaving, *staying)
        assert [each.good for each in heard] == [False] * 50 + [True] * 50
        await comes_to_rest(at, upstream)
        assert all(line.usable for line in at.house.lines._all)
        assert at.house.lines.open <= 50
        row = await sums_of(at, made.row.key_id)
        assert (row["answered"], row["abandoned"], row["failed"]) == (50, 50, 0)
        assert row["nano_usd"] == 50 * NANO_EACH
    await no_file_stays_open(before)


async def test_what_is_too_much_at_once_is_refused(tmp_path: Path) -> None:
    """Three times as many clients as the gateway takes: a third is answered, the others are told to come back."""
    slow = streams(events(WORDS), between_s=0.1)
    async with (
        serving(lambda call: slow) as upstream,
        lab(tmp_path, {}, config=config(upstream, most_at_once=20)) as at,
    ):
        made = at.key()
        body = {**BODY, "stream": True}
        async with asyncio.timeout(30):
            heard = await asyncio.gather(*(ask(at.server.port, made.key, body) for _ in range(60)))
        assert sum(each.good for each in heard) == 20
        refused = [each for each in heard if not each.good]
        assert {each.status for each in refused} == {503}
        assert json.loads(refused[0].body)["error"]["code"] == "overloaded"
        assert upstream.most_in_flight == 20
        await comes_to_rest(at, upstream)
        assert (await ask(at.server.port, made.key, body)).good
