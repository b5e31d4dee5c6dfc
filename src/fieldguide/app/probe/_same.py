"""Do two endpoints that claim the same model have it? Counts, greedy answers, probabilities, and what follows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from fieldguide.app.probe._asker import Asker
from fieldguide.domain import Completion
from fieldguide.errors import FieldguideError
from fieldguide.runners import Runner

Sameness: TypeAlias = Literal["same", "different", "cannot_tell"]

TEXTS = (
    "a",
    "The quick brown fox jumps over the lazy dog, twice, on a Thursday.",
    "def fold(xs: list[int]) -> dict[str, float]:\n    return {f'{x:04d}': x / 3 for x in xs if x % 7 != 0}\n",
    "Donaudampfschifffahrtsgesellschaftskapit\u00e4n trifft \u00dcberschallflugzeug",
    "\u4eca\u5929\u5929\u6c14\u5f88\u597d\uff0c\u6211\u4eec\u53bb\u516c\u56ed\u6563\u6b65\u5427\u3002",
    "\u041f\u0440\u0438\u0432\u0435\u0442, \u043a\u0430\u043a \u0434\u0435\u043b\u0430? 3.14159 * 271828182845 = ?",
    "\U0001f98a\U0001f680 \u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd     \t\t  ::==>> {{}} \\\\n",
)
"""What tokenizers cut differently: words, code, compounds, scripts, digits, signs, blanks."""
PROMPTS = (
    "Write the first sentence of a story about a lighthouse.",
    "Name an unusual use for a paperclip and say why.",
    "Describe the smell of rain in one sentence.",
    "Invent a name for a planet and describe its weather.",
    "What would a cat say about Mondays?",
    "Give advice to somebody who is moving to a small town.",
    "Write two lines of a poem about rust.",
    "Explain to a child why the sky is blue.",
    "Make up a proverb about patience.",
    "Describe a meal that nobody has cooked yet.",
    "What is the most underrated vegetable, and why?",
    "Write a short notice for a lost umbrella.",
    "Suggest a title for a book about bees.",
    "What might the last library on Earth look like?",
    "Tell me something surprising about bridges.",
    "Complete: The old clockmaker opened the box and",
)
"""Open questions, to which two models seldom give the same words."""
ANSWER_TOKENS = 32
_CERTAIN_P, _SAME_FROM = 0.01, 0.7
_NUMERIC_NOISE = 0.02
"""Mean difference of log probabilities (nats) that differing batches and kernels make at most, seen on one engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What was found, and what follows from it."""

    verdict: Sameness
    confidence: str
    reasons: tuple[str, ...]
    agreed: int
    prompts: int
    agreement_low: float
    """95 % bound (Clopper-Pearson, one-sided) on the share of greedy answers that agree."""
    repeated: int
    """Answers that each endpoint gave again when it was asked again, both together; of twice as many as `prompts`."""
    logprob_distance: float | None
    """Mean difference of log probabilities over the tokens that both gave first (nats); None where not offered."""
    own_logprob_distance: float | None
    """The same of each endpoint to itself: what chance makes."""
    same_tokenizer: bool | None
    same_template: bool | None


async def compare(first: Runner, second: Runner, *, tell: Callable[[str], None]) -> Comparison:
    """Return whether two endpoints have the same model, as far as asking tells.

    Raises:
        FieldguideError: One cannot be asked.
    """
    askers = Asker(first), Asker(second)
    tell("counting fixed texts")
    counts = [await _counts(asker) for asker in askers]
    with_logprobs = first.capabilities.logprobs and second.capabilities.logprobs
    answers: list[list[list[Completion]]] = []
    for asker in askers:
        tell(f"asking {asker.runner.model.name} {2 * len(PROMPTS)} open questions")
        answers.append([await _answers(asker, with_logprobs=with_logprobs) for _ in range(2)])
    return _compared(counts, answers)


async def _counts(asker: Asker) -> list[int | None]:
    return [(await asker.ask(text, max_output_tokens=1)).usage.input_tokens for text in TEXTS]


async def _answers(asker: Asker, *, with_logprobs: bool) -> list[Completion]:
    options: dict[str, Any] = {"logprobs": 0} if with_logprobs else {}
    given = []
    for prompt in PROMPTS:
        try:
            given.append(await asker.ask(prompt, max_output_tokens=ANSWER_TOKENS, **options))
        except FieldguideError:
            if not options:
                raise
            options = {}  # declared, and refused when asked for
            given.append(await asker.ask(prompt, max_output_tokens=ANSWER_TOKENS))
    return given


def _compared(counts: list[list[int | None]], answers: list[list[list[Completion]]]) -> Comparison:
    (one, one_again), (two, two_again) = answers
    agreed = _agreed(one, two)
    repeated = _agreed(one, one_again) + _agreed(two, two_again)
    own = _greater(_distance(one, one_again), _distance(two, two_again))
    distance = _distance(one, two)
    tokenizer, template = _same_counts(counts)
    verdict, confidence, reasons = _verdict(agreed, repeated, distance, own, tokenizer, template)
    return Comparison(
        verdict=verdict,
        confidence=confidence,
        reasons=tuple(reasons),
        agreed=agreed,
        prompts=len(PROMPTS),
        agreement_low=lower_bound(agreed, len(PROMPTS)),
        repeated=repeated,
        logprob_distance=distance,
        own_logprob_distance=own,
        same_tokenizer=tokenizer,
        same_template=template,
    )


def _verdict(
    agreed: int,
    repeated: int,
    distance: float | None,
    own: float | None,
    tokenizer: bool | None,
    template: bool | None,
) -> tuple[Sameness, str, list[str]]:
    size = len(PROMPTS)
    low = lower_bound(agreed, size)
    p_value = fisher_less(agreed, size, repeated, 2 * size)
    again = f"asked again, the endpoints repeat {repeated} of their own {2 * size}"
    reasons = [f"{agreed} of {size} greedy answers agree (at least {low:.0%} at 95 %); {again}"]
    if tokenizer is not None:
        reasons.append(f"fixed texts count {'alike' if tokenizer else 'differently: another tokenizer'}")
    if template is False:
        reasons.append("the chat template adds another number of tokens")
    if distance is not None:
        reasons.append(f"log probabilities differ by {distance:.4f} nats on average, to themselves by {own or 0:.4f}")
    if tokenizer is False:
        return "different", "certain: counts of tokens do not vary by chance", reasons
    if distance is not None and distance > max(_NUMERIC_NOISE, 5 * (own or 0)):
        return "different", "likely: other weights, another quantization or another template", reasons
    if p_value < _CERTAIN_P:
        return "different", f"answers agree less often than they repeat (Fisher's exact p = {p_value:.2g})", reasons
    if low >= _SAME_FROM:
        return "same", f"answers to open questions agree in at least {low:.0%} of cases, at 95 %", reasons
    return "cannot_tell", "the answers vary too much, or agree too seldom, for a verdict on so few", reasons


def _agreed(one: list[Completion], two: list[Completion]) -> int:
    return sum(left.text == right.text and bool(left.text.strip()) for left, right in zip(one, two))


def _distance(one: list[Completion], two: list[Completion]) -> float | None:
    """Return the mean difference of log probabilities over the tokens that both began with."""
    gaps: list[float] = []
    for left, right in zip(one, two):
        for mine, theirs in zip(left.logprobs or (), right.logprobs or ()):
            if mine.token != theirs.token:
                break
            gaps.append(abs(mine.logprob - theirs.logprob))
    return math.fsum(gaps) / len(gaps) if gaps else None


def _greater(one: float | None, two: float | None) -> float | None:
    return max((each for each in (one, two) if each is not None), default=None)


def _same_counts(counts: list[list[int | None]]) -> tuple[bool | None, bool | None]:
    """Return whether texts count alike apart from what the template adds, and whether that is alike; None unknown."""
    one, two = ([each for each in row if each is not None] for row in counts)
    if len(one) < len(TEXTS) or len(two) < len(TEXTS):
        return None, None
    return [each - one[0] for each in one] == [each - two[0] for each in two], one[0] == two[0]


def lower_bound(successes: int, trials: int, *, level: float = 0.05) -> float:
    """Return the one-sided lower Clopper-Pearson bound on a share, by bisection."""
    if successes == 0:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        tail = math.fsum(
            math.comb(trials, k) * middle**k * (1 - middle) ** (trials - k) for k in range(successes, trials + 1)
        )
        low, high = (middle, high) if tail < level else (low, middle)
    return low


def fisher_less(successes: int, trials: int, other_successes: int, other_trials: int) -> float:
    """Return Fisher's exact probability of as few successes as these, were both shares alike."""
    total, drawn = trials + other_trials, successes + other_successes
    ways = math.comb(total, drawn)
    fewest = max(0, drawn - other_trials)
    return sum(math.comb(trials, k) * math.comb(other_trials, drawn - k) for k in range(fewest, successes + 1)) / ways
