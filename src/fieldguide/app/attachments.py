"""Files that a person attaches to a question, known by their first bytes and not by their names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias

from fieldguide.domain import Audio, Block, Capabilities, Document, Image
from fieldguide.errors import InputFileError, UnsupportedError, UsageError
from fieldguide.formats import read_picture

_LARGEST_IMAGE_BYTES = 20 << 20
_LARGEST_AUDIO_BYTES = 25 << 20
_LARGEST_FILE_BYTES = 32 << 20
"""What the providers take at most, as far as they say: OpenAI 50 MB a request and 25 MB of sound, Anthropic 5 MB a
picture and 32 MB a request, Gemini 20 MB inline. A provider with a narrower bound says so itself."""

Made: TypeAlias = Callable[[bytes, str, str], Block]


def attached(*, images: Iterable[str] = (), audio: Iterable[str] = (), files: Iterable[str] = ()) -> tuple[Block, ...]:
    """Return the blocks of what is attached; a picture may be an address, which its provider fetches.

    Raises:
        InputFileError: A file is missing, empty, too large, damaged, or of another kind.
    """
    return (
        *(image(name) for name in images),
        *(sound(name) for name in audio),
        *(document(name) for name in files),
    )


def image(name: str) -> Image:
    """Return a picture: PNG, JPEG, WebP or GIF, or an address of one."""
    if name.startswith(("http://", "https://")):
        return Image(url=name)
    return image_of(name, _read(name, _LARGEST_IMAGE_BYTES))


def sound(name: str) -> Audio:
    """Return sound: WAV or MP3."""
    return sound_of(name, _read(name, _LARGEST_AUDIO_BYTES))


def document(name: str) -> Document:
    """Return a file to read: PDF, or text in UTF-8."""
    data = _read(name, _LARGEST_FILE_BYTES)
    return Document(
        data=data, name=Path(name).name, media_type=_kind(name, data, _document_type, "a PDF or UTF-8 text")
    )


def image_of(name: str, data: bytes) -> Image:
    """Return a picture from its bytes; `name` is for what is told.

    Raises:
        InputFileError: It is empty or too large.
        FormatError: It is damaged, of another kind, or would fill the memory of whoever unpacks it.
    """
    _check_size(name, data, _LARGEST_IMAGE_BYTES)
    return Image(data=data, media_type=f"image/{read_picture(data, name=name).kind}")


def sound_of(name: str, data: bytes) -> Audio:
    """Return sound from its bytes; `name` is for what is told.

    Raises:
        InputFileError: It is empty, too large or of another kind.
    """
    _check_size(name, data, _LARGEST_AUDIO_BYTES)
    return Audio(data=data, media_type=_kind(name, data, _audio_type, "a WAV or MP3 file"))


def check_taken(blocks: Iterable[Block], can: Capabilities, *, subject: str) -> None:
    """Refuse what a model cannot take, before anything is sent.

    Raises:
        UnsupportedError: The first such thing.
    """
    for block in blocks:
        if isinstance(block, Image) and not can.images:
            raise UnsupportedError(
                subject,
                "pictures",
                hint="Ask a model that sees (`fieldguide find --modality image`); one on this machine needs its "
                "projector, the file with `mmproj` in its name, beside it.",
            )
        if isinstance(block, Audio) and not can.audio:
            raise UnsupportedError(subject, "sound", hint="Ask a model that hears; `fieldguide find --modality audio`.")
        if isinstance(block, Document) and not can.documents:
            raise UnsupportedError(
                subject, "files", hint="Put the text into the prompt: `fieldguide ask MODEL - < FILE`."
            )


def _read(name: str, largest_bytes: int) -> bytes:
    path = Path(name).expanduser()
    try:
        with path.open("rb") as file:
            data = file.read(largest_bytes + 1)
    except OSError as error:
        raise InputFileError(name, f"cannot be read ({error.strerror}).", hint="Check the path.") from None
    _check_size(name, data, largest_bytes)
    return data


def _check_size(name: str, data: bytes, largest_bytes: int) -> None:
    if not data:
        raise InputFileError(name, "is empty.", hint="Check the path.")
    if len(data) > largest_bytes:
        raise InputFileError(name, f"is larger than {largest_bytes >> 20} MiB.", hint="Give a smaller file.")


def _kind(name: str, data: bytes, type_of: Callable[[bytes], str | None], wanted: str) -> str:
    found = type_of(data)
    if found is None:
        raise InputFileError(name, f"is not {wanted}: it begins with {data[:8]!r}.", hint="Convert it first.")
    return found


def _audio_type(data: bytes) -> str | None:
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "audio/wav"
    frame = len(data) > 2 and data[0] == 0xFF and data[1] & 0xE0 == 0xE0 and data[1] & 0x06 == 0x02  # layer III
    return "audio/mpeg" if data.startswith(b"ID3") or frame else None


def _document_type(data: bytes) -> str | None:
    if data.startswith(b"%PDF-"):
        return "application/pdf"
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else "text/plain"


def checked_prompt(prompt: str, blocks: tuple[Block, ...]) -> str:
    """Return the prompt.

    Raises:
        UsageError: It is empty and nothing is attached.
    """
    if not prompt.strip() and not blocks:
        raise UsageError("The prompt is empty.")
    return prompt
