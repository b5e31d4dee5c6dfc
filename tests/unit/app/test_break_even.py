"""`cost --against`: an API beside hardware of the catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide.app.break_even import AgainstRequest, against_figure, against_json, compare_costs
from fieldguide.app.wiring import House, open_house
from fieldguide.cli._against import show_against
from fieldguide.errors import UsageError
from fieldguide.planner import DecodeLoad, PaidWorkload, Range, TokenPrice
from fieldguide.reporting import write_curves_png

EIGHT_B = DecodeLoad(weights_bytes=15e9, active_parameters=7.5e9, kv_bytes=2e8, layers=32)


def request(on: str, *, price: float = 0.6, purchase_usd: float | None = None) -> AgainstRequest:
    return AgainstRequest(
        on=on,
        workload=PaidWorkload(input_tokens=1000, output_tokens=300),
        price=TokenPrice(input_usd_per_mtok=price / 4, output_usd_per_mtok=price),
        load=EIGHT_B,
        purchase_usd=purchase_usd,
        utilisation=Range(low=0.2, likely=0.4, high=0.8),
        accuracy=0.8,
        own_accuracy=0.5,
    )


@pytest.fixture
def house(tmp_path: Path) -> House:
    return open_house({"home": str(tmp_path)}, environment={})


def test_a_rented_machine_with_dated_prices(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Every figure is there, with notes on what was assumed; a dear API makes the machine pay."""
    told = against_json(compare_costs(house, request("h100")))
    assert told["break_even_requests_per_month"]["low"] > 0
    assert told["api_usd_per_request"] == pytest.approx((1000 * 0.15 + 300 * 0.6) / 1e6)
    assert told["usd_per_correct_answer"]["api"] == pytest.approx(told["api_usd_per_request"] / 0.8)
    assert told["usd_per_correct_answer"]["machine"] == pytest.approx(told["machine_usd_per_request"]["likely"] / 0.5)
    assert any("list prices, 20" in note for note in told["notes"])
    dear = compare_costs(house, request("h100", price=500.0))
    assert dear.result.pays == "yes"
    show_against(dear)
    assert "One machine pays" in capsys.readouterr().out


def test_a_bought_machine_pays_for_its_energy(house: House) -> None:
    """The purchase replaces the rent; power is known of the card."""
    found = compare_costs(house, request("rtx4090", purchase_usd=2500.0))
    assert found.machine.energy_usd_per_busy_hour.likely == pytest.approx(0.45 * 0.75 * 1.3 * 0.15)
    assert found.machine.fixed_usd_per_month.likely == pytest.approx(2500 / 36)


def test_what_is_not_known_is_refused_with_the_next_step(house: House) -> None:
    """No price, no bandwidth, no power: nothing is made up."""
    for on, purchase in (("m3-max", None), ("gb200 nvl2", None), ("google tpu v7x", None), ("m3-max", 3000.0)):
        with pytest.raises(UsageError) as caught:
            compare_costs(house, request(on, purchase_usd=purchase))
        assert caught.value.hint, on


def test_the_drawing_crosses_at_break_even(house: House, tmp_path: Path) -> None:
    """Where the lines meet stands the mark, and the picture is drawn."""
    found = compare_costs(house, request("h100", price=20.0))
    figure = against_figure(found)
    assert found.result.requests_per_month is not None
    (at, word), *_ = figure.marks
    assert word == "break-even"
    assert at == pytest.approx(found.result.requests_per_month.likely)
    api, machine = figure.lines
    before = [x for (x, paid), (_, own) in zip(api.points, machine.points, strict=False) if paid < own]
    assert max(before) <= at
    pytest.importorskip("vl_convert", reason="vl-convert-python is not installed (extra `charts`)")
    write_curves_png(figure, tmp_path / "x.png")
    assert (tmp_path / "x.png").stat().st_size > 5000
