"""OpenAI's endpoints for speech: a text read aloud, as it is made."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TYPE_CHECKING, Any

from fieldguide.app.gateway import Ask, Open, flow
from fieldguide.domain import SpeechRequest
from fieldguide.errors import UnsupportedError
from fieldguide.runners import PiecewiseSpeechRunner, ReadingRunner, SpeechRunner, wav_header
from fieldguide.server._answering import asked, headers_of
from fieldguide.server._chat_write import dumped
from fieldguide.server._errors import RequestError, error_value, told
from fieldguide.server._message import EVENTS, AnyReply, BrokenOffError, Call, StreamReply
from fieldguide.server._reading import Fields, parse_body

if TYPE_CHECKING:
    from fieldguide.server._site import Site

_TYPES = {
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "pcm": "audio/pcm",
}
OPENAI_VOICES = frozenset(
    {
        *("alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer"),
        "verse",
    }
)
"""Its clients must name a voice; a voice on this machine has no such name, and speaks as itself."""


async def speech(site: Site, call: Call) -> AnyReply:
    """Read a text aloud; the sound goes out while it is made."""
    body = parse_body(call.body)
    ask = asked(call, body, "speech")
    in_events = body.get("stream_format") == "sse"
    pieces = flow(site.gateway, ask, lambda model: _request(body, model, ask), lambda *given: _spoken(ask, *given))
    try:
        model = await anext(pieces)
        first = await anext(pieces)
    except BaseException:
        await pieces.aclose()
        raise
    assert isinstance(model, Open)
    headers = {**headers_of(ask, call), "cache-control": "no-cache", "x-accel-buffering": "no"}
    sound = _after(first, pieces)
    if in_events:
        return StreamReply(pieces=_events(site, sound, call.request_id), content_type=EVENTS, headers=headers)
    return StreamReply(pieces=_noted(site, sound, call.request_id), content_type=_type(body, model), headers=headers)


def _type(body: dict[str, Any], model: Open) -> str:
    usual = "wav" if isinstance(model.runner, ReadingRunner) else "mp3"
    return _TYPES.get(str(body.get("response_format") or usual), "application/octet-stream")


def _request(body: dict[str, Any], model: Open, ask: Ask) -> SpeechRequest:
    fields = Fields(body, "", ask.notes)
    for name in ("model", "stream_format"):
        fields.get(name)
    if fields.text("stream_format") not in {None, "audio", "sse"}:
        raise RequestError("stream_format is neither `audio` nor `sse`.", param="stream_format")
    request = SpeechRequest(
        text=fields.needed_text("input"),
        voice=_voice(fields, model),
        instructions=fields.text("instructions"),
        output_format=fields.text("response_format"),
        speed=fields.number("speed"),
    )
    fields.end()
    return request


def _voice(fields: Fields, model: Open) -> str | None:
    given = fields.get("voice")
    voice = given.get("id") if isinstance(given, dict) else given
    if voice is not None and not isinstance(voice, str):
        raise RequestError("voice is neither a name nor an object with an id.", param="voice")
    if voice in OPENAI_VOICES and isinstance(model.runner, ReadingRunner):
        fields.note("voice")
        return None
    return voice


async def _spoken(ask: Ask, model: Open, request: SpeechRequest) -> AsyncGenerator[bytes, None]:
    runner = model.runner
    if not (runner.capabilities.text_to_speech and isinstance(runner, SpeechRunner)):
        raise UnsupportedError(ask.model, "reading aloud")
    if isinstance(runner, ReadingRunner):
        begun = False
        async for sound in runner.read_aloud(request):
            header = b"" if begun else wav_header(rate_hz=sound.rate_hz, channels=sound.channels, pcm_bytes=None)
            begun = True
            yield header + sound.pcm
    elif isinstance(runner, PiecewiseSpeechRunner):
        async for piece in runner.speak_in_pieces(request):
            yield piece
    else:
        yield (await runner.speak(request)).audio.data or b""


async def _after(first: Open | bytes, pieces: AsyncGenerator[Open | bytes, None]) -> AsyncGenerator[bytes, None]:
    async with contextlib.aclosing(pieces):
        assert isinstance(first, bytes)
        yield first
        async for piece in pieces:
            assert isinstance(piece, bytes)
            yield piece


async def _noted(site: Site, sound: AsyncGenerator[bytes, None], request_id: str) -> AsyncIterator[bytes]:
    """Yield sound as it is. What breaks off has no end that a client could take for the whole."""
    async with contextlib.aclosing(sound):
        try:
            async for piece in sound:
                yield piece
        except Exception as error:
            site.note(error, request_id)
            raise BrokenOffError from error


async def _events(site: Site, sound: AsyncGenerator[bytes, None], request_id: str) -> AsyncIterator[bytes]:
    async with contextlib.aclosing(sound):
        try:
            async for piece in sound:
                audio = base64.b64encode(piece).decode("ascii")
                yield b"data: " + dumped({"type": "speech.audio.delta", "audio": audio}) + b"\n\n"
            yield b"data: " + dumped({"type": "speech.audio.done"}) + b"\n\n"
        except Exception as error:
            site.note(error, request_id)
            yield b"data: " + dumped(error_value(told(error), "openai", request_id)) + b"\n\n"
