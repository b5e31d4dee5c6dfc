"""From which volume a machine is cheaper than an API."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.planner import (
    PaidWorkload,
    Range,
    TokenPrice,
    break_even,
    owned,
    rented,
    seconds_per_request,
    usd_per_correct_answer,
)
from fieldguide.planner._break_even import HOURS_PER_MONTH

REQUEST = PaidWorkload(input_tokens=1000, output_tokens=500)
PRICE = TokenPrice(input_usd_per_mtok=1.0, output_usd_per_mtok=4.0)
SPEED = Range(low=500.0, likely=1000.0, high=2000.0)


def exactly(value: float) -> Range:
    return Range(low=value, likely=value, high=value)


def test_rent_over_what_each_request_saves() -> None:
    """1,000 in and 500 out cost 0.3 cents; two dollars an hour are paid by 487,000 requests a month."""
    found = break_even(REQUEST, PRICE, rented(exactly(2.0)), decode_tokens_per_s=SPEED)
    assert found.api_usd_per_request == pytest.approx(0.003)
    assert found.requests_per_month is not None
    assert found.requests_per_month.likely == pytest.approx(2 * HOURS_PER_MONTH / 0.003)
    assert found.capacity_per_month.likely == pytest.approx(0.3 * HOURS_PER_MONTH * 3600 / 0.5)


@given(st.floats(0.1, 20), st.floats(10, 1e5), st.floats(0.05, 100))
def test_both_cost_the_same_at_break_even(usd: float, speed: float, price: float) -> None:
    """The definition, for a machine whose energy is paid with its rent."""
    paid = TokenPrice(input_usd_per_mtok=price, output_usd_per_mtok=price)
    found = break_even(REQUEST, paid, rented(exactly(usd)), decode_tokens_per_s=exactly(speed))
    assert found.requests_per_month is not None
    volume = found.requests_per_month.likely
    assert volume * found.api_usd_per_request == pytest.approx(usd * HOURS_PER_MONTH)


def test_energy_alone_may_cost_more_than_the_api() -> None:
    """Then no volume is enough, and no figure is made up."""
    dear = owned(1000, 700, usd_per_kwh=0.4)
    cheap = TokenPrice(input_usd_per_mtok=0.0, output_usd_per_mtok=0.001)
    found = break_even(REQUEST, cheap, dear, decode_tokens_per_s=exactly(100.0))
    assert found.requests_per_month is None
    assert found.pays == "no"


def test_a_purchase_is_spread_over_its_life_and_energy_over_busy_hours() -> None:
    """2,000 dollars over 36 months, and 700 W at 0.2 dollars a kWh with a quarter off for partial load."""
    machine = owned(2000, 700, usd_per_kwh=0.2)
    assert machine.fixed_usd_per_month.likely == pytest.approx(2000 / 36)
    assert machine.energy_usd_per_busy_hour.likely == pytest.approx(0.7 * 0.75 * 1.3 * 0.2)


def test_whether_it_pays_is_said_with_what_one_machine_can_answer() -> None:
    """Break-even beyond the capacity of a machine is none."""
    for usd, expected in ((0.001, "yes"), (2.0, "depends"), (5000.0, "no")):
        found = break_even(REQUEST, PRICE, rented(exactly(usd)), decode_tokens_per_s=SPEED)
        assert found.pays == expected, usd


def test_prompts_take_time_too() -> None:
    """Seconds to read the prompt and seconds to write the answer."""
    seconds = seconds_per_request(REQUEST, exactly(1000.0), exactly(10_000.0))
    assert seconds.likely == pytest.approx(0.5 + 0.1)


def test_a_right_answer_costs_more_than_an_answer() -> None:
    """By the accuracy; where none is right there is no price."""
    assert usd_per_correct_answer(0.01, 0.5) == pytest.approx(0.02)
    assert usd_per_correct_answer(0.01, 0.0) is None
