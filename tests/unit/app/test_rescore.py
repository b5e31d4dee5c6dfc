"""Judging the answers of a run again, under other protocols."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fieldguide.app import rescore
from fieldguide.app.evaluate import EvaluateRequest, evaluate
from fieldguide.app.wiring import House, open_house
from fieldguide.app.works import Done, WorkState
from fieldguide.errors import FieldguideError, UnknownNameError
from fieldguide.evaluation import Stop

ANSWERS = ("The answer is 4.", "#### 4", "four apples, then 7", "It is \\boxed{4}", "")


@pytest.fixture
async def house(tmp_path: Path) -> House:
    """A house with a run of five questions whose right answer is 4."""
    rows = [{"question": f"{k} + {4 - k}?", "answer": f"It is 4.\n#### {4}"} for k in range(len(ANSWERS))]
    (tmp_path / "data" / "gsm8k").mkdir(parents=True)
    text = "\n".join(map(json.dumps, rows))
    (tmp_path / "data" / "gsm8k" / "test.jsonl").write_text(text)
    house = open_house({"home": str(tmp_path), "data": tmp_path / "data"}, environment={})
    lines = [
        {"item": f"gsm8k/test/{k}", "attempt": 0, "completion": answer, "finish_reason": "stop"}
        for k, answer in enumerate(ANSWERS)
    ]
    answers = tmp_path / "answers.jsonl"
    from fieldguide.app.exams import build_exam

    exam, scorer = build_exam("gsm8k", data=tmp_path / "data")
    scorer.close()
    for line, item in zip(lines, exam.items, strict=True):
        line["item"] = item.item
    answers.write_text("\n".join(map(json.dumps, lines)))
    await evaluate(house, EvaluateRequest(models=(f"recorded:{answers}",), benchmarks=("gsm8k",)), stop=Stop())
    return house


async def _done(house: House, protocol: str, *, stop: Stop | None = None) -> tuple[Done, list[tuple[str, Any]]]:
    run = house.store.runs()[0]
    asked = rescore.asked_json(rescore.rescoring(house, run.run_id, protocol))
    work, told = house.works.make("rescore", "x", asked), list[tuple[str, Any]]()
    done = await rescore.do_work(house, work, lambda name, held: told.append((name, held)), stop or Stop())
    assert not (house.works.folder(work.work_id) / "answers.jsonl").exists()
    return done, told


async def test_every_protocol_is_set_against_what_is_kept(house: House) -> None:
    """Ours gains and loses nothing against itself; another may, and the attempts are named."""
    done, told = await _done(house, "all")
    assert done.state is WorkState.FINISHED
    ours, qwen = done.result["protocols"]
    assert (ours["protocol"], qwen["protocol"]) == ("fieldguide", "qwen2.5-math")
    assert ours["accuracy"] == done.result["before"]["accuracy"]
    assert (ours["gained"], ours["lost"]) == (0, 0)
    assert qwen["correct"] - ours["correct"] == qwen["gained"] - qwen["lost"]
    moved = [row for row in done.result["differences"] if row["outcomes"]["qwen2.5-math"] != row["before"]]
    assert len(moved) == qwen["gained"] + qwen["lost"]
    assert told[-1] == ("judged", {"done": 2 * len(ANSWERS), "total": 2 * len(ANSWERS)})
    await house.close()


async def test_one_protocol_alone(house: House) -> None:
    """Only that one is judged by."""
    done, told = await _done(house, "qwen2.5-math")
    assert [each["protocol"] for each in done.result["protocols"]] == ["qwen2.5-math"]
    assert told[-1][1]["total"] == len(ANSWERS)
    await house.close()


async def test_a_protocol_that_is_none_is_told_with_the_nearest(house: House) -> None:
    """Before any work is started."""
    with pytest.raises(UnknownNameError) as caught:
        rescore.rescoring(house, house.store.runs()[0].run_id, "qwen-math")
    assert caught.value.close_matches == ("qwen2.5-math",)
    await house.close()


async def test_it_stops_when_asked(house: House) -> None:
    """Between two answers."""
    stop = Stop()
    stop.request()
    done, _ = await _done(house, "all", stop=stop)
    assert done.state is WorkState.STOPPED
    await house.close()


async def test_data_that_are_gone_are_told(house: House, tmp_path: Path) -> None:
    """The run stays as it is."""
    (tmp_path / "data" / "gsm8k" / "test.jsonl").unlink()
    with pytest.raises(FieldguideError):
        await _done(house, "all")
    assert len(house.store.runs()) == 1
    await house.close()
