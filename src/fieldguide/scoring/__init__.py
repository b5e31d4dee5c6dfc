"""Reads answers and judges them: final answers, reasoning taken away, mathematical equality."""

from fieldguide.scoring._spoken_words import spoken_words
from fieldguide.scoring.boxed import Boxed, last_boxed
from fieldguide.scoring.final_answer import FinalAnswer, find_final_answer
from fieldguide.scoring.maths import Equivalence, MathsEquivalence
from fieldguide.scoring.qwen_equality import QwenEquivalence
from fieldguide.scoring.reasoning import VisibleAnswer, strip_reasoning
from fieldguide.scoring.refusal import is_refusal
from fieldguide.scoring.short_answer import answer_line, unwrapped
from fieldguide.scoring.vote import vote_key
from fieldguide.scoring.word_errors import WordErrors, word_error_rate, word_errors

__all__ = [
    "Boxed",
    "Equivalence",
    "FinalAnswer",
    "MathsEquivalence",
    "QwenEquivalence",
    "VisibleAnswer",
    "WordErrors",
    "answer_line",
    "find_final_answer",
    "is_refusal",
    "last_boxed",
    "spoken_words",
    "strip_reasoning",
    "unwrapped",
    "vote_key",
    "word_error_rate",
    "word_errors",
]
