"""What fifty watchers cost a run: the same evaluation as long work with nobody watching and with many, in turns.

    python benchmarks/watchers.py [--watchers 50] [--items 2000] [--repetitions 5] [--json]

An upstream in a process of its own answers every request at once (`benchmarks/gateway.py`'s). `fieldguide web` runs as
a user starts it; the watchers are bare HTTP clients in this process, all reading the stream of the one work. What
counts is processor time, which other programs on the machine change little: that of the process that measures, from
its own record at its end, and that of the server while it goes on. Speed is what the run itself recorded.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import aiohttp
from gateway import run_upstream

PORT = 18_431
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One evaluation."""

    watchers: int
    events: int
    """Heard by all watchers together."""
    work_cpu_s: float
    """Processor time of the process that measures."""
    server_cpu_s: float
    """Processor time of the server meanwhile."""
    run_s: float
    """The run's own wall time."""


def cpu_s(pid: int) -> float:
    """Return the processor time that a process has used (seconds)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S


class Server:
    """`fieldguide web` over a home of its own."""

    def __init__(self, home: str) -> None:
        command = [sys.executable, "-m", "fieldguide", "web", "--port", "0", "--json", "--quiet", "--home", home]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.address = json.loads(self.process.stdout.readline())["address"].rstrip("/")

    async def start(self, session: aiohttp.ClientSession, items: int) -> str:
        """Start an evaluation, everything anew, and return its path."""
        async with session.get(f"{self.address}/compare") as answer:
            token = re.search(r'name="token" value="(\w+)"', await answer.text())
        assert token is not None
        form = {
            "token": token[1],
            "model": f"http://127.0.0.1:{PORT}/v1#bench",
            "benchmark": "ladder",
            "limit": str(items),
            "concurrency": "8",
            "fresh": "yes",
        }
        async with session.post(f"{self.address}/compare", data=form) as answer:
            assert answer.status == 200, await answer.text()
            return str(answer.url.path)


async def watch(session: aiohttp.ClientSession, address: str) -> int:
    """Read a stream to its end and return how many events came."""
    events = 0
    async with session.get(address) as answer:
        async for line in answer.content:
            events += line.startswith(b"event: live")
            if line.startswith(b"event: ended"):
                return events
    return events


async def process_of(work_id: str) -> int:
    """Return the process that does a work."""
    while True:
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    command = (entry / "cmdline").read_bytes()
                except OSError:
                    continue
                if work_id.encode() in command and b"work_process" in command:
                    return int(entry.name)
        await asyncio.sleep(0.01)


async def turn(server: Server, watchers: int, items: int) -> Turn:
    """Evaluate once."""
    jar = aiohttp.CookieJar(unsafe=True)
    limits, never = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(cookie_jar=jar, connector=limits, timeout=never, read_bufsize=2**20) as session:
        path = await server.start(session, items)
        before_s = cpu_s(server.process.pid)
        pid = await process_of(path.rpartition("/")[2])
        watching = [asyncio.create_task(watch(session, f"{server.address}{path}/events")) for _ in range(watchers)]
        used_s = 0.0
        while True:
            try:
                used_s = cpu_s(pid)
            except (FileNotFoundError, ProcessLookupError, IndexError):
                break
            if Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("Z"):
                break
            await asyncio.sleep(0.02)
        events = sum(await asyncio.gather(*watching))
        server_s = cpu_s(server.process.pid) - before_s
        async with session.get(f"{server.address}{path}.json") as answer:
            told = await answer.json()
        assert told["work"]["state"] == "finished", told["work"]
        run_s = told["result"]["results"][0]["seconds"]
        return Turn(watchers=watchers, events=events, work_cpu_s=used_s, server_cpu_s=server_s, run_s=run_s)


async def measured(watchers: int, items: int, repetitions: int) -> list[Turn]:
    """Take turns with nobody watching and with everybody."""
    with tempfile.TemporaryDirectory() as home:
        server = Server(home)
        try:
            await turn(server, 1, items)  # everything is loaded and warm
            turns = []
            for number in range(repetitions):
                for each in (0, watchers) if number % 2 else (watchers, 0):
                    turns.append(await turn(server, each, items))
            return turns
        finally:
            server.process.terminate()
            server.process.wait()


def shown(turns: list[Turn], watchers: int) -> None:
    """Print medians and ranges."""
    for count in (0, watchers):
        of = [each for each in turns if each.watchers == count]
        print(f"{count} watchers:")
        for name in ("work_cpu_s", "server_cpu_s", "run_s", "events"):
            values = sorted(getattr(each, name) for each in of)
            print(f"  {name:13} {statistics.median(values):8.3f}  ({values[0]:.3f} to {values[-1]:.3f})")
    alone = statistics.median(each.work_cpu_s for each in turns if not each.watchers)
    watched = statistics.median(each.work_cpu_s for each in turns if each.watchers)
    more = statistics.median(each.server_cpu_s for each in turns if each.watchers)
    print(f"the process that measures, watched / alone: {watched / alone:.3f}")
    print(f"the server's processor time for all watchers, of the work's: {more / alone:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--watchers", type=int, default=50)
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--upstream", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.upstream:
        asyncio.run(run_upstream(PORT))
        return
    with subprocess.Popen([sys.executable, __file__, "--upstream"]) as upstream:
        time.sleep(1.0)
        try:
            turns = asyncio.run(measured(args.watchers, args.items, args.repetitions))
        finally:
            upstream.kill()
    print(json.dumps([asdict(each) for each in turns])) if args.json else shown(turns, args.watchers)


if __name__ == "__main__":
    main()
