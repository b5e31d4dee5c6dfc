"""What every runner must do. Subclass it, give it a runner, and let pytest collect it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from fieldguide.domain import (
    Audio,
    BlockEnd,
    BlockStart,
    Completion,
    CompletionRequest,
    Document,
    EmbeddingRequest,
    FinishReason,
    Image,
    ImageRequest,
    Message,
    ProviderBlock,
    Reasoning,
    ReasoningOptions,
    ResponseSchema,
    SpeechRequest,
    Text,
    TextDelta,
    Tool,
    ToolCall,
    ToolCallDelta,
    ToolChoice,
    ToolResult,
    TranscriptionRequest,
    Video,
)
from fieldguide.errors import RunnerError, UnsupportedError
from fieldguide.runners import EmbeddingRunner, ImageRunner, Runner, SpeechRunner, TranscriptionRunner

_DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000000000200"
    "01e221bc330000000049454e44ae426082"
)
"""A PNG of one pixel."""
_TOOL = Tool(
    name="add",
    description="Adds two numbers.",
    parameters={
        "type": "object",
        "properties": {"a": {"type": "number"}, "b": {"type": "number"}},
        "required": ["a", "b"],
    },
)
_ASKED: dict[str, Mapping[str, Any]] = {
    "seed": {"seed": 1},
    "stop": {"stop": ("\n\n",)},
    "top_k": {"top_k": 5},
    "penalties": {"frequency_penalty": 0.5},
    "tools": {"tools": (_TOOL,)},
    "tool_choice": {"tools": (_TOOL,), "tool_choice": ToolChoice(mode="none")},
    "parallel_tools": {"tools": (_TOOL,), "parallel_tool_calls": False},
    "json_object": {"response_schema": ResponseSchema()},
    "structured_output": {
        "response_schema": ResponseSchema(
            name="word",
            schema={
                "type": "object",
                "properties": {"word": {"type": "string"}},
                "required": ["word"],
                "additionalProperties": False,
            },
        )
    },
    "reasoning": {},
    "logprobs": {"logprobs": 1},
}
_SHOWN: Mapping[str, Image | Audio | Video | Document] = {
    "images": Image(data=_DOT, media_type="image/png"),
    "audio": Audio(data=b"RIFF\x24\x00\x00\x00WAVE", media_type="audio/wav"),
    "video": Video(data=b"\x00\x00\x00\x18ftypmp42", media_type="video/mp4"),
    "documents": Document(data=b"%PDF-1.4", media_type="application/pdf", name="page.pdf"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that a runner's provider has, or others have, and the runner has not."""

    kind: Literal["notimpl", "notyet", "never"]
    """We have not done it, they cannot yet, or it makes no sense there."""
    reason: str


class RunnerConformance:
    """The suite. A subclass returns an open runner from `open_runner`; the model behind it may say anything.

    The runner must answer within a minute; its answers are only checked for what every model's answer has. A gap that
    a runner declares in its capabilities is checked to be refused and never ignored. `gaps` says of each capability
    that the runner lacks why that is so, and of none that it has.
    """

    gaps: Mapping[str, Gap] = {}
    """By the name of the capability."""
    thinks: ReasoningOptions = ReasoningOptions(effort="low")
    """A word on how much to think that the runner takes, where it takes one."""
    bound: int | None = 8
    """Most tokens of an answer that is asked for; None for a runner that takes no bound."""
    sends: bool = True
    """Whether it sends requests to a model; one that looks answers up takes whatever it is asked."""

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

    async def test_every_gap_is_declared_with_its_reason(self) -> None:
        """What it cannot be asked in a conversation is a gap with a reason, and what it can is none."""
        runner = await self.open_runner()
        await runner.close()
        if not self._converses(runner):
            return
        lacks = {name for name in (*_ASKED, *_SHOWN) if not getattr(runner.capabilities, name)}
        assert lacks == set(self.gaps), "gaps and capabilities differ"
        assert all(gap.reason for gap in self.gaps.values())

    async def test_a_parameter_is_taken_or_refused(self) -> None:
        """Each parameter that the capabilities declare is answered, and each that they deny is refused."""
        runner = await self.open_runner()
        try:
            for name, asked in {**_ASKED, "reasoning": {"reasoning": self.thinks}}.items():
                if self._converses(runner):
                    request = CompletionRequest(messages=self._turns(), max_output_tokens=self.bound, **asked)
                    await _as_declared(runner, name, request)
        finally:
            await runner.close()

    async def test_a_block_is_taken_or_refused(self) -> None:
        """Pictures, sound, moving pictures and files: answered where they are declared, refused where they are not."""
        runner = await self.open_runner()
        try:
            for name, block in _SHOWN.items():
                if self._converses(runner):
                    turn = Message(role="user", content=(Text(text="What is this?"), block))
                    await _as_declared(runner, name, CompletionRequest(messages=(turn,), max_output_tokens=self.bound))
        finally:
            await runner.close()

    async def test_a_call_of_a_tool_and_its_result_can_be_told(self) -> None:
        """A conversation in which a tool was called goes on, where the runner takes tools."""
        runner = await self.open_runner()
        try:
            if not self._converses(runner):
                return
            call = ToolCall(name="add", call_id="call_1", arguments={"a": 2, "b": 2})
            result = ToolResult(call_id="call_1", name="add", content="4")
            turns = (
                *self._turns(),
                Message(role="assistant", content=(call,)),
                Message(role="tool", content=(result,)),
            )
            tools = (_TOOL,) if runner.capabilities.tools else ()
            request = CompletionRequest(messages=turns, tools=tools, max_output_tokens=self.bound)
            await _as_declared(runner, "tools", request)
        finally:
            await runner.close()

    async def test_what_another_provider_made_is_refused(self) -> None:
        """Reasoning and blocks that are another's are never sent and never dropped."""
        runner = await self.open_runner()
        try:
            if not self._converses(runner):
                return
            for block in (
                Reasoning(text="hm", signature="x", provider="nobody"),
                ProviderBlock(provider="nobody", value={"type": "search"}),
            ):
                turns = (*self._turns(), Message(role="assistant", content=(block,)), *self._turns())
                await _refuses(runner, CompletionRequest(messages=turns, max_output_tokens=self.bound))
        finally:
            await runner.close()

    async def test_an_answer_can_be_sent_back(self) -> None:
        """The reply, with whatever blocks it has, is a turn that the same runner takes."""
        runner = await self.open_runner()
        try:
            if not runner.capabilities.chat:
                return
            first = await runner.complete(self.request(runner))
            if first.tool_calls:
                return
            turns = (*self._turns(), first.reply, Message(role="user", content="And another one."))
            again = self.request(runner)
            _check_completion(await runner.complete(replace(again, prompt=None, messages=turns)))
        finally:
            await runner.close()

    async def test_a_stream_tells_its_blocks_as_the_completion_has_them(self) -> None:
        """Each block that is begun ends, and the blocks that ended are those of the message, in their order."""
        runner = await self.open_runner()
        try:
            if not runner.capabilities.streaming:
                return
            *pieces, whole = [piece async for piece in runner.stream(self.request(runner))]
            assert isinstance(whole, Completion)
            begun = [piece.index for piece in pieces if isinstance(piece, BlockStart)]
            ended = {piece.index: piece.block for piece in pieces if isinstance(piece, BlockEnd)}
            assert sorted(begun) == sorted(ended)
            if begun and whole.message is not None:
                assert [ended[index] for index in sorted(ended)] == list(whole.message.blocks)
            for piece in pieces:
                if isinstance(piece, TextDelta | ToolCallDelta) and piece.index is not None:
                    assert piece.index in begun
        finally:
            await runner.close()

    async def test_other_requests_are_taken_or_refused(self) -> None:
        """Vectors, pictures and speech: a runner that declares one has its method, and others refuse or lack it."""
        runner = await self.open_runner()
        try:
            can = runner.capabilities
            assert isinstance(runner, EmbeddingRunner) or not can.embeddings
            assert isinstance(runner, ImageRunner) or not can.image_generation
            assert isinstance(runner, TranscriptionRunner) or not can.speech_to_text
            assert isinstance(runner, SpeechRunner) or not can.text_to_speech
            sound = Audio(data=b"RIFF", media_type="audio/wav")
            if isinstance(runner, EmbeddingRunner) and not can.embeddings:
                await _raises_unsupported(runner.embed(EmbeddingRequest(texts=("a",))))
            if isinstance(runner, ImageRunner) and not can.image_generation:
                await _raises_unsupported(runner.make_images(ImageRequest(prompt="a")))
            if isinstance(runner, TranscriptionRunner) and not can.speech_to_text:
                await _raises_unsupported(runner.transcribe(TranscriptionRequest(audio=sound)))
            if isinstance(runner, SpeechRunner) and not can.text_to_speech:
                await _raises_unsupported(runner.speak(SpeechRequest(text="a")))
        finally:
            await runner.close()

    def _converses(self, runner: Runner) -> bool:
        return runner.capabilities.chat and self.sends

    def _turns(self) -> tuple[Message, ...]:
        return (Message(role="user", content="Say one word."),)

    async def test_close_may_be_called_twice(self) -> None:
        """Closing again does no harm."""
        runner = await self.open_runner()
        await runner.close()
        await runner.close()


async def _as_declared(runner: Runner, capability: str, request: CompletionRequest) -> None:
    """Ask, and hold what comes against a capability; a model may still be unable, which is its provider's error."""
    if not getattr(runner.capabilities, capability):
        await _refuses(runner, request)
        return
    with contextlib.suppress(RunnerError):
        _check_completion(await asyncio.wait_for(runner.complete(request), 60))


async def _raises_unsupported(answer: Awaitable[object]) -> None:
    try:
        await answer
    except UnsupportedError:
        return
    raise AssertionError("a request that the capabilities deny was answered")


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
