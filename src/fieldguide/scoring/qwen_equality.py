"""Equality as Qwen2.5-Math's evaluation judges it, as far as it differs from ours.

Numbers agree within one part in ten thousand, also after a factor of 100 either way, and an answer with a sentence
behind it is not read. What its own string rewriting and unit list decide otherwise is not reproduced; on 3,638 recorded
answers of Rho-Math our verdicts differ in 0.3 % (tests/reference/test_maths_rho.py).
"""

from __future__ import annotations

import re

from fieldguide.scoring.maths import Equivalence, MathsEquivalence

_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")
_SENTENCE = re.compile(r"I hope it is correct|Final Answer:", re.IGNORECASE)
_RELATIVE_TOLERANCE = 1e-4
_DROPPED = str.maketrans("", "", ",$\\% {}")


class QwenEquivalence:
    """Compares answers under Qwen2.5-Math's rules; what they leave to algebra goes to ours."""

    def __init__(self, ours: MathsEquivalence) -> None:
        """Take the comparison to fall back on."""
        self._ours = ours

    def equivalent(self, gold: str, predicted: str) -> Equivalence:
        """Return whether `predicted` is judged equal to `gold`; raises as `MathsEquivalence.equivalent` does."""
        right, given = _number(gold), _number(predicted)
        if right is not None and given is not None:
            return Equivalence(verdict=_close_up_to_percent(right, given), method="numeric")
        if _SENTENCE.search(predicted):
            return Equivalence(verdict=False, method="exact")
        ours = self._ours.equivalent(gold, predicted)
        if right is None or ours.verdict is not False:
            return ours
        with_unit = re.match(r"-?[\d,]*\.?\d+(?=\s*[a-zA-Z])", predicted)
        given = _number(with_unit[0]) if with_unit else None
        return ours if given is None else Equivalence(verdict=_close_up_to_percent(right, given), method="numeric")


def _number(text: str) -> float | None:
    plain = text.translate(_DROPPED)
    return float(plain) if len(plain) < 300 and _NUMBER.fullmatch(plain) else None


def _close_up_to_percent(gold: float, predicted: float) -> bool:
    return any(
        abs(value - predicted) <= _RELATIVE_TOLERANCE * max(abs(value), abs(predicted))
        for value in (gold / 100, gold, gold * 100)
    )
