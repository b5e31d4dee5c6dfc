"""One model's accuracy on one exam, with an interval that is right near 0 and 1 and for small exams."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fieldguide.comparison._special import crossing, normal_quantile, regularised_beta, student_t_quantile
from fieldguide.comparison._tally import ItemTally, tally_items
from fieldguide.domain import Accuracy, ItemScore, Outcome


def accuracy_of(scores: Sequence[ItemScore], *, level: float = 0.95) -> Accuracy:
    """Return the accuracy, its interval, and the bounds for what could not be judged.

    One attempt per item: the mid-p Clopper-Pearson interval of `mid_p_interval`. Several: items are clusters, and
    the same interval is drawn for as many independent answers as the scatter between items says they are worth
    (`effective_answers`).

    Args:
        scores: All attempts of one model, in any order; empty gives None for every fraction.
        level: Level of the interval (fraction in (0, 1)).
    """
    outcomes = Counter(score.score.outcome for score in scores)
    attempts, failed, correct = len(scores), outcomes[Outcome.FAILED], outcomes[Outcome.CORRECT]
    doubtful = sum(count for outcome, count in outcomes.items() if outcome.doubtful)
    scored = attempts - failed
    tallies = tally_items(scores)
    low = high = None
    if scored:
        low, high = _interval([tally for tally in tallies.values() if tally.scored], level)
    return Accuracy(
        items=len(tallies),
        attempts=attempts,
        scored=scored,
        correct=correct,
        accuracy=correct / scored if scored else None,
        ci_low=low,
        ci_high=high,
        bound_low=correct / attempts if attempts else None,
        bound_high=(correct + doubtful) / attempts if attempts else None,
        outcomes={outcome: outcomes[outcome] for outcome in Outcome},
    )


def _interval(tallies: Sequence[ItemTally], level: float) -> tuple[float, float]:
    answers = effective_answers(tallies, level)
    accuracy = sum(tally.correct for tally in tallies) / sum(tally.scored for tally in tallies)
    low, high = mid_p_interval(accuracy * answers, answers, level)
    return min(low, accuracy), max(high, accuracy)


def mid_p_interval(correct: float, answers: float, level: float) -> tuple[float, float]:
    """Return the mid-p Clopper-Pearson interval of a proportion; counts need not be whole.

    The lower end is the p at which P(X > correct) + P(X = correct) / 2 = (1 - level) / 2, the upper end its mirror
    image. For 15 to 500 answers at 95 % its exact coverage is 95.0 to 96.3 % on average over accuracies of 2 to 98 %
    and nowhere below 92 %; Clopper-Pearson's own is 95.7 to 97.9 %, Wilson's falls to 89.5 % (see
    docs/decisions/paired-verdict.md). The end is exactly 0 where nothing and exactly 1 where everything is correct.

    Args:
        correct: Correct answers (count in [0, answers]).
        answers: Independent answers (count, > 0).
        level: Level of the interval (fraction in (0, 1)).

    References:
        Clopper and Pearson 1934, Biometrika 26, 404-413.
        Lancaster 1961, Journal of the American Statistical Association 56, 223-234, on counting half of P(X = x).
    """
    tail = (1 - level) / 2
    low = _lower_end(correct, answers, tail) if correct > 0 else 0.0
    high = 1.0 - _lower_end(answers - correct, answers, tail) if correct < answers else 1.0
    return low, high


def _lower_end(correct: float, answers: float, tail: float) -> float:
    wrong = max(answers - correct, 0.0)

    def at_least(p: float) -> float:
        return (regularised_beta(p, correct, wrong + 1) + regularised_beta(p, correct + 1, wrong)) / 2

    return crossing(at_least, tail, 0.0, 1.0)


def effective_answers(tallies: Sequence[ItemTally], level: float) -> float:
    """Return how many independent answers the scored attempts are worth.

    accuracy (1 - accuracy) / variance, with the cluster-robust variance of the ratio correct / scored, items as
    clusters, enlarged by (t / z)^2 for having estimated it from few items. It lies between the number of items
    (attempts at an item all agree) and the number of attempts (items all alike). How alike items are is learnt only
    from answers of both kinds: the estimate is therefore mixed with the cautious end, which has the weight of one
    item of accuracy 1/2. All correct, or all wrong, thus counts items.

    Args:
        tallies: The items that have a scored attempt, at least one.
        level: Level of the interval, for t and z (fraction in (0, 1)).

    References:
        Korn and Graubard 1998, Survey Methodology 24, 193-201: effective counts with the t correction, there in
        Clopper-Pearson's interval. The mixing is ours.
    """
    scored = sum(tally.scored for tally in tallies)
    items = scored**2 / sum(tally.scored**2 for tally in tallies)
    if scored == len(tallies) or len(tallies) == 1:
        return items
    accuracy = sum(tally.correct for tally in tallies) / scored
    spread = accuracy * (1 - accuracy)
    if spread == 0:
        return items
    share = _variance(tallies, accuracy) * _small_sample_factor(len(tallies), level) / spread
    share = min(max(share, 1 / scored), 1 / items)
    weight = 4 * spread * len(tallies)
    return 1 / ((weight * share + 1 / items) / (weight + 1))


def _variance(tallies: Sequence[ItemTally], accuracy: float) -> float:
    """Return the cluster-robust variance of the ratio correct / scored."""
    scored = sum(tally.scored for tally in tallies)
    squares = sum((tally.correct - accuracy * tally.scored) ** 2 for tally in tallies)
    return len(tallies) / (len(tallies) - 1) * squares / scored**2


def _small_sample_factor(items: int, level: float) -> float:
    tail = (1 - level) / 2
    return (student_t_quantile(tail, items - 1) / normal_quantile(1 - tail)) ** 2
