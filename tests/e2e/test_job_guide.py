"""`find --job` and the sizes of `show`, as a person and a program call them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.program import fieldguide

WEIGHTS = {"hf", "modelscope", "ollama"}


async def found(*arguments: str) -> dict[str, Any]:
    ran = await fieldguide("find", *arguments, "--json", "--quiet")
    assert ran.code == 0, ran.err
    value: dict[str, Any] = ran.json
    return value


async def test_patient_letters_on_premises() -> None:
    """The issue's example: weights that can be had, privacy to weigh, reasons, evidence and what is unknown."""
    answer = await found("--job", "summarise patient letters", "--on-premises")
    assert answer["job"]["name"] == "summarise"
    assert "health data" in {each["name"] for each in answer["considerations"]}
    assert answer["models"]
    for rank, model in enumerate(answer["models"], start=1):
        assert model["rank"] == rank
        assert model["reasons"]
        assert WEIGHTS & {place["hub"] for place in model["places"]}
        assert "text" in model["modalities_in"]
        telling = {each["benchmark"] for each in answer["job"]["evidence"]}
        assert {claim["benchmark"] for claim in model["evidence"]} <= telling
        assert all(claim["source"] for claim in model["evidence"])
        missing = any("no published score" in each for each in model["unknown"])
        assert missing is not bool(model["evidence"])


async def test_without_on_premises_apis_are_thought_of_and_the_option_is_named() -> None:
    """What the text brings up suggests it."""
    answer = await found("--job", "summarise patient letters", "--limit", "200")
    assert any(not WEIGHTS & {place["hub"] for place in model["places"]} for model in answer["models"])
    assert "--on-premises" in {each["suggests"] for each in answer["considerations"]}


async def test_facets_combine_with_a_job() -> None:
    """Size, licence and place hold for every model found."""
    answer = await found(
        *("--job", "write code", "--max-parameters", "8B", "--licence", "commercial", "--at", "ollama"),
        *("--limit", "100"),
    )
    assert "qwen2.5-coder-7b-instruct" in {model["name"] for model in answer["models"]}
    for model in answer["models"]:
        assert (model["parameters"] or 0) <= 8e9 * 1.15  # or its label says 8B: an encoder of pictures may come on top
        assert model["commercial_use"] in ("yes", "with-conditions")
        assert "ollama" in {place["hub"] for place in model["places"]}


async def test_hard_needs_leave_out_what_cannot_do_the_job() -> None:
    """Speech needs ears, search needs embeddings; base models and what no place has are counted, not shown."""
    speech = await found("--job", "transcribe interviews", "--limit", "100")
    assert speech["models"][0]["name"].startswith("whisper")
    assert all("audio" in model["modalities_in"] for model in speech["models"])
    search = await found("--job", "retrieval", "--limit", "100")
    assert all("embedding" in model["kinds"] for model in search["models"])
    chat = await found("--job", "support chat", "--limit", "300")
    names = {model["name"] for model in chat["models"]}
    assert "qwen2.5-7b" not in names
    assert not any(name.startswith(("whisper", "codex", "bge")) for name in names)
    assert sum(chat["left_out"]["needs"].values()) > 0


async def test_an_unsure_text_shows_every_job_it_may_mean() -> None:
    """In words, with the option that settles it."""
    ran = await fieldguide("find", "--job", "transcribe meetings and summarise them", "--limit", "1")
    assert ran.code == 0
    assert "Not sure" in ran.out
    assert "summarise" in ran.out
    assert "--job NAME" in ran.out


async def test_the_jobs_are_listed() -> None:
    """For people and for programs."""
    listed = await found("--job", "list")
    names = {job["name"] for job in listed["jobs"]}
    assert {"support-chat", "document-reading", "retrieval"} <= names
    ran = await fieldguide("find", "--job", "list")
    assert "support-chat" in ran.out


async def test_an_unknown_job_gives_the_nearest() -> None:
    """Exit 2, with the jobs that there are."""
    ran = await fieldguide("find", "--job", "bake a cake", "--json")
    assert ran.code == 2
    assert "summarise" in ran.json["error"]["hint"]


async def test_on_premises_holds_without_a_job() -> None:
    """A facet like the others."""
    plain = await found("gpt-4o", "--on-premises")
    assert plain["models"] == []
    assert (await found("qwen2.5", "--on-premises"))["total"] > 10


async def test_sizes_are_explained_from_the_ledger() -> None:
    """32B to 72B of Qwen2.5-Instruct: GPQA -0.5, MATH 0.0, LiveCodeBench +4.3, the last with unknown n."""
    ran = await fieldguide("show", "qwen2.5", "--json")
    explained = ran.json["sizes_explained"]
    seven = next(each for each in explained["meanings"] if each["size"] == "7B")
    assert (seven["parameters"], seven["exact"], seven["active_parameters"]) == (7615616512, True, None)
    assert round(seven["embedding_share"], 3) == 0.143
    report = {
        each["benchmark"]: each["steps"][-1]
        for each in explained["series"]
        if each["collection"] == "qwen2.5-report" and each["tuning"] == "instruct"
    }
    assert {name: round(100 * step["difference"], 1) for name, step in report.items()} == {
        "gpqa": -0.5,
        "math": 0.0,
        "livecodebench": 4.3,
    }
    assert (report["gpqa"]["supported"], report["livecodebench"]["supported"]) == (False, None)
    assert all(each["points"] and len({p["parameters"] for p in each["points"]}) > 1 for each in explained["series"])


async def test_sizes_are_drawn_in_the_terminal_and_as_a_page(tmp_path: Path) -> None:
    """The note of the editors stands beside what was computed."""
    file = tmp_path / "sizes.html"
    ran = await fieldguide("show", "qwen2.5", "--html", file)
    assert ran.code == 0, ran.err
    assert "Score against size: gpqa@diamond, instruct (qwen2.5-report)" in ran.out
    assert "What size buys" in ran.out
    page = file.read_text(encoding="utf-8")
    assert "<svg" in page
    assert "<script" not in page
    refused = await fieldguide("show", "qwen2.5", "--html", tmp_path / "none" / "x.html")
    assert refused.code == 2


async def test_a_mixture_says_what_takes_part_in_a_token() -> None:
    """Total and active apart; where nothing is published nothing is drawn."""
    mixture = (await fieldguide("show", "mixtral", "--json")).json["sizes_explained"]
    assert mixture["meanings"][0]["active_parameters"] < mixture["meanings"][0]["parameters"]
    closed = await fieldguide("show", "gpt-4o")
    assert "not published" in closed.out
