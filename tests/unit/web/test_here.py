"""Models here: fetched with progress, checked, loaded and removed from the page; every step asks before it acts."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fieldguide.app.models_here import free_memory_bytes
from tests.support.hub_server import served_hub
from tests.support.site import Client, site_over
from tests.support.tiny_gguf import tiny_gguf

REFERENCE = "hf:owner/model#*q4_k_m.gguf"
NAME = "tiny-q4_k_m"


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The surroundings of a program whose hub is one of ours, with one small model that really loads."""
    pytest.importorskip("huggingface_hub")
    files = {"Tiny-Q4_K_M.gguf": tiny_gguf(tmp_path / "small.gguf").read_bytes()}
    with served_hub(files, card={"license": "mit"}) as (address, _):
        yield {"HF_ENDPOINT": address, "HOME": str(tmp_path / "user"), "PATH": os.environ["PATH"]}


async def _post(client: Client, path: str, **fields: str) -> Any:
    found = re.search(r'name="token" value="([0-9a-f]{64})"', await (await client.get("/cost")).text())
    assert found is not None
    return await client.post(path, data={"token": found[1], **fields}, allow_redirects=False)


async def _ended(client: Client, path: str) -> dict[str, Any]:
    for _ in range(600):
        context: dict[str, Any] = await (await client.get(f"{path}.json")).json()
        if context["work"]["state"] != "running":
            return context
        await asyncio.sleep(0.1)
    raise AssertionError("it goes on and on")


async def test_a_model_is_fetched_checked_and_removed(tmp_path: Path, environment: dict[str, str]) -> None:
    """What would come is shown first; the work tells what came; removing asks again."""
    async with site_over(tmp_path / "home", environment) as client:
        preview = (await (await client.get("/here/fetch.json", params={"model": REFERENCE})).json())["preview"]
        assert (preview["name"], preview["missing_bytes"] > 0, preview["must_accept"]) == (NAME, True, False)
        assert (await (await client.get("/here.json")).json())["models"] == []
        answer = await _post(client, "/here/fetch", model=REFERENCE)
        ended = await _ended(client, answer.headers["Location"])
        assert (ended["work"]["state"], ended["result"]["model"]["name"]) == ("finished", NAME)
        assert ended["progress"][0]["preview"]["missing_bytes"] == preview["missing_bytes"]
        (model,) = (await (await client.get("/here.json")).json())["models"]
        assert (model["quantization"], model["licence"], model["loaded"]) == ("Q4_K_M", "mit", None)
        ended = await _ended(client, (await _post(client, "/here/verify", model=NAME)).headers["Location"])
        assert [each["intact"] for each in ended["result"]["checked"]] == [True]
        asked = await (await client.get("/here/remove", params={"model": NAME})).text()
        assert "Remove it" in asked
        assert (await client.get("/here/load.json", params={"model": NAME})).status == 200
        await _post(client, "/here/remove", model=NAME)
        assert (await (await client.get("/here.json")).json())["models"] == []
        assert (await client.get("/here/remove", params={"model": NAME})).status == 404


async def test_damage_is_found_and_told(tmp_path: Path, environment: dict[str, str]) -> None:
    """A byte that has changed; the page of the check says what to do."""
    async with site_over(tmp_path / "home", environment) as client:
        answer = await _post(client, "/here/fetch", model=REFERENCE)
        ended = await _ended(client, answer.headers["Location"])
        place = Path(ended["result"]["model"]["path"])
        place.write_bytes(place.read_bytes()[:-1] + b"\x55")
        answer = await _post(client, "/here/verify")
        (checked,) = (await _ended(client, answer.headers["Location"]))["result"]["checked"]
        assert (checked["intact"], checked["error"]["type"]) == (False, "IntegrityError")
        assert "not what came" in await (await client.get(answer.headers["Location"])).text()


async def test_an_interrupted_fetch_is_offered_to_go_on(tmp_path: Path) -> None:
    """With what it has left on the disk."""
    folder = tmp_path / "downloads" / "some-model"
    folder.mkdir(parents=True)
    (folder / "order.json").write_text(json.dumps({"reference": "hf:a/b@c#d.gguf", "keys": ["f" * 64]}))
    (tmp_path / "downloads" / "blobs").mkdir()
    (tmp_path / "downloads" / "blobs" / ("f" * 64)).write_bytes(b"x" * 9000)
    async with site_over(tmp_path) as client:
        (held,) = (await (await client.get("/here.json")).json())["unfinished"]
        assert held["reference"] == "hf:a/b@c#d.gguf"
        assert held["here_bytes"] >= 9000
        page = await (await client.get("/here")).text()
        assert "Go on" in page
        await _post(client, "/here/remove", model="some-model")
        assert (await (await client.get("/here.json")).json())["unfinished"] == []


@pytest.mark.parametrize(("path", "fields", "status"), [
    ("/here/fetch", {"model": ""}, 400),
    ("/here/fetch", {"model": "no-such-model-anywhere"}, 404),
    ("/here/fetch", {"model": "gemma3-270m"}, 400),
    ("/here/verify", {"model": "vanished"}, 404),
    ("/here/remove", {"model": "../../etc"}, 404),
    ("/here/load", {"model": "vanished"}, 400),
])  # fmt: skip
async def test_what_cannot_be_done_is_told(tmp_path: Path, path: str, fields: dict[str, str], status: int) -> None:
    """Unknown and vanished models, and terms that nobody accepted; nothing is begun."""
    async with site_over(tmp_path) as client:
        answer = await _post(client, path, **fields)
        assert answer.status == status, await answer.text()
        assert "Something unforeseen" not in await answer.text()
        assert (await (await client.get("/here.json")).json())["works"] == []


async def test_a_damaged_record_is_told_on_the_page(tmp_path: Path) -> None:
    """With how to mend it; the page stands."""
    (tmp_path / "models" / "manifests").mkdir(parents=True)
    (tmp_path / "models" / "manifests" / "broken.json").write_text("{")
    async with site_over(tmp_path) as client:
        fault = (await (await client.get("/here.json")).json())["fault"]
        assert "broken" in fault["hint"]
        assert (await client.get("/here")).status == 200


def test_free_memory_is_the_lesser_of_machine_and_container(tmp_path: Path) -> None:
    """What is not told is not guessed."""
    assert free_memory_bytes(proc=tmp_path, cgroup=tmp_path) is None
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable: 5 kB\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory_bytes(proc=tmp_path, cgroup=tmp_path) == 5120
    (tmp_path / "memory.max").write_text("4096\n")
    (tmp_path / "memory.current").write_text("1096\n")
    assert free_memory_bytes(proc=tmp_path, cgroup=tmp_path) == 3000
