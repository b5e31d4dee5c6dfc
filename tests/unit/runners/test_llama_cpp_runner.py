"""What the embedded engine answers, on a tiny model that really runs."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from fieldguide.domain import (
    Completion,
    CompletionRequest,
    FinishReason,
    JsonValue,
    Message,
    ResponseSchema,
    StreamPiece,
    TextDelta,
)
from fieldguide.errors import (
    ContextLengthExceededError,
    InputFileError,
    MissingDependencyError,
    RunnerTimeoutError,
    RunnerUnavailableError,
    SettingsError,
)
from fieldguide.runners.llama_cpp import open_runner
from fieldguide.runners.llama_cpp._runner import LlamaCppRunner
from tests.support.embedded import opened, settings, the_child
from tests.support.tiny_gguf import tiny_gguf

SHORT = CompletionRequest(prompt="a b c", max_output_tokens=12, temperature=0)
ENDLESS = CompletionRequest(prompt="a b c", max_output_tokens=200_000, temperature=0)
QUESTION = (Message(role="system", content="be brief"), Message(role="user", content="name a colour"))


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return tiny_gguf(tmp_path / "tiny.gguf", context_length=262_144)


@pytest_asyncio.fixture
async def runner(tiny: Path, tmp_path: Path) -> AsyncIterator[LlamaCppRunner]:
    async with opened(tiny, settings(tmp_path, context_tokens="512")) as ready:
        yield ready


async def pieces(runner: LlamaCppRunner, request: CompletionRequest) -> tuple[list[TextDelta], Completion]:
    """Return the deltas and the completion that ends them."""
    got = [piece async for piece in runner.stream(request)]
    assert isinstance(got[-1], Completion)
    return [piece for piece in got[:-1] if isinstance(piece, TextDelta)], got[-1]


async def test_a_text_is_continued_with_usage_latency_and_reason(runner: LlamaCppRunner) -> None:
    """A text prompt gives text, inclusive token counts, the engine's own reason and the body as received."""
    completion = await runner.complete(SHORT)
    assert completion.text
    assert completion.finish_reason is FinishReason.LENGTH
    assert completion.raw_finish_reason == "limit"
    assert completion.usage.output_tokens == 12
    assert completion.usage.input_tokens is not None
    assert completion.usage.input_tokens >= 4
    assert completion.latency.e2e_latency_s is not None
    assert completion.raw is not None
    assert '"stop_type"' in completion.raw
    assert str(Path.home()) not in completion.raw


@pytest.mark.parametrize("request_", [SHORT, CompletionRequest(messages=QUESTION, max_output_tokens=12, temperature=0)])
async def test_a_stream_gives_the_same_answer_piece_by_piece(
    runner: LlamaCppRunner, request_: CompletionRequest
) -> None:
    """The pieces of a stream join to the text of its completion, which is that of the whole answer."""
    whole = await runner.complete(request_)
    deltas, last = await pieces(runner, request_)
    assert "".join(delta.text for delta in deltas) == last.text == whole.text
    assert last.finish_reason is whole.finish_reason
    assert last.usage.output_tokens == whole.usage.output_tokens == 12
    assert last.usage.input_tokens == whole.usage.input_tokens
    assert last.latency.ttft_s is not None


async def test_a_stop_text_ends_the_answer_and_is_not_part_of_it(runner: LlamaCppRunner) -> None:
    """A stop text met in the answer ends it; the reason is `stop`, in the engine's words `word`."""
    whole = await runner.complete(SHORT)
    stop = whole.text[5:8]
    cut = await runner.complete(
        CompletionRequest(prompt=SHORT.prompt, max_output_tokens=12, temperature=0, stop=(stop,))
    )
    assert cut.text == whole.text[: whole.text.index(stop)]
    assert cut.finish_reason is FinishReason.STOP
    assert cut.raw_finish_reason == "word"


async def test_greedy_answers_do_not_depend_on_what_else_is_in_flight(runner: LlamaCppRunner) -> None:
    """At temperature 0 the same prompts give the same answers alone, together, and in another order."""
    requests = [
        CompletionRequest(prompt=f"{letter} b {letter} d", max_output_tokens=24, temperature=0)
        for letter in "efghijklmnop"
    ]
    alone = [(await runner.complete(request)).text for request in requests]
    together = [done.text for done in await asyncio.gather(*(runner.complete(request) for request in requests))]
    backwards = [done.text for done in await asyncio.gather(*(runner.complete(request) for request in requests[::-1]))]
    assert together == alone
    assert backwards[::-1] == alone


async def test_a_seed_fixes_what_is_sampled(runner: LlamaCppRunner) -> None:
    """Above temperature 0 the same seed gives the same answer, and another seed another."""

    async def said(seed: int) -> str:
        request = CompletionRequest(prompt="a b c", max_output_tokens=24, temperature=1.0, seed=seed)
        return (await runner.complete(request)).text

    assert await said(1) == await said(1)
    assert len({await said(seed) for seed in range(1, 5)}) > 1


async def test_a_prompt_that_does_not_fit_is_refused_with_both_counts(runner: LlamaCppRunner) -> None:
    """A prompt longer than the context is an error that states the limit and what was asked, never an answer."""
    with pytest.raises(ContextLengthExceededError) as caught:
        await runner.complete(CompletionRequest(prompt="a " * 2000))
    assert caught.value.limit_tokens == 512
    assert caught.value.requested_tokens is not None
    assert caught.value.requested_tokens > 2000
    with pytest.raises(ContextLengthExceededError):
        await pieces(runner, CompletionRequest(prompt="a " * 2000))


async def test_an_answer_that_fills_the_context_is_cut_and_says_so(runner: LlamaCppRunner) -> None:
    """Without room for more tokens the answer ends by length; the context does not silently shift."""
    completion = await runner.complete(CompletionRequest(prompt="a b c", temperature=0))
    assert completion.finish_reason is FinishReason.LENGTH
    assert completion.usage.input_tokens is not None
    assert completion.usage.output_tokens is not None
    assert completion.usage.input_tokens + completion.usage.output_tokens <= 513


async def test_a_model_without_a_template_chats_in_plain_text(tmp_path: Path) -> None:
    """A base model gets the conversation as plain text, and the record says so."""
    base = tiny_gguf(tmp_path / "base.gguf", chat_template=None)
    async with opened(base, settings(tmp_path)) as runner:
        chatted = await runner.complete(CompletionRequest(messages=QUESTION, max_output_tokens=8, temperature=0))
        text = "be brief\n\nUser: name a colour\n\nAssistant:"
        plain = await runner.complete(CompletionRequest(prompt=text, max_output_tokens=8, temperature=0))
        assert chatted.text == plain.text
        assert chatted.usage.input_tokens == plain.usage.input_tokens
        assert runner.model.facts["chat_form"] == "plain text"
        assert runner.capabilities.chat


async def test_the_model_is_known_by_its_bytes_and_not_by_its_path(tiny: Path, tmp_path: Path) -> None:
    """Two copies of one file are the same model; the facts tell where it lay and how it ran."""
    copy = tmp_path / "elsewhere" / "other.gguf"
    copy.parent.mkdir()
    copy.write_bytes(tiny.read_bytes())
    async with opened(tiny, settings(tmp_path)) as one, opened(copy, settings(tmp_path, slots="1")) as two:
        assert one.model.model_key == two.model.model_key
        assert one.model.name == "tiny"
        assert two.model.facts["slots"] == 1
        assert one.model.facts["chat_form"] == "template"
        assert one.model.facts["architecture"] == "llama"
        assert two.capabilities.max_concurrency == 2


async def test_a_cancelled_request_frees_its_slot(tiny: Path, tmp_path: Path) -> None:
    """With one slot, a short request is answered soon after an endless one was cancelled."""
    async with opened(tiny, settings(tmp_path, slots="1", context_tokens="262144")) as runner:
        endless = asyncio.create_task(runner.complete(ENDLESS))
        await asyncio.sleep(0.3)
        endless.cancel()
        with pytest.raises(asyncio.CancelledError):
            await endless
        async with asyncio.timeout(20):
            assert (await runner.complete(SHORT)).text


async def test_a_stream_that_is_left_frees_its_slot(tiny: Path, tmp_path: Path) -> None:
    """Who stops reading a stream does not keep the engine busy."""
    async with opened(tiny, settings(tmp_path, slots="1", context_tokens="262144")) as runner:
        stream = runner.stream(ENDLESS)
        assert isinstance(await anext(stream), TextDelta)
        await stream.aclose()
        async with asyncio.timeout(20):
            assert (await runner.complete(SHORT)).text


async def test_the_deadline_ends_a_request(tiny: Path, tmp_path: Path) -> None:
    """A request, whole or as a stream, that is not answered by its deadline is a retryable timeout."""
    async with opened(tiny, settings(tmp_path, deadline_s=0.5, context_tokens="262144")) as runner:
        with pytest.raises(RunnerTimeoutError) as caught:
            await runner.complete(ENDLESS)
        assert caught.value.retryable
        with pytest.raises(RunnerTimeoutError):
            await pieces(runner, ENDLESS)


async def test_a_stream_that_falls_silent_is_given_up(tiny: Path, tmp_path: Path) -> None:
    """Silence between two pieces beyond the idle timeout is a timeout, and never ends in a completion."""
    async with opened(tiny, settings(tmp_path, idle_timeout_s=0.5, context_tokens="262144")) as runner:
        got: list[StreamPiece | Completion] = []

        async def read() -> None:
            async for piece in runner.stream(ENDLESS):
                got.append(piece)
                if len(got) == 5:
                    os.kill(the_child(), signal.SIGSTOP)

        with pytest.raises(RunnerTimeoutError, match="silent"):
            await read()
        os.kill(the_child(), signal.SIGCONT)
        assert all(isinstance(piece, TextDelta) for piece in got)


async def test_a_closed_runner_says_so(tiny: Path, tmp_path: Path) -> None:
    """Asking after `close` is an error of ours; closing twice does no harm."""
    async with opened(tiny, settings(tmp_path)) as runner:
        await runner.close()
        await runner.close()
        with pytest.raises(RunnerUnavailableError, match="closed"):
            await runner.complete(SHORT)


async def test_a_file_that_is_not_there_is_the_users_mistake(tmp_path: Path) -> None:
    """A missing file, or a folder, is named with what to do next."""
    for target in (tmp_path / "none.gguf", tmp_path):
        with pytest.raises(InputFileError) as caught:
            await open_runner(str(target), settings(tmp_path))
        assert caught.value.hint


async def test_options_that_are_not_counts_are_refused(tiny: Path, tmp_path: Path) -> None:
    """`threads`, `slots` and `context_tokens` take whole numbers of at least 1."""
    for value in ("0", "many", "-1", "²"):
        with pytest.raises(SettingsError):
            await open_runner(str(tiny), settings(tmp_path, slots=value))


async def test_without_the_engine_the_extra_is_named(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the engine is not installed, the error names the extra to install."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError) as caught:
        await open_runner(str(tiny), settings(tmp_path))
    assert caught.value.extra == "llama-cpp"


def test_importing_the_runner_imports_no_engine() -> None:
    """Importing the package loads neither the HTTP library nor the engine."""
    import subprocess

    code = "import sys, fieldguide.runners.llama_cpp; sys.exit('aiohttp' in sys.modules or 'xllamacpp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("seed", range(3))
async def test_an_answer_keeps_to_a_schema_even_from_random_weights(tiny: Path, tmp_path: Path, seed: int) -> None:
    """The engine's grammar holds it: what stopped by itself is JSON of that form."""
    schema: dict[str, JsonValue] = {
        "type": "object",
        "properties": {"a": {"enum": ["x", "y"]}},
        "required": ["a"],
        "additionalProperties": False,
    }
    request = CompletionRequest(
        messages=QUESTION,
        max_output_tokens=400,
        temperature=1.0,
        seed=seed,
        response_schema=ResponseSchema(schema=schema),
    )
    async with opened(tiny, settings(tmp_path)) as runner:
        completion = await runner.complete(request)
    assert completion.finish_reason is FinishReason.STOP
    assert json.loads(completion.text) in ({"a": "x"}, {"a": "y"})
