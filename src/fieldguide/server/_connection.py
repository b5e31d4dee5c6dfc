"""HTTP/1.1 over one connection: parsed by llhttp, bounded in size and time, cancelled when the client goes away."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httptools

from fieldguide.server._message import AnyReply, BrokenOffError, Head, Reply, StreamReply

_REASONS = {status.value: status.phrase for status in HTTPStatus}
_MOST_WAITING = 16
"""Requests that a client may send ahead of their answers."""
_MOST_PASSED_BYTES = 64 * 1024
_LINGER_S = 2.0
"""How long a client that was refused may go on sending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what one connection may ask of the server."""

    head_bytes: int = 64 * 1024
    headers: int = 100
    body_bytes: int = 32 * 1024 * 1024
    head_s: float = 30.0
    """From the first byte of a request to the end of its head."""
    body_s: float = 300.0
    """From the end of the head to the end of the body."""
    idle_s: float = 75.0
    """Between two requests of one connection."""
    write_s: float = 60.0
    """How long a client may leave what was sent unread."""
    connections: int = 10_000
    """Open at once; a client beyond them is told so and let go."""
    heartbeat_s: float = 15.0


Admit = Callable[[Head], Reply | Callable[[bytes], Awaitable[AnyReply]]]
"""Decides on a request by its head alone: a reply that refuses it, or what answers it once its body is there."""


class Traffic:
    """What goes on at all connections together."""

    def __init__(self) -> None:
        self.connections: set[Connection] = set()
        self.answering = 0
        """Requests that are being answered."""


class Connection(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, admit: Admit, limits: Limits, traffic: Traffic, refused: Callable[[int, str], Reply]) -> None:
        """`refused` makes the reply to what is no proper request."""
        self._admit, self._limits, self._traffic, self._refused = admit, limits, traffic, refused
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: Any = None
        self._waiting: deque[tuple[Any, bytes, bool, bool]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._out: list[bytes] = []
        self._flush_due = False
        self._writable: asyncio.Future[None] | None = None
        self._heartbeat: bytes | None = None
        self._framed: Callable[[bytes], bytes] = _chunk
        self._last_write_s = 0.0
        self._unread = 0
        self._read_on_s = 0.0
        self._deadline_s: float | None = self._loop.time() + limits.head_s
        self._peer = ""
        self.closing = False
        self._reset()

    # -- connection ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to listen."""
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self._peer = str(peer[0]) if isinstance(peer, tuple) else ""
        self._traffic.connections.add(self)
        if len(self._traffic.connections) > self._limits.connections:
            self._fail(self._refused(503, "The gateway has as many connections as it takes."))

    def connection_lost(self, error: Exception | None) -> None:
        """Cancel what is being done for a client that has gone."""
        self._traffic.connections.discard(self)
        self.closing = True
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
        self.resume_writing()

    def eof_received(self) -> bool:
        """Close: a client that sends no more has gone."""
        return False

    def pause_writing(self) -> None:
        """Wait with further pieces, and with what the client asks next, until it has read some."""
        if self._writable is None:
            self._writable = self._loop.create_future()
            self._unread, self._read_on_s = self._transport.get_write_buffer_size(), self._loop.time()
            with contextlib.suppress(RuntimeError):  # closing already
                self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on."""
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None
        self._listen_on()

    def _listen_on(self) -> None:
        """Take more from the client, where it has read enough and waits for few enough answers."""
        if self._writable is None and len(self._waiting) < _MOST_WAITING and not self._transport.is_closing():
            self._transport.resume_reading()

    @property
    def busy(self) -> bool:
        """Whether a request is being answered, or an answer is on its way."""
        return self._task is not None or bool(self._out) or self._transport.get_write_buffer_size() > 0

    def finish(self) -> None:
        """Close as soon as nothing is being answered."""
        self.closing = True
        if self._task is None:
            self._close()

    def abort(self) -> None:
        """Cut the connection; what is being answered is cancelled."""
        self.closing = True
        if self._task is not None:
            self._task.cancel()
        self._transport.abort()

    def tick(self, now_s: float) -> None:
        """Look at the clock: end what takes too long, keep streams that are silent alive."""
        if self._deadline_s is not None and now_s > self._deadline_s:
            if self._in_request and self._task is None:
                self._fail(self._refused(408, "The request did not come in time."))
            elif self._task is None:
                self._close()
        if self._writable is not None:
            self._look_if_read(now_s)
        elif self._heartbeat is not None and now_s - self._last_write_s > self._limits.heartbeat_s:
            self._write(self._framed(self._heartbeat))

    def _look_if_read(self, now_s: float) -> None:
        """Cut a client that reads nothing of what waits for it; one that reads slowly has its time."""
        unread = self._transport.get_write_buffer_size()
        if unread < self._unread:
            self._read_on_s = now_s
        elif now_s - self._read_on_s > self._limits.write_s:
            self._transport.abort()
        self._unread = unread

    # -- parsing ------------------------------------------------------------------------------------------------

    def _reset(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._repeated: set[str] = set()
        self._body: list[bytes] = []
        self._body_bytes = self._head_bytes = self._parsed_bytes = 0
        self._answer: Any = None
        self._in_request = self._head_done = False

    def data_received(self, data: bytes) -> None:
        """Take bytes from the client."""
        if self.closing:
            return
        if not self._head_done:
            self._head_bytes += len(data)
            if not self._in_request:
                self._in_request = True
                self._deadline_s = self._loop.time() + self._limits.head_s
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(self._refused(400, "The protocol is not changed here."))
        except httptools.HttpParserError as error:
            ended = error.__context__
            refusal = self._refused(400, "This is not a proper HTTP request.")
            if isinstance(ended, _EndedError):
                refusal = ended.reply
            elif isinstance(error, httptools.HttpParserCallbackError) and ended is not None:
                raise ended from None
            self._fail(refusal)
        if not self._head_done and self._head_bytes > self._limits.head_bytes and not self.closing:
            self._fail(self._refused(431, "The head of the request is too large."))

    def on_url(self, url: bytes) -> None:
        """Take a part of the target."""
        self._url += url
        self._grow(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        if len(self._headers) >= self._limits.headers:
            raise self._ended(431, "The request has too many headers.")
        self._grow(len(name) + len(value) + 4)
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        if key in self._headers:
            self._repeated.add(key)
            text = f"{self._headers[key]}, {text}"
        self._headers[key] = text

    def _grow(self, size: int) -> None:
        self._parsed_bytes += size
        if self._parsed_bytes > self._limits.head_bytes:
            raise self._ended(431, "The head of the request is too large.")

    def on_headers_complete(self) -> None:
        """Decide by the head before the body is read."""
        self._head_done = True
        self._deadline_s = self._loop.time() + self._limits.body_s
        if _smuggles(self._headers, self._repeated):
            raise self._ended(400, "The length of the body is given twice.")
        length = self._headers.get("content-length", "")
        if length.isdigit() and int(length) > self._limits.body_bytes:
            raise self._ended(413, "The body is too large.")
        head = Head(
            method=self._parser.get_method().decode("latin-1"),
            target=self._url.decode("latin-1"),
            headers=self._headers,
            repeated=frozenset(self._repeated),
            peer=self._peer,
        )
        self._answer = self._admit(head)
        refused = isinstance(self._answer, Reply)
        if not refused and self._headers.get("expect", "").lower() == "100-continue" and self._task is None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if refused and not self._passes_by(length):
            raise _EndedError(self._answer)  # nobody waits for the body of a request that is refused

    def _passes_by(self, length: str) -> bool:
        """Whether the body of a refused request is so small that reading over it costs less than a new connection."""
        if "transfer-encoding" in self._headers or "expect" in self._headers:
            return False
        return length == "" or (length.isdigit() and int(length) <= _MOST_PASSED_BYTES)

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._body_bytes += len(body)
        if self._body_bytes > self._limits.body_bytes:
            raise self._ended(413, "The body is too large.")
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Answer, or queue the request behind the one that is being answered."""
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        keep = self._parser.should_keep_alive()
        entry = (self._answer, body, keep, self._parser.get_http_version() == "1.0")
        self._reset()
        self._deadline_s = None
        if self._task is not None:
            self._waiting.append(entry)
            if len(self._waiting) >= _MOST_WAITING:
                self._transport.pause_reading()
            return
        self._begin(*entry)

    def _begin(self, answer: Any, body: bytes, keep: bool, old: bool) -> None:
        if isinstance(answer, Reply):
            self._send(answer, keep)
            if keep and not answer.close:
                self._next(True)
            else:
                self.closing = True
                self._linger()
            return
        self._traffic.answering += 1
        self._task = self._loop.create_task(self._run(answer, body, keep, old))
        self._task.add_done_callback(self._answered)

    def _answered(self, task: asyncio.Task[None]) -> None:
        self._traffic.answering -= 1

    def _ended(self, status: int, message: str) -> _EndedError:
        return _EndedError(self._refused(status, message))

    def _fail(self, reply: Reply) -> None:
        """Refuse what cannot be read, and close: where the next request would begin is not known."""
        self.closing = True
        if self._task is not None:  # the request before it is answered first
            self._waiting.append((reply, b"", False, False))
            return
        self._send(reply, False)
        self._linger()

    def _linger(self) -> None:
        """Say that nothing more comes and read on for a moment, or the client may lose the reply to a reset."""
        self._flush()
        with contextlib.suppress(Exception):
            self._transport.write_eof()
        self._in_request = False
        self._deadline_s = self._loop.time() + _LINGER_S

    # -- answering ----------------------------------------------------------------------------------------------

    async def _run(self, answer: Callable[[bytes], Awaitable[AnyReply]], body: bytes, keep: bool, old: bool) -> None:
        going_on = keep
        try:
            reply = await answer(body)
            if isinstance(reply, Reply):
                self._send(reply, keep)
                going_on = keep and not reply.close
            else:
                going_on = await self._stream(reply, keep, old)
        except (asyncio.CancelledError, BrokenOffError):
            going_on = False
        except BaseException:
            going_on = False
            raise
        finally:
            self._task = None
            self._heartbeat = None
            self._next(going_on)

    def _next(self, going_on: bool) -> None:
        if not going_on or (self.closing and not self._waiting):
            self._close()
        elif self._waiting:
            waiting = self._waiting.popleft()
            self._listen_on()
            self._begin(*waiting)
        elif not self._in_request:
            self._deadline_s = self._loop.time() + self._limits.idle_s

    def _send(self, reply: Reply, keep: bool) -> None:
        if self._transport.is_closing():
            return
        keep = keep and not reply.close and not self.closing
        head = _head(reply.status, reply.content_type, reply.headers, keep)
        self._transport.write(b"%b\r\ncontent-length: %d\r\n\r\n%b" % (head, len(reply.body), reply.body))

    async def _stream(self, reply: StreamReply, keep: bool, old: bool) -> bool:
        """Send pieces as they come; several that are there at once go out together.

        A client of HTTP/1.0 (`old`) knows no chunks: what it gets ends with the connection.
        """
        keep = keep and not self.closing and not old
        self._framed = bytes if old else _chunk
        how = b"\r\n\r\n" if old else b"\r\ntransfer-encoding: chunked\r\n\r\n"
        self._write(_head(200, reply.content_type, reply.headers, keep) + how)
        self._heartbeat = reply.heartbeat
        pieces = reply.pieces
        try:
            async for piece in pieces:
                if piece:
                    self._write(self._framed(piece))
                if self._writable is not None:
                    await self._writable
        finally:
            self._heartbeat = None
            if (close := getattr(pieces, "aclose", None)) is not None:
                await close()
        if not old:
            self._write(b"0\r\n\r\n")
        self._flush()
        return keep

    def _write(self, data: bytes) -> None:
        self._out.append(data)
        if not self._flush_due:
            self._flush_due = True
            self._last_write_s = self._loop.time()
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_due = False
        if self._out and not self._transport.is_closing():
            self._transport.write(b"".join(self._out))
        self._out.clear()

    def _close(self) -> None:
        self.closing = True
        self._flush()
        with contextlib.suppress(Exception):
            self._transport.close()


class _EndedError(Exception):
    """Ends the reading of a request, with what its client is told."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply


def _smuggles(headers: dict[str, str], repeated: set[str]) -> bool:
    both = "transfer-encoding" in headers and "content-length" in headers
    return both or bool(repeated & {"content-length", "transfer-encoding"})


def _head(status: int, content_type: str, headers: Any, keep: bool) -> bytes:
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, '')}\r\ncontent-type: {content_type}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if not keep:
        lines.append("connection: close")
    return "\r\n".join(lines).encode("latin-1", "replace")


def _chunk(piece: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(piece), piece)
