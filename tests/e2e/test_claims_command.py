"""`fieldguide claims` as a person and a program use it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from fieldguide.catalogue.claims import model_key
from tests.support.fake_server import chat, fake_server
from tests.support.program import fieldguide

PROMISED = {
    "model",
    "benchmark",
    "subset",
    "collection",
    "value",
    "n",
    "attempts",
    "protocol",
    "window",
    "source",
    "date",
    "attainable",
    "conflicts_with",
}


async def test_a_model_gives_programs_every_promised_key() -> None:
    """Unknown is null; the value is in percent; conflicts name value and table."""
    ran = await fieldguide("claims", "qwq-32b-preview", "--benchmark", "GPQA", "--json", "--quiet")
    assert (ran.code, ran.err) == (0, "")
    found = ran.json["claims"]
    assert all(set(claim) >= PROMISED for claim in found)
    [mine] = [claim for claim in found if claim["collection"] == "qwq-32b-preview-blog"]
    assert (mine["value"], mine["n"], mine["attempts"], mine["attainable"]) == (65.2, 198, None, True)
    assert sorted(each["value"] for each in mine["conflicts_with"]) == [52.5, 54.5]


async def test_the_table_answers_in_words() -> None:
    """Without the leaderboard's files it says what is missing, and names what cannot be."""
    ran = await fieldguide("claims", "--table", "qwq-32b-preview-blog")
    assert ran.code == 0, ran.err
    assert "Not attainable (9)" in ran.out
    assert "54.5 (deepseek-r1-readme-distill" in ran.out
    assert "--data" in ran.err


async def test_a_leaderboard_file_is_used_where_it_is_present(tmp_path: Path) -> None:
    """A small file in the site's format, with days on both sides of the window's ends."""
    days = {"a": 1722470400000, "b": 1732924800000, "c": 1733011200000, "d": 1722384000000}
    rows = [
        {"question_id": problem, "model": name, "date": day, "difficulty": "easy", "pass@1": share}
        for name, share in (("QwQ-32B-Preview (N=1)", 100.0), ("GPT-4O-2024-05-13", 50.0))
        for problem, day in days.items()
    ]
    folder = tmp_path / "livecodebench"
    folder.mkdir()
    (folder / "leaderboard_x.json.gz").write_bytes(gzip.compress(json.dumps({"performances": rows}).encode()))
    ran = await fieldguide("claims", "--table", "qwq-32b-preview-blog", "--data", tmp_path, "--json", "--quiet")
    beside = ran.json["recomputed"]["beside"]
    assert [(each["model"], each["recomputed"], each["n"]) for each in beside] == [
        ("QwQ-32B-Preview", 100.0, 2),
        ("GPT-4o", 50.0, 2),
    ]


async def test_a_broken_leaderboard_file_is_named(tmp_path: Path) -> None:
    """Bad input ends in exit 2 with the file's name."""
    (tmp_path / "leaderboard_x.json").write_text('{"performances": [{"model": 1}]}')
    ran = await fieldguide("claims", "--table", "qwq-32b-preview-blog", "--data", tmp_path)
    assert ran.code == 2
    assert "leaderboard_x.json" in ran.err


async def test_own_measurements_stand_beside_and_are_marked() -> None:
    """What was measured here is listed as measured, with its run."""
    async with fake_server(lambda call: chat("7")) as server:
        await fieldguide("evaluate", f"{server.url}#qwq-32b-preview", "--benchmark", "ladder", "--limit", "20")
    ran = await fieldguide("claims", "QwQ-32B-Preview", "--json", "--quiet")
    [mine] = [claim for claim in ran.json["claims"] if claim["kind"] == "measured"]
    assert (mine["collection"], mine["n"], mine["attempts"]) == ("measured", 20, 1)
    assert mine["source"].startswith("run ")


async def test_slips_are_answered_with_the_nearest_name() -> None:
    """An unknown model, benchmark and table, and nothing at all: exit 2 each."""
    for arguments, nearest in [
        (("qwq-32b-previw",), "qwq-32b-preview"),
        (("qwq-32b-preview", "--benchmark", "gqpa"), "gpqa"),
        (("--table", "qwen2.5-reprt"), "qwen2.5-report"),
        ((), "qwq-32b-preview-blog"),
    ]:
        ran = await fieldguide("claims", *arguments)
        assert ran.code == 2
        assert nearest in ran.err


async def test_a_file_of_the_users_adds_what_is_new(tmp_path: Path) -> None:
    """A row that comes with the program is not listed twice; a new one is, with its attribution."""
    path = tmp_path / "more.csv"
    path.write_text(
        "model_id,benchmark,score,is_self_reported,analysis_method,date_recorded,source_link\n"
        "qwen/qwq-32b-preview,GPQA,0.652,True,accuracy,2024-11-28,https://qwenlm.github.io/blog/qwq-32b-preview/\n"
        "qwen/qwq-32b-preview,GPQA,0.5,False,accuracy,2024-12-28,https://example.org\n"
    )
    ran = await fieldguide("claims", "qwq-32b-preview", "-b", "gpqa", "--import", path, "--json", "--quiet")
    found = [claim for claim in ran.json["claims"] if claim["collection"] == "llmstats"]
    assert [(claim["value"], claim["date"] is None) for claim in found] == [(65.2, False), (50.0, True)]
    assert "CC BY 4.0" in found[1]["source"]


@pytest.mark.parametrize(
    ("name", "model", "snapshot"),
    [
        ("openai:gpt-4o-2024-11-20", "gpt4o", "2024-11-20"),
        ("qwen2.5:7b", "qwen257binstruct", None),
        ("Qwen/Qwen2.5-7B-Instruct-GGUF:Q4_K_M", "qwen257binstruct", None),
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", "claude35sonnet", "2024-10-22"),
        ("unsloth/Llama-3.2-1B-Instruct-bnb-4bit", "llama321binstruct", None),
    ],
)
async def test_a_model_is_found_by_any_spelling(name: str, model: str, snapshot: str | None) -> None:
    """As providers, hubs and files write it; a snapshot stays one."""
    ran = await fieldguide("claims", name, "--json", "--quiet")
    assert ran.code == 0, ran.err
    found = ran.json["claims"]
    assert {model_key(claim["model"])[0] for claim in found} == {model}
    assert {claim["snapshot"] for claim in found} == {snapshot}


async def test_a_name_without_snapshot_means_every_one() -> None:
    """And a base model is not taken for its tuned sibling, which is named."""
    claude = (await fieldguide("claims", "claude 3.5 sonnet", "--json", "--quiet")).json["claims"]
    assert {"2024-06-20", "2024-10-22"} <= {claim["snapshot"] for claim in claude}
    base = (await fieldguide("claims", "Qwen2.5-72B", "--json", "--quiet")).json
    assert {claim["collection"] for claim in base["claims"]} == {"qwen2.5-blog-base"}
    assert any("Qwen2.5-72B-Instruct" in note for note in base["notes"])


async def test_an_unseen_table_is_judged_as_any(tmp_path: Path) -> None:
    """Rows given twice count once; values beyond a percentage are flagged; sources that disagree conflict."""
    file = tmp_path / "more.csv"
    file.write_text(
        "model_id,benchmark,score,metric,date,source_url,via\n"
        "toy/toy-7b,GPQA Diamond,65.25,accuracy,2025-01-01,https://a.example,x\n"
        "toy/toy-7b,GPQA Diamond,65.25,accuracy,2025-01-01,https://a.example,x\n"
        "toy/toy-7b,GPQA Diamond,54.5,accuracy,2025-01-01,https://b.example,x\n"
        "toy/toy-7b,MMLU,130.5,accuracy,2025-01-01,https://a.example,x\n"
    )
    found = (await fieldguide("claims", "Toy 7B", "--import", file, "--json", "--quiet")).json["claims"]
    assert [claim["printed"] for claim in found] == ["65.25", "54.5", "130.5"]
    first, second, beyond = found
    assert [each["value"] for each in first["conflicts_with"]] == [54.5]
    assert [each["value"] for each in second["conflicts_with"]] == [65.25]
    assert "n not stated" in first["flags"]
    assert first["attainable"] is None
    assert any("no percentage" in flag for flag in beyond["flags"])


async def test_a_benchmark_alone_means_every_model() -> None:
    """Everything that the ledger holds on it, and nothing else."""
    ran = await fieldguide("claims", "--benchmark", "gpqa@diamond", "--json", "--quiet")
    assert ran.code == 0, ran.err
    assert {(claim["benchmark"], claim["subset"]) for claim in ran.json["claims"]} == {("gpqa", "diamond")}
    assert len({claim["model"] for claim in ran.json["claims"]}) > 30
