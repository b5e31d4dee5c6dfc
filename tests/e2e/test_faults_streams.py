"""F10 and F11 of the fault list: bodies and streams that are not what they should be."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest

from fieldguide import errors
from fieldguide.domain import Completion, CompletionRequest, Message, Outcome, TextDelta
from fieldguide.runners import RunnerSettings
from fieldguide.runners._http_runner import HttpRunner
from fieldguide.runners.openai_compatible import open_runner
from fieldguide.store import RunState
from tests.support.exams import sums
from tests.support.fault_server import (
    Behaviour,
    Call,
    FaultServer,
    answers,
    claims_length,
    cuts_chunks,
    first_calls,
    large,
    responds,
    serving,
    streams,
)
from tests.support.http_lab import HttpLab, by_item, outcomes

UNLUCKY = "3 + 3 ="
HTML = {"Content-Type": "text/html"}
PAGE = "<!doctype html><html><head><title>502</title></head><body><h1>Bad gateway</h1></body></html>"


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[HttpLab]:
    made = HttpLab(tmp_path)
    yield made
    await made.aclose()


def completion(content: Any, finish_reason: str | None = "stop") -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": {"content": content}, "finish_reason": finish_reason}]}


def of_charset(text: str, encoding: str, declared: str) -> Behaviour:
    data = json.dumps(completion(text), ensure_ascii=False).encode(encoding)
    return responds(200, data, headers={"Content-Type": f"application/json; charset={declared}"})


# -- F10: bodies ------------------------------------------------------------------------------------------------------

_BODIES: dict[str, tuple[Behaviour, type[errors.RunnerError]]] = {
    "500 with a page": (responds(500, PAGE, headers=HTML), errors.ProviderFaultError),
    "502 with a page": (responds(502, PAGE, headers=HTML), errors.RunnerUnavailableError),
    "500 with nothing": (responds(500), errors.ProviderFaultError),
    "an error in a 200": (responds(200, {"error": {"message": "loading"}}), errors.ResponseFormatError),
    "an error text in a 200": (responds(200, {"error": "loading"}), errors.ResponseFormatError),
    "no choices": (responds(200, {"choices": []}), errors.ResponseFormatError),
    "null choices": (responds(200, {"choices": None}), errors.ResponseFormatError),
    "null content": (responds(200, completion(None)), errors.ResponseFormatError),
    "no message": (responds(200, {"choices": [{"finish_reason": "stop"}]}), errors.ResponseFormatError),
    "the reason is error": (responds(200, completion("6", "error")), errors.ResponseFormatError),
    "an empty body": (responds(200), errors.ResponseFormatError),
    "half of the JSON": (responds(200, b'{"choices": [{"message": {"content": "6'), errors.ResponseFormatError),
    "a page in a 200": (responds(200, PAGE, headers=HTML), errors.ResponseFormatError),
    "UTF-16 called UTF-8": (of_charset("grün", "utf-16", "utf-8"), errors.ResponseFormatError),
    "Latin-1 called UTF-8": (of_charset("grün", "latin-1", "utf-8"), errors.ResponseFormatError),
    "fewer bytes than promised": (claims_length(+40), errors.ResponseFormatError),
    "more bytes than promised": (claims_length(-40), errors.RunnerUnavailableError),
    "chunks that break off": (cuts_chunks(), errors.ResponseFormatError),
    "50 MB": (large(50_000_000), errors.ResponseFormatError),
    "no credit, in a 200": (responds(200, {"error": {"code": "insufficient_quota"}}), errors.QuotaExhaustedError),
    "402": (responds(402, {"error": {"message": "pay"}}), errors.QuotaExhaustedError),
    "429": (responds(429), errors.RateLimitError),
    "503": (responds(503, "busy"), errors.RunnerUnavailableError),
    "529": (responds(529, {"error": {"type": "overloaded_error"}}), errors.RunnerUnavailableError),
    "408": (responds(408), errors.RunnerTimeoutError),
    "504": (responds(504, PAGE), errors.RunnerTimeoutError),
    "401": (responds(401), errors.AuthenticationError),
    "too long": (responds(400, {"error": {"code": "context_length_exceeded"}}), errors.ContextLengthExceededError),
    "withheld": (responds(400, {"error": {"code": "content_filter"}}), errors.ContentFilterError),
}


_OF_THE_PROMPT = "Invalid character in 'The billing office fills a context window with content_filter forms.'"


@pytest.mark.parametrize("status", [400, 422])
async def test_words_of_the_prompt_in_a_message_do_not_make_it_another_error(lab: HttpLab, status: int) -> None:
    """Messages quote what was asked: an item about billing is no used-up quota, which would stop every run at it."""
    body = {"error": {"type": "invalid_request_error", "message": _OF_THE_PROMPT}}
    async with serving(lambda call: responds(status, body)) as server:
        with pytest.raises(errors.InvalidRequestError):
            await (await runner_at(server, lab)).complete(QUESTION)


async def test_a_rate_limit_told_in_a_200_never_fails_an_attempt_either(lab: HttpLab) -> None:
    """Routers answer 200 and put the upstream's status into the error: 429 there is waited for like any other."""
    refusal = responds(200, {"error": {"code": 429, "message": "Rate limit exceeded"}})
    script = first_calls(*[refusal] * 8, of=lambda call: call.prompt == UNLUCKY)
    async with serving(script, latency_s=0.02) as server:
        result = await lab.take(server.url, sums(20), concurrency=2)
    assert outcomes(result) == [Outcome.CORRECT] * 20


async def runner_at(server: FaultServer, lab: HttpLab) -> HttpRunner:
    settings = RunnerSettings(home=lab.folder, session=lab.session, deadline_s=20, idle_timeout_s=5)
    return await open_runner(f"{server.url}#m", settings)


QUESTION = CompletionRequest(messages=(Message(role="user", content=UNLUCKY),), max_output_tokens=8)


@pytest.mark.parametrize("kind", _BODIES)
async def test_every_kind_of_body_is_an_error_of_its_class(lab: HttpLab, kind: str) -> None:
    """Nothing that is not an answer is taken for one, and the class says what it was."""
    behaviour, error = _BODIES[kind]
    async with serving(lambda call: behaviour) as server:
        runner = await runner_at(server, lab)
        with pytest.raises(errors.RunnerError) as caught:
            await runner.complete(QUESTION)
    assert type(caught.value) is error or isinstance(caught.value, error), caught.value
    assert "<h1>" not in caught.value.message or kind == "a page in a 200"  # which is quoted


_NO_ANSWER = [
    "500 with a page",
    "an error in a 200",
    "no choices",
    "null content",
    "the reason is error",
    "an empty body",
    "half of the JSON",
    "a page in a 200",
    "Latin-1 called UTF-8",
    "fewer bytes than promised",
    "chunks that break off",
]


@pytest.mark.parametrize("kind", _NO_ANSWER)
async def test_a_malformed_answer_is_asked_again_and_then_failed(lab: HttpLab, kind: str) -> None:
    """Once: the second try is the answer. Always: five tries, then `failed` and never wrong; the others are kept."""
    behaviour, error = _BODIES[kind]
    stays = "5 + 5 ="

    def script(call: Call) -> Behaviour | None:
        return behaviour if call.prompt == stays or (call.prompt == UNLUCKY and call.nth == 1) else None

    async with serving(script) as server:
        result = await lab.take(server.url, sums(12), concurrency=2)
        assert len(server.of(UNLUCKY)) == 2
        assert len(server.of(stays)) == 5
    assert result.run.state is RunState.FINISHED
    outcome = by_item(result)
    assert outcome.pop("sums/5") is Outcome.FAILED
    assert set(outcome.values()) == {Outcome.CORRECT}
    kinds = {row["error_type"] for row in lab.rows("SELECT error_type FROM calls WHERE state = 'failed'")}
    assert kinds == {error.__name__}


@pytest.mark.parametrize(("reason", "outcome"), [("length", Outcome.TRUNCATED), ("content_filter", Outcome.REFUSED)])
async def test_an_answer_that_was_cut_or_withheld_is_kept_as_that(lab: HttpLab, reason: str, outcome: Outcome) -> None:
    """What the model did is an answer: one request, neither failed nor wrong."""
    async with serving(lambda call: responds(200, completion(None, reason))) as server:
        result = await lab.take(server.url, sums(3))
        assert len(server.calls) == 3
    assert outcomes(result) == [outcome] * 3


async def test_nothing_but_malformed_answers_ends_the_run_with_an_error(lab: HttpLab) -> None:
    """An address that answers everything with a page is not asked through the whole exam."""
    async with serving(lambda call: _BODIES["a page in a 200"][0]) as server:
        with pytest.raises(errors.FieldguideError) as caught:
            await lab.take(server.url, sums(300), concurrency=4)
        assert len(server.calls) <= 5 * 30
    assert "not JSON" in caught.value.message
    assert lab.rows("SELECT count(*) FROM calls WHERE accepted = 1")[0][0] == 0


def _memory_bytes(name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) * 1024


async def test_answers_of_fifty_megabytes_do_not_fill_the_memory(lab: HttpLab) -> None:
    """Each is broken off at 32 MiB: less than 100 MB more at the peak, and the item is failed."""
    async with serving(lambda call: large(50_000_000) if call.prompt == UNLUCKY else None) as server:
        await lab.take(server.url, sums(2))
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
        before = _memory_bytes("VmRSS")
        result = await lab.take(server.url, sums(6), concurrency=2)
    assert _memory_bytes("VmHWM") - before < 100_000_000
    assert by_item(result)["sums/3"] is Outcome.FAILED


# -- F11: streams -----------------------------------------------------------------------------------------------------


def chunk_of(**delta: Any) -> dict[str, Any]:
    return {"id": "c", "model": "served", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}


def last_chunk(reason: str | None = "stop") -> dict[str, Any]:
    return {"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}


USAGE = {"id": "c", "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4}}
PARTS = [chunk_of(role="assistant", content=""), chunk_of(content="grö"), chunk_of(content="ße 數🙂")]
TEXT = "größe 數🙂"


def data(*parts: dict[str, Any] | str, ends: str = "\n") -> bytes:
    """Return events, their text as UTF-8 and not escaped."""
    texts = [part if isinstance(part, str) else json.dumps(part, ensure_ascii=False) for part in parts]
    return "".join(f"data: {text}{ends}{ends}" for text in texts).encode()


def multi_line(part: dict[str, Any]) -> bytes:
    lines = json.dumps(part, ensure_ascii=False, indent=1).splitlines()
    return ("".join(f"data: {line}\n" for line in lines) + "\n").encode()


WHOLE = data(*PARTS, last_chunk(), USAGE, "[DONE]")


async def streamed(lab: HttpLab, pieces: Iterable[bytes], *, end: str = "whole", between_s: float = 0.0) -> Completion:
    """Return the completion of a stream; its pieces of text must add up to it."""
    behaviour = streams(pieces, end=end, between_s=between_s)
    async with serving(lambda call: behaviour) as server:
        return await read_stream(await runner_at(server, lab))


async def read_stream(runner: HttpRunner) -> Completion:
    text, whole = "", None
    async for piece in runner.stream(QUESTION):
        assert whole is None, "nothing comes after the completion"
        if isinstance(piece, Completion):
            whole = piece
        elif isinstance(piece, TextDelta):
            text += piece.text
    assert whole is not None
    assert whole.text == text
    return whole


_GOOD_STREAMS: dict[str, list[bytes]] = {
    "as it should be": [WHOLE],
    "comments between": [
        b": OPENROUTER PROCESSING\n\n" * 3,
        data(PARTS[0]),
        b": OPENROUTER PROCESSING\n\n:\n\n",
        data(*PARTS[1:], last_chunk(), USAGE, "[DONE]"),
    ],
    "CR LF": [data(*PARTS, last_chunk(), USAGE, "[DONE]", ends="\r\n")],
    "CR": [data(*PARTS, last_chunk(), USAGE, "[DONE]", ends="\r"), b": end\n"],
    "data over several lines": [*(multi_line(part) for part in [*PARTS, last_chunk(), USAGE]), data("[DONE]")],
    "other fields": [b"event: message\nid: 1\nretry: 500\n" + data(PARTS[0]), data(*PARTS[1:], last_chunk(), USAGE)],
    "no space after the colon": [WHOLE.replace(b"data: ", b"data:")],
    "without [DONE]": [data(*PARTS, last_chunk(), USAGE)],
    "the last event twice": [data(*PARTS, last_chunk(), last_chunk(), USAGE, USAGE, "[DONE]")],
    "a byte order mark": [b"\xef\xbb\xbf" + WHOLE],
    "more after [DONE]": [WHOLE + data(chunk_of(content="!"))],
}


@pytest.mark.parametrize("kind", _GOOD_STREAMS)
async def test_a_stream_in_any_lawful_form_is_the_answer(lab: HttpLab, kind: str) -> None:
    """Comments, line ends, fields and repeated ends change neither text nor count of tokens."""
    whole = await streamed(lab, _GOOD_STREAMS[kind])
    assert (whole.text, whole.raw_finish_reason, whole.usage.output_tokens) == (TEXT, "stop", 4)


async def test_a_stream_that_counts_no_tokens_leaves_them_unknown(lab: HttpLab) -> None:
    """Missing usage is unknown and not zero."""
    whole = await streamed(lab, [data(*PARTS, last_chunk(), "[DONE]")])
    assert (whole.text, whole.usage.output_tokens, whole.usage.input_tokens) == (TEXT, None, None)


async def test_an_event_of_more_than_a_megabyte_is_read(lab: HttpLab) -> None:
    """Large is not malformed."""
    text = "x" * 1_500_000
    stream = data(chunk_of(content=text), last_chunk(), "[DONE]")
    whole = await streamed(lab, [stream[at : at + 65536] for at in range(0, len(stream), 65536)])
    assert whole.text == text


_BAD_STREAMS: dict[str, tuple[list[bytes], str]] = {
    "an error event": ([data(*PARTS, {"error": {"message": "overloaded", "code": 502}})], "whole"),
    "an error event with a reason": (
        [data(*PARTS, {"error": {"message": "gone"}, "choices": [{"delta": {}, "finish_reason": "error"}]})],
        "whole",
    ),
    "an event named error": ([data(*PARTS) + b'event: error\ndata: {"message": "overloaded"}\n\n'], "whole"),
    "the reason is error": ([data(*PARTS, last_chunk("error"), "[DONE]")], "whole"),
    "EOF without a reason": ([data(*PARTS)], "whole"),
    "[DONE] without a reason": ([data(*PARTS, "[DONE]")], "whole"),
    "nothing at all": ([], "whole"),
    "only comments": ([b": OPENROUTER PROCESSING\n\n" * 5], "whole"),
    "FIN in the middle": ([data(*PARTS)], "cut"),
    "RST in the middle": ([data(*PARTS)], "reset"),
    "the reason cut off": ([data(*PARTS, last_chunk())[:-1]], "whole"),
    "cut inside a character": ([data(*PARTS)[: data(*PARTS).index("數".encode()) + 1]], "whole"),
    "half of the JSON": ([data(*PARTS, '{"choices": [{"delta": {"con')], "whole"),
    "not UTF-8": ([data(*PARTS) + b"data: \xff\xfe\n\n" + data(last_chunk())], "whole"),
}


@pytest.mark.parametrize("kind", _BAD_STREAMS)
async def test_a_stream_that_broke_is_an_error_worth_another_try(lab: HttpLab, kind: str) -> None:
    """Whatever text came before, it never ends in a completion."""
    pieces, end = _BAD_STREAMS[kind]
    with pytest.raises(errors.RunnerError) as caught:
        await streamed(lab, pieces, end=end)
    assert caught.value.retryable


async def test_a_stream_that_falls_silent_ends_after_the_idle_time(lab: HttpLab) -> None:
    """Silence between two events is a time-out of its own."""
    settings = RunnerSettings(home=lab.folder, session=lab.session, deadline_s=30, idle_timeout_s=0.3)
    async with serving(lambda call: streams([data(*PARTS)], end="hang")) as server:
        runner = await open_runner(f"{server.url}#m", settings)
        with pytest.raises(errors.RunnerTimeoutError):
            await asyncio.wait_for(read_stream(runner), 10)


async def test_a_stream_cut_into_two_at_every_byte_gives_the_same_text(lab: HttpLab) -> None:
    """Over a real connection, each half a chunk of its own: inside characters, line ends and fields."""
    stream = b": hello\r\n\r\n" + data(*PARTS, ends="\r\n") + data(last_chunk(), USAGE, "[DONE]")
    offset = iter(range(1, len(stream)))

    def script(call: Call) -> Behaviour:
        at = next(offset)
        return streams([stream[:at], stream[at:]], between_s=0.001)

    async with serving(script) as server:
        runner = await runner_at(server, lab)
        for at in range(1, len(stream)):
            whole = await read_stream(runner)
            assert (whole.text, whole.usage.output_tokens) == (TEXT, 4), f"cut at {at}"


async def test_a_stream_truncated_at_any_byte_is_never_another_answer(lab: HttpLab) -> None:
    """Before the reason has come whole it is an error; from there on the text is complete."""
    stream = data(*PARTS, last_chunk(), USAGE, "[DONE]")
    complete_at = stream.index(b'"stop"')
    cuts = iter(range(len(stream)))
    async with serving(lambda call: streams([stream[: next(cuts)]])) as server:
        runner = await runner_at(server, lab)
        for at in range(len(stream)):
            if at <= complete_at:
                with pytest.raises(errors.RunnerError) as caught:
                    await read_stream(runner)
                assert caught.value.retryable
                continue
            with contextlib.suppress(errors.RunnerError):  # the event that says why may still be without its end
                assert (await read_stream(runner)).text == TEXT


async def test_a_good_answer_still_comes_after_every_bad_one(lab: HttpLab) -> None:
    """One connection's fault is not the next one's: the session is usable after each kind of body."""
    faults = [behaviour for behaviour, _ in _BODIES.values()]
    async with serving(first_calls(*faults)) as server:
        runner = await runner_at(server, lab)
        for _ in faults:
            with pytest.raises(errors.RunnerError):
                await runner.complete(QUESTION)
        assert (await runner.complete(QUESTION)).text == "6"
        server.script = lambda call: answers("7")
        assert (await runner.complete(QUESTION)).text == "7"
