"""Build an exam by the name of its benchmark."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from fieldguide import registry
from fieldguide.benchmarks import AnswerScorer, Benchmark, ExamRequest, HasProtocols, Hub
from fieldguide.domain import Exam
from fieldguide.errors import UsageError
from fieldguide.settings import Settings

OURS = "fieldguide"
"""Name of our own protocol, the default everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataAccess:
    """How data are got where they do not lie about in the open."""

    hub: Hub = "auto"
    home: Path | None = None
    """The user folder, for data that have to be unpacked."""
    gpqa_password: str | None = field(default=None, repr=False)
    """None takes the published one."""


_MOST_ITEMS = 10_000_000


def data_access(settings: Settings) -> DataAccess:
    """Return what the user's settings say of it."""
    return DataAccess(hub=cast(Hub, settings.hub), home=settings.home, gpqa_password=settings.gpqa_password)


def load_benchmark(name: str) -> Benchmark:
    """Return the benchmark registered under `name` (without what follows `@`).

    Raises:
        UnknownNameError: There is none; the nearest names are given.
    """
    return cast(type[Benchmark], registry.load("benchmarks", name))()


def build_exam(
    name: str,
    *,
    data: Path | None,
    limit: int | None = None,
    seed: int | None = None,
    protocol: str | None = None,
    access: DataAccess | None = None,
) -> tuple[Exam, AnswerScorer]:
    """Return the exam of `BENCHMARK[@SELECTOR]` and a scorer for its answers.

    Raises:
        UnknownNameError: The benchmark, its selector or the protocol is unknown.
        DatasetUnavailableError: Its data cannot be had.
        UsageError: `limit` is not above 0, or the data folder does not exist.
    """
    if limit is not None and not 0 < limit <= _MOST_ITEMS:
        raise UsageError(f"--limit takes a number from 1 to {_MOST_ITEMS:,}, not {limit}.")
    if data is not None and not data.is_dir():
        raise UsageError(f"The data folder {data} does not exist.", hint="Name another with `--data DIR`.")
    access = access or DataAccess()
    family, at, selector = name.partition("@")
    benchmark = load_benchmark(family)
    exam = benchmark.exam(
        ExamRequest(
            selector=selector if at else None,
            protocol=protocol,
            seed=seed,
            limit=limit,
            data_dir=data,
            hub=access.hub,
            home=access.home,
            password=access.gpqa_password if family == "gpqa" else None,
        )
    )
    return exam, benchmark.scorer(exam.protocol)


def protocols_of(name: str) -> tuple[str, ...]:
    """Return the protocols of a benchmark, ours first.

    Raises:
        UnknownNameError: There is no such benchmark.
    """
    benchmark = load_benchmark(name.partition("@")[0])
    return benchmark.protocols if isinstance(benchmark, HasProtocols) else (OURS,)
