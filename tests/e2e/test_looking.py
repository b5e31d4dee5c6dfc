"""Pictures on the embedded engine as a person and as a program show them: `ask`, `chat`, the gateway, and a pull."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_talking import piped
from tests.support import pictures
from tests.support.embedded import opened, settings
from tests.support.gateway import said, site_over
from tests.support.hub_server import served_hub
from tests.support.pictures import png
from tests.support.program import fieldguide
from tests.support.range_server import RangeServer
from tests.support.tiny_gguf import tiny_gguf
from tests.support.tiny_vision import tiny_mmproj, tiny_vision_model

pytest.importorskip("xllamacpp", reason="the extra `llama-cpp` is not installed")
QUICK = ("--threads", "1", "--slots", "1", "--max-tokens", "6", "--temperature", "0")


async def test_ask_shows_several_pictures(tmp_path: Path) -> None:
    """They take tokens of the prompt, and the record of the conversation holds them."""
    model = tiny_vision_model(tmp_path)
    one, two = tmp_path / "one.png", tmp_path / "two.jpg"
    one.write_bytes(png(30, 20))
    two.write_bytes(pictures.JPEG)
    blind = await fieldguide("ask", model, "which is it?", *QUICK, "--json")
    sees = await fieldguide("ask", model, "which is it?", "--image", one, "--image", two, *QUICK, "--json")
    assert sees.code == 0, sees.err
    assert sees.json["usage"]["input_tokens"] > blind.json["usage"]["input_tokens"]
    assert sees.json["usage"]["output_tokens"] == 6


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("bomb.png", png(2, 2, claimed=(60_000, 60_000)), "claims 60,000 x 60,000 pixels"),
        ("lying.jpg", pictures.turned_jpeg(6), "Exif orientation 6"),
    ],
)
async def test_a_bad_picture_gets_a_sentence(name: str, data: bytes, told: str, tmp_path: Path) -> None:
    """Exit code 2, what it is, and what to do."""
    model = tiny_vision_model(tmp_path)
    (tmp_path / name).write_bytes(data)
    ran = await fieldguide("ask", model, "what?", "--image", tmp_path / name, *QUICK, "--json")
    assert ran.code == 2
    assert told in ran.json["error"]["message"]
    assert ran.json["error"]["hint"]
    assert "Traceback" not in ran.err


async def test_an_address_is_fetched_only_where_that_is_allowed(tmp_path: Path) -> None:
    """Nothing is asked of the network before; then the picture is looked over like any other."""
    model = tiny_vision_model(tmp_path)
    with RangeServer({"/a.png": png(12, 12), "/b.png": b"<html>"}) as running:
        url = running.origin
        refused = await fieldguide("ask", model, "what?", "--image", f"{url}/a.png", *QUICK, "--json")
        assert (refused.code, running.asked) == (2, [])
        assert "fetch_images=yes" in refused.json["error"]["hint"]
        allowed = (*QUICK, "--option", "llama.cpp:fetch_images=yes", "--json")
        ran = await fieldguide("ask", model, "what?", "--image", f"{url}/a.png", *allowed)
        assert ran.code == 0, ran.err
        for name, told in (("b.png", "no picture that is known"), ("gone.png", "status 404")):
            wrong = await fieldguide("ask", model, "what?", "--image", f"{url}/{name}", *allowed)
            assert (wrong.code, wrong.json["error"]["type"]) == (1, "InvalidRequestError")
            assert told in wrong.json["error"]["message"]


async def test_a_chat_shows_what_is_attached(tmp_path: Path) -> None:
    """With the next message; a file that is no picture is told and the chat goes on."""
    model = tiny_vision_model(tmp_path)
    (tmp_path / "p.png").write_bytes(png(20, 10))
    (tmp_path / "no.png").write_bytes(pictures.SVG)
    typed = f"/image {tmp_path}/no.png\n/image {tmp_path}/p.png\nwhat is it?\nand now?\n"
    ran = await piped(typed, "chat", model, *QUICK, "--json")
    assert "an SVG drawing" in ran.err
    asked = [turn["message"]["content"] for turn in ran.json["turns"] if turn["message"]["role"] == "user"]
    assert [block["type"] for block in asked[0]] == ["image", "text"]
    assert len(ran.json["turns"]) == 4


async def test_a_text_model_asked_to_look_says_so(tmp_path: Path) -> None:
    """Before anything is sent; a program reads the same."""
    (tmp_path / "p.png").write_bytes(png(4, 4))
    model = tiny_gguf(tmp_path / "t.gguf")
    ran = await fieldguide("ask", model, "what?", "--image", tmp_path / "p.png", *QUICK, "--json")
    assert (ran.code, ran.json["error"]["type"]) == (2, "UnsupportedError")
    assert "mmproj" in ran.json["error"]["hint"]


async def test_a_model_pulled_from_a_hub_brings_its_projector_and_sees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`pull` of a file brings the projector of the repository, `list` counts both, and `ask` looks with it."""
    pytest.importorskip("huggingface_hub")
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    for variable in ("HF_HOME", "HF_HUB_CACHE", "HF_TOKEN", "OLLAMA_MODELS", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    made = tmp_path / "made"
    made.mkdir()
    files = {
        "Tiny-VL-Q8_0.gguf": tiny_vision_model(made).read_bytes(),
        "Tiny-VL-Q4_K_M.gguf": tiny_vision_model(made).read_bytes(),
        "mmproj-Tiny-VL-f16.gguf": (made / "mmproj-tiny.gguf").read_bytes(),
        "mmproj-Other-f16.gguf": tiny_mmproj(made / "x.gguf").read_bytes(),
    }
    (tmp_path / "p.png").write_bytes(png(30, 30))
    with served_hub(files, card={"license": "mit"}) as (address, _):
        monkeypatch.setenv("HF_ENDPOINT", address)
        pulled = await fieldguide("pull", "hf:owner/model#*q8_0.gguf", "--yes", "--json")
        assert pulled.code == 0, pulled.err
    assert pulled.json["size_bytes"] == len(files["Tiny-VL-Q8_0.gguf"]) + len(files["mmproj-Tiny-VL-f16.gguf"])
    ran = await fieldguide("ask", "hf:owner/model#*q8_0.gguf", "what?", "--image", tmp_path / "p.png", *QUICK, "--json")
    assert ran.code == 0, ran.out
    assert (await fieldguide("verify", "--json")).code == 0
    assert (await fieldguide("remove", "tiny-vl-q8_0", "--json")).json["freed_bytes"] == pulled.json["size_bytes"]


async def test_the_gateway_shows_pictures_to_the_model(tmp_path: Path) -> None:
    """OpenAI's and Anthropic's forms; an address and a broken picture are the client's mistakes, and say so."""
    model = tiny_vision_model(tmp_path)
    data = base64.b64encode(png(20, 20)).decode()
    async with opened(model, settings(tmp_path, slots="1")) as runner, site_over(tmp_path, {"eyes": runner}) as site:

        async def chat(url: str) -> Any:
            parts = [{"type": "text", "text": "what?"}, {"type": "image_url", "image_url": {"url": url}}]
            body = {"model": "eyes", "max_tokens": 5, "messages": [{"role": "user", "content": parts}]}
            return await said(site, "/v1/chat/completions", body)

        answered = await chat(f"data:image/png;base64,{data}")
        assert answered.status == 200, answered.body
        assert answered.json["usage"]["prompt_tokens"] > 10
        for url in ("https://example.org/a.png", f"data:image/png;base64,{data[:60]}", "file:///etc/passwd"):
            wrong = await chat(url)
            assert wrong.status == 400, wrong.body
            assert wrong.json["error"]["message"]
        source = {"type": "base64", "media_type": "image/png", "data": data}
        parts = [{"type": "image", "source": source}, {"type": "text", "text": "what?"}]
        body = {"model": "eyes", "max_tokens": 5, "messages": [{"role": "user", "content": parts}]}
        messages = await said(site, "/v1/messages", body)
        assert messages.status == 200, messages.body
        assert messages.json["usage"]["output_tokens"] == 5
