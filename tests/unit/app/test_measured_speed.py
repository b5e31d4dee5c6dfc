"""Speed from the records: better than an estimate, and only where it was measured here."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide.app.machine import describe_machine
from fieldguide.app.measured_speed import measured_speed
from fieldguide.app.wiring import House, open_house
from fieldguide.domain import Completion, FinishReason, Latency, ResolvedModel, Usage
from fieldguide.store import CallKey, PlannedCall
from tests.support.exams import sums

MODEL = ResolvedModel(name="m", reference="fake:m", identity={"file_sha256": "a" * 64}, facts={"slots": 4})
ITEMS = 20


async def record(house: House, *, processor: str | None, ttft_s: float | None = 0.5, tokens: int = 41) -> None:
    """Keep a run whose answers came at 20 tokens per second, but for one that stalled."""
    exam = sums(ITEMS)
    planned = [PlannedCall(item=item.item, attempt=0, request_hash=item.item, score_key="k") for item in exam.items]
    run = house.store.open_run(
        exam, MODEL, planned=planned, attempts=1, fresh=False, options={}, environment={"processor": processor}
    )
    for number, item in enumerate(exam.items):
        key = CallKey(model_key=run.model_key, request_hash=item.item, attempt=0, generation=0)
        call_id = await house.store.record_sent(run.run_id, key, reserved_usd=None)
        latency = Latency(ttft_s=ttft_s, e2e_latency_s=100.0 if number == 0 else 2.5)
        answer = Completion(
            text="x", finish_reason=FinishReason.STOP, usage=Usage(output_tokens=tokens), latency=latency
        )
        await house.store.record_received(call_id, answer, cost_usd=None)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return open_house({"home": str(tmp_path)}, environment={})


async def test_the_latest_run_here_is_used_and_named(house: House) -> None:
    """By name or by the file; the one answer that stalled does not move the range."""
    await record(house, processor=describe_machine()["processor"])
    for found in (measured_speed(house, name="M"), measured_speed(house, file_sha256="a" * 64)):
        assert found is not None
        assert (found.tokens_per_s.low, found.tokens_per_s.high) == pytest.approx((20.0, 20.0))
        assert found.answers == ITEMS
        assert found.run_id in found.sentence
        assert "up to 4 at once" in found.sentence
    house.close_store()


async def test_other_models_and_other_files_are_not_taken(house: House) -> None:
    """Another quantization is another speed."""
    await record(house, processor=describe_machine()["processor"])
    assert measured_speed(house, name="n") is None
    assert measured_speed(house, name="m", file_sha256="b" * 64) is None
    house.close_store()


@pytest.mark.parametrize("lacking", [{"processor": "another"}, {"ttft_s": None}, {"tokens": 3}])
async def test_what_was_not_measured_here_is_unknown(house: House, lacking: dict[str, object]) -> None:
    """Another machine, answers that came whole, and answers too short to time."""
    arguments: dict[str, object] = {"processor": describe_machine()["processor"]} | lacking
    await record(house, **arguments)  # type: ignore[arg-type]
    assert measured_speed(house, name="m") is None
    house.close_store()


def test_without_records_nothing_is_made(house: House) -> None:
    """Asking for a speed does not create a database."""
    assert measured_speed(house, name="m") is None
    assert not house.records.exists()
