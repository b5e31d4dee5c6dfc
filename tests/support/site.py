"""The site in the test's own process, over a home with two small runs in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from fieldguide.app import measure
from fieldguide.app.compare import Comparison, compare
from fieldguide.app.evaluate import EvaluateRequest
from fieldguide.app.exams import build_exam
from fieldguide.app.talk_records import TalkRecords
from fieldguide.app.wiring import open_house
from fieldguide.app.works import ENDED, LAUNCHED
from fieldguide.domain import Image, Message, Reasoning, Text, ToolCall, ToolResult
from fieldguide.evaluation import Stop
from fieldguide.sources._manifest import Manifest, write_manifest
from fieldguide.sources._shelf import Shelf
from fieldguide.web import Site
from tests.support.sample_report import HOSTILE_TEXTS
from tests.support.tiny_gguf import tiny_gguf

ITEMS = 24
Client: TypeAlias = TestClient[web.Request, web.Application]


@asynccontextmanager
async def site_over(home: Path, environment: Mapping[str, str] | None = None) -> AsyncIterator[Client]:
    """Serve the pages of a home and yield a client that keeps its cookies."""
    site = Site(lambda: open_house({"home": str(home)}, environment=environment or {}))
    server = TestServer(site.application(), host="127.0.0.1")
    await server.start_server()
    assert server.port is not None
    site.learn_port(server.port)
    async with TestClient(server) as client:
        yield client


def stored_model(home: Path, name: str = "tiny-q4_k_m") -> str:
    """Put a small model that really loads among the models of a home, and return its name."""
    content = tiny_gguf(home / "tiny.gguf").read_bytes()
    sha256, shelf = hashlib.sha256(content).hexdigest(), Shelf(home)
    shelf.blobs.mkdir(parents=True, exist_ok=True)
    shelf.manifests.mkdir(parents=True, exist_ok=True)
    shelf.blob(sha256).write_bytes(content)
    manifest = Manifest(
        name=name,
        reference="hf:owner/<b>model</b>@0123abc#Tiny-Q4_K_M.gguf",
        file="Tiny-Q4_K_M.gguf",
        size_bytes=len(content),
        sha256=sha256,
        pinned=True,
        licence_id="mit",
        acceptance=None,
        pulled_at=datetime(2026, 11, 25, 12, tzinfo=UTC),
    )
    write_manifest(shelf.manifest(name), manifest)
    return name


def spoken(home: Path) -> int:
    """Keep a conversation in a home, with everything that one may hold, and return its number."""
    house = open_house({"home": str(home)}, environment={})
    records = TalkRecords(house.store.conversations, "chat", "tiny-q4_k_m", title="What is 6007 times 7?")
    took: dict[str, object] = {
        "model": "tiny-q4_k_m",
        "usage": {"input_tokens": 31, "output_tokens": 12},
        "cost_usd": "0",
    }
    took |= {"ttft_s": 0.21, "e2e_latency_s": 0.83, "finish_reason": "stop", "stopped": False}
    picture = Image(data=b"\x89PNG\r\n\x1a\n" + bytes(900), media_type="image/png")
    call = ToolCall(name="calculator", call_id="c1", arguments={"expression": "6007*7"})
    turns: tuple[tuple[Message, dict[str, object] | None], ...] = (
        (Message(role="system", content="Be brief."), None),
        (Message(role="user", content=(picture, Text(text="What is 6007 times 7? Show the sum."))), None),
        (Message(role="assistant", content=(Reasoning(text="The calculator knows."), call)), took),
        (Message(role="tool", content=(ToolResult(call_id="c1", name="calculator", content="42049"),)), None),
        (Message(role="assistant", content=f"It is 42049.\n\n{HOSTILE_TEXTS[0]}"), took),
    )
    for message, answer in turns:
        records.add(message, answer)
    house.close_store()
    assert records.conversation_id is not None
    return records.conversation_id


async def furnished(home: Path) -> list[str]:
    """Put into a home what every page can show, and return the ids of its two runs."""
    comparison = await two_runs(home)
    stored_model(home)
    spoken(home)
    await finished_work(home)
    return [result.run.run.run_id for result in comparison.evaluation.results]


async def finished_work(home: Path) -> str:
    """Do the work of comparing the two files of `two_runs` in this process, and return its id."""
    house = open_house({"home": str(home)}, environment={})
    models = tuple(f"recorded:{home}/{name}.jsonl" for name in ("good", "poor"))
    request = EvaluateRequest(models=models, benchmarks=("ladder",), limit=ITEMS)
    work = house.works.make("measure", "good and poor on ladder", measure.asked_json(request, margin=None))

    def tell(name: str, held: dict[str, Any]) -> None:
        house.works.tell(work.work_id, name, held)

    tell(LAUNCHED, {})
    try:
        done = await measure.do_work(house, work, tell, Stop())
    finally:
        await house.close()
    tell(ENDED, {"state": done.state, "reason": done.reason, "result": done.result})
    return work.work_id


async def two_runs(home: Path) -> Comparison:
    """Compare two files of answers to the ladder; every answer carries a hostile text."""
    house = open_house({"home": str(home)}, environment={})
    exam, scorer = build_exam("ladder", data=None, limit=ITEMS)
    scorer.close()
    home.mkdir(parents=True, exist_ok=True)
    for name, right in (("good", 5), ("poor", 2)):
        lines = [
            {
                "item": item.item,
                "attempt": 0,
                "completion": f"{HOSTILE_TEXTS[place % len(HOSTILE_TEXTS)]}\nThe answer is "
                f"{item.target if place % 6 < right else 99991}",
                "finish_reason": "stop",
                "usage": {"input_tokens": 50, "output_tokens": 9},
            }
            for place, item in enumerate(exam.items)
        ]
        text = "\n".join(json.dumps(line) for line in lines)
        (home / f"{name}.jsonl").write_text(text, encoding="utf-8")
    models = tuple(f"recorded:{home}/{name}.jsonl" for name in ("good", "poor"))
    try:
        request = EvaluateRequest(models=models, benchmarks=("ladder",), limit=ITEMS)
        return await compare(house, request, margin=None, stop=Stop())
    finally:
        await house.close()
