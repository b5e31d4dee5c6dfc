"""Error rates: their sum, their interval, and verdicts on them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from fieldguide.comparison import ExamScores, ModelScores, compare_models, error_rate_of, verdict_sentence
from fieldguide.domain import ErrorCount, ItemScore, Measure, Outcome, Score, Verdict, VerdictKind


def counted(errors: Sequence[int | None], words: int = 10) -> tuple[ItemScore, ...]:
    """Return a score for each number of errors; None stands for a transcription that failed."""
    return tuple(
        ItemScore(
            item=f"u{number}",
            attempt=0,
            score=Score(outcome=Outcome.FAILED)
            if each is None
            else Score(
                outcome=Outcome.WRONG if each else Outcome.CORRECT, counted=ErrorCount(errors=each, parts=words)
            ),
        )
        for number, each in enumerate(errors)
    )


def verdict(a: Sequence[int | None], b: Sequence[int | None], *, margin: float | None = None) -> Verdict:
    models = (ModelScores(name="a", scores=counted(a)), ModelScores(name="b", scores=counted(b)))
    (found,) = compare_models([ExamScores(benchmark="asr", available_items=None, models=models)], margin=margin)
    return found


def test_errors_are_added_up_before_they_are_divided() -> None:
    """A failed transcription is in neither sum."""
    found = error_rate_of(counted([0, 1, 2, None]))
    assert found is not None
    assert (found.errors, found.parts, found.items) == (3, 30, 3)
    assert found.rate == pytest.approx(0.1)
    assert 0 < found.ci_low < 0.1 < found.ci_high


def test_nothing_counted_has_no_rate() -> None:
    """Exams that are right or wrong as a whole have none."""
    assert error_rate_of([ItemScore(item="x", attempt=0, score=Score(outcome=Outcome.CORRECT))]) is None


def test_no_error_seen_is_no_proof_of_none() -> None:
    """The interval begins at 0 and has an upper end, which falls with the number of recordings."""
    few, many = error_rate_of(counted([0] * 5)), error_rate_of(counted([0] * 500))
    assert few is not None
    assert many is not None
    assert (few.ci_low, many.ci_low) == (0.0, 0.0)
    assert 0.2 < few.ci_high < 1
    assert 0 < many.ci_high < 0.02


def test_the_interval_is_that_of_a_bootstrap_where_recordings_are_many() -> None:
    """400 recordings of unlike length: the ends are those of 20,000 draws, to a twentieth of the width."""
    generator = np.random.default_rng(7)
    words = generator.integers(4, 31, 400)
    errors = generator.binomial(words, generator.beta(0.8, 7.2, 400))
    given = [
        ItemScore(item=str(n), attempt=0, score=Score(outcome=Outcome.WRONG, counted=ErrorCount(errors=e, parts=w)))
        for n, (e, w) in enumerate(zip(errors.tolist(), words.tolist(), strict=True))
    ]
    found = error_rate_of(given)
    drawn = generator.integers(0, 400, (20_000, 400))
    low, high = np.quantile(errors[drawn].sum(1) / words[drawn].sum(1), [0.025, 0.975])
    assert found is not None
    assert found.ci_low == pytest.approx(low, abs=(high - low) / 20)
    assert found.ci_high == pytest.approx(high, abs=(high - low) / 20)


def test_fewer_errors_are_better_and_the_sentence_says_of_what() -> None:
    """The difference is that of the rates, positive for the model with fewer errors."""
    found = verdict([0, 1] * 20, [3, 2] * 20)
    assert (found.verdict, found.measure) == (VerdictKind.A_BETTER, Measure.WORD_ERROR_RATE)
    assert found.difference == pytest.approx(0.2)
    assert found.ci_low is not None
    assert found.ci_low > 0
    assert "a is better on asr by 20 points of word error rate" in verdict_sentence(found)
    turned = verdict([3, 2] * 20, [0, 1] * 20)
    assert turned.verdict is VerdictKind.B_BETTER
    assert turned.ci_high == pytest.approx(-found.ci_low)


def test_p_value_and_interval_never_disagree() -> None:
    """The interval excludes 0 exactly where the adjusted p-value is below 0.05."""
    generator = np.random.default_rng(2)
    for _ in range(25):
        a, b = generator.poisson(1.0, 14).tolist(), generator.poisson(1.7, 14).tolist()
        found = verdict(a, b)
        assert found.p_adjusted is not None
        assert found.ci_low is not None
        assert found.ci_high is not None
        assert (found.p_adjusted < 0.05) == (found.ci_low > 0 or found.ci_high < 0)


def test_an_open_verdict_asks_for_recordings() -> None:
    """A small lead over few recordings is open; so many more would settle it, and do where they look alike."""
    a, b = [1, 0, 2, 1, 0, 1], [2, 1, 1, 2, 1, 1]
    found = verdict(a, b)
    assert found.verdict is VerdictKind.CANNOT_TELL
    assert found.more_items_needed is not None
    times = math.ceil(1 + 1.5 * found.more_items_needed / 6)
    assert verdict(a * times, b * times).verdict is VerdictKind.A_BETTER


def test_a_margin_can_make_them_equivalent() -> None:
    """Many recordings with the same few errors."""
    assert verdict([0, 1] * 100, [1, 0] * 100, margin=0.05).verdict is VerdictKind.EQUIVALENT


def test_a_failed_transcription_leaves_the_test() -> None:
    """It is unpaired, and no worst case is made up for it."""
    found = verdict([0, 1, None, 2], [0, 1, 1, 2])
    assert (found.pairs, found.unpaired, found.bound_low, found.bound_high) == (3, 1, None, None)
