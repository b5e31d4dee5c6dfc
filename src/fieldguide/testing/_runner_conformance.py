"""What every runner must do. Subclass it, give it a runner, and let pytest collect it."""

from __future__ import annotations

import asyncio

from fieldguide.domain import Completion, CompletionRequest, FinishReason, Message, TextDelta
from fieldguide.errors import UnsupportedError
from fieldguide.runners import Runner


class RunnerConformance:
    """The suite. A subclass returns an open runner from `open_runner`; the model behind it may say anything.

    The runner must answer within a minute; its answers are only checked for what every model's answer has. A gap that
    a runner declares in its capabilities is checked to be refused and never ignored.
    """

    async def open_runner(self) -> Runner:
        """Return a runner that is ready to answer; the suite closes it."""
        raise AssertionError("a subclass gives the runner")

    def request(self, runner: Runner, *, max_output_tokens: int = 8) -> CompletionRequest:
        """Return a request in a form that the runner takes."""
        if runner.capabilities.chat:
            messages = (Message(role="user", content="Say one word."),)
            return CompletionRequest(messages=messages, max_output_tokens=max_output_tokens, temperature=0)
        return CompletionRequest(prompt="One, two,", max_output_tokens=max_output_tokens, temperature=0)

    async def test_model_says_what_it_is(self) -> None:
        """The model has a name, a reference and an identity without which runs could not be told apart."""
        runner = await self.open_runner()
        try:
            assert runner.model.name
            assert ":" in runner.model.reference
            assert runner.model.identity
            assert len(runner.model.model_key) == 64
            assert runner.capabilities.chat or runner.capabilities.text
        finally:
            await runner.close()

    async def test_complete_returns_text_reason_and_latency(self) -> None:
        """A whole answer has a text, a known reason for its end, a latency, and token counts that are not negative."""
        runner = await self.open_runner()
        try:
            completion = await asyncio.wait_for(runner.complete(self.request(runner)), 60)
            _check_completion(completion)
        finally:
            await runner.close()

    async def test_stream_ends_with_the_completion_of_its_pieces(self) -> None:
        """The pieces of a stream come first, its completion last and once, and their texts agree."""
        runner = await self.open_runner()
        try:
            if not runner.capabilities.streaming:
                return
            pieces = [piece async for piece in runner.stream(self.request(runner))]
            whole = pieces[-1]
            assert isinstance(whole, Completion)
            deltas = pieces[:-1]
            assert not any(isinstance(piece, Completion) for piece in deltas)
            said = "".join(piece.text for piece in deltas if isinstance(piece, TextDelta) and not piece.reasoning)
            assert "".join(said.split()) == "".join(whole.text.split())
            _check_completion(whole)
        finally:
            await runner.close()

    async def test_requests_may_run_at_once(self) -> None:
        """Several requests in flight all get an answer of their own."""
        runner = await self.open_runner()
        try:
            request = self.request(runner)
            completions = await asyncio.wait_for(asyncio.gather(*(runner.complete(request) for _ in range(4))), 60)
            assert len(completions) == 4
            for completion in completions:
                _check_completion(completion)
        finally:
            await runner.close()

    async def test_what_it_cannot_do_is_refused(self) -> None:
        """A form of request that the capabilities deny is an error and not another form in disguise."""
        runner = await self.open_runner()
        try:
            if not runner.capabilities.text:
                await _refuses(runner, CompletionRequest(prompt="One, two,", max_output_tokens=4))
            if not runner.capabilities.chat:
                await _refuses(runner, CompletionRequest(messages=(Message(role="user", content="Hello"),)))
        finally:
            await runner.close()

    async def test_close_may_be_called_twice(self) -> None:
        """Closing again does no harm."""
        runner = await self.open_runner()
        await runner.close()
        await runner.close()


async def _refuses(runner: Runner, request: CompletionRequest) -> None:
    try:
        await runner.complete(request)
    except UnsupportedError:
        return
    raise AssertionError("a request that the capabilities deny was answered")


def _check_completion(completion: Completion) -> None:
    assert isinstance(completion.text, str)
    assert completion.finish_reason in FinishReason
    assert completion.latency.e2e_latency_s is None or completion.latency.e2e_latency_s >= 0
    for count in (completion.usage.input_tokens, completion.usage.output_tokens):
        assert count is None or count >= 0
