"""Where a model store keeps what.

home/models/blobs/sha256-<hex>[.gguf]  the files, by content
home/models/manifests/<name>.json      one per model, written last: it alone makes the model stored
home/models/trees/<name>/              links to the files of a model that has several, under their own names
home/models/locks/                     one per name, one per file that is being brought, and one for the whole store
home/downloads/<name>/                 finished downloads of a package's pull that was interrupted
home/downloads/blobs/                  files of repositories on their way, by their promise
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fieldguide.errors import SourceError
from fieldguide.sources._manifest import Manifest, StoredFile, StoredModel, read_manifest
from fieldguide.sources._offer import inside

_KEY = re.compile(r"(?:url-)?[0-9a-f]{40,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfinishedPull:
    """What an interrupted pull has left."""

    name: str
    reference: str
    here_bytes: int
    """On the disk."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """The models of one home folder, as they lie there. Nothing is created by naming it."""

    home: Path

    @property
    def blobs(self) -> Path:
        """Folder of the model files."""
        return self.home / "models" / "blobs"

    @property
    def manifests(self) -> Path:
        """Folder of the manifests."""
        return self.home / "models" / "manifests"

    def blob(self, sha256: str, path: str = "model.gguf") -> Path:
        """Return where the file with this content lies; `path` is its name at its source.

        The content address is the name, so that two models with the same bytes share one file. The `.gguf` at the end
        spares a link beside it, which could come to point nowhere: engines and people take the file itself.
        """
        return self.blobs / _blob_name(sha256, path)

    def place(self, file: StoredFile) -> Path:
        """Return where a file of a model lies: in the store, or with the program that keeps it."""
        return self.blob(file.sha256, file.path) if file.elsewhere is None else Path(file.elsewhere)

    def draft(self, name: str) -> Path:
        """Return where a model is put together; the next pull of the same name writes over what a kill left there."""
        return self.blobs / f".{name}.partial"

    def manifest(self, name: str) -> Path:
        """Return the manifest of a model."""
        return self.manifests / f"{name}.json"

    def tree(self, name: str) -> Path:
        """Return the folder of links to a model's files."""
        return self.home / "models" / "trees" / name

    def lock(self, name: str | None) -> Path:
        """Return the lock file of a model, or of the whole store for None (no name begins with a dot)."""
        return self.home / "models" / "locks" / f"{name or '.store'}.lock"

    def downloads(self, name: str) -> Path:
        """Return the folder of a model's finished downloads."""
        return self.home / "downloads" / name

    def incoming(self, key: str) -> Path:
        """Return where a file is on its way that will be known by `key`."""
        return self.home / "downloads" / "blobs" / key

    def names(self) -> list[str]:
        """Return the names that have a manifest, sorted."""
        try:
            there = [entry.name for entry in os.scandir(self.manifests)]
        except OSError:
            return []
        return sorted(name.removesuffix(".json") for name in there if name.endswith(".json") and name[0] != ".")

    def knows(self, name: str) -> bool:
        """Whether there is anything of this name: a model, or what an interrupted pull of it left."""
        return self.manifest(name).exists() or (name != "blobs" and self.downloads(name).exists())

    def stored(self, name: str) -> StoredModel | None:
        """Return a model; None where its manifest or one of its files is not there.

        Raises:
            SourceError: The manifest is damaged.
        """
        manifest = read_manifest(self.manifest(name))
        return None if manifest is None else self.as_stored(manifest)

    def as_stored(self, manifest: Manifest) -> StoredModel | None:
        """Return a model as the rest of the program sees it; None where one of its files is not there."""
        for file in manifest.all_files:
            try:
                found = self.place(file).stat()
            except OSError:
                return None
            if found.st_size != file.size_bytes and file.elsewhere is not None:
                return None  # Another program has changed it.
        return manifest.stored(self.entrance(manifest))

    def all_stored(self) -> list[StoredModel]:
        """Return every model, by name.

        The folder of blobs is read once and paths are made as text, for a thousand models take a second else.

        Raises:
            SourceError: A manifest is damaged.
        """
        blobs, manifests = os.fspath(self.blobs), os.fspath(self.manifests)
        try:
            there = {entry.name for entry in os.scandir(blobs)}
        except OSError:
            there = set()
        found = []
        for name in self.names():
            manifest = read_manifest(f"{manifests}/{name}.json")
            if manifest is None:
                continue
            files = manifest.all_files
            if all(file.elsewhere is None and _blob_name(file.sha256, file.path) in there for file in files):
                lone = len(files) == 1 and manifest.kind != "safetensors"
                own = f"{blobs}/{_blob_name(files[0].sha256, files[0].path)}"
                found.append(manifest.stored(Path(own) if lone else self.entrance(manifest)))
            elif (stored := self.as_stored(manifest)) is not None:
                found.append(stored)
        return found

    def entrance(self, manifest: Manifest) -> Path:
        """Return what an engine is told: a file, or the folder of a model in safetensors."""
        files = manifest.all_files
        if manifest.kind == "safetensors":
            return (self.tree(manifest.name) / files[0].path).parent
        return self.place(files[0]) if len(files) == 1 else self.tree(manifest.name) / files[0].path

    def link(self, manifest: Manifest) -> None:
        """Make the tree of a model that needs one; what stands there is replaced."""
        if len(manifest.all_files) == 1 and manifest.kind == "gguf":
            return
        tree = self.tree(manifest.name)
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir(parents=True)
        for file in manifest.all_files:
            place = inside(tree, file.path)
            place.parent.mkdir(parents=True, exist_ok=True)
            _link(self.place(file), place)

    def is_linked(self, manifest: Manifest) -> bool:
        """Whether the tree of a model is whole, where it needs one."""
        files = manifest.all_files
        if len(files) == 1 and manifest.kind == "gguf":
            return True
        tree = self.tree(manifest.name)
        try:
            return all((tree / file.path).samefile(self.place(file)) for file in files)
        except OSError:
            return False

    def recorded(self, name: str) -> Manifest | None:
        """Return the manifest of a model; None where it is missing or damaged, for a pull writes it anew."""
        try:
            return read_manifest(self.manifest(name))
        except SourceError:
            return None

    def take_away(self, name: str) -> None:
        """Remove a model's manifest and tree; its files go with `sweep`."""
        self.manifest(name).unlink(missing_ok=True)
        shutil.rmtree(self.tree(name), ignore_errors=True)

    def sweep(self) -> int:
        """Remove the files that no manifest needs and return their bytes; the caller holds the lock on the store."""
        needed: set[Path] = set()
        for name in self.names():
            manifest = self.recorded(name)
            if manifest is None:
                return 0  # Which files a damaged one needs is not known, so none is taken away.
            needed.update(self.place(file).resolve() for file in manifest.all_files)
        for tree in self.tree("x").parent.glob("*"):
            if not self.manifest(tree.name).exists():  # A kill came between; its links keep bytes on the disk.
                shutil.rmtree(tree, ignore_errors=True)
        freed = 0
        for blob in self.blobs.glob("sha256-*"):
            if blob.resolve() not in needed:  # The home may be reached by several paths.
                freed += blob.stat().st_size
                blob.unlink()
        return freed

    def unfinished(self) -> Iterator[UnfinishedPull]:
        """Yield what interrupted pulls have left, by name."""
        for folder in sorted((self.home / "downloads").glob("*")):
            if folder.name == "blobs" or not folder.is_dir():
                continue
            here = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
            here += sum(map(self._incoming_bytes, self.incoming_keys(folder.name)))
            try:
                reference = json.loads((folder / "order.json").read_bytes())["reference"]
            except (OSError, ValueError, KeyError, TypeError):
                reference = folder.name
            yield UnfinishedPull(name=folder.name, reference=str(reference), here_bytes=here)

    def _incoming_bytes(self, key: str) -> int:
        try:
            return self.incoming(key).stat().st_blocks * 512
        except OSError:
            return 0

    def clear_downloads(self, name: str) -> int:
        """Remove what was downloaded for a model and return its bytes."""
        folder = self.downloads(name)
        freed = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        shutil.rmtree(folder, ignore_errors=True)
        return freed

    def incoming_keys(self, name: str) -> list[str]:
        """Return the keys of the files that an interrupted pull has left on their way for a name."""
        try:
            keys = json.loads((self.downloads(name) / "order.json").read_bytes())["keys"]
            return [key for key in keys if isinstance(key, str) and _KEY.fullmatch(key)]
        except (OSError, ValueError, KeyError, TypeError):
            return []

    def clear_incoming(self, key: str) -> int:
        """Remove a file that is on its way, with its journal, and return the bytes it takes on disk."""
        freed = 0
        for path in self._of_incoming(key):
            with suppress(FileNotFoundError):
                freed += path.stat().st_blocks * 512
                path.unlink()
        return freed

    def _of_incoming(self, key: str) -> Iterator[Path]:
        place = self.incoming(key)
        yield place
        yield place.with_name(f"{place.name}.journal")
        yield place.with_name(f"{place.name}.journal.new")


def _blob_name(sha256: str, path: str) -> str:
    return f"sha256-{sha256}{'.gguf' if path.lower().endswith('.gguf') else ''}"


def _link(file: Path, place: Path) -> None:
    """Link `place` to a file: by another name for it, or, across volumes, by its path."""
    try:
        os.link(file, place)
    except OSError:
        place.symlink_to(file)
