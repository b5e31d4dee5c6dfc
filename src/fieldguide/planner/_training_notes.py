"""A training plan in words: capacity, data, their mismatch, diminishing returns, cost."""

from __future__ import annotations

from collections.abc import Iterator

from fieldguide.planner._scaling import HOFFMANN_PRINTED, HOFFMANN_TEX, ScalingLaw, scaling_laws

_BALANCED = (0.5, 2.0)
"""Between half and twice the optimal tokens the loss hardly moves."""
_MEMORISING = 1.0
"""Tokens per parameter below which a model can hold more than it is shown."""
_CHEAP_PASSES = 4


def training_notes(
    parameters: float,
    tokens: float,
    law: ScalingLaw,
    *,
    held_parameters: float | None = None,
    unique_tokens: float | None = None,
    distilled: bool = False,
) -> Iterator[str]:
    """Yield sentences, the most important first.

    Args:
        parameters: That take part in one token.
        tokens: Trained on, repetitions included.
        law: Whose constants.
        held_parameters: All that a mixture of experts holds.
        unique_tokens: Different ones; None where none is repeated.
        distilled: Whether it learns from a larger model's probabilities.
    """
    yield _balance(parameters, tokens, law)
    yield _returns(parameters, tokens, law)
    yield _same_compute(parameters, tokens, law)
    if tokens < _MEMORISING * parameters:
        yield (
            f"{tokens / parameters:.2g} tokens per parameter: it can memorise its text; what it says of other text "
            "will be worse than this loss, and the law was not fitted there."
        )
    if unique_tokens is not None and unique_tokens < tokens:
        yield _repetition(tokens / unique_tokens)
    if held_parameters is not None and held_parameters > parameters:
        yield (
            f"Mixture of experts: arithmetic and cost follow the {count_text(parameters)} active parameters, memory "
            f"the {count_text(held_parameters)} held. The law is of dense models; the loss shown is that of a dense "
            "model with the active parameters, and a mixture should do better by an amount that is not known here."
        )
    if distilled:
        yield (
            "Distilled: a teacher's probabilities teach more per token than text does, so the loss is an upper bound; "
            "the teacher's own arithmetic (2 FLOP per parameter of it and token) is not in the bill."
        )
    if law not in scaling_laws():
        yield (
            "The loss is that of your runs, on their text with their tokenizer; of another text or tokenizer it says "
            "nothing, and no benchmark follows from it."
        )
        return
    yield (
        "The loss is in nats per token on Chinchilla's text with its tokenizer; compare differences and not the figure "
        "with another model's, and no benchmark follows from it."
    )
    yield _disagreement(parameters)


def verdict(parameters: float, tokens: float, law: ScalingLaw) -> str:
    """Return `balanced`, `under-trained`, `over-trained` or `memorising`."""
    if tokens < _MEMORISING * parameters:
        return "memorising"
    ratio = tokens / law.optimal_tokens(parameters)
    return "under-trained" if ratio < _BALANCED[0] else "over-trained" if ratio > _BALANCED[1] else "balanced"


def _balance(parameters: float, tokens: float, law: ScalingLaw) -> str:
    optimal = law.optimal_tokens(parameters)
    shares = (
        f"Of the loss above the floor of {law.floor:.2f}, {_capacity_share(parameters, tokens, law):.0%} is want of "
    )
    shares += "parameters and the rest want of text."
    kind = verdict(parameters, tokens, law)
    if kind in {"under-trained", "memorising"}:
        return (
            f"Under-trained: compute-optimal for this size would be {count_text(optimal)} tokens, "
            f"{optimal / tokens:.2g} times as many. {shares} A smaller model on more text reaches the same loss "
            "for less."
        )
    if kind == "over-trained":
        return (
            f"Trained beyond the optimum: {tokens / optimal:.2g} times the {count_text(optimal)} tokens that are "
            f"compute-optimal. {shares} That wastes training compute, and pays where the model will answer much: it is "
            "smaller and cheaper to run than the compute-optimal one of its loss."
        )
    return f"Parameters and text are balanced (compute-optimal: {count_text(optimal)} tokens). {shares}"


def _capacity_share(parameters: float, tokens: float, law: ScalingLaw) -> float:
    capacity = law.capacity_term(parameters)
    return capacity / (capacity + law.data_term(tokens))


def _returns(parameters: float, tokens: float, law: ScalingLaw) -> str:
    loss = law.loss(parameters, tokens)
    larger = loss - law.loss(2 * parameters, tokens)
    longer = loss - law.loss(parameters, 2 * tokens)
    both = loss - law.loss(2 * parameters, 2 * tokens)
    again = law.loss(2 * parameters, tokens) - law.loss(4 * parameters, tokens)
    return (
        f"Diminishing returns: twice the parameters lower the loss by {larger:.3f} and twice them again by {again:.3f}"
        f"; twice the tokens by {longer:.3f}; both, for four times the compute, by {both:.3f}."
    )


def _same_compute(parameters: float, tokens: float, law: ScalingLaw) -> str:
    flop = 6 * parameters * tokens
    best = law.optimal_parameters(flop)
    best_tokens = flop / 6 / best
    gain = law.loss(parameters, tokens) - law.loss(best, best_tokens)
    return (
        f"The same compute spent best: {count_text(best)} parameters on {count_text(best_tokens)} tokens, "
        f"a loss lower by {gain:.3f}."
    )


def _repetition(passes: float) -> str:
    if passes <= _CHEAP_PASSES:
        return f"{passes:.2g} passes over the text: repeated text is still worth almost as much as fresh text."
    return (
        f"{passes:.3g} passes over the text: beyond about {_CHEAP_PASSES} each teaches less, beyond about 40 nothing "
        "(Muennighoff et al. 2023); the loss counts the repeated tokens for what they are worth."
    )


def _disagreement(parameters: float) -> str:
    others = "; ".join(
        f"{law.name}: {count_text(law.optimal_tokens(parameters))} tokens" for law in (HOFFMANN_TEX, HOFFMANN_PRINTED)
    )
    return (
        f"Other constants of the same runs would call another amount optimal ({others}); they do not fit the runs they "
        "were made from (Besiroglu et al. 2024), so the default is the refit."
    )


def count_text(value: float) -> str:
    """Return a count for people: `7B`, `1.5T`."""
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"
