"""The gateway as a process of its own under load: a thousand streams, a minute of too much, 100,000 calls."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from fieldguide.app.gateway import KeyLimits, create_key
from tests.support.fault_server import serving, streams
from tests.support.gateway import house_in
from tests.support.gateway_load import BODY, OUTPUT_TOKENS, Heard, Instant, ask, events, files_open, talk

WORDS = [f"word{n} " for n in range(10)]
STREAMED = {**BODY, "stream": True}
NANO_EACH = OUTPUT_TOKENS * 100_000


@dataclass(kw_only=True)
class Served:
    """A gateway that runs beside the test."""

    port: int
    pid: int
    key: str
    key_id: str
    home: Path

    @property
    def memory_mb(self) -> float:
        """What it holds in memory."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * 4096 / 1e6

    async def metric(self, name: str) -> int:
        """Return one of its gauges."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(
                f"http://127.0.0.1:{self.port}/metrics", headers={"Authorization": f"Bearer {self.key}"}
            ) as reply,
        ):
            lines = (await reply.text()).splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith(f"fieldguide_{name} ")))

    def rows(self) -> dict[str, int]:
        """Return how many requests the records hold, by how they ended."""
        with contextlib.closing(sqlite3.connect(self.home / "gateway.sqlite")) as connection:
            return dict(connection.execute("SELECT outcome, count(*) FROM usage GROUP BY outcome"))

    def used(self) -> int:
        """Return what was taken off the budget (nano-dollars)."""
        with contextlib.closing(sqlite3.connect(self.home / "gateway.sqlite")) as connection:
            assert connection.execute("SELECT count(*) FROM leases WHERE amount > 0").fetchone() == (0,)
            return int(connection.execute("SELECT used FROM meters WHERE meter = 'usd'").fetchone()[0])


@contextlib.asynccontextmanager
async def gateway(folder: Path, upstream: str, budget: str = "1000", **settings: Any) -> AsyncIterator[Served]:
    """Run `fieldguide serve` with one model, and an admin's key with a budget; stop it as an operator does."""
    house = house_in(folder)
    made = create_key(house, "load", role="admin", limits=KeyLimits(budget_usd=Decimal(budget)), expires_at=None)
    await house.close()
    lines = [f"{name} = {value}" for name, value in settings.items()]
    config = folder / "gateway.toml"
    model = f'[models.m]\nreference = "{upstream}#m"\nretries = 0\nprice_in = 0\nprice_out = 100\n'
    config.write_text("[gateway]\ndrain_s = 5\n" + "\n".join(lines) + "\n" + model)
    few_files = ["sh", "-c", 'ulimit -Sn 128; exec "$@"', "sh"]  # as many systems begin with
    command = [sys.executable, "-m", "fieldguide", "serve", "--port", "0", "--json", "--config", str(config)]
    process = await asyncio.create_subprocess_exec(
        *few_files, *command, "--home", str(folder / "home"), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    address = json.loads(await process.stdout.readline())["address"]
    served = Served(
        port=int(address.rpartition(":")[2]),
        pid=process.pid,
        key=made.key,
        key_id=made.row.key_id,
        home=folder / "home",
    )
    try:
        yield served
    finally:
        process.terminate()
        assert await process.wait() == 0


async def many_streams(folder: Path, count: int, *, between_s: float, within_s: float) -> None:
    """Hold so many streams open at once; every one comes whole, and nothing of them is left."""
    async with serving(lambda call: streams(events(WORDS), between_s=between_s)) as upstream:
        async with gateway(folder, upstream.url) as at:
            assert (await ask(at.port, at.key, STREAMED)).good
            files = files_open(at.pid)
            async with asyncio.timeout(within_s):
                heard = await asyncio.gather(*(ask(at.port, at.key, STREAMED) for _ in range(count)))
            assert upstream.most_in_flight == count
            assert Counter(each.text for each in heard) == {"".join(WORDS): count}
            assert all(each.whole and each.body.endswith(b"[DONE]\n\n") for each in heard)
            assert at.memory_mb < 150
            await no_more_files(at, files + count)
            if count >= 1000:
                await no_more_files(at, files, within_s=60)  # free connections are closed after 30 s
            assert await at.metric("in_flight") == 0
        assert at.rows() == {"answered": count + 1}
        assert at.used() == (count + 1) * NANO_EACH


async def no_more_files(at: Served, most: int, *, within_s: float = 10) -> None:
    async with asyncio.timeout(within_s):
        while files_open(at.pid) > most + 2:  # the records' own come and go  # noqa: ASYNC110
            await asyncio.sleep(0.2)


async def test_a_hundred_streams_at_once(tmp_path: Path) -> None:
    """A hundred clients read streams at the same time: all whole, all counted, little memory."""
    await many_streams(tmp_path, 100, between_s=0.15, within_s=60)


@pytest.mark.long
async def test_a_thousand_streams_at_once(tmp_path: Path) -> None:
    """A thousand: every one is open at once, all come whole, and the connections to the upstream are given up after."""
    await many_streams(tmp_path, 1000, between_s=2.0, within_s=240)


async def too_much(folder: Path, *, seconds: float, at_once: int, budget: str = "1000") -> None:
    """Let three times as many clients as the gateway takes ask for a while, each again and again.

    Every request ends, in an answer or in a refusal; none waits long; memory stays; the books are exact.
    """
    heard: list[tuple[float, Heard]] = []
    async with serving(latency_s=0.05) as upstream, gateway(folder, upstream.url, budget, most_at_once=at_once) as at:

        async def client(number: int) -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
            while time.monotonic() < until_s:
                began_s = time.monotonic()
                body = {**BODY, "messages": [{"role": "user", "content": f"{number} + 1 ="}]}
                came = await talk(reader, writer, at.port, at.key, body)
                heard.append((time.monotonic() - began_s, came))
                if came.status == 503:
                    await asyncio.sleep(0.02)
                if not came.whole:
                    break
            writer.transport.abort()

        assert (await ask(at.port, at.key)).good
        memory_mb = at.memory_mb
        until_s = time.monotonic() + seconds
        async with asyncio.timeout(seconds + 60):
            await asyncio.gather(*(client(number) for number in range(3 * at_once)))
        assert at.memory_mb < max(150, memory_mb * 1.5)
        assert upstream.most_in_flight <= at_once
        began_s = time.monotonic()
        assert (await ask(at.port, at.key)).status in {200, 429}
        assert time.monotonic() - began_s < 5, "it has not recovered"
        assert await at.metric("in_flight") == 0
    statuses = Counter(each.status for _, each in heard)
    assert all(each.whole for _, each in heard)
    assert set(statuses) <= {200, 503, 429}
    assert statuses[200] > 0
    assert statuses[503] > 0
    assert sorted(wait_s for wait_s, _ in heard)[int(0.99 * len(heard))] < 10
    in_rows, charged = at.rows()["answered"], sum(call.output_tokens for call in upstream.calls) * 100_000
    assert in_rows == len(upstream.calls)
    assert in_rows - 2 <= statuses[200] <= in_rows
    assert at.used() == charged <= Decimal(budget) * 10**9


async def test_a_moment_of_three_times_too_much(tmp_path: Path) -> None:
    """Sixty clients at a gateway that takes twenty at once: refused or answered within moments, and exactly counted."""
    await too_much(tmp_path, seconds=2.0, at_once=20)


@pytest.mark.long
async def test_a_minute_of_three_times_too_much(tmp_path: Path) -> None:
    """The same for 60 seconds with 300 clients, on a budget that runs out on the way and is not exceeded."""
    await too_much(tmp_path, seconds=60.0, at_once=100, budget="2")


@pytest.mark.long
async def test_a_hundred_thousand_requests_leave_memory_as_it_was(tmp_path: Path) -> None:
    """Memory after 100,000 requests is under 150 MB, and in the second half it has not grown by a tenth."""
    server = await asyncio.get_running_loop().create_server(Instant, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, gateway(tmp_path, f"http://127.0.0.1:{port}/v1") as at:

        async def client(requests: int) -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
            for _ in range(requests):
                assert (await talk(reader, writer, at.port, at.key)).good
            writer.transport.abort()

        seen = []
        for _ in range(4):
            await asyncio.gather(*(client(25_000 // 50) for _ in range(50)))
            seen.append(at.memory_mb)
    assert max(seen) < 150
    assert seen[3] < 1.1 * seen[1]
    assert at.rows() == {"answered": 100_000}
