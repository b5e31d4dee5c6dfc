"""This machine as hardware: measured once, kept, and measured again when it has changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from fieldguide.app import here
from fieldguide.app.hardware import hardware
from fieldguide.app.wiring import House, open_house
from fieldguide.domain import EngineMeasurement, MatrixCost
from fieldguide.planner import DecodeLoad, decode_speed
from fieldguide.runners.llama_cpp._machine import Machine

MEASURED = EngineMeasurement(
    engine="llama.cpp",
    version="1",
    decode=(MatrixCost(type="Q4_K", weight_s=1e-11, row_s=1e-8), MatrixCost(type="Q8_0", weight_s=3e-11, row_s=1e-8)),
    prefill=(MatrixCost(type="Q4_K", weight_s=2e-11, row_s=1e-9),),
    logit_s=1e-8,
    decode_attention_s=1e-10,
    prefill_attention_s=5e-11,
    read_bytes_per_s=2e10,
    copy_bytes_per_s=1e10,
    copy_one_core_bytes_per_s=8e9,
    cores=2,
    measured_on=date(2026, 11, 25),
)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr(here, "_gpus", lambda: None)
    return open_house({"home": str(tmp_path)}, environment={})


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []

    async def measure(machine: Machine, progress: Callable[[str], None]) -> EngineMeasurement:
        calls.append(machine.cpu_model)
        progress("measuring")
        return MEASURED

    monkeypatch.setattr(here, "_measure", measure)
    return calls


def test_it_is_measured_once_and_kept(house: House, measured: list[str]) -> None:
    """The second time the kept figures serve; `fresh` measures again."""
    told: list[str] = []
    first = here.this_hardware(house, progress=told.append)
    second = hardware("HERE", house)
    assert first == second
    assert first.measured == MEASURED
    assert len(measured) == 1
    assert told == ["measuring"]
    assert (first.memory_bytes or 0) > 2**28
    here.this_hardware(house, fresh=True)
    assert len(measured) == 2
    speed = decode_speed(DecodeLoad(weights_bytes=6e7, active_parameters=1e8, layers=10), first)
    assert speed is not None
    assert "measured here" in speed.source


def test_what_other_work_disturbed_is_measured_again_once_that_has_ended(
    house: House, measured: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the machine is busy the disturbed figures serve."""
    busy = True

    async def is_busy(cores: int) -> bool:
        return busy

    monkeypatch.setattr("fieldguide.runners.llama_cpp._machine.is_busy", is_busy)
    monkeypatch.setattr(f"{__name__}.MEASURED", replace(MEASURED, quiet=False))
    here.this_hardware(house)
    found = here.this_hardware(house)
    assert len(measured) == 1
    speed = decode_speed(DecodeLoad(weights_bytes=6e7, active_parameters=1e8), found)
    assert speed is not None
    assert "other work" in speed.source
    busy = False
    here.this_hardware(house)
    assert len(measured) == 2


@pytest.mark.parametrize("spoiled", ["", "{", "[]", '{"key": null}', "null"])
def test_a_spoiled_file_is_measured_again(house: House, measured: list[str], spoiled: str) -> None:
    """What cannot be read counts for nothing."""
    here.this_hardware(house)
    (house.settings.home / "measurements" / "this-machine.json").write_text(spoiled, encoding="utf-8")
    assert here.this_hardware(house).measured == MEASURED
    assert len(measured) == 2


def test_another_processor_or_engine_is_measured_again(house: House, measured: list[str]) -> None:
    """A home that was copied to another machine brings no figures with it."""
    here.this_hardware(house)
    path = house.settings.home / "measurements" / "this-machine.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    kept["key"]["engine"] = "another"
    path.write_text(json.dumps(kept), encoding="utf-8")
    here.this_hardware(house)
    assert len(measured) == 2


def test_without_measuring_speeds_are_unknown(house: House, measured: list[str]) -> None:
    """None, and nothing is timed."""
    found = here.this_hardware(house, measure=False)
    assert found.measured is None
    assert decode_speed(DecodeLoad(weights_bytes=6e7, active_parameters=1e8), found) is None
    assert measured == []
