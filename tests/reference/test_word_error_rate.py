"""Word errors against jiwer, on texts without anything to normalise."""

from __future__ import annotations

import random

from fieldguide.scoring import word_errors


def test_counts_are_those_of_jiwer() -> None:
    """Errors agree on 400 random pairs, and their kinds wherever one alignment is as good as another."""
    import jiwer

    rng = random.Random(11)
    for _ in range(400):
        said = [rng.choice("abcdef") for _ in range(rng.randint(1, 12))]
        heard = [rng.choice("abcdef") for _ in range(rng.randint(0, 12))]
        theirs = jiwer.process_words(" ".join(said), " ".join(heard))
        ours = word_errors(" ".join(said), " ".join(heard))
        assert ours.errors == theirs.substitutions + theirs.deletions + theirs.insertions
        assert ours.rate == theirs.wer
        assert ours.insertions - ours.deletions == len(heard) - len(said)
