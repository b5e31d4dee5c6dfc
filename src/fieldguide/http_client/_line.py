"""One kept connection, and the answer that is read from it."""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httptools
from multidict import CIMultiDict

from fieldguide.http_client._faults import LineBrokenError

if TYPE_CHECKING:
    from types import TracebackType

_MOST_HEAD_BYTES = 64 * 1024
_MOST_HEADERS = 256
_MOST_HELD_BYTES = 256 * 1024
"""What may have come and not be read before the other side is made to wait."""
_LINGER_S = 1.0
"""How long the end of an answer is waited for, once all of it that matters has come."""
_MOST_LINGER_BYTES = 64 * 1024
_WHOLE_BY_ITSELF = {"", "identity"}


class Line(asyncio.Protocol):
    """A connection that is asked one thing after another."""

    def __init__(self, loop: asyncio.AbstractEventLoop, every: set[Line], keep: Callable[[Line], None]) -> None:
        """`every` holds all lines that are open; `keep` is told when this one can be used again."""
        self._loop, self._every, self._keep = loop, every, keep
        self._transport: Any = None
        self._answer: Answer | None = None
        self._parser: Any = None
        self._free = False
        self.idle_since_s = 0.0

    @property
    def usable(self) -> bool:
        """Whether the next request may go over it."""
        return self._free and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = transport
        self._parser = httptools.HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(  # as aiohttp reads: none of them changes where an answer ends
            lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )
        self._every.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        """End the answer that is being read: well, where its end is that of the connection."""
        self._every.discard(self)
        self._free = False
        if self._answer is not None:
            self._answer.lost(error)
            self._answer = None

    def eof_received(self) -> bool:
        """Close: who sends no more has gone."""
        return False

    async def ask(self, data: bytes, *, until_s: float) -> Answer:
        """Send a request and return the answer once its head is there; see `Lines.send`."""
        self._free = False
        answer = self._answer = Answer(self, self._loop)
        self._transport.write(data)
        try:
            await answer.begun(until_s)
        except BaseException:
            answer.release()
            raise
        return answer

    def abort(self) -> None:
        """Cut the connection."""
        self._free = False
        self._transport.abort()

    def pause(self) -> None:
        """Let the other side wait."""
        with contextlib.suppress(RuntimeError):
            self._transport.pause_reading()

    def resume(self) -> None:
        """Let it go on."""
        with contextlib.suppress(RuntimeError):
            self._transport.resume_reading()

    def ended(self, answer: Answer) -> None:
        """Note that an answer is of no more use."""
        if self._answer is not answer:
            return
        self._answer = None
        if answer.whole and answer.kept_alive and not self._transport.is_closing():
            self._free = True
            self.idle_since_s = self._loop.time()
            self._keep(self)
        else:
            self.abort()

    # -- parsing ------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Take bytes."""
        if self._answer is None or self._answer.whole:  # nobody has asked
            self.abort()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            inner = error.__context__
            said = str(inner) if isinstance(inner, LineBrokenError) else "it does not speak HTTP"
            if self._answer is not None:
                self._answer.broke(said)
            self.abort()

    def on_message_begin(self) -> None:
        """Refuse an answer that nobody has asked for: the next one would be taken for another's."""
        if self._answer is None or self._answer.whole:
            raise LineBrokenError("it answers twice", begun=True)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        if self._answer is not None:
            self._answer.add_header(name, value)

    def on_headers_complete(self) -> None:
        """Take the end of the head."""
        if self._answer is not None:
            self._answer.begin(self._parser.get_status_code())

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        if self._answer is not None:
            self._answer.add(body)

    def on_message_complete(self) -> None:
        """Take the end of the answer."""
        if self._answer is not None:
            self._answer.end(kept_alive=self._parser.should_keep_alive())


class Answer:
    """The answer to one request. Used as a context, it is released at the end: what is not read by then is cut."""

    __slots__ = (
        "_fault",
        "_head_bytes",
        "_held",
        "_line",
        "_lingering",
        "_loop",
        "_paused",
        "_pieces",
        "_unpack",
        "_waiter",
        "headers",
        "kept_alive",
        "status",
        "whole",
    )

    def __init__(self, line: Line, loop: asyncio.AbstractEventLoop) -> None:
        self._line, self._loop = line, loop
        self.status = 0
        self.headers: CIMultiDict[str] = CIMultiDict()
        self.whole = self.kept_alive = False
        self._pieces: list[bytes] = []
        self._held = self._head_bytes = 0
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None
        self._fault: OSError | None = None
        self._unpack: Any = None
        self._lingering: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Answer:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    # -- for who asked ------------------------------------------------------------------------------------------

    async def begun(self, until_s: float) -> None:
        """Wait for the head."""
        while not self.status:
            if self._fault is not None:
                raise self._fault
            await self._wait(until_s)

    async def read(self, until_s: float) -> bytes:
        """Return what has come of the body since the last time, waiting for some; nothing at its end.

        Raises:
            LineBrokenError: The other side broke off.
            TimeoutError: Nothing came until `until_s` (the event loop's time).
        """
        while True:
            if self._pieces:
                data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
                self._pieces.clear()
                self._held = 0
                if self._paused:
                    self._paused = False
                    self._line.resume()
                if self._unpack is not None:
                    data = self._unpacked(data)
                    if not data:
                        continue
                return data
            if self.whole:
                if self._unpack is not None and not self._unpack.eof:
                    raise self._spoilt("its packed answer is cut")
                return b""
            if self._fault is not None:
                raise self._fault
            await self._wait(until_s)

    @property
    def at_end(self) -> bool:
        """Whether everything has come and been read."""
        return self.whole and not self._pieces

    def linger(self) -> None:
        """Say that nothing more matters: the line is kept if the answer ends within a moment."""
        if not self.whole and self._fault is None:
            self._pieces.clear()
            self._held = 0
            self._lingering = self._loop.call_later(_LINGER_S, self._give_up)
            if self._paused:
                self._paused = False
                self._line.resume()

    def release(self) -> None:
        """Give the line back, or cut it where the answer has not ended."""
        if self._lingering is None:
            self._line.ended(self)

    def _give_up(self) -> None:
        self._lingering = None
        self._line.ended(self)

    async def _wait(self, until_s: float) -> None:
        waiter = self._waiter = self._loop.create_future()
        timer = self._loop.call_at(until_s, _expire, waiter)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # -- for the line -------------------------------------------------------------------------------------------

    def add_header(self, name: bytes, value: bytes) -> None:
        """Take a header, or one that stands behind the body."""
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > _MOST_HEAD_BYTES or len(self.headers) >= _MOST_HEADERS:
            raise LineBrokenError("its headers are too large", begun=False)
        if not self.status:
            self.headers.add(name.decode("utf-8", "surrogateescape"), value.decode("utf-8", "surrogateescape"))

    def begin(self, status: int) -> None:
        """Take the end of the head."""
        if status < 200:  # a word in between
            self.headers.clear()
            return
        self.status = status
        packed = self.headers.get("Content-Encoding", "").strip().lower()
        if packed in {"gzip", "x-gzip", "deflate"}:
            self._unpack = zlib.decompressobj(wbits=47 if packed != "deflate" else zlib.MAX_WBITS)
        elif packed not in _WHOLE_BY_ITSELF:
            raise LineBrokenError(f"it packs its answer ({packed[:20]}), which it was not asked to do", begun=True)
        self._wake()

    def add(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._held += len(body)
        if self._lingering is not None:
            if self._held > _MOST_LINGER_BYTES:
                self._lingering.cancel()
                self._give_up()
            return
        self._pieces.append(body)
        if self._held > _MOST_HELD_BYTES and not self._paused:
            self._paused = True
            self._line.pause()
        self._wake()

    def end(self, *, kept_alive: bool) -> None:
        """Take the end of the answer, or of a word in between."""
        if not self.status:
            return
        self.whole, self.kept_alive = True, kept_alive
        if self._lingering is not None:
            self._lingering.cancel()
            self._give_up()
        self._wake()

    def lost(self, error: Exception | None) -> None:
        """Take the end of the connection, which may be that of the answer."""
        told = "Content-Length" in self.headers or "Transfer-Encoding" in self.headers
        if self.status and not told and error is None:
            self.whole = True
        elif not self.whole:
            self.broke(str(error) if error else "it closed the connection")
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None
        self._wake()

    def broke(self, said: str) -> None:
        """Note that the answer breaks off here."""
        self._fault = self._fault or LineBrokenError(said, begun=bool(self.status))
        self._wake()

    def _unpacked(self, data: bytes) -> bytes:
        try:
            plain: bytes = self._unpack.decompress(data, _MOST_HEAD_BYTES * 1024)
        except zlib.error as error:
            raise self._spoilt("its packed answer is damaged") from error
        if self._unpack.unconsumed_tail:
            raise self._spoilt("its packed answer is too large")
        return plain

    def _spoilt(self, said: str) -> LineBrokenError:
        self.kept_alive = False
        return LineBrokenError(said, begun=True)


def _expire(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_exception(TimeoutError())
