"""Which files of a repository make up the model that was asked for."""

from __future__ import annotations

import fnmatch
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, TypeAlias

from fieldguide.errors import NotFoundError, UnsafeFileError, UsageError
from fieldguide.formats import is_projector, projector_rank, projector_suits
from fieldguide.sources._offer import Offer, OfferedFile
from fieldguide.sources.safety import refused_kind

ArtifactKind: TypeAlias = Literal["gguf", "safetensors", "file"]

_SPLIT = re.compile(r"^(?P<stem>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})(?P<ending>\.gguf|\.safetensors)$", re.I)
_BESIDE = (".json", ".txt", ".model", ".jinja", ".tiktoken")
"""Endings of what a folder of safetensors needs beside its weights: configuration and tokenizer."""
_NOT_BESIDE = re.compile(r"(?:^|/)(?:pytorch_model|tf_model|flax_model|optimizer|training_args|\.)", re.I)
_MOST_LISTED = 12
_MOST_SPLIT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """Files that are one model: a GGUF file or all its parts, or weights in safetensors with what belongs to them."""

    kind: ArtifactKind
    files: tuple[OfferedFile, ...]
    """The first is the one that is named to an engine."""

    @property
    def name(self) -> str:
        """Path of the first file."""
        return self.files[0].path

    @property
    def size_bytes(self) -> int | None:
        """Of all files; None where one is not known."""
        sizes = [file.remote.size_bytes for file in self.files]
        return None if None in sizes else sum(size or 0 for size in sizes)


def part_names(name: str) -> tuple[str, ...]:
    """Return the names of all parts of a split file, the first one first; the name alone of a file that is whole."""
    found = _SPLIT.match(name)
    count = int(found["count"]) if found else 0
    if found is None or not 1 <= int(found["number"]) <= count <= _MOST_SPLIT:
        return (name,)
    return tuple(f"{found['stem']}-{number:05d}-of-{count:05d}{found['ending']}" for number in range(1, count + 1))


def select(offer: Offer, pattern: str | None) -> Artifact:
    """Return the artifact that a pattern names, or the only one there is; with a model that looks comes its projector.

    Args:
        offer: What the repository holds.
        pattern: A path, or a pattern such as `*q4_k_m.gguf`, in which case does not matter; None takes the only one.

    Raises:
        NotFoundError: Nothing fits; the hint lists what there is.
        UsageError: Several fit, which are listed; or only files that are never loaded.
    """
    return with_projector(offer, _only(offer) if pattern is None else _named(offer, pattern))


def _named(offer: Offer, pattern: str) -> Artifact:
    exact = [file for file in offer.files if file.path == pattern]
    found = exact or [file for file in offer.files if fits(file.path, pattern)]
    if not found:
        there = "; ".join(_described(artifact) for artifact in _artifacts(offer)[:_MOST_LISTED])
        raise NotFoundError(
            f"No file of {_repository(offer)} fits {pattern!r}.", hint=f"There are: {there or 'no model files'}."
        )
    artifacts = _grouped(offer, found)
    if len(artifacts) > 1:  # `*f16.gguf` means the model, also where its projector is named so
        artifacts = [each for each in artifacts if not _is_projector(each)] or artifacts
    if len(artifacts) > 1:
        raise _ambiguous(offer, artifacts)
    artifact = artifacts[0]
    if artifact.kind == "file" and (why := refused_kind(artifact.name)) is not None:
        raise UnsafeFileError(artifact.name, why)
    return artifact


def _only(offer: Offer) -> Artifact:
    artifacts = [artifact for artifact in _artifacts(offer) if not _is_projector(artifact)]
    ggufs = [artifact for artifact in artifacts if artifact.kind == "gguf"]
    safetensors = [artifact for artifact in artifacts if artifact.kind == "safetensors"]
    if len(ggufs) == 1 or (ggufs and not safetensors):
        if len(ggufs) > 1:
            raise _ambiguous(offer, ggufs)
        return ggufs[0]
    if safetensors and not ggufs:
        return safetensors[0]
    if ggufs:
        raise _ambiguous(offer, [*ggufs, *safetensors])
    if any(refused_kind(file.path) for file in offer.files):
        raise _unsafe(offer)
    raise NotFoundError(
        f"{_repository(offer)} holds no model in GGUF or safetensors.", hint="Look for a repository that does."
    )


def fits(path: str, pattern: str) -> bool:
    """Return whether a path, or its last part, is or fits a pattern; case does not matter."""
    if path == pattern:
        return True
    pattern, path = pattern.lower(), path.lower()
    return fnmatch.fnmatchcase(path, pattern) or fnmatch.fnmatchcase(PurePosixPath(path).name, pattern)


def _artifacts(offer: Offer) -> list[Artifact]:
    """Return every model that the repository holds."""
    weights = [file for file in offer.files if file.path.lower().endswith((".gguf", ".safetensors"))]
    return _grouped(offer, weights)


def _grouped(offer: Offer, files: Sequence[OfferedFile]) -> list[Artifact]:
    """Return files as artifacts: parts of a split file with all their siblings, and safetensors by folder."""
    groups: dict[tuple[str, str], None] = {}
    for file in files:
        groups.setdefault(_group(file.path))
    by_group: dict[tuple[str, str], list[OfferedFile]] = defaultdict(list)
    for file in offer.files:
        by_group[_group(file.path)].append(file)
    return [_artifact(offer, kind, by_group[kind, key]) for kind, key in groups]


def _group(path: str) -> tuple[str, str]:
    lower = path.lower()
    if lower.endswith(".gguf"):
        split = _SPLIT.match(path)
        return "gguf", f"{split['stem']}-of-{split['count']}" if split else path
    if lower.endswith((".safetensors", ".safetensors.index.json")):
        return "safetensors", str(PurePosixPath(path).parent)
    return "file", path


def _artifact(offer: Offer, kind: str, files: Sequence[OfferedFile]) -> Artifact:
    if kind == "gguf":
        parts = sorted(files, key=lambda file: file.path)
        split = _SPLIT.match(parts[0].path)
        if split and len(parts) != int(split["count"]):
            raise NotFoundError(
                f"{_repository(offer)} holds {len(parts)} of the {int(split['count'])} parts of {split['stem']}.",
                hint="Take another quantization.",
            )
        return Artifact(kind="gguf", files=tuple(parts))
    if kind == "safetensors":
        folder = PurePosixPath(files[0].path).parent
        weights = sorted(files, key=lambda file: (not file.path.endswith(".index.json"), file.path))
        beside = [
            file
            for file in offer.files
            if PurePosixPath(file.path).parent == folder
            and file.path.endswith(_BESIDE)
            and file not in weights
            and not _NOT_BESIDE.search(file.path)
        ]
        return Artifact(kind="safetensors", files=(*weights, *beside))
    return Artifact(kind="file", files=tuple(files))


def with_projector(offer: Offer, artifact: Artifact) -> Artifact:
    """Return a GGUF model with the projector (`mmproj`) beside which it can look or listen, if the repository has one.

    Of several, one in the model's folder is taken before others, one that is named like the model before one that is
    not, and then 16 bits before fewer or more, as most publishers make it; one of another model's name never.
    """
    if artifact.kind != "gguf" or _is_projector(artifact):
        return artifact
    suiting = [
        file
        for file in offer.files
        if file.path.lower().endswith(".gguf") and is_projector(file.path) and projector_suits(file.path, artifact.name)
    ]
    near = [file for file in suiting if PurePosixPath(file.path).parent == PurePosixPath(artifact.name).parent]
    best = max(near or suiting, key=lambda file: projector_rank(file.path, artifact.name), default=None)
    return artifact if best is None else Artifact(kind="gguf", files=(*artifact.files, best))


def _is_projector(artifact: Artifact) -> bool:
    return is_projector(artifact.name)


def _ambiguous(offer: Offer, artifacts: Sequence[Artifact]) -> UsageError:
    listed = "; ".join(_described(artifact) for artifact in artifacts[:_MOST_LISTED])
    more = len(artifacts) - _MOST_LISTED
    listed += f"; and {more} more" if more > 0 else ""
    repository, first = _repository(offer), artifacts[0].name
    return UsageError(
        f"{repository} holds {len(artifacts)} models: {listed}.",
        hint=f"Name one: `{repository}/{first}`."
        if offer.reference.source == "file"
        else f"Name one: `{repository}#{PurePosixPath(first).name}`, or a pattern such as `#*q4_k_m.gguf`.",
    )


def _unsafe(offer: Offer) -> UnsafeFileError:
    first = next(file.path for file in offer.files if refused_kind(file.path))
    return UnsafeFileError(_repository(offer), f"has no weights but in files that can run code, such as {first}")


def _described(artifact: Artifact) -> str:
    size = artifact.size_bytes
    parts = f", {len(artifact.files)} files" if len(artifact.files) > 1 else ""
    return f"{artifact.name} ({'size unknown' if size is None else f'{size / 1e9:.2f} GB'}{parts})"


def _repository(offer: Offer) -> str:
    return f"{offer.reference.source}:{offer.reference.name}"
