"""Kept connections: used again where that is safe, cut where it is not, bounded in what they hold."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import subprocess
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fieldguide.http_client import LineBrokenError, Lines, UnreachedError

Answers = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\n"


class Upstream:
    """Answers each request with what `answers` writes; counts connections and requests."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self.connections = 0
        self.heads: list[bytes] = []
        self.port = 0
        self.scheme = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://localhost:{self.port}/v1/x?q=1" if self.scheme == "https" else self.plain

    @property
    def plain(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/x?q=1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.heads.append(head)
                await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]))
                await self._answers(reader, writer)
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.transport.abort()


def says(data: bytes, *, close: bool = False) -> Answers:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        if close:
            writer.close()
            await writer.wait_closed()

    return answer


def sized(body: bytes, *headers: bytes) -> bytes:
    return OK + b"".join(header + b"\r\n" for header in headers) + b"Content-Length: %d\r\n\r\n" % len(body) + body


@asynccontextmanager
async def upstream(answers: Answers, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[Upstream, Lines]]:
    double, lines = Upstream(answers), Lines()
    server = await asyncio.start_server(double.serve, "127.0.0.1", 0, ssl=tls)
    double.port = server.sockets[0].getsockname()[1]
    double.scheme = "https" if tls else "http"
    try:
        yield double, lines
    finally:
        await lines.close()
        assert lines.open == 0
        server.close()


def soon(seconds: float = 5.0) -> float:
    return asyncio.get_running_loop().time() + seconds


async def fetched(lines: Lines, url: str, *, within_s: float = 5.0) -> tuple[int, bytes]:
    until_s = soon(within_s)
    async with await lines.send("POST", url, {"X-A": "1"}, b"{}", until_s=until_s) as answer:
        body = b""
        while piece := await answer.read(until_s):
            body += piece
        return answer.status, body


async def test_a_connection_is_used_again() -> None:
    """Three requests one after another go over one connection, two at once over two."""
    async with upstream(says(sized(b"yes"))) as (double, lines):
        for _ in range(3):
            assert await fetched(lines, double.url) == (200, b"yes")
        assert double.connections == 1
        await asyncio.gather(fetched(lines, double.url), fetched(lines, double.url))
        assert double.connections == 2
        assert lines.open == 2
        head = double.heads[0]
        assert head.startswith(b"POST /v1/x?q=1 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" % double.port)
        assert b"X-A: 1\r\n" in head
        assert b"Accept-Encoding: identity\r\n" in head


async def test_an_answer_that_is_not_read_to_its_end_is_cut() -> None:
    """Leaving in the middle closes the connection, so that the other side stops working for nobody."""
    async with upstream(says(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")) as (double, lines):
        async with await lines.send("POST", double.url, {}, b"{}", until_s=soon()) as answer:
            assert await answer.read(soon()) == b"abc"
        await asyncio.sleep(0.05)
        assert lines.open == 0


async def test_an_end_that_comes_a_moment_later_keeps_the_connection() -> None:
    """Who has all that matters lingers: the connection is free once the end is there, and closed if it never comes."""
    ends = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        if ends.is_set():
            await asyncio.sleep(0.1)
            writer.write(b"0\r\n\r\n")

    async with upstream(answer) as (double, lines):
        for ended, connections, left in ((True, 1, 1), (True, 1, 1), (False, 1, 0), (True, 2, 1)):
            ends.set() if ended else ends.clear()
            async with await lines.send("POST", double.url, {}, b"{}", until_s=soon()) as came:
                assert await came.read(soon()) == b"abc"
                came.linger()
            await asyncio.sleep(0.3 if ended else 1.3)
            assert (double.connections, lines.open) == (connections, left)


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (sized(gzip.compress(b"x" * 5000), b"Content-Encoding: gzip"), b"x" * 5000),
        (sized(zlib.compress(b"y" * 5000), b"Content-Encoding: deflate"), b"y" * 5000),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + sized(b"z"), b"z"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n1;x=y\r\nb\r\n0\r\nTrailer: 1\r\n\r\n", b"ab"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
    ids=["gzip", "deflate", "words in between", "chunks", "nothing"],
)
async def test_every_proper_form_of_an_answer_is_read(answer: bytes, body: bytes) -> None:
    """Packed though nobody asked, behind words in between, in chunks with trailers, or with no body at all."""
    async with upstream(says(answer)) as (double, lines):
        for _ in range(2):
            assert (await fetched(lines, double.url))[1] == body
        assert double.connections == 1


async def test_an_answer_may_end_with_its_connection() -> None:
    """Without a length the end of the connection is that of the body, and the next request takes a new one."""
    async with upstream(says(OK + b"\r\nabc", close=True)) as (double, lines):
        assert await fetched(lines, double.url) == (200, b"abc")
        assert await fetched(lines, double.url) == (200, b"abc")
        assert double.connections == 2


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Length: 10\r\n\r\nabc",
        OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        OK + b"Content-Len",
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        OK + b"Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde",
        OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        OK + b"".join(b"X-%d: y\r\n" % n for n in range(300)) + b"Content-Length: 0\r\n\r\n",
        OK + b"X: " + b"y" * 70_000 + b"\r\nContent-Length: 0\r\n\r\n",
        sized(gzip.compress(b"x" * 5000)[:-20], b"Content-Encoding: gzip"),
        sized(b"not packed", b"Content-Encoding: gzip"),
        sized(b"abc", b"Content-Encoding: br"),
    ],
    ids=[
        "short", "cut chunks", "cut head", "nothing", "another protocol", "two lengths", "length and chunks",
        "many headers", "a large header", "cut pack", "no pack", "an odd pack",
    ],
)  # fmt: skip
async def test_what_is_no_proper_answer_is_an_error(answer: bytes) -> None:
    """It is never taken for one, and its connection is not used again."""
    async with upstream(says(answer, close=True)) as (double, lines):
        with pytest.raises(LineBrokenError):
            await fetched(lines, double.url)
        with pytest.raises(LineBrokenError):
            await fetched(lines, double.url)
        assert double.connections == 2


@pytest.mark.parametrize("extra", [sized(b"theirs"), b"garbage"])
@pytest.mark.parametrize("later", [False, True])
async def test_an_answer_that_nobody_asked_for_reaches_nobody(extra: bytes, later: bool) -> None:
    """A second answer behind the first, at once or a moment later, ends the connection: the next asker gets its own."""
    count = [0]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        count[0] += 1
        first = sized(b"mine %d" % count[0])
        if later:
            writer.write(first)
            await asyncio.sleep(0.05)
            writer.write(extra)
        else:
            writer.write(first + extra)

    async with upstream(answer) as (double, lines):
        for number in (1, 2, 3):
            assert await fetched(lines, double.url) == (200, b"mine %d" % number)
            await asyncio.sleep(0.15)
        assert double.connections == 3


async def test_the_other_side_waits_for_a_slow_reader() -> None:
    """Of an answer of 64 MB that nobody reads, no more than a little is taken; read, it comes whole."""
    size = 64 * 1024 * 1024
    sent = [0]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"Content-Length: %d\r\n\r\n" % size)
        while sent[0] < size:
            writer.write(b"x" * 65536)
            await writer.drain()
            sent[0] += 65536

    async with upstream(answer) as (double, lines):
        async with await lines.send("POST", double.url, {}, b"{}", until_s=soon(60)) as came:
            await asyncio.sleep(0.5)
            assert sent[0] < size / 2
            read = 0
            while piece := await came.read(soon(60)):
                read += len(piece)
            assert read == size
        assert lines.open == 1


async def test_waiting_ends_when_it_should() -> None:
    """A head or a body that does not come is a timeout, after which the connection is gone."""

    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with upstream(silence) as (double, lines):
        with pytest.raises(TimeoutError):
            await fetched(lines, double.url, within_s=0.2)
        await asyncio.sleep(0.05)
        assert lines.open == 0
    async with upstream(says(OK + b"Content-Length: 10\r\n\r\nabc")) as (double, lines):
        with pytest.raises(TimeoutError):
            await fetched(lines, double.url, within_s=0.2)
        await asyncio.sleep(0.05)
        assert lines.open == 0


@pytest.fixture
def certificate(tmp_path: Path) -> str:
    """Return the file of a certificate for localhost, with its key."""
    file = str(tmp_path / "certificate.pem")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", file, "-out", f"{file}.public"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
    subprocess.run([*command, *names], check=True, capture_output=True)
    Path(file).write_text(Path(file).read_text() + Path(f"{file}.public").read_text())
    return file


def tls_of(certificate: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def test_nobody_there_is_told_as_that(certificate: str) -> None:
    """A closed port, and a certificate that nobody vouches for: nothing was sent."""
    async with upstream(says(sized(b""))) as (double, lines):
        port = double.port
    with pytest.raises(UnreachedError):
        await fetched(lines, f"http://127.0.0.1:{port}/")
    async with upstream(says(sized(b"")), tls=tls_of(certificate)) as (double, lines):
        with pytest.raises(UnreachedError, match="certificate"):
            await fetched(lines, double.url)
        assert double.heads == []


async def test_a_vouched_for_certificate_is_spoken_to(certificate: str) -> None:
    """Over TLS everything is as without."""
    async with upstream(says(sized(b"secret")), tls=tls_of(certificate)) as (double, lines):
        lines._tls = ssl.create_default_context(cafile=certificate)
        assert await fetched(lines, double.url) == (200, b"secret")
        assert await fetched(lines, double.url) == (200, b"secret")
        assert double.connections == 1


async def test_what_is_not_used_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A free connection is given up after a while."""
    monkeypatch.setattr("fieldguide.http_client._lines._KEPT_S", 0.2)
    monkeypatch.setattr("fieldguide.http_client._lines._SWEEP_S", 0.1)
    async with upstream(says(sized(b"yes"))) as (double, lines):
        await asyncio.gather(*(fetched(lines, double.url) for _ in range(5)))
        assert lines.open >= 1
        await asyncio.sleep(0.6)
        assert lines.open == 0
        assert await fetched(lines, double.url) == (200, b"yes")
