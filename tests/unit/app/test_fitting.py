"""Which members of the catalogue fit, in which quantization."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide.app.find import FindRequest, find_models
from fieldguide.app.fitting import fitting_for, memory_amount
from fieldguide.app.recommend import RecommendRequest, recommend
from fieldguide.app.rent import cheapest_device, largest_within, smallest_device
from fieldguide.app.wiring import House, open_house
from fieldguide.errors import UnknownNameError, UsageError


@pytest.fixture
def house(tmp_path: Path) -> House:
    return open_house({"home": str(tmp_path)}, environment={})


def test_more_memory_holds_the_same_models_and_more(house: House) -> None:
    """Each in a quantization with at least as many bits, and never more than there is."""
    everything = find_models(house.settings.home, FindRequest(most=1000)).models
    small, large = fitting_for(house, "16GB"), fitting_for(house, "80GB")
    fitted = [(small.of(model), large.of(model)) for model in everything]
    assert sum(few.state == "fits" for few, _ in fitted) > 40
    for few, many in fitted:
        if few.state == "fits":
            assert few.total_bytes is not None
            assert few.total_bytes <= 16e9
            assert many.state == "fits"
            assert (many.total_bytes or 0) >= few.total_bytes
        if few.state == "too large":
            assert few.why


def test_the_facet_joins_the_others(house: House) -> None:
    """What fits is a part of what the other facets find, and what was left out is counted."""
    home = house.settings.home
    plain = find_models(home, FindRequest(kinds=("code",), most=1000))
    found = find_models(home, FindRequest(kinds=("code",), fits=fitting_for(house, "16GB"), most=1000))
    assert 0 < found.total < plain.total
    assert found.total + found.too_large + found.unknown_fit == plain.total
    assert {model.member.name for model in found.models} == set(found.fits)


def test_a_stated_context_leaves_shorter_models_out(house: House) -> None:
    """Where none is stated each is planned at what it has."""
    found = find_models(house.settings.home, FindRequest(fits=fitting_for(house, "rtx4090", context_tokens=100_000)))
    assert found.models
    assert all(
        (model.member.context_length is None or model.member.context_length.value >= 100_000) for model in found.models
    )


@pytest.mark.parametrize("name", ["m3-max", "0GB", "16", "-4GB", "16parsecs"])
def test_memory_that_is_not_known_is_asked_for(house: House, name: str) -> None:
    """With what to write."""
    with pytest.raises(UsageError) as raised:
        fitting_for(house, name)
    assert "16GB" in (raised.value.hint or "")


@pytest.mark.parametrize(
    ("text", "amount"), [("16GB", 16e9), (" 1.5 TiB ", 1.5 * 2**40), ("800mb", 8e8), ("24g", 24e9), ("8gi", 8 * 2**30)]
)
def test_amounts_are_read_as_they_are_written(text: str, amount: float) -> None:
    """Powers of ten, or of two with an i; the B may be left out."""
    assert memory_amount(text) == amount


def test_no_such_hardware(house: House) -> None:
    """The nearest names are given."""
    with pytest.raises(UnknownNameError):
        fitting_for(house, "rtx9999")


def test_a_budget_alone_takes_the_largest_that_it_rents(house: House) -> None:
    """Every model then fits that device; a budget of nearly nothing rents nothing."""
    made = recommend(house, RecommendRequest(job="write code", budget_usd=300))
    rented = largest_within(300)
    assert rented is not None
    assert rented.usd_per_month <= 300
    assert made.fitting.machine is not None
    assert made.fitting.machine.name == rented.hardware.name
    assert made.answer.models
    assert all(ranked.reasons[0].startswith("fits in") for ranked in made.answer.models)
    with pytest.raises(UsageError, match="rented"):
        recommend(house, RecommendRequest(job="write code", budget_usd=0.5))


def test_a_budget_leaves_out_what_costs_more_to_rent(house: House) -> None:
    """Counted, and none of those that stay costs more."""
    cheap = recommend(house, RecommendRequest(job="write code", memory="200GB", budget_usd=60, most=1000))
    free = recommend(house, RecommendRequest(job="write code", memory="200GB", most=1000))
    assert 0 < len(cheap.answer.models) < len(free.answer.models)
    assert cheap.over_budget == len(free.answer.models) - len(cheap.answer.models)
    assert all(cheap.rents[ranked.model.member.name].usd_per_month <= 60 for ranked in cheap.answer.models)


@pytest.mark.parametrize(
    "request_",
    [
        RecommendRequest(job="write code"),
        RecommendRequest(job="write code", memory="16GB", on="rtx4090"),
        RecommendRequest(job="write code", memory="16GB", budget_usd=-1),
        RecommendRequest(job="write code", memory="16parsecs"),
        RecommendRequest(job="write code", memory="rtx4090"),
        RecommendRequest(job="write code", on="2xh100", budget_usd=100),
        RecommendRequest(job="write code", memory="16GB", context_tokens=0),
        RecommendRequest(job="write code", memory="16GB", most=0),
    ],
)
def test_what_cannot_be_answered_says_what_to_write(house: House, request_: RecommendRequest) -> None:
    """Nothing to fit, two things to fit, a budget that rents nothing, numbers below one."""
    with pytest.raises(UsageError) as raised:
        recommend(house, request_)
    assert raised.value.hint


def test_the_smallest_and_the_cheapest_device_hold_what_they_are_named_for() -> None:
    """And none is named for what no single device holds."""
    for need in (10**9, 20 * 10**9, 70 * 10**9):
        for found in (smallest_device(need), (cheapest_device(need) or pytest.fail("none")).hardware):
            assert found is not None
            assert (found.memory_bytes or 0) > need
    assert smallest_device(10**13) is None
