"""How one attempt ended, and what many attempts amount to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How one attempt ended. A fault of ours or of the network is `FAILED` and never a wrong answer."""

    CORRECT = "correct"
    WRONG = "wrong"
    TRUNCATED = "truncated"
    """The token limit cut the answer before it could be read."""
    UNPARSED = "unparsed"
    """No rule found an answer in the text."""
    REFUSED = "refused"
    """The model or its provider declined to answer."""
    FAILED = "failed"
    """No answer came, or it could not be judged; it leaves the accuracy and widens the bounds."""

    @property
    def doubtful(self) -> bool:
        """Whether the true answer may have been either right or wrong."""
        return self in {Outcome.TRUNCATED, Outcome.UNPARSED, Outcome.REFUSED, Outcome.FAILED}


_TAIL_MARK = "; it ends: "


def with_tail(reason: str, tail: str) -> str:
    """Return a score's detail that ends in a quotation of the answer, which restricted exams leave out."""
    return f"{reason}{_TAIL_MARK}{tail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorCount:
    """Errors of an answer that is judged in parts, such as the words of a transcript."""

    errors: int
    """May exceed `parts`: words that nobody said are errors too."""
    parts: int
    """Parts of the right answer (> 0)."""

    def __post_init__(self) -> None:
        if self.parts <= 0 or self.errors < 0:
            raise ValueError("errors are counted among at least one part")


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The judgement of one attempt."""

    outcome: Outcome
    extracted: str | None = None
    """The answer as read from the text; None where none was found."""
    detail: str | None = None
    """Why, in a few words, where the outcome alone does not say it; after `with_tail` the end of the answer."""
    target: str | None = None
    """The right answer as this attempt had it, where its order of choices is not the exam's; None takes the item's."""
    counted: ErrorCount | None = None
    """Where errors are counted in parts of the answer; None where an answer is right or wrong as a whole."""

    @property
    def detail_unquoted(self) -> str | None:
        """The detail without what it quotes of the answer."""
        return None if self.detail is None else self.detail.partition(_TAIL_MARK)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemScore:
    """A score with the place it belongs to."""

    item: str
    attempt: int
    score: Score


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorerIdentity:
    """Who judged; stands beside every score."""

    name: str
    version: str
