"""Asking from the page: as a plain form and streamed, one model or two, and what goes wrong."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.support.fake_server import Call, fake_server, sse, streamed
from tests.support.html_page import Page
from tests.support.pictures import png
from tests.support.sample_report import HOSTILE_TEXTS
from tests.support.site import Client, site_over


def _echo(call: Call) -> str:
    return streamed(f"{call.body['model']} heard {call.prompt}")


def _slow() -> web.Response:
    """Return an answer that says a word and then nothing more."""

    async def pieces() -> AsyncIterator[bytes]:
        yield sse({"choices": [{"index": 0, "delta": {"content": "Well, "}}]}).encode()
        for _ in range(400):
            await asyncio.sleep(0.1)
            yield b":\n\n"

    return web.Response(body=pieces(), content_type="text/event-stream")


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
        cards = [e.text for e in page.elements if "answer" in e.attributes.get("class", "").split()]
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
    {"model": ""}, {"prompt": " "}, {"max_output_tokens": "0"}, {"max_output_tokens": "x"},
    {"max_output_tokens": "9" * 5000}, {"temperature": "hot"}, {"temperature": "1e999"},
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


async def test_a_conversation_goes_on_and_is_kept(tmp_path: Path) -> None:
    """The next question is sent with what was said before, also to another model; the history has it until removed."""
    async with fake_server(_echo) as server, site_over(tmp_path) as client:
        form = await _form(client, model=f"{server.url}#one", prompt="first", system="be kind")
        (answer,) = [held for kind, held in await _events(client, form) if kind == "answer"]
        number = str(answer["conversation_id"])
        form |= {"model": f"{server.url}#two", "prompt": "second", "conversation": number}
        text = await (await client.post("/ask", data=form)).text()
        assert [turn["role"] for turn in server.calls[-1].body["messages"]] == ["system", "user", "assistant", "user"]
        assert text.index("first") < text.index("one heard first") < text.index("two heard second")
        (held,) = (await (await client.get("/history.json")).json())["conversations"]
        assert (held["turns"], held["title"], "owner" in held) == (5, "first", False)
        shown = await (await client.get(f"/ask.json?conversation={number}")).json()
        assert len(shown["conversations"][0]["turns"]) == 5
        await client.post("/history/delete", data={"token": form["token"], "conversation": number})
        assert (await (await client.get("/history.json")).json())["conversations"] == []
        assert (await client.get(f"/ask?conversation={number}")).status == 404


@pytest.mark.parametrize("number", ["99", "x", "-1", "\u0661", "9" * 16])
async def test_a_conversation_that_is_none_is_told(tmp_path: Path, number: str) -> None:
    """On the page and in a form; nobody is asked."""
    async with fake_server(_echo) as server, site_over(tmp_path) as client:
        assert (await client.get("/ask", params={"conversation": number})).status in {400, 404}
        form = await _form(client, model=f"{server.url}#one", prompt="hello", conversation=number)
        answer = await client.post("/ask", data=form)
        assert answer.status == 400 or "There is no conversation" in await answer.text()
        assert server.calls == []
        for each in (number, "9" * 5000):
            gone = {"token": form["token"], "conversation": each}
            assert (await client.post("/history/delete", data=gone)).status == 404


async def test_the_stop_button_keeps_what_had_come(tmp_path: Path) -> None:
    """The server ends the asking, says so in the answer, and the conversation holds it."""
    async with fake_server(lambda call: _slow()) as server, site_over(tmp_path) as client:
        form = await _form(client, model=f"{server.url}#one", prompt="hello")
        answer = await client.post("/ask/stream", data=form)
        begun = json.loads((await answer.content.readuntil(b"\n\n")).decode().partition("data: ")[2])
        while b"event: piece" not in await answer.content.readuntil(b"\n\n"):
            pass
        assert (await client.post("/ask/stop", data={"token": "0", "asking": begun["asking"]})).status == 403
        stop = {"token": form["token"], "asking": begun["asking"]}
        assert (await client.post("/ask/stop", data=stop)).status == 204
        rest = re.findall(r"event: answer\ndata: (.*)\n\n", await answer.text())
        told = json.loads(rest[0])
        assert (told["ended"], told["error"]) == ("stopped", None)
        shown = await (await client.get(f"/ask.json?conversation={told['conversation_id']}")).json()
        assert shown["conversations"][0]["turns"][-1]["answer"]["stopped"] is True
        assert (await client.post("/ask/stop", data=stop)).status == 404


async def test_whoever_goes_away_ends_the_asking(tmp_path: Path) -> None:
    """A closed page is noticed also while nothing comes, and what had come is kept."""
    async with fake_server(lambda call: _slow()) as server, site_over(tmp_path) as client:
        form = await _form(client, model=f"{server.url}#one", prompt="hello")
        answer = await client.post("/ask/stream", data=form)
        while b"event: piece" not in await answer.content.readuntil(b"\n\n"):
            pass
        answer.close()
        for _ in range(100):
            kept = (await (await client.get("/ask.json?conversation=1")).json())["conversations"][0]["turns"]
            if len(kept) == 2:
                break
            await asyncio.sleep(0.1)
        assert kept[-1]["answer"]["stopped"] is True


async def _upload(client: Client, server_url: str, kind: str, data: bytes, prompt: str = "what is it") -> Any:
    form = aiohttp.FormData()
    for name, value in (await _form(client, model=f"{server_url}#one", prompt=prompt)).items():
        form.add_field(name, value)
    form.add_field(kind, io.BytesIO(data), filename="a <b>.bin", content_type="application/octet-stream")
    return await client.post("/ask", data=form)


async def test_pictures_and_sound_go_with_the_question(tmp_path: Path) -> None:
    """By their first bytes, whatever the browser calls them; their bytes are not put into the page."""
    async with fake_server(_echo) as server, site_over(tmp_path) as client:
        answer = await _upload(client, server.url, "image", png(80, 90))
        text = await answer.text()
        (part,) = [part for part in server.calls[0].body["messages"][0]["content"] if part["type"] == "image_url"]
        assert part["image_url"]["url"].startswith("data:image/png;base64,")
        assert "picture (image/png" in text
        assert len(text) < 30_000
        await _upload(client, server.url, "audio", b"RIFF\0\0\0\0WAVEfmt ")
        assert any(part["type"] == "input_audio" for part in server.calls[1].body["messages"][0]["content"])


@pytest.mark.parametrize(("kind", "data", "told"), [
    ("image", png(2, 2, claimed=(60_000, 60_000)), "60,000 x 60,000 pixels"),
    ("image", b"<svg onload=alert(1)>", "an SVG drawing"),
    ("audio", b"MZ\x90", "is not a WAV or MP3"),
    ("image", b"\x89PNG\r\n\x1a\n" + bytes(21 << 20), "larger than 20 MiB"),
], ids=["bomb", "script", "program", "large"])  # fmt: skip
async def test_files_that_are_none_or_too_much_ask_nobody(tmp_path: Path, kind: str, data: bytes, told: str) -> None:
    """Pictures that would fill the memory of whoever unpacks them among them."""
    async with fake_server(_echo) as server, site_over(tmp_path) as client:
        answer = await _upload(client, server.url, kind, data)
        assert answer.status == 400
        assert told in await answer.text()
        assert server.calls == []


async def test_a_form_that_is_too_large_gets_a_clear_page(tmp_path: Path) -> None:
    """With its bound, before it is read to the end."""
    async with site_over(tmp_path) as client:
        answer = await _upload(client, "http://127.0.0.1:9", "image", bytes(49 << 20))
        assert answer.status == 413
        assert "48 MiB" in await answer.text()
        plain = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await client.post("/ask/stream", data=io.BytesIO(bytes(49 << 20)), headers=plain)
        assert (answer.status, answer.content_type) == (413, "application/json")
        assert "48 MiB" in (await answer.json())["error"]["hint"]


async def test_a_form_without_files_is_short(tmp_path: Path) -> None:
    """Whoever has not signed in can send one too: it is not read to the end."""
    async with site_over(tmp_path) as client:
        form = await _form(client, look="dark", back="/" + "x" * (300 << 10))
        answer = await client.post("/look", data=form)
        assert answer.status == 413
        assert "256 KiB" in await answer.text()


async def test_a_model_calls_the_calculator(tmp_path: Path) -> None:
    """A call, its result, and the answer after it stand on the page; an unknown tool is refused."""
    async with fake_server(_calculating) as server, site_over(tmp_path) as client:
        form = await _form(client, model=f"{server.url}#one", prompt="6007 times 7?", tools="calculator")
        (answer,) = [held for kind, held in await _events(client, form) if kind == "answer"]
        assert answer["rounds"][0]["tool_calls"][0]["result"] == "42049"
        text = await (await client.get(f"/ask?conversation={answer['conversation_id']}")).text()
        assert "calls calculator" in text
        assert "42049" in text
        assert (await client.post("/ask", data=form | {"tools": "rm"})).status == 400


def _calculating(call: Call) -> str:
    if any(turn["role"] == "tool" for turn in call.body["messages"]):
        return streamed("It is 42049.")
    arguments = json.dumps({"expression": "6007*7"})
    wanted = {"index": 0, "id": "c1", "type": "function", "function": {"name": "calculator", "arguments": arguments}}
    delta = {"choices": [{"index": 0, "delta": {"role": "assistant", "tool_calls": [wanted]}, "finish_reason": None}]}
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}
    return f"data: {json.dumps(delta)}\n\ndata: {json.dumps(end)}\n\ndata: [DONE]\n\n"
