"""Many clients of a gateway at once, and what has to hold once they have gone."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.fault_server import FaultServer
from tests.support.gateway import Lab

PROMPT_TOKENS, OUTPUT_TOKENS = 7, 5
BODY = {"model": "m", "messages": [{"role": "user", "content": "x"}], "max_tokens": 100}


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What a client heard."""

    status: int
    """0 where nothing came."""
    whole: bool
    """Whether the reply came to its end."""
    body: bytes = b""

    @property
    def good(self) -> bool:
        """Whether it is an answer, and all of it."""
        return self.status == 200 and self.whole and b'"error"' not in self.body

    @property
    def text(self) -> str:
        """The words of a streamed answer."""
        chunks = [json.loads(line[6:]) for line in self.body.splitlines() if line.startswith(b"data: {")]
        deltas = [choice["delta"] for chunk in chunks for choice in chunk.get("choices", ())]
        return "".join(delta.get("content") or "" for delta in deltas)


async def ask(port: int, key: str, body: Mapping[str, Any] = BODY, *, leave_after: bytes | None = None) -> Heard:
    """Send one chat request over a connection of its own; `leave_after` hangs up once these bytes have come."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        return await talk(reader, writer, port, key, body, leave_after=leave_after)
    finally:
        writer.transport.abort()


async def talk(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    port: int,
    key: str,
    body: Mapping[str, Any] = BODY,
    *,
    leave_after: bytes | None = None,
) -> Heard:
    """Send one chat request over a connection that is kept."""
    data = json.dumps(body).encode()
    writer.write(
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode()
        + data
    )
    came = bytearray()
    with contextlib.suppress(OSError):
        while piece := await reader.read(65536):
            came += piece
            if leave_after is not None and leave_after in came:
                return _heard(came, whole=False)
            if _is_whole(came):
                return _heard(came, whole=True)
    return _heard(came, whole=False)


def _is_whole(came: bytearray) -> bool:
    head, end, body = came.partition(b"\r\n\r\n")
    if not end:
        return False
    length = re.search(rb"content-length: (\d+)", head)
    return len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n")


def _heard(came: bytearray, *, whole: bool) -> Heard:
    head, _, body = bytes(came).partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head:
        body = _unchunked(body)
    return Heard(status=int(head[9:12]) if head.startswith(b"HTTP/1.1 ") else 0, whole=whole, body=body)


def _unchunked(body: bytes) -> bytes:
    plain = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        plain, body = plain + body[:length], body[length + 2 :]
    return plain


def events(words: Sequence[str], *, ends: bool = True) -> list[bytes]:
    """Return a stream of chat chunks, one event each; one that `ends` says why, and what it cost."""
    head = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}, *({"content": word} for word in words)]
    chunks = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    if ends:
        chunks.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        usage = {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": OUTPUT_TOKENS}
        chunks.append({**head, "choices": [], "usage": usage})
    told = [b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks]
    return [*told, b"data: [DONE]\n\n"] if ends else told


class Instant(asyncio.Protocol):
    """An upstream that answers every request with the same bytes, in next to no time."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport, self._came = transport, b""

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole."""
        self._came += data
        while (end := self._came.find(b"\r\n\r\n")) >= 0:
            length = re.search(rb"content-length: *(\d+)", self._came[:end].lower())
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._came) < whole:
                return
            self._came = self._came[whole:]
            assert isinstance(self._transport, asyncio.WriteTransport)
            self._transport.write(_INSTANT)


_USAGE = {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": OUTPUT_TOKENS}
_CHOICE = {"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}
_ANSWER = json.dumps({"id": "1", "object": "chat.completion", "choices": [_CHOICE], "usage": _USAGE}).encode()
_INSTANT = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
    len(_ANSWER),
    _ANSWER,
)


def files_open(pid: int | None = None) -> int:
    """Return how many files and sockets a process has open; None for this one."""
    return len(list(Path(f"/proc/{pid or os.getpid()}/fd").iterdir()))


async def comes_to_rest(at: Lab, upstream: FaultServer, *, within_s: float = 10.0) -> None:
    """Wait until nothing is in flight, at the gateway, between it and its upstream, and there."""
    async with asyncio.timeout(within_s):
        while at.gateway.metrics.in_flight or at.server.traffic.answering or upstream.in_flight:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def sums_of(at: Lab, key_id: str) -> dict[str, Any]:
    """Return what the records say of a key, once everything is committed."""
    await at.gateway.meters.commit()
    [row] = at.house.gateway_records.usage_sums(since=None, key_id=key_id, by=["key_id"])
    return row
