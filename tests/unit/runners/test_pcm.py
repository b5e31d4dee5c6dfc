"""Samples in WAV files and out of them, and texts in sentences."""

from __future__ import annotations

import io
import wave

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.errors import ResponseFormatError
from fieldguide.runners import Sound, sentences, sound_of, wav_header, wav_of


def test_a_wav_file_is_read_by_the_standard_library() -> None:
    """Rate, channels and samples are what went in."""
    sound = Sound(pcm=bytes(range(200)), rate_hz=22_050, channels=2)
    with wave.open(io.BytesIO(wav_of(sound))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (22_050, 2, 2)
        assert file.readframes(1_000) == sound.pcm
    assert sound_of(wav_of(sound)) == sound


def test_a_length_that_is_not_known_ends_with_the_file() -> None:
    """What a stream says of its length is not believed."""
    wav = wav_header(rate_hz=8_000, channels=1, pcm_bytes=None) + b"\x01\x02\x03\x04"
    assert sound_of(wav) == Sound(pcm=b"\x01\x02\x03\x04", rate_hz=8_000)


def test_other_chunks_are_passed_over() -> None:
    """A chunk of an odd length before the samples, with its filler, does no harm."""
    wav = wav_of(Sound(pcm=b"\x01\x02", rate_hz=8_000))
    assert sound_of(wav[:36] + b"LIST\x03\x00\x00\x00abc\x00" + wav[36:]).pcm == b"\x01\x02"


@pytest.mark.parametrize(
    "broken", [b"", b"RIFF", b"ID3" + bytes(60), wav_header(rate_hz=1, channels=1, pcm_bytes=0)[:30]]
)
def test_what_is_no_wav_file_is_told(broken: bytes) -> None:
    """Cut and foreign files are errors of ours."""
    with pytest.raises(ResponseFormatError):
        sound_of(broken)


def test_sentences_end_where_they_do() -> None:
    """At full stops and their like, also after a quotation, and at empty lines; a decimal point is none."""
    text = 'It costs 3.50 now. "Really?" she asked!\n\nA title\n\n今日は。はい。'
    assert sentences(text) == ["It costs 3.50 now.", '"Really?"', "she asked!", "A title", "今日は。", "はい。"]


def test_a_long_sentence_is_cut_at_a_comma_or_a_blank() -> None:
    """No piece is longer than allowed, and the words stay whole where there are blanks."""
    parts = sentences("one two three, four five six seven eight nine", longest=20)
    assert parts == ["one two three,", "four five six seven", "eight nine"]


@given(st.text(max_size=300), st.integers(min_value=1, max_value=50))
def test_no_character_but_blanks_is_lost(text: str, longest: int) -> None:
    """Whatever the text, its pieces hold all of it, and none is too long or empty."""
    parts = sentences(text, longest=longest)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(0 < len(part) <= longest for part in parts)
