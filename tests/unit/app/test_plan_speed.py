"""The speed of a plan: estimated on hardware, and measured where runs of the same file are at hand."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from fieldguide.app import here
from fieldguide.app.machine import describe_machine
from fieldguide.app.plan import Plan, PlanOptions, plan
from fieldguide.app.wiring import House, open_house
from fieldguide.domain import EngineMeasurement
from tests.support.random_gguf import RandomModel, random_gguf
from tests.unit.app import test_measured_speed
from tests.unit.app.test_here import MEASURED

FIVE_TIMES = replace(MEASURED, logit_s=5e-8)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    async def measure(*_: object) -> EngineMeasurement:
        return FIVE_TIMES

    monkeypatch.setattr(here, "_gpus", lambda: None)
    monkeypatch.setattr(here, "_measure", measure)
    return open_house({"home": str(tmp_path / "home")}, environment={})


async def test_a_run_of_the_same_file_here_replaces_the_estimate(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says which run and what would have been estimated; another quantization and other hardware are estimated."""
    path = random_gguf(tmp_path / "model.gguf", RandomModel(layers=2, vocabulary=1024))
    options = PlanOptions(on="here", context_tokens=512)
    before = await _planned(house, path, options)
    assert before.speed.measured is None
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    model = replace(test_measured_speed.MODEL, identity={"engine": "llama.cpp", "file_sha256": sha256})
    monkeypatch.setattr(test_measured_speed, "MODEL", model)
    await test_measured_speed.record(house, processor=describe_machine()["processor"])
    found = await _planned(house, path, options)
    assert found.speed.measured is not None
    assert found.speed.decode == found.speed.measured.tokens_per_s
    assert found.speed.decode is not None
    assert found.speed.decode.likely == pytest.approx(20.0)
    assert found.speed.estimated == before.speed.decode
    assert any("replaces the estimate" in note for note in found.notes)
    for other in (replace(options, quantization="Q8_0"), replace(options, on="rtx4090"), replace(options, sequences=2)):
        assert (await _planned(house, path, other)).speed.measured is None


async def _planned(house: House, path: Path, options: PlanOptions) -> Plan:
    """Plan outside of the test's own loop, since measuring a machine runs one."""
    return await asyncio.to_thread(plan, house, str(path), options)
