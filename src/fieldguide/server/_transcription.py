"""OpenAI's endpoints that write speech down, in the language that is spoken or in English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from fieldguide.app.gateway import Ask, Open
from fieldguide.app.transcribe import Transcript
from fieldguide.app.transcript_text import as_srt, as_vtt
from fieldguide.domain import Audio, JsonValue, Segment, TranscriptionRequest, TranscriptionResult
from fieldguide.errors import InputFileError, UnsupportedError
from fieldguide.runners import TranscriptionRunner
from fieldguide.server._answering import asked, headers_of, whole
from fieldguide.server._chat_write import dumped
from fieldguide.server._errors import RequestError
from fieldguide.server._form import Part, read_form
from fieldguide.server._message import EVENTS, AnyReply, Call, Reply

if TYPE_CHECKING:
    from fieldguide.server._site import Site

_FORMS = {"json", "text", "srt", "verbose_json", "vtt"}
_WITH_TIMES = {"srt", "verbose_json", "vtt"}
_FIELDS = {"model", "file", "language", "prompt", "temperature", "response_format", "stream", "timestamp_granularities"}
_FORWARDED = (
    "include", "chunking_strategy", "keywords", "languages", "known_speaker_names", "known_speaker_references",
)  # fmt: skip
"""Parameters of the protocol that go to servers that speak it, and to no other."""
_TEXT_TYPES = {"text": "text/plain", "srt": "application/x-subrip", "vtt": "text/vtt"}


class _Form:
    """The fields of a form; one that may be there several times has `[]` after its name in some clients."""

    def __init__(self, parts: Mapping[str, list[Part]]) -> None:
        self._parts = parts

    def names(self) -> list[str]:
        return [name.partition("[")[0] for name in self._parts]

    def text(self, name: str) -> str | None:
        found = self._parts.get(name)
        return found[-1].text if found else None

    def texts(self, name: str) -> list[str]:
        return [part.text for written in (name, f"{name}[]") for part in self._parts.get(written, ())]

    def number(self, name: str) -> float | None:
        given = self.text(name)
        try:
            number = None if given is None else float(given)
        except ValueError:
            number = float("nan")
        if number is not None and not abs(number) < 1e9:
            raise RequestError(f"{name} is not a number.", param=name)
        return number


async def transcriptions(site: Site, call: Call) -> AnyReply:
    """Write down what is said."""
    return await _written_down(site, call, translate=False)


async def translations(site: Site, call: Call) -> AnyReply:
    """Write down in English what is said."""
    return await _written_down(site, call, translate=True)


async def _written_down(site: Site, call: Call, *, translate: bool) -> AnyReply:
    parts = await read_form(call.head.headers["content-type"], call.body)
    fields = _Form(parts)
    ask = asked(call, {"model": fields.text("model")}, "translations" if translate else "transcriptions")
    file = parts.get("file", [None])[-1]
    if file is None or not file.data:
        raise RequestError("file is missing or empty.", param="file")
    form = fields.text("response_format") or "json"
    if form not in _FORMS:
        raise RequestError(f"The form {form!r} of a transcript is not offered.", param="response_format")
    in_events = (fields.text("stream") or "").lower() in {"true", "1"}
    if in_events and form not in {"json", "text"}:
        raise RequestError("Only `json` and `text` are streamed.", param="stream")
    answered: list[Open] = []

    async def act(model: Open, request: TranscriptionRequest) -> object:
        runner = model.runner
        if not (runner.capabilities.speech_to_text and isinstance(runner, TranscriptionRunner)):
            raise UnsupportedError(ask.model, "writing down speech")
        answered.append(model)
        try:
            return await runner.transcribe(request)
        except InputFileError as error:
            raise RequestError(f"file: {error.message.partition(': ')[2] or error.message}", param="file") from error

    def request_for(model: Open) -> TranscriptionRequest:
        return _request(fields, file, model, ask, form=form, translate=translate)

    result = cast(TranscriptionResult, await site.gateway.perform(ask, request_for, act))
    if form in _TEXT_TYPES and not in_events:
        text = _as_text(result, form, ask.model)
        kind = f"{_TEXT_TYPES[form]}; charset=utf-8"
        return Reply(body=text.encode("utf-8", "replace"), content_type=kind, headers=headers_of(ask, call))
    if in_events:
        return Reply(body=_as_events(result), content_type=EVENTS, headers=headers_of(ask, call))
    if answered[-1].takes_chat_fields and result.raw is not None:
        return whole(ask, call, result.raw.encode("utf-8", "replace"))
    return whole(ask, call, dumped(_as_json(result, verbose=form == "verbose_json", translate=translate)))


def _request(fields: _Form, file: Part, model: Open, ask: Ask, *, form: str, translate: bool) -> TranscriptionRequest:
    times = fields.texts("timestamp_granularities")
    if unknown := set(times) - {"word", "segment"}:
        raise RequestError(f"There are no times of {min(unknown)!r}.", param="timestamp_granularities")
    given = {name: fields.texts(name) for name in _FORWARDED if fields.texts(name)}
    speaks = model.takes_chat_fields
    for name in fields.names():
        if name not in _FIELDS and not (speaks and name in given) and name not in ask.notes:
            ask.notes.append(name)
    own: dict[str, JsonValue] = {
        name: values[0] if name == "chunking_strategy" else cast(JsonValue, values) for name, values in given.items()
    }
    with_words = form == "verbose_json" and "word" in times
    return TranscriptionRequest(
        audio=Audio(data=file.data, media_type=_media_type(file)),
        language=fields.text("language"),
        prompt=fields.text("prompt"),
        temperature=fields.number("temperature"),
        segments=form in _WITH_TIMES and (not with_words or "segment" in times),
        words=with_words,
        translate=translate,
        extra={model.provider: own} if own and speaks else {},
    )


def _media_type(file: Part) -> str | None:
    """Return what the client says of the file; some say of every file that it is some bytes."""
    return None if file.media_type in {None, "", "application/octet-stream"} else file.media_type


def _as_text(result: TranscriptionResult, form: str, model: str) -> str:
    if form == "text":
        return f"{result.text}\n"
    segments = _segments(result.segments)
    if not segments and result.text.strip():
        raise UnsupportedError(model, "telling when something was said", hint="Ask for `json` or `text`.")
    transcript = Transcript(file="", model=model, reference=model, language=result.language)
    transcript.segments = segments
    return as_srt(transcript, words=False) if form == "srt" else as_vtt(transcript, words=False)


def _segments(given: Sequence[Mapping[str, JsonValue]]) -> list[Segment]:
    return [
        Segment(start_s=_seconds(each, "start", 0), end_s=_seconds(each, "end", 1), text=str(each.get("text", "")))
        for each in given
    ]


def _seconds(segment: Mapping[str, JsonValue], name: str, place: int) -> float:
    """Return a time of a segment; Hugging Face's stand in a pair."""
    value = segment.get(name)
    pair = segment.get("timestamp")
    if value is None and isinstance(pair, list) and len(pair) == 2:
        value = pair[place]
    return float(value) if isinstance(value, int | float) else 0.0


def _as_events(result: TranscriptionResult) -> bytes:
    done: dict[str, Any] = {"type": "transcript.text.done", "text": result.text}
    if result.raw_usage is not None:
        done["usage"] = result.raw_usage
    events = ({"type": "transcript.text.delta", "delta": result.text}, done)
    return b"".join(b"data: " + dumped(event) + b"\n\n" for event in events)


def _as_json(result: TranscriptionResult, *, verbose: bool, translate: bool) -> dict[str, Any]:
    value: dict[str, Any] = {"text": result.text}
    if verbose:
        value |= {"task": "translate" if translate else "transcribe", "language": result.language}
        value |= {"duration": result.duration_s, "segments": list(result.segments) or None}
        value["words"] = list(result.words) or None
    value["usage"] = result.raw_usage
    return {name: each for name, each in value.items() if each is not None}
