"""What arithmetic says of published scores: which can be, which disagree, and which differences n supports."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from itertools import combinations

from fieldguide.catalogue.claims import Claim
from fieldguide.comparison._holm import holm_adjusted
from fieldguide.comparison._special import normal_cdf, normal_quantile

_ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Another source that states another value for the same cell."""

    other: Claim
    protocol: str
    """`same`, `differs` or `not stated`: what the two sources say of how they asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedClaim:
    """A claim with what can be said of it."""

    claim: Claim
    attainable: bool | None
    """Whether some number of right answers rounds to the value; None where n is unknown."""
    ci_low: float | None
    """Wilson's 95 % interval for the value's share of n questions (fractions); None where n is unknown."""
    ci_high: float | None
    conflicts: tuple[Conflict, ...]
    flags: tuple[str, ...]
    """What a reader should know before using the value, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Two values of one table and benchmark. Fractions; None where n is unknown."""

    a: Claim
    b: Claim
    difference: float
    """a minus b."""
    p_value: float | None
    """Two-sided, of the unpaired test."""
    p_adjusted: float | None
    """After Holm over all differences of the table that can be tested."""

    @property
    def supported(self) -> bool | None:
        """Whether n supports that the two differ, this pair looked at alone."""
        return None if self.p_value is None else self.p_value < _ALPHA

    @property
    def supported_adjusted(self) -> bool | None:
        """Whether n supports it with every difference of the table asked about at once."""
        return None if self.p_adjusted is None else self.p_adjusted < _ALPHA


def is_attainable(claim: Claim) -> bool | None:
    """Return whether the printed value is k of the answers, rounded; None where n is unknown or it is no percentage.

    The answers are n times the attempts, one where attempts are not stated. Halves may have been rounded either way.

    References:
        Brown and Heathers 2017, Social Psychological and Personality Science 8, 363-369: the GRIM test.
    """
    if claim.n is None or claim.unit != "percent":
        return None
    answers = claim.n * (claim.attempts or 1)
    half = Decimal(1).scaleb(int(claim.value.as_tuple().exponent)) / 2
    # The largest k with 100 k / answers <= value + half; it is near enough, or none is.
    nearest = min(((claim.value + half) * answers / 100).to_integral_value(rounding=ROUND_FLOOR), Decimal(answers))
    return nearest >= 0 and 100 * nearest >= (claim.value - half) * answers


def wilson_interval(share: float, answers: int, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's interval of a proportion (fractions).

    Ours for measured accuracies is another (`mid_p_interval`, which covers better); this one is what others print.

    References:
        Wilson 1927, Journal of the American Statistical Association 22, 209-212.
    """
    z = normal_quantile((1 + level) / 2)
    centre = (share + z * z / (2 * answers)) / (1 + z * z / answers)
    half = z / (1 + z * z / answers) * math.sqrt(share * (1 - share) / answers + z * z / (4 * answers**2))
    return (centre - half if share > 0 else 0.0), (centre + half if share < 1 else 1.0)


def unpaired_p_value(a: float, n_a: int, b: float, n_b: int) -> float:
    """Return the two-sided p-value of the pooled z test of two proportions (fractions a of n_a and b of n_b).

    Both models may have taken the same questions. What a pairing would add is unknown from two totals, and this test
    is then the cautious one as long as the models' successes go together.
    """
    pooled = (a * n_a + b * n_b) / (n_a + n_b)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / n_a + 1 / n_b))
    return 1.0 if spread == 0 else min(1.0, 2 * (1 - normal_cdf(abs(a - b) / spread)))


def judge_claims(asked: Sequence[Claim], ledger: Sequence[Claim]) -> tuple[JudgedClaim, ...]:
    """Return the claims asked for, each set against the whole ledger.

    A conflict is another value of another source for the same model, snapshot, benchmark, subset, metric and window.
    Values that agree at the coarser one's digits are no conflict; nor is a measurement of our own, which stands
    beside. LiveCodeBench without a stated window is compared with nothing: its questions are not known to be the same.
    """
    cells = _cells(ledger)
    return tuple(_judged(claim, cells.get(_cell(claim), ())) for claim in asked)


_kept: tuple[Sequence[Claim], dict[tuple[object, ...], list[Claim]]] | None = None


def _cells(ledger: Sequence[Claim]) -> dict[tuple[object, ...], list[Claim]]:
    """Return claims by what they are about; those of the last ledger are kept, where it can no longer change."""
    global _kept
    kept = _kept
    if kept is None or kept[0] is not ledger or not isinstance(ledger, tuple):
        made: dict[tuple[object, ...], list[Claim]] = defaultdict(list)
        for claim in ledger:
            made[_cell(claim)].append(claim)
        kept = _kept = (ledger, dict(made))
    return kept[1]


def table_differences(table: Sequence[Claim]) -> tuple[Difference, ...]:
    """Return every difference of two models within one table, benchmark by benchmark, with unpaired tests by n."""
    pairs = [(a, b) for a, b in combinations(table, 2) if _cell(a)[2:] == _cell(b)[2:] and a.protocol == b.protocol]
    p_values = [_p_value(a, b) for a, b in pairs]
    adjusted = iter(holm_adjusted([p for p in p_values if p is not None]))
    return tuple(
        Difference(
            a=a,
            b=b,
            difference=float(a.value - b.value) / 100,
            p_value=p,
            p_adjusted=None if p is None else next(adjusted),
        )
        for (a, b), p in zip(pairs, p_values, strict=True)
    )


def _p_value(a: Claim, b: Claim) -> float | None:
    if a.n is None or b.n is None or not (_is_share(a) and _is_share(b)):
        return None
    return unpaired_p_value(float(a.value) / 100, a.n, float(b.value) / 100, b.n)


def _judged(claim: Claim, same_cell: Sequence[Claim]) -> JudgedClaim:
    attainable = is_attainable(claim)
    low = high = None
    if claim.n is not None and _is_share(claim):
        # Attempts at one question go together: n questions, not n times attempts answers, are independent.
        low, high = wilson_interval(float(claim.value) / 100, claim.n)
    conflicts = tuple(
        Conflict(other=other, protocol=_protocols(claim, other)) for other in same_cell if _in_conflict(claim, other)
    )
    flags = tuple(_flags(claim, attainable, conflicts))
    return JudgedClaim(claim=claim, attainable=attainable, ci_low=low, ci_high=high, conflicts=conflicts, flags=flags)


def _is_share(claim: Claim) -> bool:
    """Return whether a value can be a share of questions at all."""
    return claim.unit == "percent" and 0 <= claim.value <= 100


def _cell(claim: Claim) -> tuple[object, ...]:
    """Return what two claims must share to be about one thing."""
    metric = "pass@1" if claim.metric is None else claim.metric
    return claim.model_key, claim.snapshot, claim.benchmark, claim.subset, metric, claim.window, claim.unit


def _in_conflict(a: Claim, b: Claim) -> bool:
    """Return whether two claims about one cell say different things."""
    if "measured" in (a.kind, b.kind):
        return False
    same_source = a.collection == b.collection and a.source == b.source
    # Another catalogue's copy of a value stands beside it; only what differs is a conflict.
    if same_source:
        return False
    if a.benchmark == "livecodebench" and a.window is None:
        return False
    digits = max(int(a.value.as_tuple().exponent), int(b.value.as_tuple().exponent))
    step = Decimal(1).scaleb(digits)
    return a.value.quantize(step) != b.value.quantize(step)


def _protocols(a: Claim, b: Claim) -> str:
    if a.protocol is None or b.protocol is None:
        return "not stated"
    return "same" if a.protocol == b.protocol and a.attempts == b.attempts else "differs"


def _flags(claim: Claim, attainable: bool | None, conflicts: Sequence[Conflict]) -> list[str]:
    flags = []
    if claim.unit == "percent" and not _is_share(claim):
        flags.append(f"{claim.value} is no percentage: another unit, or a slip")
    elif attainable is False:
        answers = f"{claim.n} x {claim.attempts}" if claim.attempts else f"{claim.n}"
        flags.append(f"not attainable: no k of {answers} gives {claim.value}; an average, another test, or copied")
    if claim.n is None:
        flags.append("n not stated")
    elif "n" in claim.inferred:
        flags.append("n inferred from the benchmark")
    if claim.benchmark in ("gpqa", "aime") and claim.subset is None:
        flags.append("subset not stated")
    if claim.benchmark == "livecodebench" and claim.window is None:
        flags.append("window not stated")
    if claim.protocol is None:
        flags.append("protocol not stated")
    if any(conflict.protocol == "differs" for conflict in conflicts):
        flags.append("conflicting values come from unlike protocols: not merged")
    return flags
