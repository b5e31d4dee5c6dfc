"""One model's rate of errors among the parts of the right answers, such as a word error rate, with its interval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fieldguide.comparison._gamma_sum import probability_not_positive
from fieldguide.comparison._special import crossing
from fieldguide.comparison._tally import tally_items
from fieldguide.domain import ErrorRate, ItemScore


def error_rate_of(scores: Sequence[ItemScore], *, level: float = 0.95) -> ErrorRate | None:
    """Return the errors of all attempts over the parts of all right answers; None where none were counted.

    The interval is that of a bootstrap over items in its smooth form (Dirichlet weights), computed and not drawn, so
    that it is the same every time. One more, unseen, item of mean size has its part in it: without an error for the
    lower end, and for the upper end with as many as stand together where an error stands, one more error being taken
    to stand in an item that is all wrong: (sum e^2 + mean size) / (sum e + 1). So there is an interval where no error
    was seen, and a few items do not look like many. Attempts that failed are in neither sum.

    Args:
        scores: All attempts of one model, in any order.
        level: Level of the interval (fraction in (0, 1)).

    References:
        Bisani and Ney 2004, ICASSP, on drawing utterances anew; Rubin 1981, Annals of Statistics 9, 130-134, on
        Dirichlet weights. The unseen item is ours: docs/decisions/word-error-rates.md.
    """
    items = [
        (tally.errors / tally.counted, tally.parts, tally.counted)
        for tally in tally_items(scores).values()
        if tally.counted and tally.parts
    ]
    if not items:
        return None
    errors = round(sum(each * attempts for each, _, attempts in items))
    parts = sum(size * attempts for _, size, attempts in items)
    rate = errors / parts
    pairs = [(each, size) for each, size, _ in items]
    low, high = _interval(pairs, (1 - level) / 2)
    return ErrorRate(
        items=len(items), errors=errors, parts=parts, rate=rate, ci_low=min(low, rate), ci_high=max(high, rate)
    )


def _interval(items: Sequence[tuple[float, int]], tail: float) -> tuple[float, float]:
    size = sum(parts for _, parts in items) / len(items)
    total = sum(errors for errors, _ in items)
    typical = (sum(errors * errors for errors, _ in items) + size) / (total + 1)
    rates = [errors / parts for errors, parts in items]
    alike = Counter(items)

    def at_most(rate: float, unseen: float) -> float:
        terms = [(errors - rate * parts, float(count)) for (errors, parts), count in alike.items()]
        return probability_not_positive([*terms, (unseen - rate * size, 1.0)])

    low = 0.0 if total == 0 else crossing(lambda rate: at_most(rate, 0.0), tail, 0.0, max(rates))
    high = crossing(lambda rate: at_most(rate, typical), 1 - tail, min(rates), max(typical / size, *rates))
    return low, high
