"""Does the whole prompt arrive? Marked prompts of growing length: what is counted of them, and what comes back."""

from __future__ import annotations

import random
from dataclasses import dataclass

from fieldguide.app.probe._asker import Asker
from fieldguide.app.probe._finding import Finding, broken, ok, untold
from fieldguide.errors import ContextLengthExceededError, InvalidRequestError

CHECK = "the whole prompt arrives"
_HINT = (
    "The server cuts prompts without a word. Raise its context length (Ollama: num_ctx or OLLAMA_CONTEXT_LENGTH; "
    "llama-server: -c; vLLM: --max-model-len), or the proxy's limit."
)
_THINGS = ("harbour", "lantern", "meadow", "violin", "glacier", "orchard", "compass", "pepper", "saddle", "thistle")
_COLOURS = ("amber", "crimson", "ivory", "cobalt", "scarlet", "olive", "silver", "violet", "copper", "indigo")
_PLACES = ("start", "middle", "end")
_CHARACTERS_PER_TOKEN = 4
_LEAST_SHARE = 0.85
"""Of the count that shorter prompts let expect; less is a cut. Lines alike in form differ by a few percent at most."""
_ANSWER_TOKENS = 60


@dataclass(frozen=True, slots=True)
class _Sent:
    characters: int
    counted: int | None
    found: tuple[bool, bool, bool]


def lengths(longest_tokens: int) -> list[int]:
    """Return the prompt lengths that are tried (tokens, roughly), rising."""
    tried = [300, 900]
    while tried[-1] * 4 < longest_tokens:
        tried.append(tried[-1] * 3)
    return [*(length for length in tried if length < longest_tokens), longest_tokens]


async def arrival(asker: Asker, longest_tokens: int, *, seed: int = 7) -> Finding:
    """Return whether prompts arrive whole up to this length."""
    sent: list[_Sent] = []
    refused: str | None = None
    for place, length in enumerate(lengths(longest_tokens)):
        words, codes = marked(length * _CHARACTERS_PER_TOKEN, random.Random(f"{seed}/{place}"))  # noqa: S311
        try:
            answer = await asker.ask(words, max_output_tokens=_ANSWER_TOKENS)
        except (ContextLengthExceededError, InvalidRequestError) as error:
            if not sent:
                raise
            refused = error.message
            break
        text = answer.text + (answer.reasoning or "")
        found = tuple(code in text for code in codes)
        sent.append(_Sent(len(words), answer.usage.input_tokens, (found[0], found[1], found[2])))
        if (cut := _cut(sent)) is not None:
            return cut
    return _whole(sent, refused)


def marked(characters: int, rng: random.Random) -> tuple[str, tuple[str, str, str]]:
    """Return a prompt of about so many characters and the code words at its start, middle and end."""
    codes = tuple(f"{rng.choice('BDFGKLMNPRSTVZ')}{rng.randrange(1000, 9999)}" for _ in _PLACES)
    notes = [f"The secret code at the {place} is {code}." for place, code in zip(_PLACES, codes)]
    lines: list[str] = []
    size = sum(map(len, notes)) + 300
    while size < characters:
        line = f"Note: the {rng.choice(_COLOURS)} {rng.choice(_THINGS)} stands beside the {rng.choice(_THINGS)}."
        lines.append(line)
        size += len(line) + 1
    half = len(lines) // 2
    body = [notes[0], *lines[:half], notes[1], *lines[half:], notes[2]]
    question = "Repeat the three secret codes: the one at the start, the one in the middle, the one at the end."
    return "\n".join(["Read these notes.", *body, question]), (codes[0], codes[1], codes[2])


def _cut(sent: list[_Sent]) -> Finding | None:
    """Return the finding that the last prompt was cut, if it was."""
    last = sent[-1]
    before = [each for each in sent[:-1] if each.counted is not None]
    if last.counted is not None and before:
        expected = _expected(before, last.characters)
        if last.counted < _LEAST_SHARE * expected:
            return broken(
                CHECK,
                f"of a prompt of about {expected:,.0f} tokens {last.counted:,} were counted, and the model repeated "
                f"{_found(last)}",
                _HINT,
            )
    start, _, end = last.found
    could = any(each.found[0] for each in sent[:-1])
    if last.counted is None and could and end and not start:
        return broken(
            CHECK,
            f"of a prompt of {last.characters:,} characters the end was found and the start was not, which it was in a "
            "shorter one; the server counts nothing",
            _HINT,
            "likely",
        )
    return None


def _expected(before: list[_Sent], characters: int) -> float:
    """Return the count that shorter prompts let expect: a line through the two longest of them, or their ratio."""
    longest = before[-1]
    counted = longest.counted or 0
    if len(before) == 1:
        return counted * characters / longest.characters * 0.8  # part of it is the template, which does not grow
    shorter = before[-2]
    slope = (counted - (shorter.counted or 0)) / max(1, longest.characters - shorter.characters)
    return counted + slope * (characters - longest.characters)


def _whole(sent: list[_Sent], refused: str | None) -> Finding:
    longest = sent[-1]
    beyond = f"; longer ones are refused, as they should be ({refused[:120]})" if refused else ""
    size = f"{longest.counted:,} tokens" if longest.counted is not None else f"{longest.characters:,} characters"
    if all(longest.found):
        return ok(CHECK, f"codes at start, middle and end of {size} came back{beyond}")
    if longest.counted is not None and len(sent) > 1:
        return ok(
            CHECK,
            f"counts grow as they should up to {size}; of its codes the model repeated {_found(longest)}, "
            f"which may be all it can{beyond}",
            "likely",
        )
    return untold(CHECK, f"of {size} the model repeated {_found(longest)} of the codes; nothing else tells{beyond}")


def _found(sent: _Sent) -> str:
    places = [place for place, found in zip(_PLACES, sent.found) if found]
    return f"those at the {' and the '.join(places)}" if places else "none"
