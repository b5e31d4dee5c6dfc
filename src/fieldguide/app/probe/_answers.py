"""Are answers what they should be? Repeatable, alike in both forms of delivery, counted, stopped, and in form."""

from __future__ import annotations

import json

from fieldguide.app.probe._asker import Asker, asked
from fieldguide.app.probe._finding import Finding, broken, doubtful, ok, untold
from fieldguide.app.tools import faults
from fieldguide.domain import Completion, FinishReason, ResponseSchema, Tool
from fieldguide.errors import InvalidRequestError, UnsupportedError

_COUNTING = "Count from one to twelve in words, separated by commas."
_TOKENS = 48
_SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "inhabitants": {"type": "integer"}},
    "required": ["city", "inhabitants"],
    "additionalProperties": False,
}
_WEATHER = Tool(
    name="get_weather",
    description="Return the weather of a city.",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


async def repeatable(asker: Asker) -> tuple[list[Finding], Completion]:
    """Return whether greedy answers repeat, whether streams say the same, and the answer itself."""
    request = asked(_COUNTING, max_output_tokens=_TOKENS)
    first, second = await asker.send(request), await asker.send(request)
    same = first.text == second.text
    check = "temperature 0 repeats itself"
    findings = [
        ok(check, "two answers are equal", "likely")
        if same
        else doubtful(check, f"two answers differ: {first.text[:50]!r} and {second.text[:50]!r}", _VARIES)
    ]
    if asker.runner.capabilities.streaming:
        streamed, pieces = await asker.streamed(request)
        findings.append(_stream_finding(first, streamed, pieces, same=same))
    return findings, first


_VARIES = "Servers that batch requests round differently from time to time; take several attempts where it matters."


def _stream_finding(whole: Completion, streamed: Completion, pieces: str, *, same: bool) -> Finding:
    check = "a stream says what a whole answer does"
    if pieces.strip() != streamed.text.strip():
        return broken(
            check, f"the pieces make {pieces[:60]!r}, the end says {streamed.text[:60]!r}", "Use `--no-stream`."
        )
    if streamed.text == whole.text:
        return ok(check, "word for word")
    if same:
        told = f"streamed: {streamed.text[:60]!r}, whole: {whole.text[:60]!r}"
        return broken(check, told, "Use `--no-stream`, and tell whoever runs the server.", "likely")
    return untold(check, "answers differ from time to time anyway")


async def stop_text(asker: Asker, before: Completion) -> Finding:
    """Return whether a stop text ends an answer where it stands, and is left out."""
    check = "stop texts are honoured"
    text = before.text
    place = next((at for at in range(6, len(text) - 6) if text.index(text[at : at + 6]) == at), None)
    if place is None:
        return untold(check, f"the answer {text[:40]!r} has no place to stop at")
    stop = text[place : place + 6]
    expected = text[: text.index(stop)]
    answer = await asker.ask(_COUNTING, max_output_tokens=_TOKENS, stop=(stop,))
    if stop in answer.text:
        return broken(check, f"{stop!r} was to end the answer and stands in it", "Cut answers yourself.")
    if answer.text.strip() == expected.strip():
        return ok(check, f"the answer ended before {stop!r}")
    return untold(check, "the answer was another one, which does not hold the stop text")


def counts(answers: list[Completion]) -> Finding:
    """Return whether the counts of tokens can be true."""
    check = "token counts are plausible"
    counted = [each for each in answers if each.usage.output_tokens is not None and each.usage.input_tokens is not None]
    if not counted:
        return untold(check, "the server counts nothing")
    for answer in counted:
        words = answer.text + (answer.reasoning or "")
        tokens = answer.usage.output_tokens or 0
        if not answer.usage.input_tokens:
            return broken(check, "a prompt counts as 0 tokens", "Do not rely on this server's bill.")
        if words.strip() and not answer.tool_calls and (tokens == 0 or len(words) / tokens > 20):
            return broken(check, f"{len(words)} characters count as {tokens} tokens", "Do not rely on its counts.")
    missing = len(answers) - len(counted)
    if missing:
        return doubtful(
            check, f"{missing} of {len(answers)} answers came without counts", "Streams may leave them out."
        )
    return ok(check, f"in {len(answers)} answers")


async def keeps_schema(asker: Asker) -> Finding:
    """Return whether an answer keeps to a JSON schema."""
    check = "answers keep to a schema"
    form = ResponseSchema(schema=_SCHEMA, name="city", strict=True)  # type: ignore[arg-type]
    try:
        answer = await asker.ask("Describe Paris, as JSON.", max_output_tokens=96, response_schema=form)
    except (InvalidRequestError, UnsupportedError) as error:
        return doubtful(check, f"refused: {error.message[:120]}", "Ask for JSON in words.")
    try:
        wrong = faults(json.loads(answer.text), _SCHEMA)
    except (ValueError, RecursionError):
        if answer.finish_reason is FinishReason.LENGTH:
            return untold(check, "the answer was cut before its JSON ended")
        return broken(
            check, f"the answer is not JSON: {answer.text[:60]!r}", "Check what comes: the schema is ignored."
        )
    if wrong:
        return broken(check, "; ".join(wrong[:3]), "Check what comes: the schema is not enforced.")
    return ok(check, answer.text[:60])


async def calls_tools(asker: Asker) -> Finding:
    """Return whether a call of a tool comes as one."""
    check = "tools are called"
    try:
        answer = await asker.ask(
            "What is the weather in Paris? Use the tool get_weather.", max_output_tokens=128, tools=(_WEATHER,)
        )
    except (InvalidRequestError, UnsupportedError) as error:
        return doubtful(check, f"refused: {error.message[:120]}", "Ask without tools.")
    for call in answer.tool_calls:
        wrong = (
            ["they are not a JSON object"]
            if call.arguments is None
            else faults(dict(call.arguments), _WEATHER.parameters or {})
        )
        if call.name == _WEATHER.name and not wrong:
            return ok(check, f"{call.name}({dict(call.arguments or {})})")
        return Finding(
            check=check,
            state="warning",
            detail=f"called {call.name!r} with arguments that are wrong: {'; '.join(wrong)}",
            certainty="likely",
        )
    if "<tool_call>" in answer.text or '"get_weather"' in answer.text:
        hint = "Let the server read calls (vLLM: --enable-auto-tool-choice --tool-call-parser; llama-server: --jinja)."
        return broken(check, f"a call stands in the words of the answer: {answer.text[:60]!r}", hint, "likely")
    return untold(check, "the model called none, which a weak one may not")
