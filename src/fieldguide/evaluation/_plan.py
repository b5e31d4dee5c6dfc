"""Which attempts a run consists of, and which of them are there already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fieldguide.domain import Capabilities, CompletionRequest, Exam, ExamItem, request_for
from fieldguide.errors import UnsupportedError
from fieldguide.evaluation._hearing import recording_of
from fieldguide.runners import HoldsAnswers, Runner
from fieldguide.store import CallKey


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAttempt:
    """One attempt at one item, with the request that makes it."""

    item: ExamItem
    attempt: int
    request: CompletionRequest
    request_hash: str

    def key(self, model_key: str, generation: int) -> CallKey:
        """Return the identity of this attempt by this model."""
        return CallKey(model_key=model_key, request_hash=self.request_hash, attempt=self.attempt, generation=generation)


def plan(exam: Exam, runner: Runner, *, attempts: int) -> list[PlannedAttempt]:
    """Return every attempt in the exam's order, first attempts before second ones.

    Attempts that a runner with recorded answers does not hold are left out.

    Raises:
        UnsupportedError: The runner cannot be asked in the form that this exam has.
    """
    _check_able(exam, runner)
    can = runner.capabilities
    holds = _holder(runner)
    try:
        return [
            _planned(item, exam, attempt, can)
            for attempt in range(attempts)
            for item in exam.items
            if holds(item.item, attempt)
        ]
    except ValueError as error:
        raise UnsupportedError(runner.model.name, "conversations, which this exam consists of") from error


def _check_able(exam: Exam, runner: Runner) -> None:
    """Refuse before anything is sent what every request would be refused for."""
    can = runner.capabilities
    if isinstance(runner, HoldsAnswers):
        return
    if any(recording_of(item) for item in exam.items):
        if not (can.audio or can.speech_to_text):
            hint = "Name one that hears, such as whisper-base or openai:whisper-1."
            raise UnsupportedError(runner.model.name, f"listening, which {exam.benchmark} consists of", hint=hint)
    elif not (can.chat or can.text):
        what = f"answering in words, which {exam.benchmark} consists of"
        raise UnsupportedError(runner.model.name, what, hint="Name a model that answers questions.")


def _holder(runner: Runner) -> Callable[[str, int], bool]:
    if isinstance(runner, HoldsAnswers):
        return runner.has_answer
    return lambda item, attempt: True


def _planned(item: ExamItem, exam: Exam, attempt: int, can: Capabilities) -> PlannedAttempt:
    chat = can.chat or can.speech_to_text
    request = request_for(item, exam.decoding, attempt=attempt, text=can.text, chat=chat, takes_seed=can.seed)
    return PlannedAttempt(item=item, attempt=attempt, request=request, request_hash=request.request_hash)
