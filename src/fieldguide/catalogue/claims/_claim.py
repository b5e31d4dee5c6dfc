"""One published score, and the tables that scores come from. The same classes are the schema of the YAML files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Literal, TypeAlias

ClaimKind: TypeAlias = Literal["published", "imported", "recomputed", "measured"]
"""Read at its source; taken over from another catalogue; computed here from public results per item; our own run."""

_CLOSED = {"extra": "forbid"}
_VALUE = re.compile(r"\d{1,5}(\.\d+)?")
_WINDOW = re.compile(r"\d{4}-\d\d\.\.\d{4}-\d\d")
_SNAPSHOT = re.compile(r"[-@ ](20\d\d)-?(\d\d)-?(\d\d)$")
_INFERABLE = {"subset", "n", "attempts", "window"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One score that somebody states. None means: not stated."""

    model: str
    """Name as the table writes it, without organisation and snapshot."""
    snapshot: str | None
    """Dated snapshot (YYYY-MM-DD)."""
    benchmark: str
    subset: str | None
    collection: str
    value: Decimal
    """In `unit`, with the digits that were printed."""
    unit: str
    n: int | None
    """Questions."""
    attempts: int | None
    """Attempts at each question."""
    metric: str | None
    """Such as `pass@1` or `cons@64`; values of different metrics are never set against each other."""
    protocol: str | None
    window: str | None
    """Months of the questions' contests, such as `2024-08..2024-11`."""
    source: str
    """URL or citation."""
    date: date | None
    """Day on which the source was read."""
    published: str | None
    kind: ClaimKind
    inferred: tuple[str, ...] = ()
    """Which of subset, n, attempts and window the source does not state itself."""
    note: str | None = None
    run_id: str | None = None
    """Of our own run, where it was measured here."""

    @property
    def model_key(self) -> str:
        """What names of the same model have in common."""
        return model_key(self.model)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A value with what differs from its row."""

    __pydantic_config__ = _CLOSED

    value: str
    attempts: int | None = None
    protocol: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One benchmark of a table."""

    __pydantic_config__ = _CLOSED

    benchmark: str
    values: Mapping[str, str | Cell]
    """Percent as printed, by model."""
    subset: str | None = None
    n: int | None = None
    attempts: int | None = None
    metric: str | None = None
    protocol: str | None = None
    window: str | None = None
    inferred: tuple[str, ...] = ()
    note: str | None = None

    def __post_init__(self) -> None:
        _require(bool(self.values), "a row needs values")
        for model, cell in self.values.items():
            text = cell if isinstance(cell, str) else cell.value
            _require(bool(_VALUE.fullmatch(text)) and Decimal(text) <= 100, f"{model}: {text!r} is no percentage")
        for name, count in (("n", self.n), ("attempts", self.attempts)):
            _require(count is None or count > 0, f"{name} must be greater than 0")
        _require(self.window is None or bool(_WINDOW.fullmatch(self.window)), "window must read 2024-08..2024-11")
        _require(set(self.inferred) <= _INFERABLE, f"inferred may name {', '.join(sorted(_INFERABLE))}")
        for name in self.inferred:
            _require(getattr(self, name) is not None, f"{name} is inferred and has no value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """One table with its source."""

    __pydantic_config__ = _CLOSED

    name: str
    title: str
    source: str
    published: date | None
    read: date
    rows: tuple[Row, ...]
    note: str | None = None
    per_item: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of the table's models in LiveCodeBench's leaderboard files, which have results per problem."""

    def __post_init__(self) -> None:
        _require(bool(self.source.strip()), "a table needs a source")
        _require(bool(self.rows), "a table needs rows")

    def claims(self) -> tuple[Claim, ...]:
        """Return every value of the table, row by row."""
        return tuple(self._claim(row, model, cell) for row in self.rows for model, cell in row.values.items())

    def _claim(self, row: Row, written: str, cell: str | Cell) -> Claim:
        one = Cell(value=cell) if isinstance(cell, str) else cell
        model, snapshot = split_snapshot(written)
        return Claim(
            model=model,
            snapshot=snapshot,
            benchmark=row.benchmark,
            subset=row.subset,
            collection=self.name,
            value=Decimal(one.value),
            unit="percent",
            n=row.n,
            attempts=one.attempts or row.attempts,
            metric=row.metric,
            protocol=one.protocol or row.protocol,
            window=row.window,
            source=self.source,
            date=self.read,
            published=None if self.published is None else self.published.isoformat(),
            kind="published",
            inferred=row.inferred,
            note=row.note,
        )


def split_snapshot(name: str) -> tuple[str, str | None]:
    """Return a model's name without organisation and dated snapshot, and the snapshot as YYYY-MM-DD."""
    bare = name.rsplit("/", 1)[-1].strip()
    found = _SNAPSHOT.search(bare)
    return (bare[: found.start()], "-".join(found.groups())) if found else (bare, None)


@lru_cache(maxsize=65536)
def model_key(name: str) -> tuple[str, str | None]:
    """Return what spellings of one model have in common, and its snapshot: case, dots and dashes do not matter."""
    bare, snapshot = split_snapshot(name)
    return re.sub(r"[^a-z0-9+]", "", bare.lower()), snapshot


def benchmark_key(name: str) -> tuple[str, str | None]:
    """Return our name of a benchmark and its subset: `GPQA Diamond` is (`gpqa`, `diamond`)."""
    low, _, subset = name.strip().lower().replace("_", "-").partition("@")
    for pattern, family in ((r"gpqa[- ](diamond|main|extended)", "gpqa"), (r"aime[- ]?'?(20\d\d)", "aime")):
        if found := re.fullmatch(pattern, low):
            return family, found[1]
    known = {"math-500": "math500", "math 500": "math500", "live code bench": "livecodebench", "aime24": "aime"}
    return known.get(low, low), subset or ("2024" if low == "aime24" else None)


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)
