"""A conversation with a model: rounds of asking and running tools, each round one request, shown and recorded."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Literal, TypeAlias

from fieldguide.app.evaluate import known_price
from fieldguide.app.references import OpenedModel
from fieldguide.app.talk_records import TalkRecords
from fieldguide.app.tools import Called, Toolbox
from fieldguide.app.wiring import House
from fieldguide.catalogue.prices import Rate, price_usage
from fieldguide.domain import (
    Audio,
    Block,
    Capabilities,
    Completion,
    CompletionRequest,
    Document,
    FinishReason,
    Image,
    Latency,
    Message,
    Reasoning,
    ReasoningOptions,
    ResponseSchema,
    StreamPiece,
    Text,
    TextDelta,
    ToolCall,
    ToolResult,
    Usage,
    Video,
    carried,
    kind_of,
)
from fieldguide.errors import BudgetExceededError, UsageError

_MEDIA_TOKENS = 20_000
"""Held back for each picture, sound or file where a budget is kept: more than providers count for a usual one."""
_ANSWER_TOKENS = 4_096
"""Held back for an answer whose length nobody bounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How every request of a conversation is made."""

    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    logprobs: int | None = None
    response_schema: ResponseSchema | None = None
    reasoning: ReasoningOptions | None = None
    stream: bool = True
    max_rounds: int = 8
    """Most requests for one answer, those that only call tools included."""
    budget_usd: Decimal | None = None
    """Of the whole conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One request and what came back."""

    completion: Completion
    cost_usd: Decimal | None
    """None where the price, or a count, is not known."""
    called: tuple[Called, ...] = ()
    stopped: bool = False
    """Whether a person stopped it: the text is what had come, and what it took is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A whole answer."""

    rounds: tuple[Round, ...]
    ended: Literal["answered", "max_rounds", "stopped"]

    @property
    def last(self) -> Completion:
        """The answer itself."""
        return self.rounds[-1].completion

    @property
    def cost_usd(self) -> Decimal | None:
        """What all rounds cost; None where that of one is not known."""
        return total([each.cost_usd for each in self.rounds])


Told: TypeAlias = Callable[[StreamPiece | Called | Round], None]


@dataclass(slots=True)
class Talk:
    """A conversation in progress. What was said is kept whole; what a model cannot have is left out as it is sent."""

    house: House
    opened: OpenedModel
    asking: Asking
    toolbox: Toolbox = field(default_factory=Toolbox)
    records: TalkRecords | None = None
    told: Told = lambda event: None
    messages: list[Message] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    """Of all answers so far, those that were taken back too."""
    _rates: tuple[Rate, ...] | None = None

    def price(self) -> str | None:
        """Find out what asking costs and return the source in words; None where it is free or not known.

        Raises:
            UsageError: A budget is to be kept and the price is not known.
        """
        known = None if self.opened.free else known_price(self.house, self.opened)
        self._rates = None if known is None else known.rates
        if known is None and not self.opened.free and self.asking.budget_usd is not None:
            raise UsageError(
                f"The price of {self.opened.runner.model.name} is not known, so that a budget cannot be kept.",
                hint="Leave --budget-usd out, or bring newer prices: `fieldguide catalogue refresh`.",
            )
        return None if known is None else known.description

    @property
    def spent_usd(self) -> Decimal | None:
        """What the conversation has cost since it was taken up; None where a part is not known."""
        return total([each.cost_usd for each in self.rounds])

    def left_out(self) -> tuple[str, ...]:
        """Return what of the conversation this model cannot be given, in words."""
        return _for_model(self.messages, self.opened)[1]

    async def say(self, message: Message) -> Reply:
        """Send a message and return the answer, running the tools that the model calls for.

        Raises:
            FieldguideError: The model cannot be asked. The conversation is then as before.
            asyncio.CancelledError: A person stopped it; what had come is kept as the answer.
        """
        self.request([*self.messages, message])  # what cannot be said is refused before anything is kept
        self._keep(message)
        answered = False
        try:
            reply = await self._answered()
            answered = True
            return reply
        except asyncio.CancelledError:
            answered = True
            raise
        finally:
            if not answered:
                self.take_back()

    async def _answered(self) -> Reply:
        rounds: list[Round] = []
        while True:
            made = await self._round()
            rounds.append(made)
            if not made.called:
                return Reply(rounds=tuple(rounds), ended="answered")
            results = tuple(called.result for called in made.called)
            self._keep(Message(role="tool", content=results))
            if len(rounds) >= self.asking.max_rounds:
                return Reply(rounds=tuple(rounds), ended="max_rounds")

    def set_system(self, text: str) -> None:
        """Let a system message stand first, in place of one that stands there; an empty one is none."""
        if self.messages and self.messages[0].role == "system":
            if self.records is not None:
                self.records.take_back_first()
            del self.messages[0]
        if text:
            self._keep(Message(role="system", content=text))
            self.messages.insert(0, self.messages.pop())
            if self.records is not None:
                self.records.move_last_first()

    def take_back(self) -> Message | None:
        """Take the last question and what followed it out of the conversation, and return it; None where none is."""
        for place in range(len(self.messages) - 1, -1, -1):
            if self.messages[place].role == "user":
                taken = self.messages[place]
                if self.records is not None:
                    self.records.take_back(len(self.messages) - place)
                del self.messages[place:]
                return taken
        return None

    def request(self, messages: list[Message]) -> CompletionRequest:
        """Return the request for these messages, as this model can take them.

        Raises:
            UnsupportedError: The last message, or an option, is beyond the model.
        """
        from fieldguide.app.attachments import check_taken

        can = self.opened.runner.capabilities
        check_taken(messages[-1].blocks, can, subject=self.opened.runner.model.name)
        asking = self.asking
        return CompletionRequest(
            messages=_for_model(messages, self.opened)[0],
            max_output_tokens=asking.max_output_tokens,
            temperature=asking.temperature,
            top_p=asking.top_p,
            seed=asking.seed,
            stop=asking.stop,
            logprobs=asking.logprobs,
            response_schema=asking.response_schema,
            reasoning=asking.reasoning,
            tools=self.toolbox.tools,
        )

    def _keep(self, message: Message, made: Round | None = None) -> None:
        self.messages.append(message)
        if self.records is not None:
            self.records.add(message, None if made is None else as_record(made, self.opened))

    async def _round(self) -> Round:
        request = self.request(self.messages)
        self._check_budget(request)
        pieces: list[StreamPiece] = []
        try:
            completion = await self.asked(request, pieces)
        except asyncio.CancelledError:
            self._keep_what_came(pieces)
            raise
        made = Round(completion=completion, cost_usd=self.cost(completion.usage))
        if completion.tool_calls and completion.finish_reason is not FinishReason.LENGTH:
            called = await self._run_tools(completion.tool_calls)
            made = replace(made, called=tuple(called))
        self._keep(completion.reply, made)
        self.rounds.append(made)
        self.told(made)
        return made

    async def asked(self, request: CompletionRequest, pieces: list[StreamPiece]) -> Completion:
        """Return the answer to one request; what comes of it is told, and added to `pieces`."""
        runner = self.opened.runner
        if not self.asking.stream or not runner.capabilities.streaming:
            return await runner.complete(request)
        stream = runner.stream(request)
        try:
            async for piece in stream:
                if isinstance(piece, Completion):
                    return piece
                pieces.append(piece)
                self.told(piece)
        finally:
            with contextlib.suppress(AttributeError):
                await stream.aclose()  # type: ignore[attr-defined]
        raise AssertionError("a stream ends with its completion or an error")

    async def _run_tools(self, calls: tuple[ToolCall, ...]) -> list[Called]:
        called = await self.toolbox.run_all(calls)
        for each in called:
            self.told(each)
        return called

    def _keep_what_came(self, pieces: list[StreamPiece]) -> None:
        """Keep the text of an answer that was stopped, and that it was."""
        words = [piece for piece in pieces if isinstance(piece, TextDelta)]
        text = "".join(piece.text for piece in words if not piece.reasoning)
        thought = "".join(piece.text for piece in words if piece.reasoning)
        completion = Completion(
            text=text, reasoning=thought or None, finish_reason=FinishReason.UNKNOWN, latency=Latency(), usage=Usage()
        )
        cost = Decimal(0) if self.opened.free else None
        made = Round(completion=completion, cost_usd=cost, stopped=True)
        self._keep(Message(role="assistant", content=text or "(stopped)"), made)
        self.rounds.append(made)

    def cost(self, usage: Usage) -> Decimal | None:
        """Return what an answer cost; None where the price or a count is not known."""
        if self.opened.free:
            return Decimal(0)
        return None if self._rates is None else price_usage(self._rates, usage)

    def _check_budget(self, request: CompletionRequest) -> None:
        budget = self.asking.budget_usd
        if budget is None or self.opened.free:
            return
        most = self.cost(
            Usage(input_tokens=_most_tokens(request), output_tokens=request.max_output_tokens or _ANSWER_TOKENS)
        )
        spent = total([each.cost_usd for each in self.rounds if not each.stopped])
        if most is None or spent is None or spent + most > budget:
            told = "n/a" if spent is None else f"${spent:.4f}"
            raise BudgetExceededError(
                f"The next request might cost more than is left of the budget ({told} of ${budget} are spent).",
                hint="Raise --budget-usd, or bound the answer with --max-tokens.",
            )


def total(costs: list[Decimal | None]) -> Decimal | None:
    """Return the sum; None where a part is not known."""
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None


def as_record(made: Round, opened: OpenedModel) -> dict[str, object]:
    """Return what the records keep of an answer beside its message."""
    from dataclasses import asdict

    completion = made.completion
    return {
        "model": opened.runner.model.name,
        "reference": opened.runner.model.reference,
        "provider": opened.provider,
        "reported_model": completion.model,
        "finish_reason": None if made.stopped else completion.finish_reason.value,
        "raw_finish_reason": completion.raw_finish_reason,
        "usage": asdict(completion.usage),
        "cost_usd": None if made.cost_usd is None else str(made.cost_usd),
        "ttft_s": completion.latency.ttft_s,
        "e2e_latency_s": completion.latency.e2e_latency_s,
        "response_id": completion.response_id,
        "stopped": made.stopped,
        "raw": completion.raw,
    }


def _most_tokens(request: CompletionRequest) -> int:
    """Return a bound on the tokens of a request: no token is shorter than a byte."""
    import json

    blocks = [block for message in request.messages or () for block in message.blocks]
    media = sum(isinstance(block, Image | Audio | Video | Document) for block in blocks)
    tools = len(json.dumps([tool.as_json() for tool in request.tools]))
    return sum(len(_words(block).encode("utf-8", "replace")) for block in blocks) + media * _MEDIA_TOKENS + tools + 1000


def _words(block: Block) -> str:
    if isinstance(block, Text):
        return block.text
    if isinstance(block, Reasoning):
        return (block.text or "") + (block.encrypted or "")
    if isinstance(block, ToolCall):
        return block.name + str(block.arguments)
    if isinstance(block, ToolResult):
        return block.content if isinstance(block.content, str) else "".join(map(_words, block.content))
    return ""


def _for_model(messages: list[Message], opened: OpenedModel) -> tuple[tuple[Message, ...], tuple[str, ...]]:
    """Return a conversation as a model can take it, and what had to stay behind."""
    provider = str(getattr(opened.runner, "provider", opened.provider))
    made = carried(messages, provider=provider)
    can = opened.runner.capabilities
    kept: list[Message] = []
    left: dict[str, int] = {}
    for message in made.messages:
        blocks = message.blocks
        taken = tuple(block for block in blocks if _takes(block, can))
        for block in blocks:
            if not _takes(block, can):
                left[kind_of(block).replace("_", " ")] = left.get(kind_of(block).replace("_", " "), 0) + 1
        if len(taken) == len(blocks):
            kept.append(message)
        elif taken:
            kept.append(replace(message, content=taken))
    return tuple(kept), (*made.left_out, *(f"{what} ({count})" for what, count in left.items()))


def _takes(block: Block, can: Capabilities) -> bool:
    able: dict[type, bool] = {Image: can.images, Audio: can.audio, Video: can.video, Document: can.documents}
    able |= {ToolCall: can.tools, ToolResult: can.tools}
    return able.get(type(block), True)
