"""Transcripts as text, subtitles and JSON."""

from __future__ import annotations

from typing import Any

from fieldguide.app.transcribe import Transcript
from fieldguide.app.transcript_text import as_json_value, as_srt, as_text, as_vtt
from fieldguide.domain import Reached, Segment, SpokenLanguage, Word


def heard() -> Transcript:
    """Return a transcript with two segments."""
    transcript = Transcript(file="a.wav", model="m", reference="r")
    transcript.take(SpokenLanguage(code="en", probability=0.9))
    words = (Word(start_s=1.0, end_s=1.4, text=" Tom"), Word(start_s=1.4, end_s=2.0, text=" & Jo"))
    transcript.take(Segment(start_s=1.0, end_s=2.0, text=" Tom & Jo", avg_logprob=-0.5, words=words))
    transcript.take(Segment(start_s=3661.0, end_s=3662.5, text=" <late>", avg_logprob=None))
    transcript.take(Reached(until_s=3700.0, speech=((0.5, 2.5), (3660.0, 3663.0)), last=True))
    return transcript


def test_srt_numbers_its_cues_and_has_commas_in_times() -> None:
    """SubRip's form: number, times with a comma, text, an empty line."""
    assert as_srt(heard(), words=False) == (
        "1\n00:00:01,000 --> 00:00:02,000\nTom & Jo\n\n2\n01:01:01,000 --> 01:01:02,500\n<late>\n"
    )


def test_vtt_begins_with_its_name_and_escapes_markup() -> None:
    """WebVTT's form; what looks like a tag is text."""
    assert as_vtt(heard(), words=False) == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nTom &amp; Jo\n\n01:01:01.000 --> 01:01:02.500\n&lt;late&gt;\n"
    )


def test_words_make_cues_of_their_own() -> None:
    """With times of words each word is a cue."""
    assert as_srt(heard(), words=True).count("-->") == 2


def test_text_has_a_line_for_each_segment() -> None:
    """Blanks at the edges go."""
    assert as_text(heard()) == "Tom & Jo\n<late>\n"


def test_an_empty_transcript_is_an_empty_text() -> None:
    """Nobody speaking is no text at all, and no subtitles."""
    silent = Transcript(file="a.wav", model="m", reference="r")
    assert (as_text(silent), as_srt(silent, words=False)) == ("", "")


def test_json_marks_where_nobody_speaks_and_keeps_unknown_null() -> None:
    """Non-speech fills what speech leaves; a confidence that is not known is null and not 0."""
    value = as_json_value(heard())
    assert value["non_speech"] == [[0.0, 0.5], [2.5, 3660.0], [3663.0, 3700.0]]
    segments: Any = value["segments"]
    assert abs(segments[0]["confidence"] - 0.6065) < 1e-3
    assert segments[1]["confidence"] is None
