"""`cost` as a person and as a program call it."""

from __future__ import annotations

import resource
from typing import Any

import pytest

from tests.support.fake_server import chat, fake_server
from tests.support.program import Ran, fieldguide

pytest.importorskip("genai_prices", reason="needs the extra `prices`")

KEYS = {
    "model", "provider", "provider_model", "total_usd", "low_usd", "high_usd", "per_request_usd", "currency",
    "breakdown", "sources", "valid_from", "notes",
}  # fmt: skip


async def _rows(*arguments: str) -> list[dict[str, Any]]:
    ran = await fieldguide("cost", *arguments, "--json")
    assert ran.code == 0, ran.err
    rows: list[dict[str, Any]] = ran.json["models"]
    assert all(row.keys() >= KEYS for row in rows)
    return rows


async def _error(*arguments: str) -> dict[str, Any]:
    ran: Ran = await fieldguide("cost", *arguments, "--json")
    assert ran.code == 2, ran.out
    error: dict[str, Any] = ran.json["error"]
    assert error["hint"]
    return error


async def test_a_workload_is_priced_at_every_provider_the_cheapest_first() -> None:
    """By hand: 1,000 requests of 2,000 tokens at $2.50 and 500 at $10 a million are $10.00."""
    rows = await _rows("gpt-4o", "--input-tokens", "2000", "--output-tokens", "500", "--requests", "1000")
    by_provider = {row["provider"]: row for row in rows}
    row = by_provider["openai"]
    assert (row["total_usd"], row["per_request_usd"], row["currency"]) == (10, 0.01, "USD")
    assert sum(line["total"] for line in row["breakdown"]) == pytest.approx(10)
    assert {line["unit"]: (line["count"], line["price"]) for line in row["breakdown"]} == {
        "input_tokens": (2000, 2.5),
        "output_tokens": (500, 10),
    }
    assert len([source for source in row["sources"] if source["used"]]) == 1
    assert len(row["sources"]) == 3
    assert len(by_provider) > 5
    paid = [row["total_usd"] for row in rows if row["total_usd"]]
    assert paid == sorted(paid)


async def test_cached_tokens_and_batch_make_it_cheaper() -> None:
    """Claude Sonnet 4.5 at Anthropic: 9,000 of 10,000 tokens at a tenth of the price; half of it as a batch."""
    usual = ("anthropic:claude-sonnet-4-5", "--input-tokens", "10000", "--output-tokens", "100")
    plain, cached, batch, written = [
        (await _rows(*usual, *more))[0]["per_request_usd"]
        for more in ((), ("--cached-tokens", "9000"), ("--batch",), ("--cache-write-tokens", "9000"))
    ]
    assert plain == pytest.approx(10_000 * 3e-6 + 100 * 15e-6)
    assert cached == pytest.approx(1_000 * 3e-6 + 9_000 * 0.3e-6 + 100 * 15e-6)
    assert batch == pytest.approx(plain / 2)
    assert written == pytest.approx(1_000 * 3e-6 + 9_000 * 3.75e-6 + 100 * 15e-6)


async def test_a_price_is_that_of_the_day() -> None:
    """Model Studio's qwen-max in December 2024, in April 2025 and between the two, where nobody knows."""
    asked = ("qwen-max", "--provider", "model-studio", "--input-tokens", "1000000")
    (then,), (later,) = [await _rows(*asked, "--at", day) for day in ("2024-12-01", "2025-04-10")]
    assert (then["total_usd"], then["valid_from"]) == (10, "2024-11-27")
    assert later["total_usd"] == 1.6
    (between,) = await _rows(*asked, "--at", "2025-02-01")
    assert any("not known" in note for note in between["notes"])


async def test_tiers_follow_the_size_of_one_request() -> None:
    """Gemini 2.5 Pro: twice the input price above 200,000 tokens, whatever the number of requests."""
    asked = ("gemini:gemini-2.5-pro", "--requests", "3")
    (low,), (high,) = [await _rows(*asked, "--input-tokens", tokens) for tokens in ("200000", "200001")]
    assert low["total_usd"] == pytest.approx(3 * 200_000 * 1.25e-6)
    assert high["total_usd"] == pytest.approx(3 * 200_001 * 2.5e-6)
    assert high["breakdown"][0]["tiers"] == [{"above_input_tokens": 200_000, "price": 2.5}]


async def test_audio_by_the_hour_and_images_by_the_piece() -> None:
    """Whisper on Groq; an image model that litellm prices by the image; a chat model that counts images as tokens."""
    (row,) = await _rows("groq:whisper-large-v3", "--audio-seconds", "7200")
    assert row["total_usd"] == pytest.approx(0.222)
    (row,) = await _rows("aiml:dall-e-3", "--images", "10")
    assert row["total_usd"] == pytest.approx(0.52)
    assert row["breakdown"][0]["unit"] == "output_images"
    (row,) = await _rows("openai:gpt-4o", "--images", "10")
    assert row["total_usd"] is None
    assert any("--input-tokens" in note for note in row["notes"])


async def test_a_model_that_nobody_sells_points_to_its_own_hardware() -> None:
    """Unknown is null and never 0."""
    (row,) = await _rows("smollm2-135m-instruct", "--input-tokens", "10")
    assert row["total_usd"] is None
    assert row["provider"] is None
    assert any("fieldguide plan smollm2-135m-instruct" in note for note in row["notes"])


async def test_wrong_use_says_what_to_do() -> None:
    """An unknown model, an unknown provider, parts larger than the whole, no day, nothing to price."""
    assert "gpt-4o" in (await _error("gpt-4oo", "--input-tokens", "1"))["hint"]
    (elsewhere,) = await _rows("gpt-4o", "--provider", "cohere", "--input-tokens", "1")
    assert elsewhere["total_usd"] is None
    assert elsewhere["notes"] == ["no source lists a price of it at cohere"]
    assert (await _error("gpt-4o", "--provider", "opnai", "--input-tokens", "1"))["type"] == "UnknownNameError"
    assert "more than" in (await _error("gpt-4o", "--input-tokens", "1", "--cached-tokens", "2"))["message"]
    assert "--at" in (await _error("gpt-4o", "--input-tokens", "1", "--at", "yesterday"))["message"]
    assert "nothing to price" in (await _error("gpt-4o"))["message"].lower()
    assert "--requests" in (await _error("gpt-4o", "--input-tokens", "1", "--requests", "0"))["message"]


async def test_an_api_stands_beside_a_machine() -> None:
    """Break-even, capacity and dollars for each right answer; the model that the machine runs is named."""
    asked = ("openai:gpt-4o", "--against", "2xh100", "--own-model", "qwen2.5-72b-instruct", "--benchmark", "gpqa")
    ran = await fieldguide("cost", *asked, "--input-tokens", "1000", "--output-tokens", "300", "--json")
    assert ran.code == 0, ran.err
    told = ran.json["against"]
    assert told["api_usd_per_request"] == pytest.approx((1000 * 2.5 + 300 * 10) / 1e6)
    volume, able = told["break_even_requests_per_month"], told["capacity_requests_per_month"]
    assert 0 < volume["low"] <= volume["likely"] <= volume["high"]
    assert 0 < able["low"] < able["high"]
    right = told["usd_per_correct_answer"]
    assert right["api"] == pytest.approx(told["api_usd_per_request"] / told["accuracy"]["api"])
    assert right["machine"] > told["machine_usd_per_request"]["likely"]
    assert any("qwen2.5-72b-instruct in FP8 with vllm" in note for note in told["notes"])


async def test_a_machine_needs_a_model_that_fits_and_a_price() -> None:
    """Weights that are not published, a model that is too large, options without --against."""
    tokens = ("--input-tokens", "1000", "--output-tokens", "300")
    assert "--own-model" in (await _error("gpt-4o", "--against", "h100", *tokens))["hint"]
    large = ("gpt-4o", "--against", "rtx4090", "--own-model", "llama-3.1-70b-instruct")
    assert "does not surely fit" in (await _error(*large, *tokens))["message"]
    assert "--against" in (await _error("gpt-4o", "--engine", "vllm", *tokens))["message"]
    share = ("gpt-4o-mini", "--against", "rtx4090", "--own-model", "qwen2.5-7b-instruct", "--utilisation", "2")
    assert "share" in (await _error(*share, *tokens))["message"]


async def test_people_see_source_day_and_disagreement() -> None:
    """The same for a terminal."""
    ran = await fieldguide("cost", "deepseek:deepseek-chat", "--input-tokens", "1000", "--output-tokens", "1000")
    assert ran.code == 0
    assert "genai-prices" in ran.out
    assert "sources disagree" in ran.out


async def test_a_run_keeps_the_price_that_it_was_asked_at() -> None:
    """With who said so; asked again at another price, the answers that are there keep what they cost."""
    async with fake_server(lambda call: chat("7", input_tokens=1000, output_tokens=0)) as server:
        asked = ("evaluate", f"{server.url}#m", "-b", "ladder", "--limit", "2", "--price-out", "2", "--json")
        first = (await fieldguide(*asked, "--price-in", "1")).json["results"][0]
        again = (await fieldguide(*asked, "--price-in", "5")).json["results"][0]
    assert (first["price"]["input_usd_per_mtok"], first["price"]["source"]) == ("1", "given")
    assert again["run_id"] == first["run_id"]
    assert again["price"] == first["price"]
    assert again["cost_usd"] == first["cost_usd"] == 0.002


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def test_it_takes_little_to_answer() -> None:
    """A call in a process of its own, once the fast copies are made: processor time, which a busy machine leaves be."""
    await _rows("gpt-4o", "--input-tokens", "1")
    before = _children_cpu_s()
    await _rows("gpt-4o", "--input-tokens", "1")
    assert _children_cpu_s() - before < 1.5
