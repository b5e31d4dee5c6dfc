"""What a benchmark is to the rest of the program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fieldguide.domain import Completion, Exam, ExamItem, Score, ScorerIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamRequest:
    """What was asked of a benchmark."""

    selector: str | None = None
    """What follows `@` in the benchmark's name: a seed, a subset, a year, a release."""
    protocol: str | None = None
    """Whose protocol; None takes ours."""
    seed: int | None = None
    """Seed of what is drawn; None takes the benchmark's default."""
    limit: int | None = None
    """Items to take from the front of the fixed order (> 0); None takes the benchmark's default number."""
    data_dir: Path | None = None
    """Folder of benchmark data (`DIR/<family>/`); None looks on the hub."""


class AnswerScorer(Protocol):
    """Judges answers to one benchmark. A pure function of item and completion; it never calls a model."""

    @property
    def identity(self) -> ScorerIdentity:
        """Name and version, stored beside every score."""

    def score(self, item: ExamItem, completion: Completion) -> Score:
        """Judge one answer; called from one thread at a time, and may take seconds.

        Raises:
            ScoringError: The scorer itself died or overran, so that nothing can be said of the answer.
        """

    def close(self) -> None:
        """Stop worker processes."""


class Benchmark(Protocol):
    """A named task. Registered under `fieldguide.benchmarks` as a class without constructor arguments."""

    def exam(self, request: ExamRequest) -> Exam:
        """Build the exam.

        Raises:
            DatasetUnavailableError: The data are not where they were looked for.
            InputFileError: A data file is malformed.
            UnknownNameError: The selector or the protocol is not one of this benchmark's.
        """

    def scorer(self, protocol: str) -> AnswerScorer:
        """Return a scorer for answers given under `protocol`."""
