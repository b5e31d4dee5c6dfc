"""The program as a subprocess: what people type, and what they get for mistakes."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_server import Call, chat, fake_server, streamed
from tests.support.program import fieldguide, finish, start

LADDER = ("--benchmark", "ladder", "--limit", "20")


def always(text: str) -> Any:
    return lambda call: chat(text, input_tokens=100, output_tokens=2)


async def test_compare_ends_in_a_verdict_and_a_report(tmp_path: Path) -> None:
    """Two models over HTTP: one sentence, a table, and a self-contained file."""
    report = tmp_path / "report.html"
    async with fake_server(lambda call: chat("7" if call.body["model"] == "seven" else "nothing")) as server:
        models = (f"{server.url}#seven", f"{server.url}#silent")
        ran = await fieldguide("compare", *models, *LADDER, "--report", report)
    assert ran.code == 0, ran.err
    assert "seven" in ran.out.splitlines()[0]
    assert str(report) in ran.out
    assert "<html" in report.read_text()
    assert len(server.calls) == 40


async def test_compare_gives_programs_every_promised_key(tmp_path: Path) -> None:
    """`--json` prints one value; unknown is null."""
    async with fake_server(always("7")) as server:
        ran = await fieldguide("compare", f"{server.url}#a", f"{server.url}#b", *LADDER, "--json", "--quiet")
    assert ran.err == ""
    value = ran.json
    assert value["models"] == ["a", "b"]
    first = value["results"][0]
    for key in [
        "benchmark",
        "exam_id",
        "items",
        "attempts",
        "scored",
        "correct",
        "accuracy",
        "ci_low",
        "ci_high",
        "bound_low",
        "bound_high",
        "outcomes",
        "model",
        "run_id",
        "usage",
        "cost_usd",
        "seconds",
    ]:
        assert key in first, key
    assert first["cost_usd"] is None
    assert first["usage"] == {"input_tokens": 2000, "output_tokens": 40}
    assert set(first["outcomes"]) == {"correct", "wrong", "truncated", "unparsed", "refused", "failed"}
    verdict = value["verdicts"][0]
    assert {"benchmark", "a", "b", "verdict", "difference", "ci_low", "ci_high", "p_value", "p_adjusted"} <= set(
        verdict
    )
    assert verdict["verdict"] == "cannot_tell"
    assert verdict["discordant"] == {"a_only": 0, "b_only": 0}
    assert "more_items_needed" in verdict


async def test_nothing_is_asked_twice(tmp_path: Path) -> None:
    """A second call sends no request and says the same; a longer one asks only the rest; `--fresh` asks anew."""
    async with fake_server(always("7")) as server:
        model = f"{server.url}#m"
        first = await fieldguide("evaluate", model, *LADDER, "--json")
        second = await fieldguide("evaluate", model, *LADDER, "--json")
        assert len(server.calls) == 20
        same = ("exam_id", "run_id", "correct", "accuracy", "usage")
        assert [first.json["results"][0][key] for key in same] == [second.json["results"][0][key] for key in same]
        await fieldguide("evaluate", model, "--benchmark", "ladder", "--limit", "30", "--json")
        assert len(server.calls) == 30
        await fieldguide("evaluate", model, *LADDER, "--fresh", "--json")
        assert len(server.calls) == 50


async def test_a_killed_run_goes_on_and_asks_only_what_was_not_committed(tmp_path: Path) -> None:
    """After kill -9 at most the requests in flight are asked again."""
    async with fake_server(always("7"), delay_s=0.05) as server:
        arguments = ("evaluate", f"{server.url}#m", "--benchmark", "ladder", "--limit", "60", "--concurrency", "4")
        process = await start(*arguments, "--json")
        await server.has_heard(20)
        process.kill()
        await finish(process)
        ran = await fieldguide(*arguments, "--json")
    assert ran.code == 0, ran.err
    assert ran.json["results"][0]["attempts"] == 60
    asked = Counter(call.prompt for call in server.calls)
    assert len(asked) == 60
    assert sum(count - 1 for count in asked.values()) <= 4
    assert ran.json["results"][0]["reused"] >= 12


async def test_ctrl_c_stops_cleanly_and_says_how_to_go_on(tmp_path: Path) -> None:
    """One SIGINT: requests in flight are kept, exit code 130, and nothing is left half done."""
    async with fake_server(always("7"), delay_s=0.05) as server:
        arguments = ("evaluate", f"{server.url}#m", "--benchmark", "ladder", "--limit", "200", "--concurrency", "2")
        process = await start(*arguments)
        await server.has_heard(10)
        process.send_signal(signal.SIGINT)
        ran = await finish(process, within_s=10)
        asked = len(server.calls)
        again = await fieldguide(*arguments, "--json")
    assert ran.code == 130
    assert "goes on from here" in ran.err
    assert "Traceback" not in ran.err
    assert again.json["results"][0]["reused"] == asked
    assert len(server.calls) == 200


async def test_a_budget_is_kept(tmp_path: Path) -> None:
    """At $1 per answer and $5, no more than five answers are bought, and the same command buys none besides."""
    price = ("--price-in", "0", "--price-out", "500000", "--budget-usd", "5")
    async with fake_server(always("7")) as server:
        ran = await fieldguide("evaluate", f"{server.url}#m", *LADDER, *price, "--json")
        assert ran.code == 1
        assert ran.json["state"] == "budget"
        assert ran.json["results"][0]["cost_usd"] == 5.0
        assert len(server.calls) == 5


async def test_a_budget_without_a_price_is_refused(tmp_path: Path) -> None:
    """Nobody can keep a budget over unknown prices."""
    async with fake_server(always("7")) as server:
        ran = await fieldguide("evaluate", f"{server.url}#m", *LADDER, "--budget-usd", "5", "--json")
    assert (ran.code, ran.json["error"]["type"]) == (2, "UsageError")
    assert "--price-in" in ran.json["error"]["hint"]
    assert server.calls == []


async def test_faults_are_not_wrong_answers(tmp_path: Path) -> None:
    """Items that only ever failed leave the accuracy and widen the bounds."""

    def respond(call: Call) -> Any:
        from aiohttp import web

        if call.number % 4 == 0:
            return web.Response(status=400, text=json.dumps({"error": {"message": "unlucky"}}))
        return chat("7")

    async with fake_server(respond) as server:
        ran = await fieldguide("evaluate", f"{server.url}#m", *LADDER, "--concurrency", "1", "--json")
    assert ran.code == 0, ran.err
    result = ran.json["results"][0]
    failed = result["outcomes"]["failed"]
    assert failed > 0
    assert result["attempts"] == 20
    assert result["scored"] == 20 - failed
    assert result["bound_high"] >= result["bound_low"] + failed / 20


async def test_runs_run_and_export_show_what_was_measured(tmp_path: Path) -> None:
    """A run is listed, shown by the start of its id, and exported with every answer."""
    out = tmp_path / "run.jsonl"
    async with fake_server(always("7")) as server:
        await fieldguide("evaluate", f"{server.url}#m", *LADDER, "--quiet")
    runs = (await fieldguide("runs", "--json")).json["runs"]
    assert [run["state"] for run in runs] == ["finished"]
    run_id = runs[0]["run_id"]
    shown = await fieldguide("run", run_id[:10], "--items", "--json")
    assert shown.json["attempts"] == 20
    assert len(shown.json["answers"]) == 20
    exported = await fieldguide("export", run_id, "--out", out)
    assert exported.code == 0
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert lines[0]["run"]["run_id"] == run_id
    assert [line["completion"] for line in lines[1:]] == ["7"] * 20


async def test_an_export_can_be_scored_again(tmp_path: Path) -> None:
    """The exported answers are recorded answers; header and failed attempts in it are no obstacle."""
    out = tmp_path / "run.jsonl"
    async with fake_server(always("7")) as server:
        ran = await fieldguide("evaluate", f"{server.url}#m", *LADDER, "--json")
    result = ran.json["results"][0]
    await fieldguide("export", result["run_id"], "--out", out)
    scored = await fieldguide("score", "ladder", out, "--json")
    assert (scored.code, scored.json["attempts"], scored.json["correct"]) == (0, 20, result["correct"])


async def test_a_report_that_cannot_be_written_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    """Nobody pays for answers whose report has no place."""
    async with fake_server(always("7")) as server:
        ran = await fieldguide("evaluate", f"{server.url}#m", *LADDER, "--report", "/no/such/folder/r.html")
    assert ran.code == 2
    assert "r.html" in ran.err
    assert server.calls == []


async def test_a_run_that_measured_nothing_fails(tmp_path: Path) -> None:
    """If every attempt has failed there is no accuracy, no token count and no cost, and the exit code says so."""
    full = {"error": {"message": "too long", "code": "context_length_exceeded"}}

    def respond(call: Call) -> Any:
        from aiohttp import web

        return web.Response(status=400, text=json.dumps(full))

    async with fake_server(respond) as server:
        ran = await fieldguide("evaluate", f"{server.url}#m", *LADDER, "--json")
    assert ran.code == 1
    result = ran.json["results"][0]
    assert result["outcomes"]["failed"] == 20
    assert (result["accuracy"], result["cost_usd"], result["usage"]["input_tokens"]) == (None, None, None)


async def test_recorded_answers_are_compared_without_any_model(tmp_path: Path) -> None:
    """Two files of answers to the ladder's own items give a verdict."""
    exam = tmp_path / "exam.jsonl"
    assert (await fieldguide("exam", "ladder", "--limit", "60", "--with-targets", "--out", exam)).code == 0
    items = [json.loads(line) for line in exam.read_text().splitlines()][1:]
    for name, right_until in (("good", 50), ("poor", 5)):
        with (tmp_path / f"{name}.jsonl").open("w") as file:
            for index, item in enumerate(items):
                text = item["target"] if index < right_until else "no idea"
                file.write(json.dumps({"item": item["item"], "attempt": 0, "completion": text}) + "\n")
    ran = await fieldguide(
        "compare", f"recorded:{tmp_path}/good.jsonl", f"recorded:{tmp_path}/poor.jsonl",
        "--benchmark", "ladder", "--limit", "60", "--json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert [result["correct"] for result in ran.json["results"]] == [50, 5]
    assert ran.json["verdicts"][0]["verdict"] == "a_better"
    assert ran.json["verdicts"][0]["discordant"] == {"a_only": 45, "b_only": 0}
    scored = await fieldguide(
        "score", "ladder", tmp_path / "good.jsonl", "--per-item", tmp_path / "items.jsonl", "--json"
    )
    assert (scored.json["attempts"], scored.json["correct"]) == (60, 50)
    per_item = [json.loads(line) for line in (tmp_path / "items.jsonl").read_text().splitlines()]
    assert {"item", "attempt", "outcome", "extracted", "target"} <= set(per_item[0])
    assert sum(line["outcome"] == "correct" for line in per_item) == 50


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ask", "m", "--image", "x.png", "hi"), "before the options"),
        (("compre",), "compare"),
        (("evaluate", "x", "--benchmark", "ladder", "--lmit", "3"), "--limit"),
        (("evaluate", "smolm2-135m-instruct", "--benchmark", "ladder"), "smollm2-135m-instruct"),
        (("evaluate", "http://127.0.0.1:9/v1#m", "--benchmark", "lader"), "ladder"),
        (("evaluate", "opnai:gpt-4o", "--benchmark", "ladder"), "openai-compatible"),
        (("evaluate", "http://127.0.0.1:9/v1", "--benchmark", "ladder"), "#MODEL"),
        (("evaluate", "http://127.0.0.1:9/v1#m", "--benchmark", "ladder", "--limit", "0"), "--limit"),
        (("evaluate", "http://127.0.0.1:9/v1#m", "--benchmark", "ladder", "--concurrency", "-1"), "--concurrency"),
        (
            ("evaluate", "http://127.0.0.1:9/v1#m", "--benchmark", "ladder", "--api-key-env", "NO_SUCH_VARIABLE"),
            "NO_SUCH",
        ),
        (("compare", "http://127.0.0.1:9/v1#m", "--benchmark", "ladder"), "two models"),
        (("compare", "http://127.0.0.1:9/v1#m", "http://127.0.0.1:9/v1#m", "--benchmark", "ladder"), "twice"),
        (("compare", "a", "b", "--benchmark", "ladder", "--margin", "5"), "0.05"),
        (("evaluate", "recorded:/no/such/file.jsonl", "--benchmark", "ladder"), "file.jsonl"),
        (("evaluate", "/no/such/model.gguf", "--benchmark", "ladder"), "model.gguf"),
        (("exam", "gsm8k", "--data", "/no/such/folder"), "/no/such/folder"),
        (("run", "nothing"), "runs"),
        (("evaluate", "http://127.0.0.1:9/v1#m", "--benchmark", ","), "benchmark"),
        (("ask", "http://127.0.0.1:9/v1#m", "hi", "--temperature", "nan"), "--temperature"),
        (("ask", "http://127.0.0.1:9/v1#m", "  "), "empty"),
        (("exam", "ladder", "--out", "/no/such/folder/exam.jsonl"), "exam.jsonl"),
    ],
)
async def test_a_mistake_gets_a_sentence_and_the_next_step(arguments: tuple[str, ...], words: str) -> None:
    """Never a traceback; the same as JSON with `--json`; exit code 2, or 1 for a missing key."""
    plain = await fieldguide(*arguments)
    assert plain.code in {1, 2}
    assert plain.out == ""
    assert plain.err.startswith("error: ")
    assert "Traceback" not in plain.err
    assert words in plain.err
    ran = await fieldguide(*arguments, "--json")
    assert ran.code == plain.code
    assert set(ran.json["error"]) == {"type", "message", "hint", "retryable"}


async def test_a_malformed_answer_names_its_line(tmp_path: Path) -> None:
    """The line number is counted from 1, and nothing was scored or stored."""
    answers = tmp_path / "answers.jsonl"
    answers.write_text('{"item": "a", "attempt": 0, "completion": "x"}\n{"item": "b", "attempt": \n{"item": "c"}\n')
    ran = await fieldguide("score", "ladder", answers, "--json")
    assert ran.code == 2
    assert "line 2" in ran.json["error"]["message"]


async def test_a_torn_last_line_is_passed_over_and_told(tmp_path: Path) -> None:
    """The line that a kill cut short costs itself alone, and both commands say so."""
    answers = tmp_path / "answers.jsonl"
    exam = (await fieldguide("exam", "ladder", "--limit", "1", "--json")).json["exam_items"][0]["item"]
    answers.write_text(json.dumps({"item": exam, "attempt": 0, "completion": "7"}) + '\n{"item": "lad')
    scored = await fieldguide("score", "ladder", answers, "--json")
    assert (scored.code, scored.json["attempts"], len(scored.json["warnings"])) == (0, 1, 1)
    ran = await fieldguide("evaluate", f"recorded:{answers}", "--benchmark", "ladder", "--limit", "1", "--json")
    assert scored.json["warnings"][0] in ran.json["warnings"]


async def test_a_server_that_is_gone_fails_with_its_address(tmp_path: Path) -> None:
    """Nobody there: exit code 1, the address, and nothing lost."""
    ran = await fieldguide("ask", "http://127.0.0.1:9/v1#m", "hello", "--json")
    assert ran.code == 1
    assert "127.0.0.1:9" in ran.json["error"]["message"]
    assert ran.json["error"]["retryable"] is True


async def test_records_from_the_future_are_not_touched(tmp_path: Path) -> None:
    """A home folder of a newer version is refused with what to do."""
    home = tmp_path / "future"
    home.mkdir()
    connection = sqlite3.connect(home / "fieldguide.sqlite")
    connection.execute("PRAGMA user_version = 1000")
    connection.close()
    ran = await fieldguide("runs", "--home", home, "--json")
    assert ran.code == 1
    assert "newer" in ran.json["error"]["message"]


async def test_ask_streams_the_answer_to_standard_output(tmp_path: Path) -> None:
    """Only the answer is on standard output; tokens and time are on standard error."""
    from tests.support.fake_server import sse

    stream = sse(
        {"choices": [{"delta": {"content": "Paris"}}]},
        {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 5, "completion_tokens": 1}},
        "[DONE]",
    )
    async with fake_server(lambda call: stream if call.body.get("stream") else chat("Paris")) as server:
        plain = await fieldguide("ask", f"{server.url}#m", "Capital of France?")
        as_json = await fieldguide("ask", f"{server.url}#m", "Capital of France?", "--json")
    assert (plain.code, plain.out) == (0, "Paris\n")
    assert "5 in, 1 out" in plain.err
    assert as_json.json["text"] == "Paris"


async def test_doctor_finds_everything_in_place() -> None:
    """Plug-ins load, the user folder can be written, the sandbox holds."""
    ran = await fieldguide("doctor", "--json")
    assert ran.code == 0, ran.out
    assert "failed" not in {finding["state"] for finding in ran.json["findings"]}


async def test_doctor_finds_a_server_that_does_not_read_its_prompts() -> None:
    """It answers, and counts the same few tokens whatever it is sent."""

    def answer(call: Call) -> Any:
        return streamed("Paris") if call.body.get("stream") else chat("Paris")

    async with fake_server(answer) as server:
        ran = await fieldguide("doctor", f"{server.url}#m", "--json")
    assert ran.code == 1, ran.out
    states = {finding["check"]: finding["state"] for finding in ran.json["findings"]}
    assert states["the whole prompt arrives"] == "failed"
    assert states["a stream says what a whole answer does"] == "ok"
