"""A verdict as a sentence that a person can act on."""

from __future__ import annotations

from fieldguide.comparison._more_items import rounded_up
from fieldguide.domain import Measure, Verdict, VerdictKind


def verdict_sentence(verdict: Verdict) -> str:
    """Return the verdict in one sentence, without a full stop.

    Differences are in points (hundredths of accuracy, or of a word error rate) and turned so that the better model's
    lead is positive. Points are whole where the interval is wider than ten of them, and have as many decimals as it
    takes for none of the figures to look like 0 when it is not.

    Args:
        verdict: One verdict of `compare_models`.
    """
    if verdict.difference is None or verdict.ci_low is None or verdict.ci_high is None:
        return f"cannot tell {verdict.a} from {verdict.b} on {verdict.benchmark}: {verdict.more_items_reason}"
    match verdict.verdict:
        case VerdictKind.A_BETTER:
            return _better(verdict, verdict.a, (verdict.difference, verdict.ci_low, verdict.ci_high))
        case VerdictKind.B_BETTER:
            return _better(verdict, verdict.b, (-verdict.difference, -verdict.ci_high, -verdict.ci_low))
        case VerdictKind.EQUIVALENT:
            return _equivalent(verdict, (verdict.difference, verdict.ci_low, verdict.ci_high))
        case VerdictKind.CANNOT_TELL:
            return _cannot_tell(verdict, (verdict.difference, verdict.ci_low, verdict.ci_high))


def _better(verdict: Verdict, winner: str, fractions: tuple[float, float, float]) -> str:
    lead, low, high = _points(fractions)
    lead = f"{_unit(lead)}{_of_what(verdict)}"
    return f"{winner} is better on {verdict.benchmark} by {lead} ({_evidence(verdict, low, high)})"


def _equivalent(verdict: Verdict, fractions: tuple[float, float, float]) -> str:
    seen, low, high = _points(fractions)
    margin = f"{100 * (verdict.margin or 0):.6g}"
    return (
        f"{verdict.a} and {verdict.b} are equivalent on {verdict.benchmark} within {_unit(margin)}: "
        f"the difference seen is {_unit(seen)}{_of_what(verdict)} ({_evidence(verdict, low, high)})"
    )


def _cannot_tell(verdict: Verdict, fractions: tuple[float, float, float]) -> str:
    seen, low, high = _points(fractions)
    sentence = (
        f"cannot tell {verdict.a} from {verdict.b} on {verdict.benchmark}: "
        f"the difference seen is {_unit(seen)}{_of_what(verdict)} ({_evidence(verdict, low, high)})"
    )
    if verdict.more_items_needed is not None:
        count = rounded_up(verdict.more_items_needed)
        return f"{sentence}; about {count:,} more item{'' if count == 1 else 's'} would settle it"
    return f"{sentence}; {verdict.more_items_reason}" if verdict.more_items_reason else sentence


def _of_what(verdict: Verdict) -> str:
    """Return what the points are of, where that is not the accuracy."""
    return " of word error rate" if verdict.measure is Measure.WORD_ERROR_RATE else ""


def _evidence(verdict: Verdict, low: str, high: str) -> str:
    level = f"{100 * verdict.confidence_level:.{_level_decimals(verdict.confidence_level)}f}"
    p_value = verdict.p_adjusted if verdict.p_adjusted is not None else 1.0
    name = "p" if verdict.p_adjusted == verdict.p_value else "adjusted p"
    return f"{level} % interval {low} to {high}, {name} {_p_text(p_value)}{_look_text(verdict)}"


def _look_text(verdict: Verdict) -> str:
    """Return which look this is and what it may spend; nothing where the only look spends everything."""
    look = verdict.look
    if look.number == 1 and look.last and not look.provisional:
        return ""
    return f"; {'provisional ' if look.provisional else ''}look {look.number}, level {100 * verdict.look_level:.3g} %"


def _level_decimals(level: float) -> int:
    """Return the decimals that show the level without rounding it up to 100 %."""
    if abs(100 * level - round(100 * level)) < 1e-9:
        return 0
    decimals = 1
    while decimals < 6 and round(1 - level, decimals + 2) < 0.9 * (1 - level):
        decimals += 1
    return decimals


def _p_text(p_value: float) -> str:
    """Return `= 0.034` or `< 0.001`; rounding never moves a p-value to the other side of 0.05."""
    if p_value < 0.001:
        return "< 0.001"
    decimals = 2 if p_value >= 0.1 else 3
    while decimals < 6 and (round(p_value, decimals) < 0.05) != (p_value < 0.05):
        decimals += 1
    return f"= {p_value:.{decimals}f}"


def _points(fractions: tuple[float, float, float]) -> tuple[str, str, str]:
    """Return difference, low and high in points, all with the same decimals."""
    _, low, high = fractions
    decimals = 0 if high - low > 0.1 else 1
    while decimals < 4 and any(_looks_zero(fraction, decimals) for fraction in fractions):
        decimals += 1
    difference, lower, upper = (f"{100 * value + 0.0:.{decimals}f}" for value in fractions)
    return _plain(difference), _plain(lower), _plain(upper)


def _looks_zero(fraction: float, decimals: int) -> bool:
    return fraction != 0 and round(100 * fraction, decimals) == 0


def _plain(number: str) -> str:
    """Return `number` without a needless `.0` or the sign of a zero."""
    number = number.rstrip("0").rstrip(".") if "." in number else number
    return "0" if number in {"-0", ""} else number


def _unit(points: str) -> str:
    return f"{points} point" if points in {"1", "-1"} else f"{points} points"
