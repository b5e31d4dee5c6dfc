"""`ask`, `chat`, `history` and `doctor MODEL` as a person runs them, against a server on this machine."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from fieldguide.scoring.code_judge import TIERS, why_not
from tests.support.fake_server import Call, FakeServer, chat, fake_server, sse
from tests.support.pictures import png
from tests.support.program import Ran, fieldguide

isolated = pytest.mark.skipif(all(why_not(tier) for tier in TIERS), reason="nothing isolates programs here")


def calls(name: str, **arguments: Any) -> dict[str, Any]:
    answer = chat(None, finish_reason="tool_calls")
    function = {"name": name, "arguments": json.dumps(arguments)}
    answer["choices"][0]["message"]["tool_calls"] = [{"id": "c1", "type": "function", "function": function}]
    return answer


def respond(call: Call) -> dict[str, Any] | str | web.StreamResponse:
    """Call the first tool once, then say what came of it; without tools repeat the question."""
    last = call.body["messages"][-1]
    if call.body.get("tools") and last["role"] != "tool":
        made = calls(call.body["tools"][0]["function"]["name"], expression="17*23")
    else:
        made = chat(f"heard: {last['content']}", input_tokens=30, output_tokens=9)
    return streamed(made) if call.body.get("stream") else made


def streamed(answer: dict[str, Any]) -> str:
    message, reason = answer["choices"][0]["message"], answer["choices"][0]["finish_reason"]
    deltas: list[dict[str, Any]] = [{"role": "assistant", "reasoning_content": "hm, "}]
    if message.get("tool_calls"):
        deltas.append({"tool_calls": [{"index": 0, **message["tool_calls"][0]}]})
    deltas += [{"content": f"{word} "} for word in (message["content"] or "").split(" ")]
    chunks = [
        {"id": "1", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas
    ]
    chunks.append({"id": "1", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
    return sse(*chunks, {"id": "1", "model": "m", "choices": [], "usage": answer["usage"]}, "[DONE]")


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with fake_server(respond) as made:
        yield made


async def piped(text: str, *arguments: str | Path) -> Ran:
    """Run the program with a text piped into it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "fieldguide", *map(str, arguments),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=os.environ.copy(),
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(text.encode()), 100)
    return Ran(process.returncode or 0, out.decode(), err.decode())


async def test_words_go_to_standard_output_and_everything_else_beside_them(server: FakeServer) -> None:
    """Thoughts, figures and cost stand on standard error; --quiet and --hide-reasoning leave them out."""
    ran = await fieldguide("ask", f"{server.url}#m", "hello")
    assert ran.out.strip() == "heard: hello"
    assert "thinking: hm, " in ran.err
    assert "30 in, 9 out · price not known" in ran.err
    assert "hm" not in (await fieldguide("ask", f"{server.url}#m", "hello", "--hide-reasoning")).err
    assert (await fieldguide("ask", f"{server.url}#m", "hello", "--quiet")).err == ""


async def test_what_is_piped_in_follows_the_prompt(server: FakeServer) -> None:
    """`-` or nothing takes it alone."""
    for arguments, prompt in ((("sum it up",), "sum it up\n\nthe text\n"), (("-",), "the text\n"), ((), "the text\n")):
        assert (await piped("the text\n", "ask", f"{server.url}#m", *arguments)).code == 0
        assert server.calls[-1].prompt == prompt


@isolated
async def test_a_model_uses_a_tool_and_every_request_is_told_and_kept(server: FakeServer) -> None:
    """The call and its result are shown; --json has them; the history holds each request."""
    ran = await fieldguide("ask", f"{server.url}#m", "what is 17*23?", "--tools", "calculator", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["text"].strip() == "heard: 391"
    assert ran.json["rounds"][0]["tool_calls"][0]["result"] == "391"
    assert ran.json["cost_usd"] is None
    shown = await fieldguide("ask", f"{server.url}#m", "what is 17*23?", "--tools", "calculator", "--no-stream")
    assert 'calculator({"expression": "17*23"}) -> 391' in shown.err
    assert "2 requests" in shown.err
    one = (await fieldguide("history", str(ran.json["conversation_id"]), "--json")).json
    assert [turn["message"]["role"] for turn in one["turns"]] == ["user", "assistant", "tool", "assistant"]
    assert len((await fieldguide("history", "--json")).json["conversations"]) == 2
    assert (await fieldguide("history", "1", "--delete")).code == 0
    assert (await fieldguide("history", "1")).code == 2


@isolated
async def test_functions_of_a_file_need_consent_and_their_faults_reach_the_model(
    server: FakeServer, tmp_path: Path
) -> None:
    """Without a terminal and --yes nothing is sent; a tool that raises is an error the model is told of."""
    tools = tmp_path / "mine.py"
    tools.write_text('def look_up(expression: str) -> str:\n    """Look up."""\n    raise KeyError(expression)\n')
    refused = await fieldguide("ask", f"{server.url}#m", "x", "--tools", str(tools))
    assert (refused.code, server.calls) == (2, [])
    assert "--yes" in refused.err
    ran = await fieldguide("ask", f"{server.url}#m", "x", "--tools", str(tools), "--yes", "--json")
    assert ran.json["rounds"][0]["tool_calls"][0]["is_error"] is True
    assert "KeyError" in ran.json["text"]


async def test_a_model_that_only_calls_tools_is_stopped() -> None:
    """Exit code 1, and what to do."""
    async with fake_server(lambda call: calls("calculator", expression="1")) as server:
        ran = await fieldguide(
            "ask", f"{server.url}#m", "x", "--tools", "calculator", "--max-rounds", "2", "--no-stream"
        )
    assert (ran.code, len(server.calls)) == (1, 2)
    assert "--max-rounds" in ran.err


async def test_an_answer_is_held_against_its_schema(tmp_path: Path) -> None:
    """One that keeps to it is exit code 0, one that does not 1; a schema that is none is wrong use."""
    schema = tmp_path / "city.json"
    schema.write_text('{"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}')
    for text, code in (('{"n": 1}', 0), ('{"n": "one"}', 1), ("no", 1)):
        async with fake_server(lambda call, text=text: chat(text)) as server:  # type: ignore[misc]
            ran = await fieldguide("ask", f"{server.url}#m", "x", "--schema", str(schema), "--no-stream", "--json")
            assert ran.code == code, ran.err
            assert server.calls[0].body["response_format"]["json_schema"]["name"] == "city"
    for content in ("{", "[]", '{"type": "strng"}'):
        schema.write_text(content)
        ran = await fieldguide("ask", "http://127.0.0.1:9/v1#m", "x", "--schema", str(schema))
        assert ran.code == 2
        assert "city.json" in ran.err


async def test_a_picture_is_sent_as_what_it_is(server: FakeServer, tmp_path: Path) -> None:
    """By its first bytes; a file that is none is refused before anything is sent."""
    (tmp_path / "p.bin").write_bytes(png(4, 3))
    assert (await fieldguide("ask", f"{server.url}#m", "see", "--image", str(tmp_path / "p.bin"))).code == 0
    assert server.calls[0].body["messages"][0]["content"][0]["image_url"]["url"].startswith("data:image/png;base64,")
    ran = await fieldguide("ask", f"{server.url}#m", "see", "--image", str(tmp_path / "gone.png"), "--json")
    assert (ran.code, ran.json["error"]["type"], len(server.calls)) == (2, "InputFileError", 1)


async def test_options_reach_the_server(server: FakeServer) -> None:
    """Each under its name on the wire."""
    await fieldguide(
        "ask", f"{server.url}#m", "x", "--system", "Be brief.", "--temperature", "0.5", "--top-p", "0.9", "--seed",
        "7", "--stop", "END", "--reasoning", "low", "--max-tokens", "9", "--logprobs", "--json",
    )  # fmt: skip
    body = server.calls[0].body
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert (body["temperature"], body["top_p"], body["seed"], body["stop"]) == (0.5, 0.9, 7, ["END"])
    assert (body["reasoning_effort"], body["max_tokens"], body["logprobs"]) == ("low", 9, True)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--top-p", "2"), "--top-p"),
        (("--max-rounds", "0"), "--max-rounds"),
        (("--reasoning", "much"), "--reasoning"),
        (("--tools", "calcolator"), "no tool"),
        (("--tools", "gone.py", "--yes"), "gone.py"),
        (("--text", "--system", "x"), "--text"),
        (("--budget-usd", "1"), "price"),
        (("--budget-usd", "x"), "--budget-usd"),
    ],
)
async def test_wrong_use_is_told_before_anything_is_sent(arguments: tuple[str, ...], told: str) -> None:
    """Exit code 2, a sentence and the next step."""
    ran = await fieldguide("ask", "http://127.0.0.1:9/v1#m", "x", *arguments)
    assert ran.code == 2
    assert told in ran.err
    assert "next:" in ran.err or told.startswith("--")
    assert "Traceback" not in ran.err


async def test_a_chat_goes_on_and_is_taken_up_again(server: FakeServer, tmp_path: Path) -> None:
    """Lines, joined lines and blocks; undo, retry, system, cost, save; then --continue knows what was said."""
    saved = tmp_path / "talk.md"
    typed = f'one\n/system Be brief.\ntwo\\\nlines\n"""a\nblock"""\n/undo\n/retry\n/cost\n/save {saved}\n/quit\nnever\n'
    ran = await piped(typed, "chat", f"{server.url}#m")
    assert ran.code == 0, ran.err
    assert [call.prompt for call in server.calls] == ["one", "two\nlines", "a\nblock", "two\nlines"]
    assert server.calls[-1].body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert "4 requests, 120 in, 36 out" in ran.err
    assert "two\nlines" in saved.read_text()
    again = await piped("three\n", "chat", "--continue", "--json")
    roles = [message["role"] for message in server.calls[-1].body["messages"]]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"]
    assert again.json["turns"][-1]["message"]["content"][-1]["text"].strip() == "heard: three"


async def test_errors_in_a_chat_do_not_end_it(server: FakeServer) -> None:
    """They are told, the rest goes on, and a piped chat ends with exit code 1."""
    ran = await piped("/hlep\n/image gone.png\n/save\n/model nosuch:x\nhello\n", "chat", f"{server.url}#m")
    assert ran.code == 1
    assert "Did you mean `/help`" in ran.err
    assert "gone.png" in ran.err
    assert ran.out.strip() == "heard: hello"
    assert "Traceback" not in ran.err


async def test_a_conversation_is_carried_to_another_server(server: FakeServer) -> None:
    """What was said goes along."""
    async with fake_server(lambda call: streamed(chat("the other"))) as other:
        ran = await piped(f"one\n/model {other.url}#n\ntwo\n", "chat", f"{server.url}#m")
        assert "going on with n" in ran.err
        assert [message["content"] for message in other.calls[0].body["messages"] if message["role"] == "user"] == [
            "one",
            "two",
        ]


async def test_ctrl_c_keeps_what_had_come() -> None:
    """Exit code 130, and the half answer is in the history."""

    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        delta = {
            "id": "1",
            "model": "m",
            "choices": [{"index": 0, "delta": {"content": "half"}, "finish_reason": None}],
        }
        await response.write(sse(delta).encode())
        await asyncio.sleep(60)
        return response

    app = web.Application()
    app.router.add_post("/{tail:.*}", slow)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1#m"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "fieldguide", "ask", url, "x",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=os.environ.copy(),
    )  # fmt: skip
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.readexactly(4), 60)
    process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(process.wait(), 30) == 130
    await process.communicate()
    await runner.cleanup()
    turns = (await fieldguide("history", "1", "--json")).json["turns"]
    assert (turns[-1]["message"]["content"], turns[-1]["answer"]["stopped"]) == ("half", True)


async def test_doctor_examines_a_server_and_says_how_sure_it_is(server: FakeServer) -> None:
    """The forecast comes first; this server counts every prompt alike, which is found."""
    ran = await fieldguide("doctor", f"{server.url}#m", "--prompt-tokens", "3000", "--json")
    by_check = {finding["check"]: finding for finding in ran.json["findings"]}
    assert ran.code == 1
    assert (by_check["the whole prompt arrives"]["state"], by_check["the whole prompt arrives"]["certainty"]) == (
        "failed",
        "certain",
    )
    assert "forecast" in ran.err
    assert (await fieldguide("doctor", f"{server.url}#m", "--budget-usd", "1", "--json")).code == 1


async def test_doctor_compares_two_servers(server: FakeServer) -> None:
    """The same server is the same; wrong use is told."""
    ran = await fieldguide("doctor", f"{server.url}#m", f"{server.url}#m", "--same", "--json")
    assert (ran.code, ran.json["verdict"]) == (0, "same")
    assert (await fieldguide("doctor", f"{server.url}#m", "--same")).code == 2
    assert (await fieldguide("doctor", "--prompt-tokens", "1")).code == 2
