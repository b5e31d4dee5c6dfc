"""The ladder's own source of chance."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fieldguide.benchmarks.ladder._draw import Draw


def test_the_stream_is_pinned() -> None:
    """The same key gives the same numbers under every Python version; these were written down once."""
    draw = Draw("ladder")
    assert [draw.below(1000) for _ in range(6)] == [698, 385, 456, 36, 996, 697]
    assert Draw("ladder").shuffled(range(8)) == [7, 4, 3, 5, 1, 0, 6, 2]


@given(key=st.text(), low=st.integers(-1000, 1000), width=st.integers(0, 1000))
def test_between_keeps_to_both_ends(key: str, low: int, width: int) -> None:
    """`between` never leaves its range."""
    draw = Draw(key)
    assert all(low <= draw.between(low, low + width) <= low + width for _ in range(20))


@given(key=st.text(), values=st.lists(st.integers(), max_size=30))
def test_a_shuffle_keeps_every_value(key: str, values: list[int]) -> None:
    """Shuffling loses nothing and adds nothing."""
    assert sorted(Draw(key).shuffled(values)) == sorted(values)


@given(key=st.text(), digits=st.integers(1, 12))
def test_digits_have_the_length_asked_for(key: str, digits: int) -> None:
    """`digits` never gives a leading zero, nor 0 itself."""
    assert len(str(Draw(key).digits(digits))) == digits


def test_every_value_comes_up_about_equally_often() -> None:
    """No face of a seven-sided die stands out over 7,000 throws (five standard deviations)."""
    draw = Draw("die")
    throws = [draw.below(7) for _ in range(7000)]
    assert all(abs(throws.count(face) - 1000) < 150 for face in range(7))
