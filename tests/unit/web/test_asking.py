"""Asking from the page: as a plain form and streamed, one model or two, and what goes wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_server import Call, fake_server, streamed
from tests.support.html_page import Page
from tests.support.sample_report import HOSTILE_TEXTS
from tests.support.site import Client, site_over


def _echo(call: Call) -> str:
    return streamed(f"{call.body['model']} heard {call.prompt}")


async def _form(client: Client, **fields: str) -> dict[str, str]:
    text = await (await client.get("/ask")).text()
    found = re.search(r'name="token" value="([0-9a-f]{64})"', text)
    assert found is not None
    return {"token": found[1], **fields}


async def _events(client: Client, form: dict[str, str]) -> list[tuple[str, dict[str, Any]]]:
    answer = await client.post("/ask/stream", data=form)
    assert answer.status == 200
    assert answer.content_type == "text/event-stream"
    found = re.findall(r"event: (\w+)\ndata: (.*)\n\n", await answer.text())
    return [(name, json.loads(data)) for name, data in found]


async def test_a_plain_form_gets_both_answers_side_by_side(tmp_path: Path) -> None:
    """With tokens, seconds and the end of each; each model is asked once."""
    async with fake_server(_echo) as server, site_over(tmp_path) as client:
        form = await _form(
            client, model=f"{server.url}#one", other=f"{server.url}#two", prompt="hello", system="be kind"
        )
        answer = await client.post("/ask", data=form)
        page = Page(await answer.text())
        cards = [element.text for element in page.elements if element.tag == "article"]
        assert answer.status == 200
        assert ["one heard hello" in cards[0], "two heard hello" in cards[1]] == [True, True]
        assert all("7 tokens in" in card and "5 tokens out" in card and "cost n/a" in card for card in cards)
        assert sorted(call.body["model"] for call in server.calls) == ["one", "two"]
        assert all(call.body["messages"][0]["content"] == "be kind" for call in server.calls)


async def test_a_stream_tells_pieces_and_then_the_whole_answer(tmp_path: Path) -> None:
    """The pieces of each model make up its answer."""
    async with fake_server(_echo) as server, site_over(tmp_path) as client:
        form = await _form(client, model=f"{server.url}#one", other=f"{server.url}#two", prompt="hello")
        events = await _events(client, form)
        for place, name in enumerate(("one", "two")):
            pieces = [held["text"] for kind, held in events if kind == "piece" and held["place"] == place]
            (whole,) = [held for kind, held in events if kind == "answer" and held["place"] == place]
            assert "".join(pieces) == whole["text"] == f"{name} heard hello"
            assert len(pieces) > 1
            assert whole["usage"] == {"input_tokens": 7, "output_tokens": 5}


async def test_a_model_that_fails_does_not_hold_the_other_up(tmp_path: Path) -> None:
    """Its fault stands in its place, with what to do next."""
    async with fake_server(_echo) as server, site_over(tmp_path) as client:
        form = await _form(client, model="no-such-model-at-all", other=f"{server.url}#two", prompt="hello")
        answers = [held for kind, held in await _events(client, form) if kind == "answer"]
        assert "no-such-model-at-all" in answers[0]["error"]["message"]
        assert answers[0]["text"] is None
        assert answers[1]["text"] == "two heard hello"


@pytest.mark.parametrize("text", HOSTILE_TEXTS[:8])
async def test_hostile_answers_are_text(tmp_path: Path, text: str) -> None:
    """What a model says is shown and nothing of it becomes an element."""
    async with fake_server(lambda call: streamed(text)) as server, site_over(tmp_path) as client:
        answer = await client.post("/ask", data=await _form(client, model=f"{server.url}#one", prompt=text))
        page = Page(await answer.text())
        assert answer.status == 200
        for element in page.elements:
            assert element.tag not in {"img", "iframe", "style"}
            assert element.tag != "script" or element.attributes.get("src", "").startswith("/assets/")
            assert not any(name.startswith("on") for name in element.attributes)


@pytest.mark.parametrize("changed", [
    {"model": ""}, {"prompt": " "}, {"max_output_tokens": "0"}, {"max_output_tokens": "x"}, {"temperature": "hot"},
])  # fmt: skip
async def test_a_wrong_form_asks_nobody(tmp_path: Path, changed: dict[str, str]) -> None:
    """It says what is wrong, plain and streamed."""
    async with fake_server(_echo) as server, site_over(tmp_path) as client:
        form = await _form(client, model=f"{server.url}#one", prompt="hello") | changed
        assert (await client.post("/ask", data=form)).status == 400
        assert (await (await client.post("/ask/stream", data=form)).json())["error"]["message"]
        assert server.calls == []


async def test_a_form_of_others_asks_nobody(tmp_path: Path) -> None:
    """Without our token no model is asked and no money spent."""
    async with fake_server(_echo) as server, site_over(tmp_path) as client:
        form = {"model": f"{server.url}#one", "prompt": "hello", "token": "0" * 64}
        assert (await client.post("/ask", data=form)).status == 403
        assert (await client.post("/ask/stream", data=form)).status == 403
        assert server.calls == []
