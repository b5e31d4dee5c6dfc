"""Asks a question that holds a file: it is read when it is asked, and a recording may go to a model of speech alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from fieldguide.domain import (
    Audio,
    Block,
    Completion,
    CompletionRequest,
    ExamItem,
    FinishReason,
    Image,
    Message,
    TranscriptionRequest,
    TranscriptionResult,
)
from fieldguide.errors import InputFileError
from fieldguide.runners import HoldsAnswers, Runner, TranscriptionRunner

if TYPE_CHECKING:
    from fieldguide.evaluation._plan import PlannedAttempt


_TRANSCRIBERS = ("whisper", "transcribe", "-asr")
"""Parts of the names of models that only write down."""


def recording_of(item: ExamItem) -> Audio | None:
    """Return the recording that an item is about; None where it has none."""
    return next((block for block in _blocks(item.messages) if isinstance(block, Audio)), None)


async def answer_to(runner: Runner, planned: PlannedAttempt) -> Completion:
    """Return the answer to one attempt.

    A recording goes to a model that writes speech down as such, with the language that the item says and the exam's
    temperature; what it writes is the answer. Every other model is asked as in a conversation, with the file's bytes.

    Raises:
        InputFileError: A file of the exam is gone or has changed.
        RunnerError: As for the runner.
    """
    if isinstance(runner, HoldsAnswers):
        return await runner.complete(planned.request)
    request = await asyncio.to_thread(_with_files, planned.request)
    sound = next((block for block in _blocks(request.messages) if isinstance(block, Audio)), None)
    if sound is None or not isinstance(runner, TranscriptionRunner) or not _writes_down(runner):
        return await runner.complete(request)
    language = planned.item.metadata.get("language")
    wish = TranscriptionRequest(
        audio=sound,
        language=language if isinstance(language, str) else None,
        temperature=request.temperature,
    )
    return _as_completion(await runner.transcribe(wish))


def _writes_down(runner: Runner) -> bool:
    """Whether a recording is given to be written down, and not asked about.

    A server with both interfaces does not say which of them a model has; then its name does (`whisper-1`,
    `gpt-4o-transcribe`).
    """
    can = runner.capabilities
    named = any(part in runner.model.name.lower() for part in _TRANSCRIBERS)
    return can.speech_to_text and (named or not (can.chat and can.audio))


def _blocks(messages: tuple[Message, ...] | None) -> list[Block]:
    return [block for message in messages or () for block in message.blocks]


def _with_files(request: CompletionRequest) -> CompletionRequest:
    """Return the request with the bytes of the files that it names."""
    if not any(isinstance(block, Audio | Image) and block.kept for block in _blocks(request.messages)):
        return request
    messages = tuple(
        replace(message, content=tuple(_with_bytes(block) for block in message.blocks))
        for message in request.messages or ()
    )
    return replace(request, messages=messages)


def _with_bytes(block: Block) -> Block:
    if not isinstance(block, Audio | Image) or block.kept is None:
        return block
    try:
        return replace(block, data=block.kept.read(), kept=None)
    except OSError as error:
        raise InputFileError(str(block.kept.path), f"of the exam cannot be read: {error}.") from error


def _as_completion(result: TranscriptionResult) -> Completion:
    return Completion(
        text=result.text,
        finish_reason=FinishReason.STOP,
        usage=result.usage,
        latency=result.latency,
        raw=result.raw,
        raw_usage=result.raw_usage,
        metadata={"language": result.language, "duration_s": result.duration_s},
    )
