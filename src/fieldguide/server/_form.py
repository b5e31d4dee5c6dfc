"""Multipart forms, read by aiohttp's parser from a body that is already bounded."""

from __future__ import annotations

from dataclasses import dataclass

from fieldguide.server._errors import RequestError

_MOST_PARTS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a form."""

    data: bytes
    media_type: str | None
    file_name: str | None

    @property
    def text(self) -> str:
        """The part as text."""
        return self.data.decode("utf-8", "replace")


async def read_form(content_type: str, body: bytes) -> dict[str, list[Part]]:
    """Return the parts of a form by name.

    Raises:
        RequestError: It is no form, or has too many parts.
    """
    import asyncio

    from aiohttp import BodyPartReader, MultipartReader, StreamReader
    from aiohttp.base_protocol import BaseProtocol
    from aiohttp.http_exceptions import HttpProcessingError
    from multidict import CIMultiDict

    loop = asyncio.get_running_loop()
    stream = StreamReader(BaseProtocol(loop), limit=len(body) + 1, loop=loop)  # all is here: nothing is to be held back
    stream.feed_data(body)
    stream.feed_eof()
    parts: dict[str, list[Part]] = {}
    count = 0
    try:
        reader = MultipartReader(CIMultiDict({"Content-Type": content_type}), stream)
        while (part := await reader.next()) is not None:
            count += 1
            if not isinstance(part, BodyPartReader) or count > _MOST_PARTS:
                raise RequestError("The form has too many parts, or parts within parts.")
            data = bytes(await part.read(decode=False))
            kind = part.headers.get("Content-Type")
            made = Part(data=data, media_type=kind, file_name=part.filename)
            parts.setdefault(part.name or "", []).append(made)
    except (ValueError, AssertionError, RuntimeError, LookupError, HttpProcessingError) as error:
        raise RequestError("The body is not a proper multipart form.") from error
    return parts
