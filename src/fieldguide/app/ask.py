"""Ask a model one question."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from typing import Any

from fieldguide.app.references import ModelOptions, open_model
from fieldguide.app.talk import Asking, Reply, Round, Talk, Told, as_record
from fieldguide.app.talk_records import TalkRecords
from fieldguide.app.tools import Toolbox
from fieldguide.app.wiring import House
from fieldguide.domain import (
    Block,
    CompletionRequest,
    Message,
    ResolvedModel,
    StreamPiece,
    Text,
    TokenLogprob,
    block_as_json,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked once."""

    prompt: str
    blocks: tuple[Block, ...] = ()
    """Pictures, sound and files beside the prompt."""
    system: str | None = None
    text: bool = False
    """Whether the prompt is a text to continue, without chat template."""

    @property
    def message(self) -> Message:
        """The question as a turn: what is attached comes before the words about it."""
        content = (*self.blocks, Text(text=self.prompt)) if self.prompt else self.blocks
        return Message(role="user", content=content if self.blocks else self.prompt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a model said, and who it was."""

    model: ResolvedModel
    reply: Reply
    free: bool
    took: str | None
    """For a bare name: which place it was resolved to."""
    conversation_id: int | None
    priced_by: str | None


async def ask(
    house: House,
    reference: str,
    question: Question,
    asking: Asking,
    options: ModelOptions,
    *,
    toolbox: Toolbox | None = None,
    told: Told = lambda event: None,
) -> Answer:
    """Open a model, ask it, tell of each piece as it comes, run the tools it calls for, and return the whole answer.

    Raises:
        FieldguideError: The model cannot be opened or asked.
    """
    records = TalkRecords(house.store.conversations, "ask", reference)
    opened = await open_model(house, reference, options)
    talk = Talk(house, opened, asking, toolbox or Toolbox(), records, told)
    try:
        priced_by = await asyncio.to_thread(talk.price)
        if question.text:
            reply = await _continued(talk, question.prompt)
        else:
            if question.system:
                talk.set_system(question.system)
            reply = await talk.say(question.message)
    finally:
        talk.toolbox.close()
        await opened.runner.close()
    return Answer(
        model=opened.runner.model,
        reply=reply,
        free=opened.free,
        took=opened.took,
        conversation_id=records.conversation_id,
        priced_by=priced_by,
    )


async def _continued(talk: Talk, prompt: str) -> Reply:
    """Return how a model continues a text."""
    asking = talk.asking
    request = CompletionRequest(
        prompt=prompt,
        max_output_tokens=asking.max_output_tokens,
        temperature=asking.temperature,
        top_p=asking.top_p,
        seed=asking.seed,
        stop=asking.stop,
        logprobs=asking.logprobs,
    )
    pieces: list[StreamPiece] = []
    completion = await talk.asked(request, pieces)
    made = Round(completion=completion, cost_usd=talk.cost(completion.usage))
    if talk.records is not None:
        talk.records.add(Message(role="user", content=prompt))
        talk.records.add(completion.reply, as_record(made, talk.opened))
    talk.told(made)
    return Reply(rounds=(made,), ended="answered")


def answer_json(answer: Answer) -> dict[str, Any]:
    """Return an answer as programs read it; the figures of several requests are under `rounds`."""
    completion = answer.reply.last
    return {
        "model": answer.model.name,
        "reference": answer.model.reference,
        "reported_model": completion.model,
        "text": completion.text,
        "reasoning": completion.reasoning,
        "message": [block_as_json(block) for block in completion.reply.blocks],
        "finish_reason": completion.finish_reason.value,
        "raw_finish_reason": completion.raw_finish_reason,
        "ended": answer.reply.ended,
        "usage": asdict(completion.usage),
        "cost_usd": None if answer.reply.cost_usd is None else float(answer.reply.cost_usd),
        "priced_by": answer.priced_by,
        "ttft_s": completion.latency.ttft_s,
        "e2e_latency_s": completion.latency.e2e_latency_s,
        "logprobs": None if completion.logprobs is None else [_logprob(each) for each in completion.logprobs],
        "rounds": [round_json(each) for each in answer.reply.rounds],
        "conversation_id": answer.conversation_id,
    }


def round_json(made: Round) -> dict[str, Any]:
    """Return one request of an answer as programs read it."""
    completion = made.completion
    return {
        "finish_reason": completion.finish_reason.value,
        "usage": asdict(completion.usage),
        "cost_usd": None if made.cost_usd is None else float(made.cost_usd),
        "ttft_s": completion.latency.ttft_s,
        "e2e_latency_s": completion.latency.e2e_latency_s,
        "tool_calls": [
            {
                "name": called.call.name,
                "call_id": called.call.call_id,
                "arguments": called.call.arguments,
                "raw_arguments": called.call.raw_arguments,
                "result": called.result.content,
                "is_error": called.result.is_error,
                "seconds": called.seconds,
            }
            for called in made.called
        ],
    }


def _logprob(token: TokenLogprob) -> dict[str, Any]:
    return {"token": token.token, "logprob": token.logprob}
