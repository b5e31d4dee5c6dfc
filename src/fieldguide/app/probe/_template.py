"""Is the chat template right? The system message counts and is obeyed, no marks of a template stand in answers."""

from __future__ import annotations

import re

from fieldguide.app.probe._asker import Asker
from fieldguide.app.probe._finding import Finding, broken, doubtful, ok, untold
from fieldguide.domain import Completion, FinishReason

_TEMPLATE_HINT = "Look at the chat template that the server uses: it is not the model's own."
_MARKS = re.compile(
    r"<\|(?:im_start|im_end|eot_id|start_header_id|end_header_id|end_of_text|endoftext|assistant|user|system|end)\|>"
    r"|<(?:start|end)_of_turn>|\[/?INST\]|<</?SYS>>|</s>|<\uff5c(?:User|Assistant|end\u2581of\u2581sentence)\uff5c>"
)
_NEXT_SPEAKER = re.compile(r"\n(?:user|User|USER|Human|assistant|Assistant|### Instruction|### Response)\s*[:\n]")
_THOUGHT = re.compile(r"</?think(?:ing)?>|<\|channel\|>|</?reasoning>")
_WORD = "BANANA"
_LONG_SYSTEM = f"You are a parrot. Whatever you are asked, you answer with the one word {_WORD} and nothing else. " + (
    "You never explain yourself, you never apologise, and you never say anything but that word. " * 4
)


async def system_message(asker: Asker) -> Finding:
    """Return whether a system message arrives and is obeyed."""
    check = "the system message arrives"
    question = "What is the capital of France?"
    without = await asker.ask(question, max_output_tokens=24)
    with_it = await asker.ask(question, system=_LONG_SYSTEM, max_output_tokens=24)
    if _WORD in with_it.text.upper() and _WORD not in without.text.upper():
        return ok(check, "it is obeyed")
    counted = with_it.usage.input_tokens, without.usage.input_tokens
    if counted[0] is not None and counted[1] is not None:
        more = counted[0] - counted[1]
        if more < 20:
            return broken(check, f"a system message of some 90 tokens adds {more} to what is counted", _TEMPLATE_HINT)
        return ok(check, f"it adds {more} tokens; the model did not obey it, which a weak one may not", "likely")
    return untold(check, "the model did not obey it, and the server counts nothing")


def marks_in(answers: list[Completion]) -> list[Finding]:
    """Return whether marks of a template, further turns or thoughts stand in the words of any answer."""
    texts = [answer.text for answer in answers]
    check = "answers are free of template marks"
    if found := next((hit[0] for text in texts if (hit := _MARKS.search(text))), None):
        first = broken(check, f"an answer holds {found!r}", _TEMPLATE_HINT)
    elif found := next((hit[0] for text in texts if (hit := _NEXT_SPEAKER.search(text))), None):
        first = broken(check, f"an answer goes on to speak for others ({found!r})", _TEMPLATE_HINT, "likely")
    else:
        first = ok(check, f"none in {len(texts)} answers")
    check = "thoughts stand apart"
    if found := next((hit[0] for text in texts if (hit := _THOUGHT.search(text))), None):
        hint = "Let the server take thoughts apart (vLLM: --reasoning-parser; llama-server: --reasoning-format)."
        return [first, broken(check, f"an answer holds {found!r}", hint)]
    apart = sum(answer.reasoning is not None for answer in answers)
    return [first, ok(check, f"{apart} of {len(texts)} answers came with thoughts, none of them in its words")]


async def ends_by_itself(asker: Asker) -> Finding:
    """Return whether the model stops when it has said what is to be said."""
    check = "answers end by themselves"
    answer = await asker.ask("Reply with the single word: hello", max_output_tokens=200)
    if answer.finish_reason is FinishReason.STOP:
        return ok(check, f"after {answer.usage.output_tokens or 'an unknown number of'} tokens")
    if answer.finish_reason is FinishReason.LENGTH and not answer.reasoning:
        return doubtful(
            check, f"one word was asked for, and {answer.text[:60]!r}... went on for 200 tokens", _TEMPLATE_HINT
        )
    return untold(check, f"it ended with {answer.raw_finish_reason or answer.finish_reason.value}")
