"""All checks of one model, in an order in which each can use what came before; forecast and bounded."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fieldguide.app.probe import _answers, _arrival, _template
from fieldguide.app.probe._asker import Asker
from fieldguide.app.probe._finding import Finding, untold
from fieldguide.domain import Usage
from fieldguide.errors import FieldguideError
from fieldguide.runners import Runner

LONGEST_TOKENS = 8_000
"""Longest prompt that is tried unless told otherwise."""
_SHARE_OF_CONTEXT = 0.75
"""Of a declared context: what is sent is counted in characters, and the answer needs room."""
_SMALL_REQUESTS = 10
_SMALL_TOKENS = 150
_MOST_ANSWER_TOKENS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What examining a model takes at most."""

    requests: int
    input_tokens: int
    output_tokens: int

    @property
    def usage(self) -> Usage:
        """The same as a usage, to be priced."""
        return Usage(input_tokens=self.input_tokens, output_tokens=self.output_tokens)


def longest_prompt(runner: Runner, wanted_tokens: int | None) -> int:
    """Return the length up to which prompts are tried (tokens): the declared context bounds it, where there is one."""
    declared = runner.model.facts.get("context_tokens")
    longest = LONGEST_TOKENS if wanted_tokens is None else wanted_tokens
    return min(longest, int(_SHARE_OF_CONTEXT * declared)) if isinstance(declared, int) else longest


def forecast(longest_tokens: int) -> Forecast:
    """Return what the checks take at most."""
    tried = _arrival.lengths(longest_tokens)
    return Forecast(
        requests=len(tried) + _SMALL_REQUESTS,
        input_tokens=int(1.3 * sum(tried)) + _SMALL_REQUESTS * _SMALL_TOKENS,
        output_tokens=(len(tried) + _SMALL_REQUESTS) * 60 + _MOST_ANSWER_TOKENS,
    )


async def examine_model(runner: Runner, *, longest_tokens: int, tell: Callable[[str], None]) -> list[Finding]:
    """Return what the checks found; a model that cannot be asked at all ends them.

    Raises:
        FieldguideError: It cannot be asked at all.
    """
    asker = Asker(runner)
    tell("asking for repeatable answers")
    findings, counted = await _answers.repeatable(asker)
    can = runner.capabilities

    async def add(what: str, check: Callable[[], Awaitable[Finding]]) -> None:
        tell(what)
        findings.append(await _guarded(what, check))

    if can.stop:
        await add("stop texts", lambda: _answers.stop_text(asker, counted))
    await add("the system message", lambda: _template.system_message(asker))
    await add("the end of an answer", lambda: _template.ends_by_itself(asker))
    if can.structured_output:
        await add("a schema", lambda: _answers.keeps_schema(asker))
    if can.tools:
        await add("a tool", lambda: _answers.calls_tools(asker))
    await add(f"prompts of up to {longest_tokens:,} tokens", lambda: _arrival.arrival(asker, longest_tokens))
    findings += _template.marks_in(asker.answers)
    findings.append(_answers.counts(asker.answers))
    return findings


async def _guarded(what: str, check: Callable[[], Awaitable[Finding]]) -> Finding:
    try:
        return await check()
    except FieldguideError as error:
        return untold(what, f"could not be asked: {error.message}")
