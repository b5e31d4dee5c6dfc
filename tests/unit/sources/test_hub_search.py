"""Searching the hubs through their own clients, against servers on loopback that answer in the hubs' form."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from fieldguide.errors import OfflineError
from fieldguide.sources.hub_search import search_hub
from tests.support.fake_hubs import FakeHub, served_hubs
from tests.support.shared import shared


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, type[FakeHub]]]:
    pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed (extra `hub`)")
    pytest.importorskip("modelscope_hub", reason="modelscope-hub is not installed (extra `modelscope`)")
    monkeypatch.setenv("HOME", str(tmp_path))
    with served_hubs() as served:
        yield served


def test_hugging_face_rows_carry_what_the_hub_lists(hub: tuple[str, type[FakeHub]]) -> None:
    """The licence tag is taken from the tags; a gate that opens by itself is a gate."""
    url, handler = hub
    first, second = search_hub("hf", "qwen2.5 7b", most=5, wait_s=20, endpoint=url)
    assert (first.id, first.licence_tag, first.downloads) == ("Qwen/Qwen2.5-7B-Instruct-GGUF", "apache-2.0", 51234)
    assert (first.updated, first.task, first.gated) == (date(2024, 9, 20), "text-generation", False)
    assert (second.licence_tag, second.task, second.gated) == ("llama3.1", None, True)
    assert handler.asked[0]["search"] == ["qwen2.5 7b"]
    assert handler.asked[0]["limit"] == ["5"]


def test_modelscope_rows_carry_what_the_hub_lists(hub: tuple[str, type[FakeHub]]) -> None:
    """Through its own client and envelope."""
    url, handler = hub
    (row,) = search_hub("modelscope", "qwen2.5", most=5, wait_s=20, endpoint=url)
    assert (row.hub, row.id, row.licence_tag) == ("modelscope", "Qwen/Qwen2.5-7B-Instruct", "apache-2.0")
    assert (row.updated, row.task, row.downloads) == (date(2025, 2, 3), "text-generation", 900)
    assert handler.asked[0]["search"] == ["qwen2.5"]


@pytest.mark.parametrize("name", ["hf", "modelscope"])
def test_a_hub_that_is_away_slow_or_refuses_is_an_error_in_time(hub: tuple[str, type[FakeHub]], name: str) -> None:
    """Whatever its client would try on its own."""
    url, handler = hub
    with pytest.raises(OfflineError, match="cannot be reached"):
        search_hub(name, "x", most=5, wait_s=20, endpoint="http://127.0.0.1:9")
    handler.status = 403
    with pytest.raises(OfflineError, match="could not be searched"):
        search_hub(name, "x", most=5, wait_s=20, endpoint=url)
    handler.status, handler.wait_s = 200, 1.0
    with pytest.raises(OfflineError, match=r"within 0\.2 s"):
        search_hub(name, "x", most=5, wait_s=0.2, endpoint=url)


def test_rows_that_hugging_face_once_sent_are_read(hub: tuple[str, type[FakeHub]]) -> None:
    """Recorded ones, which have only the fields that were asked for then: what is missing is unknown."""
    url, handler = hub
    with gzip.open(shared("recordings", "huggingface", "hub.jsonl.gz"), "rt", encoding="utf-8") as lines:
        exchanges = [json.loads(line) for line in lines]
    sent = [json.loads(each["response"]["body"]) for each in exchanges if "/api/models/" in each["request"]["url"]]
    handler.rows = sent
    found = search_hub("hf", "x", most=9, wait_s=20, endpoint=url)
    assert [each.id for each in found] == [row["id"] for row in sent]
    assert {each.downloads for each in found} == {None}
    assert all(each.task for each in found)
