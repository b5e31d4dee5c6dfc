"""Random integers that are the same on every machine and under every Python version."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import TypeVar

T = TypeVar("T")

_WORD_BYTES = 8
_WORDS = 2 ** (8 * _WORD_BYTES)


class Draw:
    """A stream of random choices that depends on nothing but its key.

    The stream is sha256 in counter mode. `random.Random` is not used: how it turns bits into choices and shuffles has
    changed between Python versions, and an exam's address must not.
    """

    def __init__(self, key: str) -> None:
        self._key = key.encode()
        self._counter = 0

    def below(self, bound: int) -> int:
        """Return an integer in [0, bound), each equally likely (words past the last whole multiple are redrawn)."""
        fair = _WORDS - _WORDS % bound
        while True:
            word = self._word()
            if word < fair:
                return word % bound

    def between(self, low: int, high: int) -> int:
        """Return an integer in [low, high], both ends included."""
        return low + self.below(high - low + 1)

    def digits(self, count: int) -> int:
        """Return an integer of exactly `count` decimal digits; a single digit is never 0."""
        return self.between(10 ** (count - 1), 10**count - 1)

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of `choices`."""
        return choices[self.below(len(choices))]

    def distinct(self, choices: Sequence[T], count: int) -> list[T]:
        """Return `count` different ones of `choices`, in random order."""
        return self.shuffled(choices)[:count]

    def shuffled(self, values: Sequence[T]) -> list[T]:
        """Return the values in random order (Fisher and Yates, from the back)."""
        order = list(values)
        for last in range(len(order) - 1, 0, -1):
            other = self.below(last + 1)
            order[last], order[other] = order[other], order[last]
        return order

    def _word(self) -> int:
        digest = sha256(self._key + b"#%d" % self._counter).digest()
        self._counter += 1
        return int.from_bytes(digest[:_WORD_BYTES], "big")
