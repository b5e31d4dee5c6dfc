"""Judges programs: one run per test in the sandbox, the comparison out here."""

from __future__ import annotations

import json
import os
import queue
import signal
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, cast

from fieldguide.domain import JsonValue
from fieldguide.errors import ScoringError
from fieldguide.scoring.code_judge._checking import same_output, same_value
from fieldguide.scoring.code_judge._guards import Ended, Guard, Run
from fieldguide.scoring.code_judge._inside import values
from fieldguide.scoring.code_judge._inside.plan import Tier
from fieldguide.scoring.code_judge._self_test import choose_tier
from fieldguide.scoring.code_judge._values import (
    CallTest,
    Judgement,
    Limits,
    Mode,
    ProgramRun,
    ProgramTest,
    StdinTest,
    Submission,
    Test,
    Verdict,
)

_CUT = 400
"""Characters shown of an input, an output, a message."""
_STDERR_CUT = 2000
_OVERRUNS = {
    "cpu": (Verdict.TIME_LIMIT, "used more processor time than allowed"),
    "wall": (Verdict.TIME_LIMIT, "took longer than allowed"),
    "output": (Verdict.OUTPUT_LIMIT, "printed more than allowed"),
    "files": (Verdict.OUTPUT_LIMIT, "wrote more files than allowed"),
    "memory": (Verdict.MEMORY_LIMIT, "used more memory than allowed"),
}
_REFERENCE_PATIENCE = 1.5
"""Clock time over processor time in reference mode, whose runner goes by the clock; the rest is for busy machines."""
Finding: TypeAlias = tuple[Verdict, str]
"""A verdict and, in a line, why."""


@dataclass(frozen=True, slots=True)
class _Tested:
    """One test and what came of it."""

    test: Test
    run: Run
    verdict: Verdict
    reason: str
    got: str

    @property
    def program(self) -> Ended:
        """The program's own process."""
        return self.run.processes[0]


class CodeJudge:
    """Runs untrusted programs and says how they did; safe to call from threads."""

    def __init__(
        self,
        *,
        workers: int | None = None,
        tier: Tier | None = None,
        allow_unisolated: bool = False,
        packages: Sequence[str] = (),
    ) -> None:
        """Choose the tier; guards are started when first needed.

        Args:
            workers: Programs that may run at once; None takes the number of processors.
            tier: How to isolate them; None takes the best that passes its self-test here.
            allow_unisolated: Where no tier holds, run them with nothing but limits, as the user asked for.
            packages: Packages of this installation that programs may import beside those that contest sites offer.

        Raises:
            SandboxError: The tier (or every one) fails its self-test.
        """
        self.tier: Tier = choose_tier(tier, allow_unisolated=allow_unisolated)
        self.workers = workers if workers is not None else os.cpu_count() or 1
        self._packages = tuple(packages)
        self._idle: queue.LifoQueue[Guard | None] = queue.LifoQueue()
        for _ in range(self.workers):
            self._idle.put(None)
        self._started: set[Guard] = set()
        self._lock = threading.Lock()
        self._finalizer = weakref.finalize(self, _close_all, self._started)

    def judge(self, submission: Submission, limits: Limits = Limits(), *, run_all: bool = False) -> Judgement:  # noqa: B008 - frozen
        """Run the tests of a submission one after the other.

        Args:
            submission: The program and its tests.
            limits: Bounds of each test.
            run_all: Go on after the first test that fails.

        Raises:
            SandboxError: The program could not be confined, so that it was not run.
            ScoringError: A test cannot be given to the program.
        """
        guard = self._take()
        tested: list[_Tested] = []
        try:
            for test in submission.tests:
                guard = self._fresh(guard)
                tested.append(_tried(guard, submission, test, limits))
                if tested[-1].verdict is not Verdict.ACCEPTED and not run_all:
                    break
        finally:
            self._idle.put(guard)
        return _judgement(tested, self.tier)

    def run(self, program: str, typed: bytes, limits: Limits = Limits()) -> ProgramRun:  # noqa: B008 - frozen
        """Run a program once, with no output expected of it, and return what it printed.

        Raises:
            SandboxError: The program could not be confined, so that it was not run.
        """
        guard = self._take()
        try:
            guard = self._fresh(guard)
            ran = guard.run({"kind": "stdin", "mode": "process"}, [program.encode(), typed], limits)
        finally:
            self._idle.put(guard)
        stopped = _stopped(ran, limits) or _ended_badly(ran.processes[0])
        return ProgramRun(
            stdout=ran.processes[0].stdout,
            stderr_tail=ran.processes[0].stderr.decode(errors="replace")[-_STDERR_CUT:],
            fault=None if stopped is None else stopped[1],
            seconds=ran.seconds,
        )

    def close(self) -> None:
        """End all guards and whatever runs under them; a later call starts new ones."""
        with self._lock:
            _close_all(self._started)

    def __enter__(self) -> CodeJudge:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take(self) -> Guard | None:
        return self._idle.get()

    def _fresh(self, guard: Guard | None) -> Guard:
        """Return a guard that is there and not worn."""
        if guard is not None and not guard.worn:
            return guard
        made = Guard(self.tier, self._packages)
        with self._lock:
            if guard is not None:
                self._started.discard(guard)
                guard.close()
            self._started.add(made)
        return made


def _close_all(guards: set[Guard]) -> None:
    while guards:
        guards.pop().close()


def _tried(guard: Guard, submission: Submission, test: Test, limits: Limits) -> _Tested:
    program, mode = submission.program, submission.mode
    source = program.encode(errors="surrogateescape") if isinstance(program, str) else program
    task, given = _task(test, mode)
    if mode == "reference" and limits.wall_s is None:
        limits = replace(limits, wall_s=_REFERENCE_PATIENCE * limits.cpu_s)
    run = guard.run(task, [source, given], limits)
    stopped = _stopped(run, limits)
    if stopped is None:
        (verdict, reason), got = _CHECKS[type(test)](test, run, mode)
    else:
        (verdict, reason), got = stopped, _cut(run.processes[0].stdout)
    return _Tested(test, run, verdict, reason, got)


def _task(test: Test, mode: Mode) -> tuple[dict[str, str], bytes]:
    if isinstance(test, StdinTest):
        return {"kind": "stdin", "mode": mode}, test.input.encode(errors="surrogateescape")
    if isinstance(test, CallTest):
        arguments = [_builtin(argument) for argument in test.arguments]
        return {"kind": "call", "mode": mode, "function": test.function}, values.encode(arguments)
    return {"kind": "program", "mode": mode, "function": test.entry_point}, test.program.encode()


def _builtin(value: JsonValue) -> Any:
    """Return a JSON value made of lists and dictionaries only."""
    if isinstance(value, Mapping):
        return {key: _builtin(part) for key, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_builtin(part) for part in value]
    return value


def _stopped(run: Run, limits: Limits) -> Finding | None:
    """Return the verdict where a bound was overrun."""
    if run.overrun is not None:
        return _OVERRUNS[run.overrun]
    if any(process.printed_bytes > limits.output_bytes for process in run.processes):
        return _OVERRUNS["output"]
    if any(process.cpu_s > limits.cpu_s for process in run.processes):
        return _OVERRUNS["cpu"]
    if any(process.peak_bytes > limits.memory_bytes for process in run.processes):
        return _OVERRUNS["memory"]
    return None


def _ended_badly(process: Ended) -> Finding | None:
    """Return the verdict where a program ended by a signal or with an exit code other than 0."""
    if process.exit_code == 0:
        return None
    last = process.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    if last.startswith("MemoryError"):
        return _OVERRUNS["memory"]
    if process.signal is not None:
        return Verdict.RUNTIME_ERROR, f"ended by {_signal_name(process.signal)}"
    return Verdict.RUNTIME_ERROR, last[:_CUT] or f"ended with exit code {process.exit_code}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _check_stdin(test: StdinTest, run: Run, mode: Mode) -> tuple[Finding, str]:
    process = run.processes[0]
    printed = process.stdout.decode(errors="replace")
    bad = _ended_badly(process)
    if bad is not None:
        return bad, _cut(printed)
    if test.expected is None or same_output(printed, test.expected):
        return (Verdict.ACCEPTED, ""), _cut(printed)
    return (Verdict.WRONG_ANSWER, "the output is not the expected one"), _cut(printed)


def _check_call(test: CallTest, run: Run, mode: Mode) -> tuple[Finding, str]:
    process = run.processes[0]
    bad = _ended_badly(process)
    if bad is not None or not process.result:
        return bad or (Verdict.RUNTIME_ERROR, "ended before the call returned"), _cut(process.result)
    try:
        returned = values.decode(process.result)
        right = same_value(returned, test.expected, mode)
    except (values.NotPlain, RecursionError) as error:
        return (Verdict.WRONG_ANSWER, f"the returned value cannot be read: {error}"), _cut(process.result)
    finding = (Verdict.ACCEPTED, "") if right else (Verdict.WRONG_ANSWER, "the returned value is not the expected one")
    return finding, _cut(process.result)


def _check_program(test: ProgramTest, run: Run, mode: Mode) -> tuple[Finding, str]:
    program, tests = run.processes
    printed = _cut(program.stdout)
    told: dict[str, Any] = {"kind": "fault", "text": "the tests ended early"}
    if tests.exit_code == 0 and tests.result:
        told = cast(dict[str, Any], values.decode(tests.result))
    if told["kind"] == "passed":
        return (Verdict.ACCEPTED, ""), printed
    if told["kind"] == "assertion":
        return (Verdict.WRONG_ANSWER, f"not so: {told['text']}"[:_CUT]), printed
    if told["kind"] == "unsupported":
        raise ScoringError(f"A test cannot be given to the program: {told['text']}.")
    bad = None if program.signal == signal.SIGKILL else _ended_badly(program)
    if "MemoryError" in told["text"].split(":")[0]:
        bad = _OVERRUNS["memory"]
    return bad or (Verdict.RUNTIME_ERROR, told["text"][:_CUT]), printed


_CHECKS: dict[type, Callable[[Any, Run, Mode], tuple[Finding, str]]] = {
    StdinTest: _check_stdin,
    CallTest: _check_call,
    ProgramTest: _check_program,
}


def _judgement(tested: list[_Tested], tier: Tier) -> Judgement:
    if not tested:
        raise ScoringError("There is no test to judge the program by.")
    failed = next((index for index, one in enumerate(tested) if one.verdict is not Verdict.ACCEPTED), None)
    shown = tested[-1] if failed is None else tested[failed]
    given, expected = _shown(shown.test)
    return Judgement(
        verdict=shown.verdict,
        tier=tier,
        tests_passed=sum(one.verdict is Verdict.ACCEPTED for one in tested),
        tests_run=len(tested),
        failed_test=failed,
        input=given if failed is not None else None,
        expected=expected if failed is not None else None,
        got=shown.got,
        stderr_tail=shown.program.stderr.decode(errors="replace")[-_STDERR_CUT:],
        reason=shown.reason,
        seconds=sum(one.run.seconds for one in tested),
        test_seconds=max(one.run.seconds for one in tested) if failed is None else shown.run.seconds,
        peak_memory_bytes=max(process.peak_bytes for one in tested for process in one.run.processes),
        exit_code=shown.program.exit_code,
        signal=shown.program.signal,
        verdicts=tuple(one.verdict for one in tested),
    )


def _shown(test: Test) -> tuple[str, str | None]:
    if isinstance(test, StdinTest):
        return _cut(test.input), None if test.expected is None else _cut(test.expected)
    if isinstance(test, CallTest):
        return _cut(_json_text([_builtin(argument) for argument in test.arguments])), _cut(_json_text(test.expected))
    return _cut(test.program), None


def _json_text(value: JsonValue) -> str:
    try:
        return json.dumps(_builtin(value), ensure_ascii=False)
    except ValueError:  # A number of more digits than Python turns into text.
        return "(too large to show)"


def _cut(text: str | bytes) -> str:
    """Return the head of a text, and how much there is of it."""
    head = text[: 4 * _CUT].decode(errors="replace") if isinstance(text, bytes) else text
    return head if len(head) <= _CUT else f"{head[:_CUT]}... ({len(text)} in all)"
