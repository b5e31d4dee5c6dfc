"""Fields of receipts: how an answer is read, and when two fields are the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.scoring.receipt_fields import FIELDS, read_fields, same_meaning, same_text


def test_the_last_object_with_fields_counts() -> None:
    """In a fence, after words, with keys in any case; numbers keep their digits."""
    text = 'First {"company": "x"} then:\n```json\n{"Company": "ABC", "total": 9.00, "date": null, "address": ""}\n```'
    assert read_fields(text) == {"company": "ABC", "total": "9.00", "date": None, "address": None}


@pytest.mark.parametrize("text", ["", "no", "{", '{"a": 1}', "[1, 2]", '{"company": ', "{" * 5000])
def test_an_answer_without_fields_has_none(text: str) -> None:
    """However it looks."""
    assert read_fields(text) is None


@pytest.mark.parametrize(
    ("field", "one", "other", "same"),
    [
        ("total", "RM5.00", "5.00", True),
        ("total", "1,170.00", "1170", True),
        ("total", "5.00", "5.01", False),
        ("total", "5.00 of 6.00", "5.00", False),
        ("total", "10.00", "1000", False),
        ("total", "-5.00", "5.00", False),
        ("total", "12 . 00", "12.00", True),
        ("date", "25/12/2018", "2018-12-25", True),
        ("date", "18-11-18", "18/11/2018", True),
        ("date", "9 Mar 2018", "09/03/2018", True),
        ("date", "03/09/2018", "09/03/2018", False),
        ("date", "1/11/2018", "11/1/2018", False),
        ("company", "MR D.I.Y. (M) SDN BHD", "Mr DIY (M) Sdn. Bhd.", True),
        ("company", "ABC HO TRADING", "ABC TRADING", False),
        ("address", "NO 1, JALAN X,\n81100 JOHOR", "NO 1 JALAN X 81100 JOHOR.", True),
    ],
)
def test_meaning_is_compared_by_field(field: str, one: str, other: str, same: bool) -> None:
    """Amounts as numbers, dates as days, the rest by letters and digits; both ways round."""
    assert same_meaning(field, one, other) is same
    assert same_meaning(field, other, one) is same
    assert not same_text(one, other)


@given(st.text(max_size=60), st.sampled_from(FIELDS))
def test_a_field_is_the_same_as_itself(text: str, field: str) -> None:
    """Under both rules, whatever it holds."""
    assert same_text(text, text)
    assert same_meaning(field, text, text)


@given(st.text(max_size=300))
def test_any_answer_can_be_read(text: str) -> None:
    """Nothing but fields or None comes out."""
    found = read_fields(text)
    assert found is None or set(found) == set(FIELDS)
