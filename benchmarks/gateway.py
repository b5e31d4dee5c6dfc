"""What the gateway adds to a request: against an instant upstream on loopback, beside calling it directly, and peers.

    python benchmarks/gateway.py [--quick] [--memory] [--pass-through] [--litellm PYTHON] [--tensorzero PYTHON]

The upstream answers at once with a canned chat completion, or a stream of 64 chunks. The gateway runs as a process of
its own, as a user starts it, with a key that has a budget, limits on requests and tokens, and with usage records. The
ways are measured in turns, so that whatever else the machine does falls on all of them; ratios are of the same turn.
Peers come from environments of their own (`litellm[proxy]`, `tensorzero openai`): give the path of their Python. The
pass-through is not a gateway but the least that one in Python does (starlette, uvicorn and aiohttp of the development
environment: no keys, no records, no limits, no checks), and stands for what could be had.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

REQUEST = {
    "model": "bench",
    "messages": [{"role": "user", "content": "What is the capital of France?"}],
    "max_tokens": 64,
}
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1700000000,
    "model": "bench",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "The capital of France is Paris."},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 14, "completion_tokens": 8, "total_tokens": 22},
}
CHUNKS = 64


def stream_body() -> bytes:
    """Return the canned stream."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": "bench"}
    deltas = [{"role": "assistant", "content": ""}, *({"content": f"word{n} "} for n in range(CHUNKS - 2)), {}]
    chunks = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None if delta else "stop"}]}
        for delta in deltas
    ]
    chunks.append({**head, "choices": [], "usage": ANSWER["usage"]})
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"


class Upstream(asyncio.Protocol):
    """Answers at once; reads just enough of HTTP to know where a request ends."""

    whole = b""
    stream = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self._buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._buffer) < end + 4 + length:
                return
            body = self._buffer[end + 4 : end + 4 + length]
            self._buffer = self._buffer[end + 4 + length :]
            streams = b'"stream":true' in body or b'"stream": true' in body
            self._transport.write(Upstream.stream if streams else Upstream.whole)  # type: ignore[attr-defined]


async def run_upstream(port: int) -> None:
    """Serve the canned answers until killed."""
    body, streamed = json.dumps(ANSWER).encode(), stream_body()
    Upstream.whole = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )
    Upstream.stream = (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
        % (len(streamed), streamed)
    )
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port)
    await server.serve_forever()


class Client(asyncio.Protocol):
    """Sends one request after another over one connection and notes how long each took."""

    def __init__(self, request: bytes, count: int, ended: asyncio.Future[None]) -> None:
        self._request, self._left, self._ended = request, count, ended
        self.latencies_s: list[float] = []
        self.failures = 0
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._began_s = time.perf_counter()
        self._transport.write(self._request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._whole():
            return
        self.latencies_s.append(time.perf_counter() - self._began_s)
        self.failures += not self._buffer.startswith(b"HTTP/1.1 200")
        self._buffer.clear()
        self._left -= 1
        if self._left:
            self._send()
        else:
            self._transport.close()

    def _whole(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = bytes(self._buffer[:end]).lower()
        if b"transfer-encoding: chunked" in head:
            return self._buffer.endswith(b"0\r\n\r\n")
        at = head.find(b"content-length:")
        return len(self._buffer) >= end + 4 + int(head[at + 15 :].split(b"\r\n", 1)[0])

    def connection_lost(self, error: Exception | None) -> None:
        if not self._ended.done():
            self.failures += self._left
            self._ended.set_result(None)


@dataclass(kw_only=True)
class Load:
    """What one load of requests met."""

    latencies_s: list[float] = field(default_factory=list)
    seconds: float = 0.0
    failures: int = 0
    cpu_each_s: float | None = None
    """Processor time that the way took for a request."""

    @property
    def rate(self) -> float:
        return len(self.latencies_s) / self.seconds

    @property
    def p50_ms(self) -> float:
        return 1000 * statistics.median(self.latencies_s)

    @property
    def p99_ms(self) -> float:
        return 1000 * sorted(self.latencies_s)[int(0.99 * (len(self.latencies_s) - 1))]


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to reach the upstream."""

    name: str
    port: int
    path: str = "/v1/chat/completions"
    key: str = "none"
    model: str = "bench"
    pid: int | None = None

    def request(self, *, stream: bool) -> bytes:
        body = json.dumps({**REQUEST, "model": self.model, **({"stream": True} if stream else {})}).encode()
        head = (
            f"POST {self.path} HTTP/1.1\r\nhost: 127.0.0.1:{self.port}\r\nauthorization: Bearer {self.key}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


async def load(way: Way, *, concurrency: int, requests: int, stream: bool = False) -> Load:
    """Send `requests` requests over `concurrency` connections."""
    loop = asyncio.get_running_loop()
    request = way.request(stream=stream)
    clients: list[Client] = []
    ends = [loop.create_future() for _ in range(concurrency)]
    began_s = time.perf_counter()
    for end in ends:
        client = Client(request, max(requests // concurrency, 1), end)
        clients.append(client)
        await loop.create_connection(lambda client=client: client, "127.0.0.1", way.port)  # type: ignore[misc]
    await asyncio.wait_for(asyncio.gather(*ends), 600)
    return Load(
        latencies_s=[each for client in clients for each in client.latencies_s],
        seconds=time.perf_counter() - began_s,
        failures=sum(client.failures for client in clients),
    )


def family(pid: int) -> list[int]:
    """Return a process and those that it has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in family(int(child)))]


def cpu_s(pid: int) -> float:
    """Return the processor time of a process so far, and of those that it has started."""
    ticks = 0
    for each in family(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process, and of those that it has started."""
    pages = sum(int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in family(pid))
    return pages * resource.getpagesize() / 1e6


def free_port() -> int:
    """Return a port on which nobody listens."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def started(command: list[str], port: int, *, wait_s: float = 120, **environment: str) -> subprocess.Popen[bytes]:
    """Start a process and wait until it listens."""
    import socket

    log = tempfile.NamedTemporaryFile(delete=False, suffix=".log")  # noqa: SIM115
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=log, stderr=log)
    until_s = time.monotonic() + wait_s
    while time.monotonic() < until_s and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        time.sleep(0.1)
    process.kill()
    raise SystemExit(f"{command[0]} did not begin to listen; see {log.name}")


def our_gateway(home: Path, upstream: int) -> tuple[Way, subprocess.Popen[bytes]]:
    """Start `fieldguide serve` with a key that has every kind of limit."""
    fieldguide = [sys.executable, "-m", "fieldguide"]
    environment = {**os.environ, "FIELDGUIDE_HOME": str(home)}
    limits = ["--budget-usd", "100000", "--daily-usd", "50000"]
    limits += ["--requests-per-minute", "100000000", "--tokens-per-minute", "100000000000"]
    made = subprocess.run(
        [*fieldguide, "keys", "create", "bench", *limits, "--json"], env=environment, check=True, capture_output=True
    )
    config = home / "gateway.toml"
    config.write_text(
        f'[models.bench]\nreference = "http://127.0.0.1:{upstream}/v1#bench"\nprice_in = "0.15"\nprice_out = "0.60"\n'
    )
    port = free_port()
    command = [*fieldguide, "serve", "--port", str(port), "--config", str(config), "--quiet"]
    process = started(command, port, FIELDGUIDE_HOME=str(home))
    return Way(name="fieldguide", port=port, key=json.loads(made.stdout)["key"], pid=process.pid), process


def litellm(python: str, folder: Path, upstream: int) -> tuple[Way, subprocess.Popen[bytes]]:
    """Start LiteLLM's proxy with one worker."""
    config = folder / "litellm.yaml"
    config.write_text(
        "model_list:\n- model_name: bench\n  litellm_params:\n    model: openai/bench\n"
        f"    api_base: http://127.0.0.1:{upstream}/v1\n    api_key: none\n"
    )
    port, key = free_port(), "sk-4b8f0c7d2e9a61f35c7d8e90ab12cd34"
    command = [str(Path(python).with_name("litellm")), "--config", str(config), "--host", "127.0.0.1"]
    command += ["--port", str(port), "--telemetry", "False", "--num_workers", "1"]
    process = started(command, port, wait_s=300, LITELLM_LOCAL_MODEL_COST_MAP="True", LITELLM_MASTER_KEY=key)
    return Way(name="litellm", port=port, key=key, pid=process.pid), process


_TENSORZERO = """
import sys, time, openai, tensorzero
client = tensorzero.patch_openai_client(openai.OpenAI(api_key="none"), config_file=sys.argv[1], async_setup=False)
print(client.base_url, flush=True)
time.sleep(10**6)
"""


def tensorzero(python: str, folder: Path, upstream: int) -> tuple[Way, subprocess.Popen[bytes]]:
    """Start TensorZero's gateway inside the process of its client, as its package offers it."""
    config = folder / "tensorzero.toml"
    config.write_text(
        "[gateway]\nobservability.enabled = false\n[models.bench]\nrouting = ['up']\n[models.bench.providers.up]\n"
        f"type = 'openai'\nmodel_name = 'bench'\napi_base = 'http://127.0.0.1:{upstream}/v1/'\n"
        "api_key_location = 'none'\n"
    )
    process = subprocess.Popen([python, "-W", "ignore", "-c", _TENSORZERO, str(config)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    address = next(line for line in iter(process.stdout.readline, b"") if line.startswith(b"http")).decode().strip()
    port, path = int(address.split(":")[2].split("/")[0]), "/" + address.split("/", 3)[3].strip("/")
    way = Way(
        name="tensorzero", port=port, path=f"{path}/chat/completions", model="tensorzero::model_name::bench",
        pid=process.pid,
    )  # fmt: skip
    return way, process


_PASS_THROUGH = """
import json, sys, aiohttp, uvicorn
from contextlib import asynccontextmanager
from starlette.applications import Starlette
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

port, upstream = int(sys.argv[1]), sys.argv[2]
session = None

@asynccontextmanager
async def life(app):
    global session
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
    yield
    await session.close()

async def chat(request):
    body = json.loads(await request.body())
    answer = await session.post(upstream, json=body)
    if body.get("stream"):
        return StreamingResponse(answer.content.iter_any(), media_type="text/event-stream")
    return Response(json.dumps(json.loads(await answer.read())), media_type="application/json")

app = Starlette(routes=[Route("/v1/chat/completions", chat, methods=["POST"])], lifespan=life)
uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", access_log=False)
"""


def pass_through(upstream: int) -> tuple[Way, subprocess.Popen[bytes]]:
    """Start the least that a gateway in Python does."""
    port = free_port()
    address = f"http://127.0.0.1:{upstream}/v1/chat/completions"
    process = started([sys.executable, "-c", _PASS_THROUGH, str(port), address], port)
    return Way(name="pass-through", port=port, pid=process.pid), process


async def measured(ways: list[Way], *, requests: int, turns: int) -> dict[str, dict[str, list[Load]]]:
    """Measure every way in turns."""
    found: dict[str, dict[str, list[Load]]] = {way.name: {"c1": [], "c16": [], "stream": []} for way in ways}
    for way in ways:
        few = _fewer(way)
        await load(way, concurrency=16, requests=requests // (4 * few))
        await load(way, concurrency=1, requests=10 // few + 1, stream=True)
    for _ in range(turns):
        for way in ways:
            few = _fewer(way)
            before_s = cpu_s(way.pid) if way.pid else 0.0
            at_once = await load(way, concurrency=16, requests=requests // few)
            if way.pid:
                at_once.cpu_each_s = (cpu_s(way.pid) - before_s) / len(at_once.latencies_s)
            found[way.name]["c16"].append(at_once)
            found[way.name]["c1"].append(await load(way, concurrency=1, requests=requests // (4 * few)))
            streams = requests // (20 * few)
            found[way.name]["stream"].append(await load(way, concurrency=1, requests=streams, stream=True))
    return found


def _fewer(way: Way) -> int:
    """Return by how much fewer requests a slow way gets, so that a turn does not take minutes."""
    return 8 if way.name == "litellm" else 1


def report(found: dict[str, dict[str, list[Load]]]) -> None:
    """Print the medians over the turns, and for rates the least and the most."""
    middle: Callable[[list[float]], float] = statistics.median
    print(f"{'':14}{'req/s c=16':>11}{'(least-most)':>14}{'p50 c=16':>10}{'p99 c=16':>10}{'CPU/req':>10}{'p50 c=1':>9}"
          f"{'+p50 c=1':>10}{'stream':>9}{'+stream':>9}{'failed':>8}")  # fmt: skip
    direct = found["direct"]
    for name, loads in found.items():
        at_once, alone, stream = loads["c16"], loads["c1"], loads["stream"]
        rates = [each.rate for each in at_once]
        added = [mine.p50_ms - theirs.p50_ms for mine, theirs in zip(alone, direct["c1"], strict=True)]
        longer = [mine.p50_ms - theirs.p50_ms for mine, theirs in zip(stream, direct["stream"], strict=True)]
        used = [each.cpu_each_s for each in at_once if each.cpu_each_s is not None]
        cpu = f"{1e6 * middle(used):.0f} us" if used else ""
        failed = sum(each.failures for kind in loads.values() for each in kind)
        spread = f"({min(rates):.0f}-{max(rates):.0f})"
        print(
            f"{name:14}{middle(rates):11.0f}{spread:>14}{middle([each.p50_ms for each in at_once]):10.2f}"
            f"{middle([each.p99_ms for each in at_once]):10.2f}{cpu:>10}{middle([each.p50_ms for each in alone]):9.2f}"
            f"{middle(added):10.2f}{middle([each.p50_ms for each in stream]):9.2f}{middle(longer):9.2f}{failed:8}"
        )
    for name in ("litellm", "tensorzero", "pass-through"):
        if name in found:
            pairs = zip(found["fieldguide"]["c16"], found[name]["c16"], strict=True)
            ratios = [ours.rate / theirs.rate for ours, theirs in pairs]
            print(
                f"requests/s of fieldguide to those of {name}, turn by turn: {middle(ratios):.2f} "
                f"({min(ratios):.2f} to {max(ratios):.2f})"
            )


async def memory(way: Way, requests: int) -> None:
    """Print the resident memory over many requests."""
    assert way.pid is not None
    for part in range(11):
        if part:
            await load(way, concurrency=16, requests=requests // 10)
        print(f"after {part * requests // 10:7} requests: {memory_mb(way.pid):6.1f} MB resident", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="less of everything: about three minutes with all peers")
    parser.add_argument("--memory", action="store_true", help="100,000 requests, and memory beside them")
    parser.add_argument("--pass-through", action="store_true")
    parser.add_argument("--litellm", metavar="PYTHON")
    parser.add_argument("--tensorzero", metavar="PYTHON")
    parser.add_argument("--upstream", metavar="PORT", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.upstream:
        asyncio.run(run_upstream(args.upstream))
        return
    if args.quick:
        args.requests, args.turns = 2400, 5
    print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}")
    port = free_port()
    processes = [started([sys.executable, __file__, "--upstream", str(port)], port)]
    with tempfile.TemporaryDirectory() as folder:
        try:
            ways = [Way(name="direct", port=port)]
            starts = [our_gateway(Path(folder), port)]
            starts += [litellm(args.litellm, Path(folder), port)] if args.litellm else []
            starts += [pass_through(port)] if args.pass_through else []
            starts += [tensorzero(args.tensorzero, Path(folder), port)] if args.tensorzero else []
            for way, process in starts:
                processes.append(process)
                ways.append(way)
            report(asyncio.run(measured(ways, requests=args.requests, turns=args.turns)))
            if args.memory:
                asyncio.run(memory(ways[1], 100_000))
        finally:
            for process in reversed(processes):
                process.send_signal(signal.SIGTERM)
            for process in processes:
                process.wait(60)


if __name__ == "__main__":
    main()
