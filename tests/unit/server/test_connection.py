"""One connection: clients that read slowly, not at all, or speak an older HTTP."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from fieldguide.domain import Completion, FinishReason, Usage
from fieldguide.server import Limits
from fieldguide.testing import FakeRunner
from tests.support.gateway import Lab, lab

BODY = b'{"model":"m","messages":[{"role":"user","content":"x"}]}'
STREAMED = BODY[:-1] + b',"stream":true}'
WORDS = ["x" * 100_000] * 160


class _Piecewise(FakeRunner):
    """Lets others have their turn between two pieces, as a model does."""

    async def stream(self, request: Any) -> Any:
        async for piece in super().stream(request):
            await asyncio.sleep(0.001)
            yield piece


def _said(words: list[str]) -> FakeRunner:
    usage = Usage(input_tokens=1, output_tokens=1)
    return _Piecewise(Completion(text=" ".join(words), finish_reason=FinishReason.STOP, usage=usage))


def _asked(body: bytes, version: str = "1.1") -> bytes:
    head = f"POST /v1/chat/completions HTTP/{version}\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body


async def _connected(at: Lab) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a connection that takes little ahead."""
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
    door.setblocking(False)
    await asyncio.get_running_loop().sock_connect(door, ("127.0.0.1", at.server.port))
    return await asyncio.open_connection(sock=door, limit=32 * 1024)


async def test_a_client_that_reads_a_large_answer_slowly_gets_all_of_it(tmp_path: Path) -> None:
    """It takes longer than a client may read nothing, and reads all the time."""
    async with lab(tmp_path, {"m": _said(WORDS)}, limits=Limits(write_s=1.0)) as at:
        reader, writer = await _connected(at)
        writer.write(_asked(BODY))
        head = await reader.readuntil(b"\r\n\r\n")
        length, came = int(head.split(b"content-length: ")[1].split(b"\r\n")[0]), 0
        while came < length:
            piece = await reader.read(1_000_000)
            assert piece, f"cut after {came} of {length} bytes"
            if came // 1_000_000 != (came + len(piece)) // 1_000_000:
                await asyncio.sleep(0.15)
            came += len(piece)
        writer.close()


@pytest.mark.parametrize("body", [BODY, STREAMED])
async def test_a_client_that_reads_nothing_is_cut(tmp_path: Path, body: bytes) -> None:
    """What keeps silent streams alive does not keep it."""
    limits = Limits(write_s=1.0, heartbeat_s=0.2)
    async with lab(tmp_path, {"m": _said(WORDS)}, limits=limits) as at:
        _, writer = await _connected(at)
        writer.write(_asked(body))
        await asyncio.sleep(0.5)
        assert at.server.traffic.connections
        async with asyncio.timeout(10):
            while at.server.traffic.connections:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert at.gateway.metrics.in_flight == 0
        writer.close()


async def test_a_client_that_asks_and_asks_and_reads_nothing_is_made_to_wait(tmp_path: Path) -> None:
    """Its answers are not heaped up."""
    async with lab(tmp_path, {"m": _said(["y"])}) as at:
        _, writer = await _connected(at)
        writer.write(b"GET /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 100_000)  # 40 MB of answers
        await asyncio.sleep(2.0)
        (connection,) = at.server.traffic.connections
        assert connection._transport.get_write_buffer_size() < 8_000_000
        writer.transport.abort()


async def test_a_stream_for_http_1_0_has_no_chunks(tmp_path: Path) -> None:
    """Its client would take their lengths for words; it ends with the connection."""
    async with lab(tmp_path, {"m": _said(["y"])}) as at:
        reader, writer = await _connected(at)
        writer.write(_asked(STREAMED, version="1.0"))
        head, _, came = (await asyncio.wait_for(reader.read(), 10)).partition(b"\r\n\r\n")
        assert b"transfer-encoding" not in head
        assert b"connection: close" in head
        assert came.startswith(b"data: {")
        assert came.endswith(b"data: [DONE]\n\n")
        writer.close()


async def test_an_answer_to_head_has_no_body(tmp_path: Path) -> None:
    """What follows is the answer to the next request."""
    async with lab(tmp_path, {"m": _said(["y"])}) as at:
        reader, writer = await _connected(at)
        for path in ("/v1/models", "/"):
            writer.write(f"HEAD {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 40")
        writer.write(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_an_answer_on_its_way_is_not_cut_by_a_stop(tmp_path: Path) -> None:
    """The server waits while its client reads."""
    async with lab(tmp_path, {"m": _said(WORDS)}) as at:
        reader, writer = await _connected(at)
        writer.write(_asked(BODY))
        head = await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.3)
        stopping = asyncio.ensure_future(at.server.stop(drain_s=10))
        await asyncio.sleep(0.2)
        rest = await asyncio.wait_for(reader.read(), 10)
        assert len(rest) == int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        await stopping
        writer.close()


async def test_a_long_list_of_what_was_left_out_fits_a_header(tmp_path: Path) -> None:
    """Clients refuse answers whose headers are longer than some kilobytes."""
    body = BODY[:-1] + b"".join(b',"%b%d":1' % (b"x" * 5000, number) for number in range(30)) + b"}"
    async with lab(tmp_path, {"m": _said(["y"])}) as at:
        reader, writer = await _connected(at)
        writer.write(_asked(body))
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        assert b"x-fieldguide-not-passed-on: xxxx" in head
        assert len(head) < 4000
        writer.close()
