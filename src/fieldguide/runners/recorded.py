"""Answers made earlier: `recorded:FILE`, one attempt a line. A runner like any other, that calls no model."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from fieldguide.domain import (
    Capabilities,
    Completion,
    CompletionRequest,
    FinishReason,
    JsonValue,
    ResolvedModel,
    StreamPiece,
    TextDelta,
    Usage,
)
from fieldguide.errors import InputFileError, NotFoundError
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners.openai_chat import finish_reason, parse_usage
from fieldguide.sources.jsonl import JsonLine, read_jsonl

OPTIONS: tuple[str, ...] = ()
_MOST_ATTEMPTS = 10_000


async def open_runner(target: str, settings: RunnerSettings) -> RecordedRunner:
    """Read the file and return a runner over its answers.

    Raises:
        InputFileError: The file is missing, or a line is not an attempt; the line is named.
    """
    path = Path(target).expanduser()
    warnings: list[str] = []
    answers = await asyncio.to_thread(read_answers, path, warnings.append)
    digest = await asyncio.to_thread(lambda: hashlib.sha256(path.read_bytes()).hexdigest())
    name = settings.display_name or re.sub(r"\.jsonl(\.gz)?$", "", path.name)
    return RecordedRunner(path, answers, sha256=digest, name=name, warnings=warnings)


def read_answers(path: Path, warn: Callable[[str], None] | None = None) -> dict[tuple[str, int], Completion]:
    """Return the answers of a file by (item, attempt), in the file's order.

    `warn` is told of what was passed over, such as a last line that was cut.

    Raises:
        InputFileError: The file is missing, a line is malformed, or an attempt stands twice.
    """
    answers: dict[tuple[str, int], Completion] = {}
    for line in read_jsonl(path, warn=warn):
        if _of_export(line):
            continue
        key = _key(path, line)
        if key in answers:
            raise InputFileError(str(path), f"attempt {key[1]} at item {key[0]!r} stands twice", line=line.number)
        answers[key] = _completion(path, line)
    if not answers:
        raise InputFileError(str(path), "holds no answers")
    return answers


def _of_export(line: JsonLine) -> bool:
    """Whether a line of `fieldguide export` is no answer: its header, or an attempt that has failed."""
    value = line.value
    header = "run" in value and "item" not in value
    return header or (value.get("outcome") == "failed" and value.get("completion") is None)


def _key(path: Path, line: JsonLine) -> tuple[str, int]:
    item, attempt = line.value.get("item"), line.value.get("attempt")
    if not isinstance(item, str) or not item:
        raise InputFileError(str(path), 'has no "item" (a text)', line=line.number)
    if not isinstance(attempt, int) or isinstance(attempt, bool) or not 0 <= attempt < _MOST_ATTEMPTS:
        raise InputFileError(str(path), f'has no "attempt" (a number from 0, below {_MOST_ATTEMPTS})', line=line.number)
    return item, attempt


def _completion(path: Path, line: JsonLine) -> Completion:
    value = line.value
    text = value.get("completion")
    if not isinstance(text, str):
        raise InputFileError(str(path), 'has no "completion" (a text)', line=line.number)
    raw_reason = value.get("finish_reason", "stop")
    if raw_reason is not None and not isinstance(raw_reason, str):
        raise InputFileError(str(path), '"finish_reason" is not a text', line=line.number)
    metadata: dict[str, JsonValue] = {}
    if "choice_order" in value:
        metadata["choice_order"] = _choice_order(path, line)
    return Completion(
        text=text,
        finish_reason=finish_reason(raw_reason) if raw_reason else FinishReason.UNKNOWN,
        raw_finish_reason=raw_reason,
        usage=_usage(value.get("usage")),
        metadata=metadata,
    )


def _choice_order(path: Path, line: JsonLine) -> list[JsonValue]:
    order = line.value["choice_order"]
    whole = isinstance(order, list) and all(type(place) is int for place in order)
    if not isinstance(order, list) or not whole or set(order) != set(range(len(order))):
        raise InputFileError(str(path), '"choice_order" is not an order of 0, 1, 2, ...', line=line.number)
    return order


def _usage(usage: JsonValue) -> Usage:
    """Read usage in our words or in OpenAI's."""
    if isinstance(usage, dict) and ("input_tokens" in usage or "output_tokens" in usage):
        usage = {"prompt_tokens": usage.get("input_tokens"), "completion_tokens": usage.get("output_tokens")}
    return parse_usage(usage)


class RecordedRunner:
    """Gives the recorded answer to an exam item; what was not recorded it does not have."""

    def __init__(
        self,
        path: Path,
        answers: dict[tuple[str, int], Completion],
        *,
        sha256: str,
        name: str,
        warnings: Sequence[str] = (),
    ) -> None:
        """Hold the answers by (item, attempt)."""
        self._answers = answers
        self._model = ResolvedModel(
            name=name,
            reference=f"recorded:{path}",
            identity={"provider": "recorded", "file_sha256": sha256},
            facts={"path": str(path), "answers": len(answers), "warnings": list(warnings)},
        )

    @property
    def model(self) -> ResolvedModel:
        """The file, known by its content."""
        return self._model

    @property
    def capabilities(self) -> Capabilities:
        """Takes every form of item, since it only looks answers up."""
        return Capabilities(text=True, chat=True, seed=True, max_concurrency=64)

    @property
    def attempts_held(self) -> int:
        """Most attempts held for any item."""
        return max(attempt for _, attempt in self._answers) + 1

    @property
    def items_held(self) -> frozenset[str]:
        """Items with at least one answer."""
        return frozenset(item for item, _ in self._answers)

    def has_answer(self, item: str, attempt: int) -> bool:
        """Whether an answer to this attempt is held."""
        return (item, attempt) in self._answers

    async def complete(self, request: CompletionRequest) -> Completion:
        """Return the recorded answer.

        Raises:
            NotFoundError: None was recorded for this item and attempt.
        """
        answer = self._answers.get((request.item or "", request.attempt))
        if answer is None:
            raise NotFoundError(
                f"{self._model.reference} has no answer to item {request.item!r}, attempt {request.attempt}.",
                hint="Recorded answers answer exam items only, not questions.",
            )
        return answer

    async def stream(self, request: CompletionRequest) -> AsyncIterator[StreamPiece | Completion]:
        """Yield the recorded answer as one piece."""
        answer = await self.complete(request)
        yield TextDelta(text=answer.text)
        yield answer

    async def close(self) -> None:
        """Do nothing."""
