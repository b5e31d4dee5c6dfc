"""What a benchmark is to the rest of the program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from fieldguide.domain import Completion, Exam, ExamItem, Score, ScorerIdentity
from fieldguide.errors import FieldguideError

Hub: TypeAlias = Literal["auto", "huggingface", "modelscope"]
"""Which hub data come from; `auto` takes ModelScope's copy where Hugging Face cannot be reached."""


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
    hub: Hub = "auto"
    """Which hub is asked."""
    home: Path | None = None
    """The user folder, for data of the hub that have to be unpacked; None where there is none."""
    password: str | None = None
    """Of an encrypted archive; None takes the one that its authors publish."""


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


@runtime_checkable
class ScoresMany(Protocol):
    """A scorer that judges several answers at the same time."""

    def score_many(self, answers: Sequence[tuple[ExamItem, Completion]]) -> list[Score | FieldguideError]:
        """Judge these answers and return, in their order, each one's score or why it has none."""


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


@runtime_checkable
class HasProtocols(Protocol):
    """A benchmark that is asked and read in several ways."""

    @property
    def protocols(self) -> tuple[str, ...]:
        """Names of its protocols, ours first."""
