"""Word error rates wherever they are shown: fewer errors are better, and no page says it the other way round."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from fieldguide.app.claims import ledger_json, look_up_claims
from fieldguide.app.compare import Comparison, compare
from fieldguide.app.evaluate import EvaluateRequest
from fieldguide.app.report import build_report
from fieldguide.app.wiring import House, open_house
from fieldguide.benchmarks import ExamRequest
from fieldguide.benchmarks.asr import Asr
from fieldguide.domain import Measure, VerdictKind
from fieldguide.evaluation import Stop
from fieldguide.reporting import render_html
from tests.support.html_page import Page
from tests.support.recordings import spoken_folder
from tests.support.site import site_over

SAID = {f"u{number:02}": f"child {number} sees the small dog" for number in range(24)}
RUBBISH = "nobody ever hears any word here at all"


async def compared(home: Path, house: House, *names: str) -> Comparison:
    """Compare recorded transcripts: `good` has an error in every other recording, `poor` hardly a word right."""
    home.mkdir(parents=True, exist_ok=True)
    data = spoken_folder(home / "data", SAID)
    exam = Asr().exam(ExamRequest(data_dir=data))
    for name in names:
        lines = []
        for place, item in enumerate(exam.items):
            text = item.target.replace("dog", "hog") if place % 2 else item.target
            lines.append({"item": item.item, "attempt": 0, "completion": text if name == "good" else RUBBISH})
        text = "\n".join(json.dumps({**line, "finish_reason": "stop"}) for line in lines)
        (home / f"{name}.jsonl").write_text(text, encoding="utf-8")
    models = tuple(f"recorded:{home}/{name}.jsonl" for name in names)
    request = EvaluateRequest(models=models, benchmarks=("asr",))
    return await compare(house, request, margin=None, stop=Stop())


def house_over(home: Path) -> House:
    return open_house({"home": str(home), "data": str(home / "data")}, environment={})


async def test_the_report_says_who_has_fewer_errors(tmp_path: Path) -> None:
    """The poorer model stands first: it is never said to be `minus` the better one, nor to be right of anything."""
    house = house_over(tmp_path)
    try:
        comparison = await compared(tmp_path, house, "poor", "good")
        (verdict,) = comparison.verdicts
        assert (verdict.verdict, verdict.measure) == (VerdictKind.B_BETTER, Measure.WORD_ERROR_RATE)
        page = Page(
            render_html(build_report(comparison, store=house.store, command="compare", created=datetime.now(UTC)))
        )
    finally:
        await house.close()
    facts = page.all("dl", "facts")[0].text
    assert "Ahead by in word error rate (95 % interval) +" in facts
    assert "good with fewer errors 24 of 24 items" in facts
    assert "poor minus good" not in page.by_id("verdict").text
    table = page.by_id("exam-1-differences-table").text
    assert "poor against good" in table
    assert "The second has fewer errors 24" in table
    assert "word error rate" in page.by_id("exam-1-accuracy-table").text


async def test_the_page_of_a_verdict_shows_rates(tmp_path: Path) -> None:
    """With their intervals, and the difference under its right name."""
    house = house_over(tmp_path)
    try:
        comparison = await compared(tmp_path, house, "good", "poor")
        ids = [result.run.run.run_id for result in comparison.evaluation.results]
    finally:
        await house.close()
    async with site_over(tmp_path) as client:
        text = await (await client.get(f"/verdict?run={ids[0]}&run={ids[1]}")).text()
    page = Page(text)
    facts = page.all("dl", "facts")[0].text
    assert "Word error rate of poor minus good" in facts
    assert "good with fewer errors 24 of 24 items" in facts
    assert "8.3 % (" in page.by_id("accuracies").text  # 12 errors in 144 words


async def test_the_ledger_holds_error_rates_as_such(tmp_path: Path) -> None:
    """No share of questions, so neither attainable nor not, and without the interval of a proportion."""
    house = house_over(tmp_path)
    try:
        await compared(tmp_path, house, "good", "poor")
        found = ledger_json(look_up_claims(house, (), benchmark="asr"))["claims"]
    finally:
        await house.close()
    good, poor = sorted((claim for claim in found if claim["kind"] == "measured"), key=lambda claim: claim["value"])
    assert (good["value"], good["metric"], good["unit"]) == (8.3, "word error rate", "percent of words")
    assert (good["n"], good["attainable"], good["ci_low"]) == (24, None, None)
    assert good["note"].startswith("12 errors in 144 words; 95 % interval ")
    assert poor["value"] > 100
    assert not any("percentage" in flag or "attainable" in flag for flag in poor["flags"])
