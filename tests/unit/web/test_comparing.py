"""Compare and its long work as pages: the form, the states, the stream, and what is wrong or hostile."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fieldguide.app import measure
from fieldguide.app.evaluate import EvaluateRequest
from fieldguide.app.works import ENDED, LAUNCHED
from fieldguide.store import Works
from tests.support.html_page import Page
from tests.support.sample_report import HOSTILE_TEXTS
from tests.support.site import ITEMS, Client, site_over, two_runs

ASKED = measure.asked_json(EvaluateRequest(models=("one", "two"), benchmarks=("ladder",), limit=10), margin=None)


async def _form(client: Client, **fields: str) -> dict[str, str]:
    text = await (await client.get("/compare")).text()
    found = re.search(r'name="token" value="([0-9a-f]{64})"', text)
    assert found is not None
    return {"token": found[1], **fields}


def _progress(done: int, **changed: Any) -> dict[str, Any]:
    return {
        "place": 0, "model": "one", "benchmark": "ladder", "run_id": "ladder-0123456789", "total": 10, "ended": done,
        "reused": 0, "judged": done, "scored": done, "correct": done, "accuracy": 1.0 if done else None,
        "ci_low": 0.5 if done else None, "ci_high": 1.0 if done else None,
        "outcomes": dict.fromkeys(("correct", "wrong", "truncated", "unparsed", "refused", "failed"), 0),
        "tokens_per_s": None, "seconds": 1.0, "left_s": None, "spent_usd": None, "budget_usd": None,
        "foreseen_usd": None, "foreseen_s": None, "waiting": None, "finished": False,
    } | changed  # fmt: skip


@contextmanager
def going_on(works: Works, asked: dict[str, Any] = ASKED, title: str = "x") -> Iterator[str]:
    """A work at which this very process is."""
    work_id = works.make("measure", title, asked).work_id
    lock = works.claim(work_id)
    works.tell(work_id, LAUNCHED, {})
    try:
        yield work_id
    finally:
        os.close(lock)


class Stream:
    """Reads server-sent events."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    async def next(self) -> tuple[str, str, str]:
        """Return number, name and data of the next event that has a name."""
        while True:
            held: dict[str, str] = {}
            async with asyncio.timeout(30):
                while line := (await self._answer.content.readline()).decode().rstrip("\n"):
                    name, _, value = line.partition(": ")
                    held[name] = value
            if not held and self._answer.content.at_eof():
                return "", "closed", ""
            if "event" in held:
                return held.get("id", ""), held["event"], json.loads(held["data"])

    async def until(self, name: str) -> tuple[str, str, str]:
        """Return the next event of a name."""
        while (event := await self.next())[1] != name:
            assert event[1] != "closed"
        return event


@pytest.mark.parametrize(("fields", "told"), [
    ({"model": ""}, "No model is named"),
    ({"model": "smollm2-135m-instrut"}, "smollm2-135m-instruct"),
    ({"model": "nix:x"}, "provider or source"),
    ({"model": "qwen2.5"}, "family"),
    ({"model": "/no/such/file.gguf"}, "file.gguf"),
    ({"other": "recorded:a.jsonl"}, "named twice"),
    ({"benchmark": "laddr"}, "ladder"),
    ({"benchmark": " , "}, "No benchmark"),
    ({"protocol": "minerva"}, "fieldguide"),
    ({"limit": "0"}, "limit takes"),
    ({"limit": "many"}, "limit takes"),
    ({"limit": "９"}, "limit takes"),
    ({"attempts": "-1"}, "attempts takes"),
    ({"attempts": "999999999"}, "attempts takes at most"),
    ({"seed": "1.5"}, "seed takes"),
    ({"budget_usd": "-1"}, "budget_usd takes"),
    ({"budget_usd": "nan"}, "budget_usd takes"),
    ({"price_in": "1"}, "go together"),
    ({"margin": "200"}, "margin takes"),
    ({"concurrency": "0"}, "concurrency takes"),
])  # fmt: skip
async def test_a_wrong_form_starts_nothing_and_keeps_what_was_typed(
    tmp_path: Path, fields: dict[str, str], told: str
) -> None:
    """The form comes back with what is wrong above it."""
    async with site_over(tmp_path) as client:
        form = await _form(client, model="recorded:a.jsonl", benchmark="ladder", limit="7") | fields
        answer = await client.post("/compare", data=form)
        page = Page(await answer.text())
        alerts = [element.text for element in page.elements if element.attributes.get("role") == "alert"]
        assert answer.status in {400, 404}
        assert told in alerts[0]
        assert "Nothing was started" in alerts[0]
        kept = {each.attributes.get("name"): each.attributes.get("value") for each in page.elements}
        assert kept["model"] == form["model"].strip()
        assert Works(tmp_path / "works").every() == []


@pytest.mark.parametrize("path", ["/compare", "/works/{}/stop", "/works/{}/resume", "/runs/x/rescore"])
async def test_a_form_of_others_changes_nothing(tmp_path: Path, path: str) -> None:
    """Without our token nothing is started, stopped or taken up."""
    works = Works(tmp_path / "works")
    with going_on(works) as work_id:
        async with site_over(tmp_path) as client:
            form = {"model": "recorded:a.jsonl", "benchmark": "ladder", "token": "0" * 64}
            answer = await client.post(path.format(work_id), data=form)
            assert answer.status == 403
            assert "stale" in await answer.text()
        assert len(works.every()) == 1
        assert not works.is_asked_to_stop(work_id)


async def test_what_goes_on_already_is_not_begun_twice(tmp_path: Path) -> None:
    """It is said at once, and no other page waits for it."""
    with going_on(Works(tmp_path / "works")) as work_id:
        async with site_over(tmp_path) as client:
            form = await _form(client)
            async with asyncio.timeout(2):
                answer = await client.post(f"/works/{work_id}/resume", data=form)
            assert answer.status == 400
            assert "going on already" in await answer.text()


async def test_what_is_no_work_is_a_clear_page(tmp_path: Path) -> None:
    """Its page, its JSON, its stream, its report and its buttons."""
    async with site_over(tmp_path) as client:
        form = await _form(client)
        for name in ("measure-0000000000", "nix", "..%2f..%2fetc", "%3Cscript%3E"):
            for path in (
                f"/works/{name}",
                f"/works/{name}.json",
                f"/works/{name}/events",
                f"/works/{name}/report.html",
            ):
                answer = await client.get(path)
                assert answer.status == 404, path
                assert "no work named" in await answer.text() or "no report named" in await answer.text()
            for act in ("stop", "resume"):
                assert (await client.post(f"/works/{name}/{act}", data=form)).status == 404


async def test_a_stream_gives_the_present_and_then_what_changes(tmp_path: Path) -> None:
    """Several watchers hear the same; whoever comes back with the number of the last hears what is new alone."""
    works = Works(tmp_path / "works")
    with going_on(works) as work_id:
        works.tell(work_id, "progress", _progress(3))
        async with site_over(tmp_path) as client:
            streams = [Stream(await client.get(f"/works/{work_id}/events")) for _ in range(3)]
            for stream in streams:
                assert (await stream.next())[1] == "hello"
                heard = [await stream.next() for _ in range(3)]
                assert [name for _, name, _ in heard] == ["live"] * 3
                assert "3 of 10" in heard[1][2]
            works.tell(work_id, "progress", _progress(4))
            for stream in streams:
                number, _, text = await stream.until("live")
                assert int(number) == works.size(work_id)
            last = number
            again = Stream(await client.get(f"/works/{work_id}/events", headers={"Last-Event-ID": last}))
            assert (await again.next())[1] == "hello"
            works.tell(work_id, "progress", _progress(5))
            texts = [(await again.until("live"))[2] for _ in range(2)]
            assert any("5 of 10" in text for text in texts)
            assert not any("4 of 10" in text for text in texts)
            works.tell(work_id, ENDED, {"state": "finished", "result": {}})
            for stream in (*streams, again):
                await stream.until("ended")
            assert text is not None


async def test_a_stream_tells_when_the_process_goes_away(tmp_path: Path) -> None:
    """Without a word: the lock is free, and nothing more will come."""
    works = Works(tmp_path / "works")
    async with site_over(tmp_path) as client:
        with going_on(works) as work_id:
            works.tell(work_id, "progress", _progress(3))
            stream = Stream(await client.get(f"/works/{work_id}/events?since=nonsense"))
            await stream.until("live")
        await stream.until("ended")
        page = await (await client.get(f"/works/{work_id}")).text()
        assert "went away without a word" in page
        assert "Go on" in page


async def test_a_watcher_that_reads_nothing_holds_nobody_up(tmp_path: Path) -> None:
    """Others hear the end of many events although one of them never reads."""
    works = Works(tmp_path / "works")
    with going_on(works) as work_id:
        async with site_over(tmp_path) as client:
            await client.get(f"/works/{work_id}/events")
            stream = Stream(await client.get(f"/works/{work_id}/events"))
            for number in range(30):
                works.tell(work_id, "progress", _progress(number % 10))
                await asyncio.sleep(0.01)
            works.tell(work_id, ENDED, {"state": "stopped", "result": {}})
            await stream.until("ended")


async def test_states_are_told_with_what_to_do(tmp_path: Path) -> None:
    """Going on, stopping, stopped, failed halfway: each page says so; only what goes on loads itself again."""
    works = Works(tmp_path / "works")
    async with site_over(tmp_path) as client:
        with going_on(works) as work_id:
            works.tell(work_id, "progress", _progress(0, waiting="a rate limit"))
            page = await (await client.get(f"/works/{work_id}")).text()
            assert 'http-equiv="refresh"' in page
            assert "a rate limit" in page
            assert "cost n/a" in page.lower() or "n/a" in page
            form = await _form(client)
            answer = await client.post(f"/works/{work_id}/stop", data=form)
            assert "it was asked to stop and ends soon" in await answer.text()
            assert works.is_asked_to_stop(work_id)
            answer = await client.post(f"/works/{work_id}/resume", data=form)
            assert answer.status == 400
            error: dict[str, Any] = {
                "type": "RunnerError",
                "message": "It broke <b>off</b>.",
                "hint": "Mend it.",
                "retryable": True,
            }
            works.tell(work_id, ENDED, {"state": "failed", "error": error, "result": {}, "reason": None})
        page = await (await client.get(f"/works/{work_id}")).text()
        assert "It broke &lt;b&gt;off&lt;/b&gt;." in page
        assert "Mend it." in page
        assert "http-equiv" not in page
        listed = (await (await client.get("/compare.json")).json())["works"]
        assert [work["state"] for work in listed] == ["failed"]


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
async def test_hostile_texts_are_shown_and_never_run(tmp_path: Path, text: str) -> None:
    """In titles, names, notes, errors, and in what is sent live."""
    works = Works(tmp_path / "works")
    shown = json.loads(json.dumps(text))
    asked = ASKED | {"models": [shown, "two"], "benchmarks": [shown]}
    async with site_over(tmp_path) as client:
        with going_on(works, asked, shown) as work_id:
            works.tell(work_id, "progress", _progress(3, model=shown, benchmark=shown, waiting=shown, run_id=shown))
            works.tell(work_id, "note", {"text": shown})
            stream = Stream(await client.get(f"/works/{work_id}/events"))
            pieces = [(await stream.until("live"))[2] for _ in range(3)]
            pages = [await (await client.get(path)).text() for path in (f"/works/{work_id}", "/compare")]
            error: dict[str, Any] = {"type": "X", "message": shown, "hint": shown, "retryable": False}
            works.tell(work_id, ENDED, {"state": "failed", "error": error, "result": {}, "reason": shown})
        (works.folder(work_id) / "process.log").write_text(text, encoding="utf-8", errors="replace")
        pages.append(await (await client.get(f"/works/{work_id}")).text())
        for markup in (*pieces, *pages):
            for element in Page(markup).elements:
                assert element.tag not in {"img", "iframe", "style"}, element
                assert element.tag != "script" or element.attributes.get("src", "").startswith("/assets/")
                assert not any(name.startswith("on") for name in element.attributes), element
            assert "\u202e" not in markup


async def test_a_measurement_from_the_form_to_its_report(tmp_path: Path) -> None:
    """Two files of answers: a process, its end, the verdict, the report as a file, and the items behind it."""
    await two_runs(tmp_path / "made")
    async with site_over(tmp_path / "home") as client:
        form = await _form(
            client, model=f"recorded:{tmp_path}/made/good.jsonl", other=f"recorded:{tmp_path}/made/poor.jsonl",
            benchmark="ladder", limit=str(ITEMS),
        )  # fmt: skip
        answer = await client.post("/compare", data=form)
        path = answer.url.path
        assert answer.status == 200
        assert re.fullmatch(r"/works/measure-[0-9a-f]{10}", path)
        await Stream(await client.get(f"{path}/events")).until("ended")
        context = await (await client.get(f"{path}.json")).json()
        assert context["work"]["state"] == "finished", context["work"]
        assert context["work"]["title"] == "good.jsonl and poor.jsonl on ladder"
        page = await (await client.get(path)).text()
        assert f"benchmark=ladder&amp;limit={ITEMS}" in page
        assert context["result"]["verdicts"][0]["sentence"] in Page(page).elements[0].text
        report = await client.get(f"{path}/report.html")
        assert "attachment" in report.headers["Content-Disposition"]
        for run in context["result"]["items"][0]["runs"]:
            told = await (await client.get(f"/runs/{run}")).text()
            assert "Repeat, everything anew" in told
        assert (await client.post(f"{path}/resume", data=form)).status == 400
