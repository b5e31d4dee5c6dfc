"""The models on this machine as a person looks at them: what they are, where they came from, what they take to load."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from fieldguide.app.inspect import inspect_file
from fieldguide.app.plan import PlanOptions, plan
from fieldguide.app.stored_json import stored_json
from fieldguide.app.wiring import House
from fieldguide.catalogue import parse_name
from fieldguide.errors import FieldguideError, NotFoundError, UnsupportedError
from fieldguide.sources import StoredModel, UnfinishedPull, free_bytes_at

_CONTEXT_TOKENS = 4096
_SLOTS = (1, 4)
"""Conversations at once that the embedded engine is planned for: it takes between one and a few, as memory allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """What loading a model takes, and what is free for it. None is unknown."""

    model: StoredModel
    needs: tuple[tuple[int, int, int, int], ...]
    """Slots, and the least, likely and most bytes with so many."""
    why_unknown: str | None
    free_bytes: int | None

    @property
    def fits(self) -> bool | None:
        """Whether the likely need with one slot is free now."""
        if not self.needs or self.free_bytes is None:
            return None
        return self.needs[0][2] <= self.free_bytes

    def as_json(self) -> dict[str, Any]:
        """Return the plan as programs read it."""
        return {
            "model": self.model.name,
            "context_tokens": _CONTEXT_TOKENS,
            "needs": [
                {"slots": slots, "low_bytes": low, "likely_bytes": likely, "high_bytes": high}
                for slots, low, likely, high in self.needs
            ],
            "why_unknown": self.why_unknown,
            "free_bytes": self.free_bytes,
            "fits": self.fits,
        }


def models_here_json(house: House) -> dict[str, Any]:
    """Return the models that are here, pulls that were not finished, and the room that is left.

    Raises:
        SourceError: The record of a model is damaged; the hint says how to mend it.
    """
    return {
        "models": [stored_json(stored) | {"quantization": quantization_of(stored)} for stored in house.models.list()],
        "unfinished": [_unfinished_json(each) for each in house.models.unfinished()],
        "free_bytes": free_bytes_at(house.settings.home),
    }


def stored_model(house: House, name: str) -> StoredModel:
    """Return a model that is here.

    Raises:
        NotFoundError: It is not, or no longer.
    """
    stored = house.models.find(name)
    if stored is None:
        raise NotFoundError(f"{name} is not on this machine, or no longer.", hint="The page of models shows what is.")
    return stored


def quantization_of(stored: StoredModel) -> str | None:
    """Return in what the weights are stored: as the name says, else as the head of the file does; None is unknown."""
    for text in (Path(stored.file).name, stored.reference, stored.name):
        if (said := parse_name(text).quantization) is not None:
            return said
    return _read(str(stored.path), stored.sha256)


def load_plan(house: House, name: str) -> LoadPlan:
    """Return what loading a model into the embedded engine takes, and what is free now.

    Raises:
        NotFoundError: It is not here.
        UnsupportedError: The engine does not load files of its kind.
    """
    stored = stored_model(house, name)
    if stored.kind != "gguf":
        raise UnsupportedError(
            stored.name,
            "being loaded by the embedded engine, which takes GGUF files",
            hint="Pull it from a GGUF repository, or run a server of its kind.",
        )
    needs: list[tuple[int, int, int, int]] = []
    why = None
    try:
        for slots in _SLOTS:
            made = plan(house, str(stored.path), PlanOptions(context_tokens=_CONTEXT_TOKENS, sequences=slots)).memory
            needs.append((slots, made.total_low_bytes, made.total_bytes, made.total_high_bytes))
    except FieldguideError as error:
        why = error.message
    return LoadPlan(model=stored, needs=tuple(needs), why_unknown=why, free_bytes=free_memory_bytes())


def free_memory_bytes(*, proc: Path = Path("/proc"), cgroup: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Return the memory that this process may still take: of the machine, and of its container; None is unknown."""
    return min(_free(proc, cgroup), default=None)


def _free(proc: Path, cgroup: Path) -> Iterator[int]:
    try:
        lines = (proc / "meminfo").read_text(encoding="ascii").splitlines()
        yield from (int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, IndexError):
        pass
    try:
        most = int((cgroup / "memory.max").read_text(encoding="ascii"))
        yield max(0, most - int((cgroup / "memory.current").read_text(encoding="ascii")))
    except (OSError, ValueError):
        pass


def _unfinished_json(each: UnfinishedPull) -> dict[str, Any]:
    return {"name": each.name, "reference": each.reference, "here_bytes": each.here_bytes}


@lru_cache(maxsize=512)
def _read(path: str, sha256: str) -> str | None:
    """Return what the head of a file says; its hash is part of the key, so that another file is read anew."""
    del sha256
    try:
        return inspect_file(Path(path)).quantization
    except FieldguideError:
        return None
