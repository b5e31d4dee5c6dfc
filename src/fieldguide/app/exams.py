"""Build an exam by the name of its benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from fieldguide import registry
from fieldguide.benchmarks import AnswerScorer, Benchmark, ExamRequest
from fieldguide.domain import Exam
from fieldguide.errors import UsageError


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
) -> tuple[Exam, AnswerScorer]:
    """Return the exam of `BENCHMARK[@SELECTOR]` and a scorer for its answers.

    Raises:
        UnknownNameError: The benchmark, its selector or the protocol is unknown.
        DatasetUnavailableError: Its data cannot be had.
        UsageError: `limit` is not above 0, or the data folder does not exist.
    """
    if limit is not None and limit <= 0:
        raise UsageError(f"--limit takes a number above 0, not {limit}.")
    if data is not None and not data.is_dir():
        raise UsageError(f"The data folder {data} does not exist.", hint="Name another with `--data DIR`.")
    family, at, selector = name.partition("@")
    benchmark = load_benchmark(family)
    exam = benchmark.exam(
        ExamRequest(selector=selector if at else None, protocol=protocol, seed=seed, limit=limit, data_dir=data)
    )
    return exam, benchmark.scorer(exam.protocol)
