"""Sound as 16-bit samples, in WAV files and out of them; texts in sentences."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from fieldguide.errors import ResponseFormatError

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|(?<=[.!?…][\"'”’)])\s+|(?<=[。！？])|\n\s*\n")
_UNKNOWN_BYTES = 0xFFFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """Samples of 16 bits, little-endian, channels interleaved."""

    pcm: bytes
    rate_hz: int
    channels: int = 1

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.pcm) / (2 * self.channels * self.rate_hz)


def wav_header(*, rate_hz: int, channels: int, pcm_bytes: int | None) -> bytes:
    """Return the 44 bytes before the samples; a length that is not known yet is written as the largest number."""
    length = _UNKNOWN_BYTES if pcm_bytes is None or pcm_bytes > _UNKNOWN_BYTES - 36 else pcm_bytes
    riff = _UNKNOWN_BYTES if length == _UNKNOWN_BYTES else length + 36
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", riff, b"WAVE", b"fmt ", 16, 1, channels, rate_hz),
        *(rate_hz * channels * 2, channels * 2, 16, b"data", length),
    )


def wav_of(sound: Sound) -> bytes:
    """Return a whole WAV file."""
    return wav_header(rate_hz=sound.rate_hz, channels=sound.channels, pcm_bytes=len(sound.pcm)) + sound.pcm


def sound_of(wav: bytes) -> Sound:
    """Return the samples of a WAV file; a length that goes beyond the file, as of a stream, ends with it.

    Raises:
        ResponseFormatError: It is no WAV file with samples of 16 bits.
    """
    if wav[:4] != b"RIFF" or wav[8:12] != b"WAVE":
        raise ResponseFormatError("What came is no WAV file.")
    at, rate_hz, channels = 12, 0, 0
    while at + 8 <= len(wav):
        name, length = struct.unpack_from("<4sI", wav, at)
        if name == b"fmt " and at + 24 <= len(wav):
            _, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", wav, at + 8)
            if bits != 16 or not channels or not rate_hz:
                break
        elif name == b"data" and rate_hz:
            pcm = wav[at + 8 : at + 8 + length]
            return Sound(pcm=pcm[: len(pcm) // (2 * channels) * 2 * channels], rate_hz=rate_hz, channels=channels)
        at += 8 + length + length % 2
    raise ResponseFormatError("What came is a WAV file whose samples cannot be read.")


def sentences(text: str, *, longest: int = 400) -> list[str]:
    """Return a text in sentences, of which none has more than `longest` characters; blanks are evened out."""
    found = []
    for part in _SENTENCE_END.split(text):
        left = " ".join(part.split())
        while len(left) > longest:
            cut = max(left.rfind(mark, 0, longest) for mark in (", ", "; ", ": "))
            cut = cut + 1 if cut > 0 else left.rfind(" ", 0, longest)
            cut = cut if cut > 0 else longest
            found.append(left[:cut].strip())
            left = left[cut:].strip()
        if left:
            found.append(left)
    return found
