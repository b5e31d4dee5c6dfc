"""`find` and `show` as a person and as a program call them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.fake_hubs import served_hubs
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


async def test_a_live_search_adds_what_the_hubs_have_and_marks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Size and quantization come from the name, the licence only from a tag that is known here."""
    pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed (extra `hub`)")
    pytest.importorskip("modelscope_hub", reason="modelscope-hub is not installed (extra `modelscope`)")
    with served_hubs() as (url, _):
        monkeypatch.setenv("FIELDGUIDE_HUGGINGFACE_ENDPOINT", url)
        monkeypatch.setenv("FIELDGUIDE_MODELSCOPE_ENDPOINT", url)
        found = await _json("find", "qwen2.5", "7b", "--live")
        small = await _json("find", "qwen2.5", "7b", "--live", "--max-parameters", "1B")
        seen = await fieldguide("find", "qwen2.5", "7b", "--live")
    live = {(model["places"][0]["hub"], model["name"]): model for model in found["models"] if model["live"]}
    packed = live["hf", "Qwen/Qwen2.5-7B-Instruct-GGUF"]
    assert (packed["same_as"], packed["parameters"], packed["format"]) == ("qwen2.5-7b-instruct", 7_000_000_000, "GGUF")
    assert (packed["licence"], packed["commercial_use"]) == ("apache-2.0", "yes")
    derived = live["hf", "someone/Llama-3.1-8B-Instruct-abliterated"]
    assert (derived["same_as"], derived["licence"]) == (None, "llama-3.1-community")
    assert live["modelscope", "Qwen/Qwen2.5-7B-Instruct"]["same_as"] == "qwen2.5-7b-instruct"
    assert found["live"] == {"total": 3, "note": None}
    assert any(not model["live"] for model in found["models"])
    assert small["live"]["total"] == 0
    assert "(live)" in seen.out


async def test_without_a_network_the_local_answer_stands_with_one_note(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost, and standard output stays as it was."""
    monkeypatch.setenv("FIELDGUIDE_HUGGINGFACE_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("FIELDGUIDE_MODELSCOPE_ENDPOINT", "http://127.0.0.1:9")
    plain = await fieldguide("find", "qwen2.5", "7b")
    live = await fieldguide("find", "qwen2.5", "7b", "--live")
    assert live.code == 0
    assert live.out == plain.out
    assert sum("Not searched live" in line for line in live.err.splitlines()) == 1


async def test_every_command_takes_any_name_of_a_model() -> None:
    """A repack's, an alias's; a bare name is called at Ollama, and where there is none it says so."""
    shown = await _json("show", "unsloth/Llama-3.2-1B-Instruct-bnb-4bit")
    assert (shown["name"], shown["what"]) == ("llama-3.2-1b-instruct", "model")
    assert "gpt-4o-2024-08-06" in (await _json("show", "gpt-4o"))["note"]
    claims = await _json("claims", "Qwen/Qwen2.5-7B-Instruct-GGUF:Q4_K_M")
    assert {"qwen2.5-report"} <= {claim["collection"] for claim in claims["claims"]}
    for name in ("Qwen2.5-7B-Instruct", "qwen2.5:7b-instruct-q4_K_M"):
        error = (await _json("ask", name, "hi", code=1))["error"]
        assert error["type"] == "RunnerUnavailableError"
        assert "11434" in error["message"]
    error = (await _json("ask", "Qwen2.5-7B", "hi", code=2))["error"]
    assert "hf:Qwen/Qwen2.5-7B" in error["hint"]
    assert "fieldguide pull qwen2.5-7b" in error["hint"]
    error = (await _json("ask", "nosuch:thing", "hi", code=2))["error"]
    assert "provider" in error["message"]
    error = (await _json("ask", "qwen2.5", "hi", code=2))["error"]
    assert "qwen2.5-0.5b-instruct" in error["hint"]


async def test_a_limit_below_one_and_an_unknown_place_are_named() -> None:
    """Both are wrong use, and nothing is said to be missing from the catalogue."""
    limited = await _json("find", "qwen", "--limit", "0", code=2)
    assert "--limit" in limited["error"]["message"]
    somewhere = await _json("find", "--at", "nowhere", code=2)
    assert "no place named 'nowhere'" in somewhere["error"]["message"]


async def test_the_page_of_a_hosted_model_says_what_it_costs() -> None:
    """Input and output per million tokens, and who takes that."""
    (meaning,) = (await _json("show", "gpt-4o-2024-11-20"))["sizes_explained"]["meanings"]
    assert meaning["price"]["input_usd_per_mtok"] == 2.5
    assert meaning["price"]["output_usd_per_mtok"] == 10
    assert meaning["price"]["provider"] in {"openai", "azure"}
