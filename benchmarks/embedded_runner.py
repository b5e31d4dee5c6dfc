"""Generated tokens per second: our embedded runner against a bare client and a plain xllamacpp server.

    python benchmarks/embedded_runner.py MODEL.gguf [--repetitions 7] [--requests 24] [--tokens 64]

Three arms take turns, in a new order each repetition, on prompts that differ in their number only:

- `ours`: `Runner.complete`, as many requests in flight as the runner says is worth having;
- `bare client`: threads with `http.client` on the same child process, so that only the client differs;
- `plain server`: the same bare client on an xllamacpp server in a process of its own, with the engine's defaults but
  for one thread per core and as many slots as ours.

Printed: median and range of each arm, and the median and range of the ratios within a repetition. The goal is that
ours reaches 95 % of the better of the other two.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fieldguide.domain import CompletionRequest
from fieldguide.runners import RunnerSettings
from fieldguide.runners.llama_cpp import open_runner
from fieldguide.runners.llama_cpp._runner import LlamaCppRunner

PLAIN_SERVER = """
import json, sys, time, xllamacpp
order = json.loads(sys.argv[1])
params = xllamacpp.CommonParams()
params.model.path = order["model"]
params.hostnames = [order["socket"]]
params.n_parallel = order["slots"]
params.n_ctx = order["slots"] * order["context_tokens"]
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = order["threads"]
params.ui = False
server = xllamacpp.Server(params)
print("ready", flush=True)
sys.stdin.read()
"""


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("llama.cpp", timeout=600)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


def prompts(count: int, order: random.Random) -> list[str]:
    """Beginnings that go on for long; each starts with a number of its own, so that none is in the engine's cache."""
    return [
        f"{order.randrange(10**6):06}. The river runs from the mountains to the sea, and on its way it passes towns "
        "whose people have told the same story for three hundred years. It begins: once there was a ferryman who"
        for _ in range(count)
    ]


def bare(path: str, texts: list[str], *, in_flight: int, tokens: int) -> float:
    def one(text: str) -> int:
        connection = UnixConnection(path)
        body = {"prompt": text, "n_predict": tokens, "temperature": 0, "cache_prompt": True}
        connection.request("POST", "/completion", json.dumps(body), {"Content-Type": "application/json"})
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return int(answer["tokens_predicted"])

    began_s = time.perf_counter()
    with ThreadPoolExecutor(in_flight) as pool:
        generated = sum(pool.map(one, texts))
    return generated / (time.perf_counter() - began_s)


async def ours(runner: LlamaCppRunner, texts: list[str], *, in_flight: int, tokens: int) -> float:
    places = asyncio.Semaphore(in_flight)

    async def one(text: str) -> int:
        async with places:
            done = await runner.complete(CompletionRequest(prompt=text, max_output_tokens=tokens, temperature=0))
        return done.usage.output_tokens or 0

    began_s = time.perf_counter()
    generated = sum(await asyncio.gather(*(one(text) for text in texts)))
    return generated / (time.perf_counter() - began_s)


def start_plain_server(model: Path, path: Path, facts: dict[str, int]) -> subprocess.Popen[str]:
    order = {"model": str(model), "socket": str(path), **facts}
    server = subprocess.Popen(
        [sys.executable, "-c", PLAIN_SERVER, json.dumps(order)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout is not None
    if server.stdout.readline() != "ready\n":
        raise SystemExit("The plain server did not start.")
    return server


def unused_session() -> object:
    raise AssertionError("not needed")


async def run(arguments: argparse.Namespace, folder: Path) -> None:
    settings = RunnerSettings(home=folder, session=unused_session, progress=print)  # type: ignore[arg-type]
    runner = await open_runner(str(arguments.model), settings)
    facts = {name: int(str(runner.model.facts[name])) for name in ("threads", "slots", "context_tokens")}
    in_flight = runner.capabilities.max_concurrency or 1
    print(f"{runner.model.name}: {facts}, {in_flight} in flight, load {os.getloadavg()[0]:.1f}")
    plain_socket = folder / "plain.sock"
    server = start_plain_server(arguments.model.absolute(), plain_socket, facts)
    same_socket = str((await runner._supervisor.connection()).process.socket)
    options = {"in_flight": in_flight, "tokens": arguments.tokens}
    order = random.Random(1)
    rates: dict[str, list[float]] = {"ours": [], "bare client": [], "plain server": []}
    try:
        for repetition in range(-1, arguments.repetitions):  # the first is for warming up
            for arm in order.sample(sorted(rates), 3):
                texts = prompts(arguments.requests, order)
                if arm == "ours":
                    rate = await ours(runner, texts, **options)
                else:
                    path = same_socket if arm == "bare client" else str(plain_socket)
                    rate = await asyncio.to_thread(bare, path, texts, **options)
                if repetition >= 0:
                    rates[arm].append(rate)
    finally:
        await runner.close()
        server.kill()
        server.communicate()
    report(rates)


def report(rates: dict[str, list[float]]) -> None:
    for arm, values in rates.items():
        print(f"{arm:>14}: median {statistics.median(values):7.1f} tokens/s, {min(values):.1f} to {max(values):.1f}")
    for other in ("bare client", "plain server"):
        ratios = [mine / theirs for mine, theirs in zip(rates["ours"], rates[other])]
        print(
            f"ours / {other}: median {statistics.median(ratios):.3f}, {min(ratios):.3f} to {max(ratios):.3f}"
            f" over {len(ratios)} repetitions"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--requests", type=int, default=24)
    parser.add_argument("--tokens", type=int, default=64)
    with tempfile.TemporaryDirectory(prefix="fg-") as folder:
        asyncio.run(run(parser.parse_args(), Path(folder)))


if __name__ == "__main__":
    main()
