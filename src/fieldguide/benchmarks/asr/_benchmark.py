"""The exam: every recording once, in an order that has nothing to do with who speaks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fieldguide.benchmarks._data_files import file_sha256
from fieldguide.benchmarks._interface import AnswerScorer, ExamRequest
from fieldguide.benchmarks.asr._hub_sets import hub_set
from fieldguide.benchmarks.asr._recordings import Recording, RecordingFolder, recordings_in
from fieldguide.benchmarks.asr._scorer import AsrScorer
from fieldguide.domain import Audio, Decoding, Exam, ExamItem, JsonValue, KeptFile, Message, Text, content_sha256
from fieldguide.errors import DatasetUnavailableError, UnknownNameError
from fieldguide.scoring import spoken_words
from fieldguide.scoring.word_errors import NORMALISATION

PROTOCOL = "fieldguide"
_FAMILY = "speech"
_DEFAULT_SET = "librispeech:test-clean"
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_MOST_TOKENS = 448
"""Most tokens of a transcript: what Whisper has room for in half a minute."""
_QUESTION = (
    "Write down, word for word, what is said in this recording. "
    "It is in the language {language} (ISO 639-1). Answer with the transcript alone."
)


class Asr:
    """`asr`, `asr@LANGUAGE` (a folder's recordings), `asr@librispeech:PART`, `asr@fleurs:LANGUAGE` (of the hub)."""

    def __init__(self, *, hub_endpoint: str | None = None) -> None:
        """Read nothing yet; `hub_endpoint` is the hub's address, None takes the public one."""
        self._hub_endpoint = hub_endpoint

    def exam(self, request: ExamRequest) -> Exam:
        """Build the exam from `DIR/speech/`, or from the hub.

        Raises:
            DatasetUnavailableError: There are no recordings with transcripts, or the hub cannot be reached.
            InputFileError: A list is malformed, or names a recording that is not there.
            UnknownNameError: There is no such protocol, language or data set.
        """
        if request.protocol not in (None, PROTOCOL):
            raise UnknownNameError("protocol of asr", str(request.protocol), hint=f"Known: {PROTOCOL}.")
        selector = request.selector
        wanted = hub_set(selector) if selector else None
        if wanted is None and selector is not None and not _LANGUAGE.fullmatch(selector):
            hint = "A language such as de, librispeech:test-clean, or fleurs:en_us."
            raise UnknownNameError("part of asr", selector, hint=hint)
        if wanted is not None or request.data_dir is None:
            return self._from_hub(request, wanted.name if wanted else _DEFAULT_SET)
        folder = request.data_dir / _FAMILY
        folder = folder if folder.is_dir() else request.data_dir
        found = recordings_in(folder)
        if not found.recordings:
            raise DatasetUnavailableError(
                f"{folder} holds no recordings with transcripts.",
                hint="Put recordings there with a list beside them: JSON Lines with `audio` and `text`.",
            )
        if selector is not None and not (found := _in_language(found, selector)).recordings:
            raise DatasetUnavailableError(f"{folder} holds no recordings in the language {selector}.")
        name = "asr" if selector is None else f"asr@{selector}"
        return _exam(
            name, request, found, language=selector, source={"folder": folder.name, "lists": dict(found.lists)}
        )

    def scorer(self, protocol: str) -> AnswerScorer:
        """Return a scorer; there is but one protocol."""
        return AsrScorer()

    def _from_hub(self, request: ExamRequest, name: str) -> Exam:
        wanted = hub_set(name)
        assert wanted is not None
        if request.home is None:
            raise DatasetUnavailableError(f"There is no folder to unpack {name} into.", hint="Give `--data DIR`.")
        folder, source = wanted.folder(request.home, endpoint=self._hub_endpoint, hub=request.hub)
        return _exam(f"asr@{wanted.name}", request, recordings_in(folder), language=None, source=source)


def _in_language(found: RecordingFolder, language: str) -> RecordingFolder:
    """Return the recordings without those of which a list says that they are in another language."""
    return replace(found, recordings=tuple(each for each in found.recordings if each.language in (None, language)))


def _exam(
    name: str, request: ExamRequest, found: RecordingFolder, *, language: str | None, source: dict[str, JsonValue]
) -> Exam:
    spoken = [_Spoken(each, each.language or language or "en") for each in found.recordings]
    said = [each for each in spoken if spoken_words(each.recording.text, language=each.language)]
    items = sorted(said, key=lambda each: content_sha256(each.recording.item))
    chosen = items[: request.limit]
    return Exam(
        benchmark=name,
        protocol=PROTOCOL,
        extraction=NORMALISATION,
        seed=0,
        decoding=Decoding(max_output_tokens=_MOST_TOKENS),
        items=tuple(each.item() for each in chosen),
        available_items=len(items),
        source={**source, "warnings": [*_warnings(spoken, said, language)]},
    )


class _Spoken:
    """A recording in a language that is settled."""

    def __init__(self, recording: Recording, language: str) -> None:
        self.recording, self.language = recording, language

    def item(self) -> ExamItem:
        """Return the question; the recording is known by its content and read when it is asked."""
        recording = self.recording
        kept = _kept(recording.path)
        return ExamItem(
            item=recording.item,
            target=recording.text,
            messages=(
                Message(
                    role="user",
                    content=(
                        Text(text=_QUESTION.format(language=self.language)),
                        Audio(kept=kept, media_type=recording.media_type),
                    ),
                ),
            ),
            metadata={"audio": recording.name, "language": self.language, "sha256": kept.sha256},
        )


def _kept(path: Path) -> KeptFile:
    return KeptFile(sha256=file_sha256(path), size_bytes=path.stat().st_size, path=path)


def _warnings(spoken: Sequence[_Spoken], said: Sequence[_Spoken], language: str | None) -> list[JsonValue]:
    warnings: list[JsonValue] = []
    unsaid = sum(each.recording.language is None for each in spoken)
    if unsaid and language is None:
        warnings.append(f"asr: no list says the language of {unsaid} recordings; taken for English (else `asr@de`).")
    if left_out := len(spoken) - len(said):
        warnings.append(f"asr: {left_out} recordings have a text without a word and were left out.")
    return warnings
