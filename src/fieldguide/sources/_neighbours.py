"""Model files that other programs keep on this machine: Hugging Face's cache, Ollama and LM Studio.

They are read and never changed. A file is taken only where its bytes are the ones that were promised.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fieldguide.sources._offer import checked_path
from fieldguide.sources._reference import SourceReference


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Where the other programs keep their models; a folder need not be there."""

    hugging_face: tuple[Path, ...] = ()
    """Caches of the hub's client: `~/.cache/huggingface/hub`."""
    ollama: tuple[Path, ...] = ()
    """Ollama's folders of models: `~/.ollama/models`."""
    lm_studio: tuple[Path, ...] = ()
    """LM Studio's folders of models: `~/.lmstudio/models`."""

    def candidates(self, reference: SourceReference, path: str, *, sha256: str, size_bytes: int | None) -> list[Path]:
        """Return the files that may be this one, by content address or by name, and have its size."""
        found = []
        for place in self._places(reference, path, sha256):
            try:
                real = place.resolve(strict=True)
                size = real.stat().st_size
            except (OSError, RuntimeError):
                continue
            if real.is_file() and size_bytes in (None, size):
                found.append(real)
        return found

    def _places(self, reference: SourceReference, path: str, sha256: str) -> Iterator[Path]:
        repository = f"models--{reference.name.replace('/', '--')}"
        for cache in self.hugging_face:
            yield cache / repository / "blobs" / sha256
        for models in self.ollama:
            yield models / "blobs" / f"sha256-{sha256}"
        for models in self.lm_studio:
            yield models / reference.name / checked_path(path)
