"""Pictures on their way to llama.cpp: looked over here, because the engine takes what it is given.

It decodes half a picture as a whole one, the first frame of many without a word, and does not turn a picture that its
file says is to be turned; an address it would fetch itself, from wherever it points (tried with xllamacpp 2026.10).
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from fieldguide.domain import Block, CompletionRequest, Image, Message
from fieldguide.errors import FormatError, InvalidRequestError, RunnerUnavailableError, UnsupportedError
from fieldguide.formats import PictureFacts, read_picture

if TYPE_CHECKING:
    from collections.abc import Callable

    import aiohttp

FETCH = "fetch_images"
"""Option that allows pictures by their address to be fetched here: `yes`."""
_LARGEST_BYTES = 20 << 20
_FETCH_S = 30.0
_SAVE = "Save it upright and in RGB first, as PNG or JPEG."


def has_pictures(request: CompletionRequest) -> bool:
    """Return whether a request shows a picture."""
    return any(isinstance(block, Image) for message in request.messages or () for block in message.blocks)


async def looked_over(
    request: CompletionRequest, *, subject: str, session: Callable[[], aiohttp.ClientSession] | None
) -> CompletionRequest:
    """Return the request with every picture as bytes that the engine shows to the model as they are meant.

    Args:
        request: What is asked.
        subject: Who is asked, for people.
        session: Returns a client to fetch pictures by their address with; None: they are not fetched.

    Raises:
        InvalidRequestError: A picture is damaged, of another kind or too large.
        UnsupportedError: It is one that the engine would show otherwise than it is meant, or an address.
        RunnerUnavailableError: An address cannot be fetched.
    """
    messages = [await _message(message, subject, session) for message in request.messages or ()]
    return replace(request, messages=tuple(messages))


async def _message(message: Message, subject: str, session: Callable[[], aiohttp.ClientSession] | None) -> Message:
    if isinstance(message.content, str):
        return message
    blocks: list[Block] = []
    for block in message.blocks:
        if isinstance(block, Image):
            block = await _bytes(block, subject, session)
            await asyncio.to_thread(_check, block.data or b"", subject)
        blocks.append(block)
    return replace(message, content=tuple(blocks))


async def _bytes(image: Image, subject: str, session: Callable[[], aiohttp.ClientSession] | None) -> Image:
    if image.file_id is not None:
        raise UnsupportedError(subject, "pictures by the name of an uploaded file", hint="Give the picture itself.")
    if image.url is None:
        return image
    if session is None:
        hint = f"Download it and give the file, or allow it: --option llama.cpp:{FETCH}=yes."
        raise UnsupportedError(subject, "pictures by their address", hint=hint)
    return replace(image, data=await _fetched(image.url, session()), url=None)


async def _fetched(url: str, session: aiohttp.ClientSession) -> bytes:
    import aiohttp

    try:
        async with asyncio.timeout(_FETCH_S), session.get(url, max_redirects=3) as response:
            if response.status != 200:
                raise InvalidRequestError(f"{url} is not to be had: status {response.status}.", hint="Check it.")
            body = bytearray()
            async for piece in response.content.iter_any():
                body += piece
                if len(body) > _LARGEST_BYTES:
                    raise InvalidRequestError(f"{url} is larger than 20 MiB.", hint="Give a smaller picture.")
            return bytes(body)
    except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
        raise RunnerUnavailableError(f"{url} could not be fetched.", hint="Check the address.") from error


def _check(data: bytes, subject: str) -> None:
    try:
        facts = read_picture(data, name="the picture")
    except FormatError as error:
        raise InvalidRequestError(f"The picture cannot be shown: {error.reason}.", hint=error.hint) from error
    if (what := _misread(facts)) is not None:
        raise UnsupportedError(subject, what, hint=_SAVE)


def _misread(facts: PictureFacts) -> str | None:
    """Return what of a picture llama.cpp would pass over without a word; None where there is nothing."""
    if facts.frames > 1:
        return f"moving pictures ({facts.frames} frames, of which it would see the first)"
    if facts.cmyk:
        return "pictures in the colours of print (CMYK)"
    if facts.orientation != 1:
        return f"pictures that only a note in their file turns upright (Exif orientation {facts.orientation})"
    return None
