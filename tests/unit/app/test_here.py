"""This machine as hardware: measured once, kept, and measured again when it has changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from fieldguide.app import here
from fieldguide.app.hardware import hardware
from fieldguide.app.wiring import House, open_house
from fieldguide.domain import EngineMeasurement
from fieldguide.planner import DecodeLoad, decode_speed
from fieldguide.runners.llama_cpp._machine import Machine

MEASURED = EngineMeasurement(
    engine="llama.cpp",
    version="1",
    layer_s=1e-4,
    logit_s=1e-8,
    decode_s_per_weight=((4.5, 1e-11), (8.5, 3e-11)),
    prefill_flops_per_s=((4.5, 1e11), (8.5, 2e11)),
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
