"""`catalogue refresh` against servers that tell the truth and servers that lie; the old data survive all of them."""

from __future__ import annotations

import copy
import gzip
import os
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from fieldguide.app.refresh import refresh_prices
from fieldguide.app.wiring import open_house
from fieldguide.errors import SourceError
from tests.support.price_lists import ListServer, Respond, genai_list, list_server, models_dev_list, sending
from tests.support.program import Ran, fieldguide

pytest.importorskip("genai_prices", reason="needs the extra `prices`")


@pytest.fixture(scope="module")
def genai() -> list[dict[str, Any]]:
    """A list as it is sent."""
    return genai_list()


@pytest.fixture(scope="module")
def modelsdev(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A list as it is sent."""
    return models_dev_list(tmp_path_factory.mktemp("home"))


@pytest.fixture
def home() -> Path:
    """The user folder of the test."""
    return Path(os.environ["FIELDGUIDE_HOME"])


async def _refresh(server: ListServer, monkeypatch: pytest.MonkeyPatch) -> Ran:
    server.environment(monkeypatch.setenv)
    return await fieldguide("catalogue", "refresh", "--json")


async def _gpt_4o() -> dict[str, Any]:
    ran = await fieldguide("cost", "openai:gpt-4o", "--input-tokens", "1000000", "--json")
    row: dict[str, Any] = ran.json["models"][0]
    return row


def _dearer(genai: list[dict[str, Any]], factor: float, *models: str) -> list[dict[str, Any]]:
    """Return the list with all prices of OpenAI's models multiplied, or those of some."""
    made = copy.deepcopy(genai)
    openai = next(provider for provider in made if provider["id"] == "openai")
    for model in openai["models"]:
        for each in model["prices"] if isinstance(model["prices"], list) else [model]:
            if not models or model["id"] in models:
                for key, price in each["prices"].items():
                    each["prices"][key] = price * factor if isinstance(price, float) else price
    return made


async def test_newer_prices_are_used_and_named(
    genai: list[dict[str, Any]], modelsdev: dict[str, Any], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A changed price is told with old and new, a new provider too; `cost` names the refreshed source and its day."""
    newer = copy.deepcopy(modelsdev)
    newer["brandnew"] = {"models": {"x-1": {"cost": {"input": 1.5, "output": 2}}}}
    del newer["deepinfra"]
    assert (await _gpt_4o())["total_usd"] == 2.5
    async with list_server(genai=sending(_dearer(genai, 2.0, "gpt-4o")), modelsdev=sending(newer)) as server:
        ran = await _refresh(server, monkeypatch)
        assert ran.code == 0, ran.err
        by_source = {each["source"]: each for each in ran.json["sources"]}
        changed = {(each["model"], each["unit"]): each for each in by_source["genai-prices"]["changed"]}
        assert (changed["gpt-4o", "input_tokens"]["old"], changed["gpt-4o", "input_tokens"]["new"]) == (2.5, 5.0)
        assert by_source["genai-prices"]["new"] == by_source["genai-prices"]["removed"] == []
        assert by_source["models.dev"]["new_providers"] == ["brandnew"]
        assert {each["provider"] for each in by_source["models.dev"]["removed"]} == {"deepinfra"}

        row = await _gpt_4o()
        assert row["total_usd"] == 5.0
        used = next(each for each in row["sources"] if each["used"])
        assert used["source"] == "genai-prices"
        assert used["read"] == by_source["genai-prices"]["read"]
        assert row["disagree"]

        shown = await fieldguide("catalogue", "--json")
        assert {each["source"]: each["refreshed"] for each in shown.json["prices"]} == {
            "fieldguide model-studio": False,
            "genai-prices": True,
            "litellm 1.109.1": False,
            "models.dev": True,
        }

        again = await _refresh(server, monkeypatch)
        assert [each["status"] for each in again.json["sources"]] == ["unchanged", "unchanged"]
        assert [tag for _, tag in server.asked[-2:]] == ['"one"', '"one"']


def _html(request: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>sign in to the hotel's network</html>", content_type="text/html")


def _elsewhere(request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("/modelsdev")


def _huge(request: web.Request) -> web.StreamResponse:
    return web.Response(body=gzip.compress(b" " * 40_000_000), headers={"Content-Encoding": "gzip"})


def _status(status: int) -> Respond:
    return lambda request: web.Response(status=status, text="no")


def _text(text: str) -> Respond:
    return lambda request: web.Response(text=text)


LIES: dict[str, Respond] = {
    "html": _html,
    "elsewhere": _elsewhere,
    "huge": _huge,
    "not there": _status(404),
    "broken": _status(500),
    "304 unasked": _status(304),
    "empty": _text(""),
    "an empty list": _text("[]"),
    "another shape": _text('{"error": "none"}'),
    "half": _text('[{"id": "openai", "models": [{"id": "gpt-4o", "ma'),
    "few": _text('[{"id":"o","models":[{"id":"m","match":{"equals":"m"},"prices":{"input_mtok":1}}]}]'),
    "deep": _text("[" * 100_000),
    "not a number": _text('[{"id":"o","models":[{"id":"m","match":{"equals":"m"},"prices":{"input_mtok":NaN}}]}]'),
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_lie_changes_nothing(lie: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both addresses lie: each is an error with a next step, and no file is left."""
    async with list_server(genai=LIES[lie], modelsdev=LIES[lie]) as server:
        server.environment(monkeypatch.setenv)
        house = open_house({})
        done = await refresh_prices(house)
        await house.close()
    assert len(done) == 2
    for each in done:
        assert each.changed is None
        assert isinstance(each.error, SourceError)
        assert "still in use" in str(each.error.hint)
        assert each.listings is not None
        assert each.listings > 2000
    assert not list(home.glob("prices/*.gz"))


@pytest.mark.parametrize("factor", [1e6, 1e-6, 50.0])
async def test_prices_that_have_all_jumped_are_refused(
    factor: float, genai: list[dict[str, Any]], modelsdev: dict[str, Any], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Per token instead of per million; the other source is refreshed all the same, and the exit code says 1."""
    odd = _dearer(genai, factor)
    async with list_server(genai=sending(odd), modelsdev=sending(modelsdev)) as server:
        ran = await _refresh(server, monkeypatch)
    assert ran.code == 1
    by_source = {each["source"]: each for each in ran.json["sources"]}
    assert by_source["genai-prices"]["status"] == "failed"
    assert "not used" in by_source["genai-prices"]["error"]["message"]
    assert by_source["models.dev"]["status"] == "updated"
    assert [path.name for path in home.glob("prices/*.gz")] == ["models.dev.jsonl.gz"]
    assert (await _gpt_4o())["total_usd"] == 2.5


async def test_an_answer_that_breaks_off_changes_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection ends in the middle."""
    async with list_server() as server:
        monkeypatch.setenv("FIELDGUIDE_GENAI_PRICES_URL", f"{server.url}/cut")
        monkeypatch.setenv("FIELDGUIDE_MODELS_DEV_URL", f"{server.url}/cut")
        ran = await fieldguide("catalogue", "refresh", "--json")
    assert ran.code == 1
    assert ran.json["error"]["type"] == "OfflineError"
    assert ran.json["error"]["retryable"]


async def test_without_a_network_everything_still_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens there."""
    monkeypatch.setenv("FIELDGUIDE_GENAI_PRICES_URL", "http://127.0.0.1:9/genai")
    monkeypatch.setenv("FIELDGUIDE_MODELS_DEV_URL", "http://127.0.0.1:9/modelsdev")
    ran = await fieldguide("catalogue", "refresh", "--json")
    assert ran.code == 1
    assert ran.json["error"]["type"] == "OfflineError"
    assert (await _gpt_4o())["total_usd"] == 2.5


async def test_a_folder_that_cannot_be_written_to_keeps_what_is_there(
    genai: list[dict[str, Any]], modelsdev: dict[str, Any], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file lies where the folder should be."""
    home.mkdir()
    (home / "prices").write_text("in the way")
    async with list_server(genai=sending(genai), modelsdev=sending(modelsdev)) as server:
        ran = await _refresh(server, monkeypatch)
    assert ran.code == 1
    assert "cannot be used" in ran.json["error"]["message"]
    assert (await _gpt_4o())["total_usd"] == 2.5


async def test_a_spoiled_refreshed_file_gives_way_to_what_was_shipped(
    genai: list[dict[str, Any]], modelsdev: dict[str, Any], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a warning, and the next refresh mends it without trusting its tag."""
    async with list_server(genai=sending(genai), modelsdev=sending(modelsdev)) as server:
        assert (await _refresh(server, monkeypatch)).code == 0
        path = home / "prices" / "genai-prices.jsonl.gz"
        path.write_bytes(path.read_bytes()[:1000])
        ran = await fieldguide("cost", "openai:gpt-4o", "--input-tokens", "1000000", "--json")
        assert ran.json["models"][0]["total_usd"] == 2.5
        assert any("refresh" in warning for warning in ran.json["warnings"])
        mended = await _refresh(server, monkeypatch)
        assert {each["source"]: each["status"] for each in mended.json["sources"]} == {
            "genai-prices": "updated",
            "models.dev": "unchanged",
        }
