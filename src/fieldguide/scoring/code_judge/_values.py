"""What goes into the judge and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

from fieldguide.domain import JsonValue
from fieldguide.scoring.code_judge._inside.plan import Tier

Mode: TypeAlias = Literal["process", "reference"]
"""`process`: a fresh process with real standard input and output. `reference`: as LiveCodeBench's runner behaves."""


class Verdict(StrEnum):
    """How a program did."""

    ACCEPTED = "AC"
    WRONG_ANSWER = "WA"
    RUNTIME_ERROR = "RE"
    TIME_LIMIT = "TLE"
    MEMORY_LIMIT = "MLE"
    OUTPUT_LIMIT = "OLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class StdinTest:
    """The program reads `input` and must print `expected`."""

    input: str
    expected: str | None
    """None: whatever it prints is right if it ends well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTest:
    """`function` of the program (a method of its `Solution`, if it has one) must return `expected`."""

    function: str
    arguments: tuple[JsonValue, ...]
    """Positional."""
    expected: JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramTest:
    """Python text that calls the program and must run to its end, as in HumanEval and MBPP.

    It runs in a process of its own, in which names of the program are proxies for it: arguments and results go across
    by value, so that no object of the program can pretend to be equal and nothing it does can end the tests well.
    """

    program: str
    """The tests, with the call of `check` where there is one."""
    entry_point: str
    """Name of the function under test."""


Test: TypeAlias = StdinTest | CallTest | ProgramTest


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A program and the tests that it must pass."""

    program: str | bytes
    """Python source; bytes are taken as a file would be."""
    tests: tuple[Test, ...]
    mode: Mode = "process"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of each test."""

    cpu_s: float = 6.0
    """Processor time (seconds); LiveCodeBench's runner gives 6."""
    wall_s: float | None = None
    """Time by the clock (seconds); None is twice the processor time and one second more, so that a busy machine does
    not fail a program, and one that sleeps ends all the same."""
    memory_bytes: int = 1 << 30
    """Beside what the bare interpreter takes."""
    output_bytes: int = 8 << 20
    """Standard output, and as much standard error."""
    file_bytes: int = 64 << 20
    """All files in the work folder together."""
    files: int = 1024
    """Number of files in the work folder."""
    threads: int = 64

    @property
    def clock_s(self) -> float:
        """Time by the clock after which a test is stopped (seconds)."""
        return 2 * self.cpu_s + 1 if self.wall_s is None else self.wall_s


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramRun:
    """What became of a program of which no output is expected."""

    stdout: bytes
    stderr_tail: str
    fault: str | None
    """Why it did not end well, in a line; None where it did."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What became of a submission. Unknown is None."""

    verdict: Verdict
    tier: Tier
    tests_passed: int
    tests_run: int
    failed_test: int | None
    """Index of the first test that failed."""
    input: str | None
    """Of the failed test, cut."""
    expected: str | None
    """Of the failed test, cut."""
    got: str
    """Standard output or returned value, cut; of the failed test, else of the last."""
    stderr_tail: str
    reason: str
    """One line for people: why it failed; empty where it did not."""
    seconds: float
    """By the clock, all tests that were run together."""
    test_seconds: float
    """By the clock, of the failed test, else of the slowest."""
    peak_memory_bytes: int | None
    """Largest resident set of any test, interpreter included."""
    exit_code: int | None
    """Of the failed test, else of the last; None where a signal ended it."""
    signal: int | None
    verdicts: tuple[Verdict, ...] = field(default=())
    """Of each test that was run."""
