"""What all endpoints that complete have in common: asking the gateway, and streaming what it gives."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from fieldguide.app.gateway import Answer, Ask, Build, Open, TapFor
from fieldguide.domain import Completion, StreamPiece
from fieldguide.server._errors import RequestError, Shape, error_value, told
from fieldguide.server._message import EVENTS, AnyReply, Call, Reply, StreamReply

if TYPE_CHECKING:
    from collections.abc import Callable

    from fieldguide.server._site import Site

_MOST_NOTED = 2000
"""Characters of a header; clients refuse an answer whose headers are long, and a client may name anything."""


class Writer(Protocol):
    """Writes the pieces of one answer in a client's words."""

    @property
    def heartbeat(self) -> bytes | None:
        """What says nothing and keeps a connection alive; None where the protocol has no such thing."""

    def begin(self) -> bytes:
        """Return what comes before the first piece."""

    def piece(self, piece: StreamPiece) -> bytes:
        """Return what a piece is on the wire."""

    def end(self, completion: Completion) -> bytes:
        """Return what comes after the last piece."""

    def error(self, value: Mapping[str, object]) -> bytes:
        """Return how an error in the middle is told."""


def asked(call: Call, body: Mapping[str, Any], endpoint: str) -> Ask:
    """Return a request as limits and records see it.

    Raises:
        RequestError: It names no model.
    """
    name = body.get("model")
    if not isinstance(name, str) or not name:
        raise RequestError("model is missing.", param="model")
    return Ask(identity=call.identity, model=name, endpoint=endpoint, body_bytes=len(call.body))


def whole(ask: Ask, call: Call, body: bytes) -> Reply:
    """Return the reply that holds a whole answer."""
    return Reply(body=body, headers=headers_of(ask, call))


def headers_of(ask: Ask, call: Call) -> dict[str, str]:
    """Return the headers of an answer: its id, and what of the request was not passed on."""
    headers = {"x-request-id": call.request_id, "request-id": call.request_id}
    if ask.notes:
        noted = ", ".join(dict.fromkeys(ask.notes))[:_MOST_NOTED]
        headers["x-fieldguide-not-passed-on"] = "".join(char if " " <= char < "\x7f" else "?" for char in noted)
    return headers


async def complete(site: Site, ask: Ask, build: Build) -> Answer:
    """Return the whole answer to a request."""
    return await site.gateway.complete(ask, build)


async def streamed(
    site: Site,
    ask: Ask,
    call: Call,
    build: Build,
    writer_for: Callable[[Open], Writer],
    *,
    shape: Shape,
    content_type: str = EVENTS,
    tap_for: TapFor = lambda model: None,
    relayed_end: bytes = b"",
) -> AnyReply:
    """Return the reply that streams an answer. What fails before its first piece is raised, and has a status.

    A model for which `tap_for` gives a tap speaks the client's own protocol: its events go out as they came, and after
    them `relayed_end`.
    """
    pieces = site.gateway.stream(ask, build, tap_for)
    try:
        model = await anext(pieces)
        assert isinstance(model, Open)
        first = await anext(pieces)
    except BaseException:
        await pieces.aclose()
        raise
    writer = writer_for(model)
    headers = {**headers_of(ask, call), "cache-control": "no-cache", "x-accel-buffering": "no"}
    end = relayed_end if isinstance(first, bytes) else b""
    return StreamReply(
        pieces=_written(site, pieces, first, writer, end, shape, call.request_id),
        content_type=content_type,
        headers=headers,
        heartbeat=writer.heartbeat,
    )


async def _written(
    site: Site,
    pieces: AsyncGenerator[StreamPiece | Completion | Open | bytes, None],
    first: object,
    writer: Writer,
    relayed_end: bytes,
    shape: Shape,
    request_id: str,
) -> AsyncIterator[bytes]:
    """Yield the bytes of each piece; an error in the middle is told in the stream, which ends with it."""
    async with contextlib.aclosing(pieces):
        try:
            yield first if isinstance(first, bytes) else writer.begin() + _bytes(writer, first)
            async for piece in pieces:
                yield _bytes(writer, piece)
            yield relayed_end
        except Exception as error:
            site.note(error, request_id)
            yield writer.error(error_value(told(error), shape, request_id))


def _bytes(writer: Writer, piece: Any) -> bytes:
    if isinstance(piece, bytes):
        return piece
    return writer.end(piece) if isinstance(piece, Completion) else writer.piece(piece)
