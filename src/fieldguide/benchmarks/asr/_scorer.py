"""Counts the word errors of a transcript."""

from __future__ import annotations

from fieldguide.domain import Completion, ErrorCount, ExamItem, FinishReason, Outcome, Score, ScorerIdentity
from fieldguide.scoring import WordErrors, is_refusal, spoken_words, strip_reasoning, word_errors
from fieldguide.scoring.word_errors import NORMALISATION


class AsrScorer:
    """Judges one transcript: right without an error; otherwise wrong, with its errors counted."""

    @property
    def identity(self) -> ScorerIdentity:
        """Name and version of the scorer, with the normalisation that it goes by."""
        return ScorerIdentity(name="word-errors", version=f"1+{NORMALISATION}")

    def score(self, item: ExamItem, completion: Completion) -> Score:
        """Judge one transcript; what the model withheld or declined counts as every word missing.

        Words that decline are a refusal only where nobody says such words in the recording.
        """
        language = item.metadata.get("language")
        code = language if isinstance(language, str) else None
        text = strip_reasoning(completion.text).text
        refused = completion.finish_reason is FinishReason.CONTENT_FILTER or (
            is_refusal(text) and not is_refusal(item.target)
        )
        found = word_errors(item.target, "" if refused else text, language=code)
        if refused:
            outcome = Outcome.REFUSED
        elif completion.finish_reason is FinishReason.LENGTH:
            outcome = Outcome.TRUNCATED
        else:
            outcome = Outcome.WRONG if found.errors else Outcome.CORRECT
        return Score(
            outcome=outcome,
            extracted=" ".join(spoken_words(text, language=code)),
            detail=_told(found),
            counted=ErrorCount(errors=found.errors, parts=found.words),
        )

    def close(self) -> None:
        """Do nothing: it holds nothing."""


def _told(found: WordErrors) -> str | None:
    if not found.errors:
        return None
    kinds = ((found.substitutions, "wrong"), (found.deletions, "missing"), (found.insertions, "added"))
    told = ", ".join(f"{count} {kind}" for count, kind in kinds if count)
    return f"{found.errors} errors in {found.words} words: {told}"
