"""Word errors against jiwer, on random words and on normalised texts; and equal models against each other."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest

from fieldguide.comparison._paired_test import PairedTest
from fieldguide.scoring import spoken_words, word_error_rate, word_errors

SAID = (
    "Mr. Quilter is the apostle of the middle classes, and we are glad to welcome his gospel.",
    "In nineteen forty-five they'd paid twenty-one dollars and fifty cents.",
    "He hoped there would be stew for dinner; turnips and carrots and bruised potatoes.",
)


def test_counts_are_those_of_jiwer() -> None:
    """Errors agree on 400 random pairs, and their kinds wherever one alignment is as good as another."""
    import jiwer

    rng = random.Random(11)
    for _ in range(400):
        said = [rng.choice("bcdefg") for _ in range(rng.randint(1, 12))]
        heard = [rng.choice("bcdefg") for _ in range(rng.randint(0, 12))]
        theirs = jiwer.process_words(" ".join(said), " ".join(heard))
        ours = word_errors(" ".join(said), " ".join(heard))
        assert ours.errors == theirs.substitutions + theirs.deletions + theirs.insertions
        assert ours.rate == theirs.wer
        assert ours.insertions - ours.deletions == len(heard) - len(said)


def test_the_rate_of_many_is_that_of_jiwer_after_the_normalisation() -> None:
    """Sentences with words dropped, doubled and swapped: the corpus rate is jiwer's on the same normalised texts."""
    import jiwer

    rng = random.Random(3)
    pairs = []
    for number in range(60):
        words = SAID[number % len(SAID)].split()
        heard = [rng.choice([word, word, word, f"{word} {word}", "", "other"]) for word in words]
        pairs.append((SAID[number % len(SAID)], " ".join(heard)))
    said, heard_all = ([" ".join(spoken_words(text)) for text in side] for side in zip(*pairs, strict=True))
    assert word_error_rate(pairs) == pytest.approx(jiwer.wer(said, heard_all))


@pytest.mark.parametrize(("items", "rate"), [(12, 0.1), (60, 0.05)])
def test_equal_models_are_told_apart_in_at_most_five_percent(items: int, rate: float) -> None:
    """Recordings of unlike length and difficulty; 5 % and two standard errors of 300 runs."""
    generator = np.random.default_rng(20_261_126)
    rejected = 0
    for _ in range(300):
        words = generator.integers(4, 31, items)
        hard = generator.beta(rate * 8, (1 - rate) * 8, items)
        a, b = generator.binomial(words, hard), generator.binomial(words, hard)
        rejected += PairedTest.of([Fraction(int(each)) for each in b - a], words.tolist()).p_value < 0.05
    assert rejected / 300 <= 0.05 + 0.025
