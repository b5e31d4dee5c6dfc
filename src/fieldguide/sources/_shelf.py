"""Where a model store keeps what.

home/models/blobs/sha256-<hex>.gguf    the files, by content
home/models/manifests/<name>.json      one per model, written last: it alone makes the model stored
home/models/locks/                     one per name, and one for the whole store
home/downloads/<name>/                 finished downloads of a pull that was interrupted
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from fieldguide.errors import SourceError
from fieldguide.sources._manifest import Manifest, StoredModel, read_manifest


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

    def blob(self, sha256: str) -> Path:
        """Return where the file with this content lies.

        The content address is the name, so that two models with the same bytes share one file. The `.gguf` at the end
        spares a link beside it, which could come to point nowhere: engines and people take the file itself.
        """
        return self.blobs / f"sha256-{sha256}.gguf"

    def draft(self, name: str) -> Path:
        """Return where a model is put together; the next pull of the same name writes over what a kill left there."""
        return self.blobs / f".{name}.partial"

    def manifest(self, name: str) -> Path:
        """Return the manifest of a model."""
        return self.manifests / f"{name}.json"

    def lock(self, name: str | None) -> Path:
        """Return the lock file of a model, or of the whole store for None (no name begins with a dot)."""
        return self.home / "models" / "locks" / f"{name or '.store'}.lock"

    def downloads(self, name: str) -> Path:
        """Return the folder of a model's finished downloads."""
        return self.home / "downloads" / name

    def names(self) -> list[str]:
        """Return the names that have a manifest, sorted."""
        return sorted(path.stem for path in self.manifests.glob("[!.]*.json"))

    def stored(self, name: str) -> StoredModel | None:
        """Return a model; None where its manifest or its file is not there.

        Raises:
            SourceError: The manifest is damaged.
        """
        manifest = read_manifest(self.manifest(name))
        if manifest is None:
            return None
        blob = self.blob(manifest.sha256)
        return manifest.stored(blob) if blob.is_file() else None

    def recorded(self, name: str) -> Manifest | None:
        """Return the manifest of a model; None where it is missing or damaged, for a pull writes it anew."""
        try:
            return read_manifest(self.manifest(name))
        except SourceError:
            return None

    def sweep(self) -> int:
        """Remove the files that no manifest needs and return their bytes; the caller holds the lock on the store."""
        manifests = [self.recorded(name) for name in self.names()]
        needed = {self.blob(manifest.sha256) for manifest in manifests if manifest is not None}
        if None in manifests:
            return 0  # Which file a damaged one needs is not known, so none is taken away.
        freed = 0
        for blob in self.blobs.glob("sha256-*.gguf"):
            if blob not in needed:
                freed += blob.stat().st_size
                blob.unlink()
        return freed

    def clear_downloads(self, name: str) -> int:
        """Remove what was downloaded for a model and return its bytes."""
        folder = self.downloads(name)
        freed = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        shutil.rmtree(folder, ignore_errors=True)
        return freed
