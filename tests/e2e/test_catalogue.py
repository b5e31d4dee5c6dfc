"""`find` and `show` as a person and as a program call them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.program import fieldguide


async def _json(*arguments: str, code: int = 0) -> dict[str, Any]:
    ran = await fieldguide(*arguments, "--json")
    assert ran.code == code, ran.err
    value: dict[str, Any] = json.loads(ran.out)
    return value


async def test_find_answers_words_and_facets() -> None:
    """Small code models for commercial use on Ollama: no research licence, nothing larger than was asked for."""
    found = await _json(
        *("find", "qwen2.5", "--kind", "code", "--max-parameters", "8B", "--licence", "commercial", "--at", "ollama")
    )
    names = {model["name"] for model in found["models"]}
    assert "qwen2.5-coder-7b-instruct" in names
    assert "qwen2.5-coder-3b-instruct" not in names
    assert all(model["parameters"] <= 8e9 for model in found["models"])
    assert found["total"] == len(names)


async def test_find_by_modality_looks_at_the_member_and_not_only_at_its_family() -> None:
    """The two smallest Gemma 3 read text alone."""
    found = await _json("find", "gemma", "3", "--modality", "image", "--kind", "vision-language")
    names = {model["name"] for model in found["models"]}
    assert "gemma-3-4b-it" in names
    assert not names & {"gemma-3-270m", "gemma-3-1b-it"}


async def test_unknown_terms_are_left_out_of_commercial_and_told() -> None:
    """Terms of an API were not read: neither yes nor no."""
    found = await _json("find", "gpt-4o", "--licence", "commercial")
    assert found["models"] == []
    assert found["left_out"]["unknown_licence"] > 0


async def test_a_miss_gives_the_nearest_names() -> None:
    """Of find as of show."""
    assert "qwq-32b" in (await _json("find", "qwqq-32b"))["nearest"]
    error = (await _json("show", "qwen2.5-7b-instrct", code=2))["error"]
    assert error["type"] == "UnknownNameError"
    assert "qwen2.5-7b-instruct" in error["hint"]
    error = (await _json("find", "--kind", "coding", code=2))["error"]
    assert "code" in error["hint"]


async def test_show_gives_every_fact_with_source_and_day() -> None:
    """One model: count, shape, context, licence and places."""
    shown = await _json("show", "qwen2.5-72b-instruct")
    (size,) = shown["sizes"]
    (member,) = size["members"]
    assert size["parameters"]["value"] == 72_706_203_648
    assert size["architecture"]["value"]["kv_heads"] == 8
    assert size["licence"]["commercial_use"] == "with-conditions"
    assert "100 million monthly active users" in size["licence"]["threshold"]
    assert [rule["id"] for rule in size["training_compute"]["rules"]][:1] == ["eu-gpai-guidelines-criterion"]
    assert member["context_length"]["value"] == 32_768
    assert {place["hub"] for place in member["places"]} >= {"hf", "modelscope", "ollama", "model-studio"}
    facts = (shown["publisher"], size["parameters"], size["architecture"], member["context_length"])
    assert all(fact["source"] and fact["as_of"] for fact in facts)
    assert "German" in shown["languages"]["value"]
    assert member["extended_context_length"]["value"] == 131_072
    assert member["hosted_only"] is False
    assert (await _json("show", "starcoder2-15b"))["languages"] is None


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("Qwen/Qwen2.5-7B-Instruct", "qwen2.5-7b-instruct"),
        ("qwen2.5:7b", "qwen2.5-7b-instruct"),
        ("SmolLM2-135M-Instruct", "smollm2-135m-instruct"),
        ("gemma3-270m", "gemma-3-270m"),
        ("meta.llama3-1-8b-instruct-v1:0", "llama-3.1-8b-instruct"),
    ],
)
async def test_show_knows_a_model_by_its_names_elsewhere(name: str, model: str) -> None:
    """At hubs, at Ollama, in clouds, and under the name that `pull` takes."""
    assert (await _json("show", name))["name"] == model


async def test_the_pages_read_well() -> None:
    """A family with its sizes, its licences and its sources; what `pull` can fetch says so."""
    ran = await fieldguide("show", "qwen2.5")
    assert ran.code == 0
    assert "32B to 72B" in ran.out
    assert "commercial use: no" in ran.out
    assert "not legal advice" in ran.out
    assert "72,706,203,648" in ran.out
    ran = await fieldguide("show", "smollm2-135m-instruct")
    assert "fieldguide pull smollm2-135m-instruct" in ran.out
    ran = await fieldguide("find", "mixtral")
    assert "12.9B active" in ran.out
