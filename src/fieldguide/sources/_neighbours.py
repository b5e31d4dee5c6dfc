"""Model files that other programs keep on this machine: Hugging Face's cache, Ollama and LM Studio.

They are read and never changed. A file is taken only where its bytes are the ones that were promised.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fieldguide.sources._offer import checked_path
from fieldguide.sources._reference import SourceReference

_MODEL = (".gguf", ".safetensors")
_OLLAMA_MODEL = "application/vnd.ollama.image.model"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LARGEST_MANIFEST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldModel:
    """A model file of another program."""

    program: str
    """`huggingface_hub`, `Ollama` or `LM Studio`."""
    name: str
    """As that program has it."""
    path: Path
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Where the other programs keep their models; a folder need not be there."""

    hugging_face: tuple[Path, ...] = ()
    """Caches of the hub's client: `~/.cache/huggingface/hub`."""
    ollama: tuple[Path, ...] = ()
    """Ollama's folders of models: `~/.ollama/models`."""
    lm_studio: tuple[Path, ...] = ()
    """LM Studio's folders of models: `~/.lmstudio/models`."""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Neighbours:
        """Return the places that the programs' own variables name, and where they keep models by default."""
        home = Path(environment.get("HOME") or "~").expanduser()
        cache = Path(environment.get("XDG_CACHE_HOME") or home / ".cache")
        hub = environment.get("HF_HUB_CACHE") or Path(environment.get("HF_HOME") or cache / "huggingface") / "hub"
        own = environment.get("OLLAMA_MODELS")
        return cls(
            hugging_face=(Path(hub).expanduser(),),
            ollama=(
                *((Path(own).expanduser(),) if own else ()),
                home / ".ollama/models",
                Path("/usr/share/ollama/.ollama/models"),
            ),
            lm_studio=(home / ".lmstudio/models", cache / "lm-studio/models"),
        )

    def held(self) -> list[HeldModel]:
        """Return the models that the other programs keep, by program and name; what cannot be read is passed over."""
        found = [
            *(each for folder in self.hugging_face for each in _of_hugging_face(folder)),
            *(each for folder in self.ollama for each in _of_ollama(folder)),
            *(each for folder in self.lm_studio for each in _of_lm_studio(folder)),
        ]
        return sorted(found, key=lambda each: (each.program, each.name, str(each.path)))

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


def _of_hugging_face(cache: Path) -> Iterator[HeldModel]:
    for ending in _MODEL:
        for path in _globbed(cache, f"models--*/snapshots/*/**/*{ending}"):
            parts = path.relative_to(cache).parts
            name = f"{parts[0].removeprefix('models--').replace('--', '/')}#{'/'.join(parts[3:])}"
            yield from _held("huggingface_hub", name, path)


def _of_ollama(models: Path) -> Iterator[HeldModel]:
    """Read the manifests: `manifests/HOST/OWNER/NAME/TAG`."""
    for manifest in _globbed(models, "manifests/*/*/*/*"):
        owner, name, tag = manifest.parts[-3:]
        try:
            with manifest.open("rb") as file:
                layers = json.loads(file.read(_LARGEST_MANIFEST_BYTES))["layers"]
            digests = [each["digest"] for each in layers if each["mediaType"] == _OLLAMA_MODEL]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
        for digest in digests:
            if isinstance(digest, str) and _DIGEST.fullmatch(digest):
                path = models / "blobs" / digest.replace(":", "-")
                yield from _held("Ollama", f"{'' if owner == 'library' else f'{owner}/'}{name}:{tag}", path)


def _of_lm_studio(models: Path) -> Iterator[HeldModel]:
    for ending in _MODEL:
        for path in _globbed(models, f"*/*/*{ending}"):
            owner, repository, name = path.parts[-3:]
            yield from _held("LM Studio", f"{owner}/{repository}#{name}", path)


def _held(program: str, name: str, path: Path) -> Iterator[HeldModel]:
    try:
        size = path.stat().st_size
    except OSError:
        return
    yield HeldModel(program=program, name=name, path=path, size_bytes=size)


def _globbed(folder: Path, pattern: str) -> list[Path]:
    try:
        return list(folder.glob(pattern))
    except OSError:
        return []
