"""Transcripts as text, as subtitles (SubRip and WebVTT), and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

from fieldguide.app.transcribe import Transcript
from fieldguide.domain import JsonValue, Segment, Word

Form: TypeAlias = Literal["txt", "srt", "vtt", "json"]


def as_text(transcript: Transcript) -> str:
    """Return the text, a line for each segment where there are segments."""
    lines = [segment.text.strip() for segment in transcript.segments] or [transcript.text]
    return "".join(f"{line}\n" for line in lines if line)


def as_srt(transcript: Transcript, *, words: bool) -> str:
    """Return SubRip subtitles, one for each segment or each word."""
    cues = enumerate(_cues(transcript, words=words), start=1)
    return "\n".join(f"{n}\n{_clock(a, ',')} --> {_clock(b, ',')}\n{text}\n" for n, (a, b, text) in cues)


def as_vtt(transcript: Transcript, *, words: bool) -> str:
    """Return WebVTT subtitles; `&`, `<` and `>` are written as that format wants them."""
    cues = (
        f"{_clock(a, '.')} --> {_clock(b, '.')}\n{_escaped(text)}\n" for a, b, text in _cues(transcript, words=words)
    )
    return "\n".join(["WEBVTT\n", *cues])


def as_json_value(transcript: Transcript) -> dict[str, JsonValue]:
    """Return everything that is known, with unknown as null."""
    return {
        "file": transcript.file,
        "model": transcript.model,
        "reference": transcript.reference,
        "language": transcript.language,
        "language_probability": transcript.language_probability,
        "duration_s": transcript.duration_s,
        "text": transcript.text,
        "segments": [_segment(segment) for segment in transcript.segments],
        "speech": None if transcript.speech is None else [[round(a, 3), round(b, 3)] for a, b in transcript.speech],
        "non_speech": _non_speech(transcript),
        "complete": transcript.complete,
        "damaged_frames": transcript.damaged_frames,
        "resumed_at_s": transcript.resumed_at_s,
        "seconds": round(transcript.seconds, 3),
    }


def _segment(segment: Segment) -> JsonValue:
    return {
        "start_s": segment.start_s,
        "end_s": segment.end_s,
        "text": segment.text.strip(),
        "confidence": segment.confidence,
        "no_speech_probability": segment.no_speech_probability,
        "words": [_word(word) for word in segment.words],
    }


def _word(word: Word) -> JsonValue:
    return {
        "start_s": word.start_s,
        "end_s": word.end_s,
        "text": word.text.strip(),
        "probability": word.probability,
    }


def _non_speech(transcript: Transcript) -> JsonValue:
    """Return the spans between those of speech."""
    if transcript.speech is None or transcript.duration_s is None:
        return None
    ends = [0.0, *(end_s for _, end_s in transcript.speech)]
    starts = [*(start_s for start_s, _ in transcript.speech), transcript.duration_s]
    return [[round(a, 3), round(b, 3)] for a, b in zip(ends, starts, strict=True) if b - a > 0.001]


def _cues(transcript: Transcript, *, words: bool) -> Iterator[tuple[float, float, str]]:
    for segment in transcript.segments:
        parts = segment.words if words else (segment,)
        for part in parts:
            text = " ".join(part.text.split())
            if text:
                yield part.start_s, max(part.end_s, part.start_s), text


def _clock(time_s: float, mark: str) -> str:
    milliseconds = round(time_s * 1000)
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{mark}{milliseconds:03}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
