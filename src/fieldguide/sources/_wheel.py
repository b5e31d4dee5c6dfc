"""Taking a model file out of wheels. A wheel is only read as an archive; nothing in it is ever executed.

The name inside the archive only selects what is read and never says where to write, so no name can lead out of a
folder. What is read ends at the size that the member declares, which has been checked first.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fieldguide.errors import IntegrityError, NotFoundError, SourceError
from fieldguide.sources._files import CHUNK_BYTES

_PART = re.compile(r"(?P<whole>.+\.gguf)\.part(?P<number>\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One member of one wheel: the model file or a part of it."""

    wheel: Path
    member: str
    size_bytes: int


def find_pieces(wheel: Path, *, file: str | None) -> tuple[str, tuple[Piece, ...]]:
    """Return the name of the one model file in a wheel and the members that make it up, in order.

    Args:
        wheel: The archive.
        file: Name, or last part of the name, of the file wanted; None where there must be just one.

    Raises:
        NotFoundError: The wheel holds no such model file.
        SourceError: It holds several, only a part of one, or is damaged.
    """
    with _opened(wheel) as archive:
        sizes = {item.filename: item.file_size for item in archive.infolist() if not item.is_dir()}
    models: dict[str, dict[int, str]] = {}
    for name in sizes:
        if part := _PART.fullmatch(name):
            models.setdefault(part["whole"], {})[int(part["number"])] = name
        elif name.endswith(".gguf"):
            models.setdefault(name, {})[-1] = name
    wanted = {whole: parts for whole, parts in models.items() if file is None or f"/{whole}".endswith(f"/{file}")}
    if not wanted:
        subject = "no GGUF file" if file is None else f"no {file}"
        raise NotFoundError(f"{wheel.name} holds {subject}.", hint=_choices(models))
    if len(wanted) > 1:
        raise SourceError(f"{wheel.name} holds {len(wanted)} model files.", hint=_choices(models))
    whole, parts = next(iter(wanted.items()))
    _check_complete(wheel, whole, sorted(parts))
    pieces = tuple(Piece(wheel=wheel, member=parts[n], size_bytes=sizes[parts[n]]) for n in sorted(parts))
    return PurePosixPath(whole).name, pieces


def join_pieces(pieces: Sequence[Piece], target: Path, *, told: Callable[[int], None]) -> str:
    """Write the pieces one after another to `target` and return the sha256 of the whole (64 hex digits).

    Args:
        pieces: In order.
        target: File to write; an older one is replaced.
        told: Called with the bytes written so far.

    Raises:
        IntegrityError: A member does not have the size it should.
        SourceError: A wheel is damaged or lacks its member.
        OSError: The disk is full.
    """
    digest = hashlib.sha256()
    done = 0
    with target.open("wb") as out:
        for piece in pieces:
            for chunk in _chunks(piece):
                digest.update(chunk)
                out.write(chunk)
                done += len(chunk)
                told(done)
    return digest.hexdigest()


def _chunks(piece: Piece) -> Iterator[bytes]:
    with _opened(piece.wheel) as archive:
        try:
            declared = archive.getinfo(piece.member).file_size
        except KeyError as error:
            raise SourceError(f"{piece.wheel.name} does not hold {piece.member}.") from error
        if declared != piece.size_bytes:
            raise IntegrityError(
                f"{piece.member} in {piece.wheel.name}",
                expected=f"{piece.size_bytes} bytes",
                actual=f"{declared} bytes",
            )
        with archive.open(piece.member) as member:
            while chunk := member.read(CHUNK_BYTES):
                yield chunk


@contextmanager
def _opened(wheel: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(wheel) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        # RuntimeError is what zipfile raises for an encrypted member.
        raise SourceError(f"{wheel.name} is damaged: {error}.", hint="Remove the model and fetch it again.") from error


def _check_complete(wheel: Path, whole: str, numbers: Sequence[int]) -> None:
    if numbers == [-1]:
        return
    first = numbers[0]
    contiguous = first in {0, 1} and list(numbers) == list(range(first, first + len(numbers)))
    if not contiguous or len(numbers) == 1:
        raise SourceError(
            f"{wheel.name} holds only a part of {PurePosixPath(whole).name}.",
            hint="A model that is spread over several packages can be fetched by its catalogue name only.",
        )


def _choices(models: dict[str, dict[int, str]]) -> str:
    if not models:
        return "Only packages that carry a GGUF file can be used."
    return "Choose one with `#FILE`: " + ", ".join(sorted(PurePosixPath(whole).name for whole in models)) + "."
