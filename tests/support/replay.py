"""Recorded exchanges with providers, and what it means that we would have had them too.

A provider's `Replay` says how its recordings are read; `tests/support/replays/` holds one module per provider with a
tuple `REPLAYS`. Of each exchange

- the recorded request is read into our request value, our wire writes it again, and the two bodies have to be equal
  but for the `allowed` differences of the provider; ours has to be valid by the vendor's schema, where there is one;
- the recorded response is parsed by us and by the vendor's own library, and all that the library exposes has to be
  found in our value; of an error, the kind and the provider's words.
"""

from __future__ import annotations

import base64
import gzip
import importlib
import json
import pkgutil
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from fieldguide.domain import Completion, CompletionRequest
from fieldguide.errors import FieldguideError, RunnerError
from fieldguide.runners import Runner, RunnerSettings
from tests.support.shared import shared


class SkippedError(Exception):
    """An exchange is not of a supported kind; the words say why, and stand in the table."""


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One recorded request and its response."""

    id: str
    source: str
    method: str
    url: str
    request_headers: Mapping[str, str]
    body: Any
    status: int
    response_headers: Mapping[str, str]
    response: bytes
    features: tuple[str, ...]

    @property
    def text(self) -> str:
        """The response's body as text."""
        return self.response.decode("utf-8")

    @property
    def streamed(self) -> bool:
        """Whether the answer came as a stream that succeeded."""
        return self.status == 200 and "stream" in self.features

    @property
    def path(self) -> str:
        """What follows the host."""
        return "/" + self.url.split("/", 3)[3]


def exchanges(name: str) -> list[Exchange]:
    """Return the exchanges of `provider/feature`; skip the test where there are none."""
    path = shared("recordings", *f"{name}.jsonl.gz".split("/"))
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [_exchange(json.loads(line)) for line in lines]


def _exchange(line: Mapping[str, Any]) -> Exchange:
    request, response = line["request"], line["response"]
    body = response["body"]
    return Exchange(
        id=line["id"],
        source=line["source"],
        method=request["method"],
        url=request["url"],
        request_headers=_lower(request["headers"]),
        body=request["body"],
        status=response["status"],
        response_headers=_lower(response["headers"]),
        response=base64.b64decode(body["base64"]) if isinstance(body, dict) else (body or "").encode(),
        features=tuple(line["features"]),
    )


def _lower(headers: Mapping[str, Any]) -> dict[str, str]:
    return {name.lower(): value if isinstance(value, str) else str(value[0]) for name, value in headers.items()}


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """A difference between recorded and own requests that changes nothing, and why."""

    reason: str
    normal: Callable[[dict[str, Any]], dict[str, Any]]
    """Brings a body to the form in which both are compared; it gets a copy and may change it."""


@dataclass(frozen=True, kw_only=True)
class Replay:
    """How one provider's recordings are replayed."""

    provider: str
    """Name of the runner, as in the table."""
    recordings: tuple[str, ...]
    """Such as `openai/chat`."""
    read: Callable[[Exchange], Any]
    """Reads the recorded request; raises `SkippedError` for what is not of a supported kind."""
    write: Callable[[Any, Exchange], Mapping[str, Any]]
    """Returns our body for it."""
    parse: Callable[[Exchange], Any]
    """Parses the recorded response; raises our error where it is one."""
    oracle: Callable[[Exchange], Any]
    """What the vendor's library exposes of the response, as JSON without nulls; an exception where it refuses it."""
    restored: Callable[[Any], Any]
    """The same JSON from our value. It may hold more."""
    allowed: tuple[Allowed, ...] = ()
    schema_errors: Callable[[Mapping[str, Any], Exchange], Sequence[str]] = lambda body, exchange: ()
    """What the vendor's schema has against our body."""
    open: Callable[[str, Exchange, RunnerSettings], Awaitable[Runner]] | None = None
    """`async (address of the loopback server, exchange, settings) -> Runner`, for replays end to end."""
    ask: Callable[[Any, Any, bool], Awaitable[Any]] | None = None
    """`async (runner, request, whether as a stream) -> answer`; None asks for a completion."""
    path: Callable[[Exchange], str] = lambda exchange: exchange.path
    """Path and query that our runner asks for."""
    streams: Callable[[Exchange], bool] = lambda exchange: bool(
        isinstance(exchange.body, dict) and exchange.body.get("stream")
    )
    """Whether the recorded request asked for a stream."""
    mostly_skipped: str | None = None
    """Why more than half of the recordings are not of a supported kind, where that is so."""


@dataclass(kw_only=True)
class Outcome:
    """What became of one exchange."""

    exchange: Exchange
    faults: list[str] = field(default_factory=list)
    skipped: str | None = None

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.skipped is None and not self.faults


def replay(how: Replay, exchange: Exchange) -> Outcome:
    """Replay one exchange."""
    outcome = Outcome(exchange=exchange)
    try:
        if exchange.body is None:
            raise SkippedError("the recording lacks the request")
        request = how.read(exchange)
    except SkippedError as reason:
        outcome.skipped = str(reason)
        return outcome
    try:
        outcome.faults += request_faults(how, exchange, request)
        outcome.faults += response_faults(how, exchange)
    except FieldguideError as error:
        outcome.faults.append(f"refused: {error}")
    return outcome


def request_faults(how: Replay, exchange: Exchange, request: Any) -> list[str]:
    """Return in what our body differs from the recorded one, and what the schema has against it."""
    ours = json.loads(json.dumps(how.write(request, exchange)))
    recorded = json.loads(json.dumps(exchange.body))
    faults = []
    if exchange.status == 200 and not how.schema_errors(recorded, exchange):  # some services take more than they say
        faults = [f"schema: {fault}" for fault in how.schema_errors(ours, exchange)]
    for allowed in how.allowed:
        ours, recorded = allowed.normal(ours), allowed.normal(recorded)
    return faults + [f"request {line}" for line in differences(recorded, ours)]


def response_faults(how: Replay, exchange: Exchange) -> list[str]:
    """Return what our reading of the response lacks."""
    try:
        completion = how.parse(exchange)
    except RunnerError as error:
        return error_faults(exchange, error, how)
    if exchange.status >= 400:
        return ["an error was read as an answer"]
    expected = how.oracle(exchange)
    return [f"response {line}" for line in lost(expected, json.loads(json.dumps(how.restored(completion))))]


def error_faults(exchange: Exchange, error: RunnerError, how: Replay) -> list[str]:
    """Return what is wrong with an error: it is none by the vendor's library, or the provider's words are missing."""
    if exchange.status < 400:
        try:
            how.oracle(exchange)
        except Exception:
            return []
        return [f"an answer was read as an error: {error}"]
    words = " ".join(re.sub(r"<[^>]*>", " ", _message_in(exchange.text)).split())
    told = " ".join(error.message.split())
    return [] if words[:80] in told else [f"the error says {told!r} and not {words[:80]!r}"]


def _message_in(text: str) -> str:
    """Return the longest text of an error body that is called a message."""
    try:
        body = json.loads(text)
    except ValueError:
        return ""
    found = [value for name, value in _leaves(body) if name in {"message", "detail", "Message", "error"}]
    return " ".join(max(found, key=len, default="").split())


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _leaves(each, key)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each, name)
    elif isinstance(value, str):
        yield name, value


def differences(expected: Any, actual: Any, where: str = "") -> list[str]:
    """Return where two JSON values differ, in words."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        names = [*expected, *(name for name in actual if name not in expected)]
        return [
            line
            for name in names
            for line in (
                [f"{where}.{name} is missing"]
                if name not in actual
                else [f"{where}.{name} is new: {_short(actual[name])}"]
                if name not in expected
                else differences(expected[name], actual[name], f"{where}.{name}")
            )
        ]
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        pairs = enumerate(zip(expected, actual))
        return [line for place, (one, other) in pairs for line in differences(one, other, f"{where}[{place}]")]
    same = expected == actual and isinstance(expected, bool) == isinstance(actual, bool)
    return [] if same else [f"{where}: {_short(expected)} became {_short(actual)}"]


def lost(expected: Any, actual: Any, where: str = "") -> list[str]:
    """Return what of `expected` is not in `actual`; nulls, and what is empty, need not be."""
    if expected is None or expected in ("", [], {}):
        return []
    if isinstance(expected, dict) and isinstance(actual, dict):
        return [line for name, each in expected.items() for line in lost(each, actual.get(name), f"{where}.{name}")]
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        pairs = enumerate(zip(expected, actual))
        return [line for place, (one, other) in pairs for line in lost(one, other, f"{where}[{place}]")]
    return [] if expected == actual else [f"{where}: {_short(expected)} became {_short(actual)}"]


def _short(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) < 120 else text[:117] + "..."


def without_nulls(value: Any) -> Any:
    """Return JSON without the fields that are null."""
    if isinstance(value, dict):
        return {name: without_nulls(each) for name, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


def sse_data(text: str) -> list[Any]:
    """Return the JSON of a recorded stream's events, read in the plainest way."""
    data = [line[5:].strip() for line in text.replace("\r\n", "\n").split("\n") if line.startswith("data:")]
    return [json.loads(each) for each in data if each and each != "[DONE]"]


def all_replays() -> list[Replay]:
    """Return the replays of every provider."""
    package = importlib.import_module("tests.support.replays")
    modules = sorted(name for _, name, _ in pkgutil.iter_modules(package.__path__) if not name.startswith("_"))
    return [replay for name in modules for replay in importlib.import_module(f"tests.support.replays.{name}").REPLAYS]


@asynccontextmanager
async def served(exchange: Exchange) -> AsyncIterator[tuple[str, list[tuple[str, Mapping[str, str], bytes]]]]:
    """Answer every request with a recorded response; give the server's address and what it was asked."""
    heard: list[tuple[str, Mapping[str, str], bytes]] = []

    async def answer(request: web.Request) -> web.Response:
        heard.append((request.path_qs, dict(request.headers), await request.read()))
        kept = {"content-type", "retry-after", "x-amzn-errortype", "x-amzn-bedrock-input-token-count"}
        headers = {name: value for name, value in exchange.response_headers.items() if name in kept}
        return web.Response(status=exchange.status, body=exchange.response, headers=headers)

    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", heard
    finally:
        await runner.cleanup()


async def asked(runner: Runner, request: CompletionRequest, stream: bool) -> Completion:
    """Return the answer of a runner, whole or as a stream."""
    if not stream:
        return await runner.complete(request)
    *_, last = [piece async for piece in runner.stream(request)]
    assert isinstance(last, Completion)
    return last


@dataclass(kw_only=True)
class Row:
    """A line of the table: one provider, one feature."""

    tried: int = 0
    passed: int = 0
    skipped: Counter[str] = field(default_factory=Counter)


def rows_of(outcomes: Sequence[Outcome]) -> dict[str, Row]:
    """Return the table's lines by feature, `all` the first; an exchange counts in each of its features."""
    rows: dict[str, Row] = defaultdict(Row)
    for outcome in outcomes:
        for feature in ("all", *(outcome.exchange.features or ("plain text",))):
            row = rows[feature]
            if outcome.skipped is not None:
                row.skipped[outcome.skipped] += 1
                continue
            row.tried += 1
            row.passed += outcome.passed
    return dict(rows)
