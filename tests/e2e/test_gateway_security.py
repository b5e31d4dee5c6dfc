"""The gateway's security checklist: docs/gateway-security.md names the test of each rule."""

from __future__ import annotations

import asyncio
import gzip
import hmac
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from fieldguide.app.gateway import GatewayConfig, ModelConfig
from fieldguide.app.gateway import _keys as keys_module
from fieldguide.domain import Completion, FinishReason, Usage
from fieldguide.errors import FieldguideError
from fieldguide.server import Limits
from fieldguide.server._errors import RULES, RequestError, error_value, redacted, told
from fieldguide.server._reading import from_address, parse_body
from fieldguide.server._routes import ROUTES
from fieldguide.testing import FakeRunner, all_capabilities
from tests.support.gateway import Lab, lab

BODY = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
CHAT = "/v1/chat/completions"
DOC = Path(__file__).parents[2] / "docs" / "gateway-security.md"
PATHS = [path if not path.endswith("/") else f"{path}m" for path in ROUTES]


async def raw(at: Lab, request: bytes, *, wait_s: float = 10) -> bytes:
    """Send bytes as they stand and return what comes back until the connection ends, or a whole reply is there."""
    reader, writer = await asyncio.open_connection("127.0.0.1", at.server.port)
    writer.write(request)
    came = b""
    try:
        async with asyncio.timeout(wait_s):
            while piece := await reader.read(65536):
                came += piece
                head, end, body = came.partition(b"\r\n\r\n")
                length = re.search(rb"content-length: (\d+)", head)
                if end and length and len(body) >= int(length[1]):
                    break
    except (TimeoutError, ConnectionResetError):
        pass
    writer.close()
    return came


def status_of(reply: bytes) -> int:
    return int(reply.split(b" ", 2)[1]) if reply.startswith(b"HTTP/1.1 ") else 0


def named(headers: dict[str, str]) -> Any:
    """Return headers whose names are no Python names."""
    return headers


def request(path: str, *, method: str = "GET", host: str = "127.0.0.1", body: bytes = b"", **headers: Any) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in headers.items())]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def posted(body: Any = BODY, **headers: str) -> bytes:
    given = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return request(CHAT, method="POST", body=json.dumps(body).encode(), **given)


async def test_g1_keys_are_kept_nowhere(tmp_path: Path) -> None:
    """Neither the records nor their log nor the gateway's log holds a key, only its digest."""
    async with lab(tmp_path, {"m": FakeRunner("y")}) as at:
        made = at.key()
        assert len(made.key.rpartition("-")[2]) >= 40 or len(made.key) > 50
        assert status_of(await raw(at, posted(Authorization=f"Bearer {made.key}"))) == 200
        await at.gateway.meters.commit()
        files = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
        assert any(made.row.digest.encode() in path.read_bytes() for path in files)
        assert not any(made.key.encode() in path.read_bytes() for path in files)
        assert made.key not in "\n".join(at.log)
        assert (tmp_path / "home" / "gateway.sqlite").stat().st_mode & 0o077 == 0


async def test_g2_keys_are_looked_up_with_bound_parameters(tmp_path: Path) -> None:
    """Injections as a key are 401 with one body, and the records stay as they were."""
    starts, ends = ("'", '"', "x' ", "\\'"), ("--", ";--", " #", "/*", "' --", "')")
    middles = ("OR 1=1", "; DROP TABLE keys", "UNION SELECT *")
    bad = [f"{start}{middle}{end}" for start in starts for middle in middles for end in ends]
    async with lab(tmp_path, {"m": FakeRunner("y")}) as at:
        at.key()
        path = tmp_path / "home" / "gateway.sqlite"
        before = _content(path)
        bodies = set()
        for key in bad:
            reply = await raw(at, request("/v1/models", Authorization=f"Bearer {key}"))
            assert status_of(reply) == 401
            bodies.add(reply.partition(b"\r\n\r\n")[2])
        assert len(bodies) == 1
        assert _content(path) == before


def _content(path: Path) -> list[Any]:
    with sqlite3.connect(path) as connection:
        return [connection.execute(f"SELECT * FROM {name}").fetchall() for name in ("keys", "meters", "leases")]


def test_g3_digests_are_compared_in_constant_time() -> None:
    """The one place that compares digests uses hmac.compare_digest."""
    source = Path(keys_module.__file__).read_text(encoding="utf-8")
    assert "hmac.compare_digest(row.digest, digest)" in source
    assert not re.search(r"digest\s*==|==\s*digest", source)
    assert hmac.compare_digest("a", "a")


@pytest.mark.parametrize("path", [*PATHS, "/none", "/health/../v1/models", "//health", "/%2e%2e/v1/models", "/HEALTH"])
async def test_g4_every_route_wants_a_key(path: str, tmp_path: Path) -> None:
    """Without a key everything is 401 but health and readiness, whatever the method and the way of writing a path."""
    async with lab(tmp_path, {"m": FakeRunner("y")}) as at:
        at.key()
        for method in ("GET", "POST", "HEAD", "OPTIONS", "TRACE", "DELETE", "PUT"):
            for written in (path, f"{path}/", f"{path};x", f"{path}?x=/health"):
                is_open = written.partition("?")[0] in {"/health", "/ready"}
                status = status_of(await raw(at, request(written, method=method)))
                assert status == (200 if method == "GET" else 405) if is_open else status == 401, (method, written)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /v1/models HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nHost: localhost:1\r\n\r\n",
        b"GET /v1/models HTTP/1.0\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\n\r\n",
        b"GET http://evil.example/v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x/health?\r\n\r\n",
    ],
)
async def test_g5_only_our_own_names_are_answered(head: bytes, tmp_path: Path) -> None:
    """A name that a page of another's resolves to this machine is refused on loopback, on every route."""
    async with lab(tmp_path, {"m": FakeRunner("y")}) as at:
        assert status_of(await raw(at, head)) in {400, 421}
        assert status_of(await raw(at, request("/v1/models", host=f"localhost:{at.server.port}"))) == 200


async def test_g6_pages_of_others_are_refused(tmp_path: Path) -> None:
    """A foreign Origin is 403 without any CORS header, plain text is 415, our operator's own page is let in."""
    config = GatewayConfig(origins=("https://chat.example.org",), drain_s=1.0)
    async with lab(tmp_path, {"m": FakeRunner("y")}, config=config) as at:
        reply = await raw(at, posted(Origin="https://evil.example"))
        assert status_of(reply) == 403
        assert b"access-control" not in reply.lower()
        assert status_of(await raw(at, posted(Sec_Fetch_Site="cross-site"))) == 403
        assert status_of(await raw(at, posted(Content_Type="text/plain"))) == 415
        assert status_of(await raw(at, posted(Origin="null"))) == 403
        allowed = await raw(at, posted(Origin="https://chat.example.org"))
        assert status_of(allowed) == 200
        assert b"access-control-allow-origin: https://chat.example.org" in allowed
        assert b"*" not in allowed.partition(b"\r\n\r\n")[0]


def test_g8_without_keys_only_this_machine(tmp_path: Path) -> None:
    """Any other address than loopback refuses to start while no key is in force."""
    environment = {**os.environ, "FIELDGUIDE_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "fieldguide", "serve", "--host", "0.0.0.0", "--port", "0"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "keys create" in done.stderr


FOREIGN = ("api_base", "base_url", "api_key", "extra_headers", "headers", "organization", "custom_llm_provider")


async def test_g9_where_requests_go_is_the_operators(tmp_path: Path) -> None:
    """Fields that name a server or a key are listed, and reach no upstream, at the top and within."""
    heard: list[dict[str, Any]] = []

    async def answer(asked: web.Request) -> web.Response:
        heard.append({"headers": dict(asked.headers), "body": await asked.json(), "path": asked.path_qs})
        choice = {"index": 0, "message": {"role": "assistant", "content": "y"}, "finish_reason": "stop"}
        return web.json_response({"id": "1", "choices": [choice], "usage": None})

    async with _upstream(answer) as port:
        models = {"m": ModelConfig(alias="m", reference=f"http://127.0.0.1:{port}/v1#m")}
        async with lab(tmp_path, {}, config=GatewayConfig(models=models, drain_s=1.0)) as at:
            foreign = dict.fromkeys(FOREIGN, "http://evil.example")
            message = {"role": "user", "content": [{"type": "text", "text": "x", **foreign}], **foreign}
            body = {"model": "m", **foreign, "messages": [message]}
            reply = await raw(at, posted(body, X_Upstream="http://evil.example"))
            assert status_of(reply) == 200
            assert b"x-fieldguide-not-passed-on: " in reply
            assert all(name.encode() in reply.partition(b"\r\n\r\n")[0] for name in FOREIGN)
            assert "evil" not in json.dumps(heard)
            tool = {"type": "mcp", "server_url": "http://evil.example"}
            assert status_of(await raw(at, posted({**BODY, "tools": [tool]}))) == 400
            assert len(heard) == 1


async def test_g10_a_key_goes_to_one_host_only(tmp_path: Path) -> None:
    """A redirect of the upstream's is not followed."""
    elsewhere: list[str] = []

    async def second(asked: web.Request) -> web.Response:
        elsewhere.append(asked.headers.get("Authorization", ""))
        return web.json_response({})

    async with _upstream(second) as other:

        async def first(asked: web.Request) -> web.Response:
            raise web.HTTPTemporaryRedirect(f"http://127.0.0.1:{other}/v1/chat/completions")

        async with _upstream(first) as port:
            models = {"m": ModelConfig(alias="m", reference=f"http://127.0.0.1:{port}/v1#m", retries=0)}
            async with lab(tmp_path, {}, config=GatewayConfig(models=models, drain_s=1.0)) as at:
                assert status_of(await raw(at, posted())) >= 400
    assert elsewhere == []


ADDRESSES = [
    "http://127.1/x", "http://0/x", "http://2130706433/", "http://0x7f.1/", "http://[::ffff:127.0.0.1]/",
    "http://[::]/",
    "http://169.254.169.254/latest", "https://a@127.0.0.1/", "https://ok.example\\@127.0.0.1/",
    "https://ok.example#@127.0.0.1/",
    "https://ok.example\t/", "https://ok.example\r\nHost: x/", "https://xn--80ak6aa92e.com/", "https://ok.example./x",
    "file:///etc/passwd", "gopher://127.0.0.1/", "ftp://ok.example/x", "https://ok.example.evil.example/x",
    "https://OK.example/x", "https://ok.example:8443/x", "https://user:pw@ok.example/x", "//ok.example/x",
    "data:text/html,x",
    "https://ok%2eexample/x", "https://[fe80::1%25eth0]/", "http://ok.example/x", "https://127.0.0.1/x",
    "https://10.0.0.1/x", "https://100.64.0.1/x", "https://[64:ff9b::7f00:1]/",
]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_g11_addresses_in_requests_are_fetched_by_nobody(address: str) -> None:
    """Data URLs only; another address is passed on only where its very host is allowed, and never fetched here."""
    for allowed in (set[str](), {"ok.example"}):
        with pytest.raises(RequestError):
            from_address(address, "image_url.url", allowed)
    assert from_address("https://ok.example/x.png", "u", {"ok.example"})[2] == "https://ok.example/x.png"
    with pytest.raises(RequestError):
        from_address("https://ok.example/x.png", "u", set())


async def test_g12_requests_are_bounded(tmp_path: Path) -> None:
    """Too large, too deep, compressed, or with a head without end: refused, while others are answered."""
    limits = Limits(body_bytes=100_000, head_s=1.0, body_s=1.5)
    async with lab(tmp_path, {"m": FakeRunner("y")}, limits=limits) as at:
        assert status_of(await raw(at, posted({**BODY, "user": "x" * 200_000}))) == 413
        chunks = b"".join(b"%x\r\n%b\r\n" % (10_000, b"x" * 10_000) for _ in range(40))
        head = request(
            CHAT, method="POST", **named({"Content-Type": "application/json", "Transfer-Encoding": "chunked"})
        )
        assert status_of(await raw(at, head + chunks)) == 413
        assert status_of(await raw(at, request("/health", **named({f"X-{n}": "y" for n in range(200)})))) == 431
        assert status_of(await raw(at, request("/health", **named({"X-Long": "y" * 100_000})))) == 431
        deep = b'{"model":"m","messages":' + b"[" * 50_000
        given = named({"Content-Type": "application/json"})
        assert status_of(await raw(at, request(CHAT, method="POST", body=deep, **given))) == 400
        packed = gzip.compress(json.dumps(BODY).encode())
        zipped = request(CHAT, method="POST", body=packed, **given, **named({"Content-Encoding": "gzip"}))
        assert status_of(await raw(at, zipped)) == 415
        slow = [raw(at, b"GET /health HTTP/1.1\r\nHost: 127", wait_s=8) for _ in range(50)]
        stalled = raw(at, request(CHAT, method="POST", **given, **named({"Content-Length": "50"})), wait_s=8)
        began_s = time.monotonic()
        waiting = asyncio.gather(*slow, stalled)
        await asyncio.sleep(0.1)
        assert status_of(await raw(at, posted())) == 200
        replies = await waiting
        assert {status_of(reply) for reply in replies} == {408}
        assert time.monotonic() - began_s < 8
        async with asyncio.timeout(5):
            while at.server.traffic.connections:  # noqa: ASYNC110
                await asyncio.sleep(0.05)


def test_g12_depth_is_counted_and_not_brackets_in_texts() -> None:
    """64 levels pass and 65 do not; brackets within a text are none."""
    parse_body(b'{"a":' + b"[" * 63 + b"]" * 63 + b"}")
    with pytest.raises(RequestError):
        parse_body(b'{"a":' + b"[" * 65 + b"]" * 65 + b"}")
    parse_body(json.dumps({"a": "[{" * 500}).encode())


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345",
        b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: +5\r\n\r\n12345",
        b"Content-Length : 5\r\n\r\n12345",
    ],
)
async def test_g13_no_request_hides_in_another(head: bytes, tmp_path: Path) -> None:
    """A body whose length is told twice or strangely is refused, and the connection ends."""
    async with lab(tmp_path, {"m": FakeRunner("y")}) as at:
        smuggled = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        start = f"POST {CHAT} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n".encode()
        reply = await raw(at, start + head + smuggled)
        assert status_of(reply) == 400
        assert reply.count(b"HTTP/1.1") == 1


NAMES = [
    "../m", "..%2fm", "..\\m", "m\x00", "/etc/passwd", "./m", "m/../m", "\u2024\u2024/m", "m" * 4096, "", " m",
    "file:/etc/passwd",
    "llama.cpp:/etc/passwd", "recorded:/etc/passwd", "http://127.0.0.1:1/v1#m", "package:evil", "hf:a/b", "M\u200b",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
async def test_g14_models_are_looked_up_and_nothing_else(name: str, tmp_path: Path) -> None:
    """A name that is no model of the gateway's is 404, or 400 where it is empty, with the same body for all."""
    async with lab(tmp_path, {"m": FakeRunner("y")}) as at:
        for path, body in ((CHAT, {**BODY, "model": name}), ("/api/show", {"model": name})):
            async with aiohttp.ClientSession() as session, session.post(at.address + path, json=body) as reply:
                text = await reply.text()
                assert reply.status in {400, 404}
                assert name not in text or len(name) < 3
                assert "passwd" not in text


async def test_g20_no_secret_is_logged_or_told(tmp_path: Path) -> None:
    """Canary keys of clients and providers appear in no log, error or metric."""
    canary = "sk-canary0123456789abcdef"
    error = FieldguideError(f"broke with {canary} and https://x.example/?key={canary}")
    assert canary not in redacted(error.message)
    async with lab(tmp_path, {"m": FakeRunner(error)}) as at:
        reply = await raw(at, posted({**BODY, "user": canary}, Authorization=f"Bearer {canary}"))
        assert status_of(reply) == 500
        metrics = await raw(at, request("/metrics"))
        assert b"fieldguide_requests_total" in metrics
        for text in (reply, metrics, "\n".join(at.log).encode()):
            assert canary.encode() not in text


async def test_g21_an_upstream_that_echoes_the_key_is_not_repeated(tmp_path: Path) -> None:
    """Of a provider's 401 the client learns that the gateway's credentials are bad, with the request's id."""

    async def answer(asked: web.Request) -> web.Response:
        said = f"Incorrect API key: {asked.headers.get('Authorization')} at /srv/keys"
        return web.json_response({"error": {"message": said}}, status=401)

    async with _upstream(answer) as port:
        models = {"m": ModelConfig(alias="m", reference=f"http://127.0.0.1:{port}/v1#m", retries=0)}
        async with lab(tmp_path, {}, config=GatewayConfig(models=models, drain_s=1.0)) as at:
            reply = await raw(at, posted())
    assert status_of(reply) == 502
    assert b"/srv/keys" not in reply
    assert b"x-request-id: req_" in reply


def test_g21_every_error_has_a_status_and_three_shapes() -> None:
    """No class of the error tree falls to chance, and none that may hold paths is shown."""
    for kind in _all_of(FieldguideError):
        assert any(ancestor in RULES for ancestor in kind.__mro__)
    for kind, rule in RULES.items():
        assert 400 <= rule.status < 600
        assert kind is FieldguideError or kind.__mro__
        for shape in ("openai", "anthropic", "ollama"):
            how = told(FieldguideError("/home/secret"))
            assert "secret" not in json.dumps(error_value(how, shape, "req_1"))


def _all_of(kind: type[FieldguideError]) -> list[type[FieldguideError]]:
    return [kind, *(inner for each in kind.__subclasses__() for inner in _all_of(each))]


async def test_g23_bad_keys_are_slowed_down(tmp_path: Path) -> None:
    """After a thousand bad keys in a minute an address gets 429 for further ones, and good keys still work."""
    async with lab(tmp_path, {"m": FakeRunner("y")}) as at:
        made = at.key()
        async with aiohttp.ClientSession() as session:
            statuses = []
            for _ in range(1010):
                async with session.get(f"{at.address}/v1/models", headers={"x-api-key": "bad"}) as reply:
                    statuses.append(reply.status)
            assert statuses[:1000].count(401) > 900
            assert statuses[-1] == 429 or 401 in statuses[-10:]
            async with session.get(f"{at.address}/v1/models", headers={"x-api-key": made.key}) as reply:
                assert reply.status == 200


async def test_g24_what_a_role_may(tmp_path: Path) -> None:
    """Every route with every role: a user's key reaches no route of an admin's, and there is none that makes keys."""
    async with lab(tmp_path, {"m": FakeRunner("y", capabilities=all_capabilities())}) as at:
        found = {role: at.key(role, role=role).key for role in ("user", "admin")}
        for path, methods in ROUTES.items():
            for method, route in methods.items():
                for role, key in found.items():
                    target = f"{path}m" if path.endswith("/") else path
                    head = {"Authorization": f"Bearer {key}", "Content-Type": route.body or "application/json"}
                    status = status_of(await raw(at, request(target, method=method, body=b"{}", **head)))
                    assert (status == 403) == (route.role == "admin" and role == "user"), (path, role, status)
        assert not any("key" in path for path in ROUTES)


async def test_g26_streams_are_not_held_back(tmp_path: Path) -> None:
    """Events come one by one, a silent stream is kept alive, and lines within a text stay text."""
    text = "one\n\ndata:[DONE]\n\ntwo"  # the double streams word by word, and leaves the spaces out
    usage = Usage(input_tokens=1, output_tokens=1)
    whole = Completion(text=text, finish_reason=FinishReason.STOP, usage=usage)
    async with lab(tmp_path, {"m": _Slow(whole)}, limits=Limits(heartbeat_s=0.4)) as at:
        body = {**BODY, "stream": True}
        async with aiohttp.ClientSession() as session, session.post(at.address + CHAT, json=body) as reply:
            assert reply.headers["x-accel-buffering"] == "no"
            came = (await reply.content.read()).decode()
    assert ": still here" in came
    deltas = [json.loads(line[6:]) for line in came.split("\n") if line.startswith("data: {")]
    assert "".join(each["choices"][0]["delta"].get("content") or "" for each in deltas) == text
    assert came.rstrip().endswith("data: [DONE]")


class _Slow(FakeRunner):
    """Is silent for a while in the middle of its answer."""

    async def stream(self, request: Any) -> Any:
        first = True
        async for piece in super().stream(request):
            yield piece
            if first:
                await asyncio.sleep(2.0)
            first = False


async def test_g29_schemas_are_bounded(tmp_path: Path) -> None:
    """A schema that is nested deeply or very large is refused before any engine sees it."""
    deep: dict[str, Any] = {}
    for _ in range(40):
        deep = {"type": "object", "properties": {"a": deep}}
    large = {"enum": ["x" * 70_000]}
    async with lab(tmp_path, {"m": FakeRunner("y", capabilities=all_capabilities())}) as at:
        for schema in (deep, large):
            form = {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}
            assert status_of(await raw(at, posted({**BODY, "response_format": form}))) == 400
            assert status_of(await raw(at, request("/health"))) == 200


def test_g32_a_stop_under_load_loses_nothing(tmp_path: Path) -> None:
    """SIGTERM with streams in flight: all end, the process exits 0, and every request has its row."""
    asyncio.run(_stop_under_load(tmp_path))


async def _stop_under_load(folder: Path) -> None:
    async def answer(asked: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await reply.prepare(asked)
        for n in range(6):
            delta = {"index": 0, "delta": {"content": f"w{n}"}, "finish_reason": "stop" if n == 5 else None}
            await reply.write(b"data: " + json.dumps({"id": "1", "choices": [delta]}).encode() + b"\n\n")
            await asyncio.sleep(0.4)
        await reply.write(b"data: [DONE]\n\n")
        return reply

    async with _upstream(answer) as port:
        command = [sys.executable, "-m", "fieldguide", "serve", "--port", "0", "--json"]
        command += ["--model", f"m=http://127.0.0.1:{port}/v1#m", "--home", str(folder)]
        process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        address = json.loads(await process.stdout.readline())["address"]

        async def one() -> str:
            body = {**BODY, "stream": True}
            async with aiohttp.ClientSession() as session, session.post(address + CHAT, json=body) as reply:
                return (await reply.content.read()).decode()

        streams = [asyncio.ensure_future(one()) for _ in range(20)]
        await asyncio.sleep(1.0)
        process.send_signal(signal.SIGTERM)
        ended = await asyncio.gather(*streams)
        assert all(text.rstrip().endswith("[DONE]") for text in ended)
        assert await process.wait() == 0
    with sqlite3.connect(folder / "gateway.sqlite") as connection:
        assert connection.execute("SELECT count(*), sum(outcome = 'answered') FROM usage").fetchone() == (20, 20)


def test_the_page_names_a_test_or_a_reason_for_every_rule() -> None:
    """docs/gateway-security.md has all rules from G1 to G32, and every test that it names is there."""
    text = DOC.read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (G\d+) \|(.*)\|$", text, re.M))
    assert list(rows) == [f"G{number}" for number in range(1, 33)]
    root = DOC.parents[1]
    for rule, row in rows.items():
        named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row)
        assert named or "No test:" in row, rule
        for path, test in named:
            assert f"def {test}(" in (root / path).read_text(encoding="utf-8"), f"{rule}: {path}::{test}"


class _upstream:  # noqa: N801
    """Serves one handler on loopback."""

    def __init__(self, handler: Any) -> None:
        self._app = web.Application()
        self._app.router.add_route("*", "/{tail:.*}", handler)
        self._runner = web.AppRunner(self._app, access_log=None)

    async def __aenter__(self) -> int:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return int(self._runner.addresses[0][1])

    async def __aexit__(self, *error: object) -> None:
        await self._runner.cleanup()
