"""What loss a model of N parameters reaches on D tokens, and how a budget is best divided between the two.

`loss = E + A / N^alpha + B / D^beta`, in nats per token on the text that the constants were fitted on; another text or
tokenizer has another E. The three fits of one data set disagree, and by much where a budget is to be divided.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from fieldguide.planner._ranges import Range


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingLaw:
    """Constants of one fit."""

    name: str
    a: float
    b: float
    floor: float
    """The loss that neither more parameters nor more tokens take away (nats per token)."""
    alpha: float
    beta: float
    source: str
    warning: str | None = None
    residual: float = 0.022
    """Root mean square of what it misses its runs by; of the default on Chinchilla's."""
    sizes: tuple[float, float] = (44e6, 16e9)
    """Parameters of its smallest and its largest run."""
    most_flop: float = 1e22
    """Of its longest run."""

    def loss(self, parameters: float, tokens: float) -> float:
        """Return the loss after one pass over the tokens."""
        return self.floor + self.capacity_term(parameters) + self.data_term(tokens)

    def capacity_term(self, parameters: float) -> float:
        """Return what is lost for want of parameters."""
        return float(self.a / parameters**self.alpha)

    def data_term(self, tokens: float) -> float:
        """Return what is lost for want of text."""
        return float(self.b / tokens**self.beta)

    def optimal_parameters(self, flop: float) -> float:
        """Return the parameters that spend `6 N D` FLOP best (Hoffmann et al., equation 4)."""
        ratio = (self.alpha * self.a / (self.beta * self.b)) ** (1 / (self.alpha + self.beta))
        return float(ratio * (flop / 6) ** (self.beta / (self.alpha + self.beta)))

    def optimal_tokens(self, parameters: float) -> float:
        """Return the tokens for which a model of this size is the best that their compute buys.

        At the optimum `alpha A / N^alpha = beta B / D^beta`.
        """
        return float((self.beta * self.b / (self.alpha * self.a) * parameters**self.alpha) ** (1 / self.beta))


_HOFFMANN = "Hoffmann et al. 2022, arXiv:2203.15556, approach 3"
_REPLACED = "does not fit its own data; kept to show how far a rounded constant moves a budget"

BESIROGLU = ScalingLaw(
    name="Besiroglu et al.",
    a=482.00572,
    b=2085.4342,
    floor=1.81686,
    alpha=0.34781,
    beta=0.36585,
    source="Besiroglu et al. 2024, arXiv:2404.10102: the same runs, read off the figure and fitted again",
)
HOFFMANN_TEX = ScalingLaw(
    name="Hoffmann et al., unrounded",
    a=406.401,
    b=410.7228,
    floor=1.693374,
    alpha=0.33917084,
    beta=0.2849083,
    source=f"{_HOFFMANN}, from the TeX source",
    warning=f"Misses the runs by an RMSE of 0.030 where a fit reaches 0.022; {_REPLACED}.",
)
HOFFMANN_PRINTED = ScalingLaw(
    name="Hoffmann et al., as printed",
    a=406.4,
    b=410.7,
    floor=1.69,
    alpha=0.34,
    beta=0.28,
    source=f"{_HOFFMANN}, equation 10",
    warning=f"Misses the runs by an RMSE of 0.053, always too high, because it is rounded; {_REPLACED}.",
)


def scaling_laws() -> tuple[ScalingLaw, ...]:
    """Return the known fits, the default first."""
    return BESIROGLU, HOFFMANN_TEX, HOFFMANN_PRINTED


def expected_loss(parameters: float, tokens: float, law: ScalingLaw = BESIROGLU) -> Range:
    """Return the loss with the spread of runs around the law, wider outside the sizes it was fitted on.

    Each factor of ten beyond its runs adds one residual, which is a guess: nothing measured bounds an extrapolation.
    """
    least, most = law.sizes
    beyond = max(0.0, math.log10(least / parameters), math.log10(parameters / most))
    beyond += max(0.0, math.log10(6 * parameters * tokens / law.most_flop))
    reach = (2 + beyond) * law.residual
    likely = law.loss(parameters, tokens)
    return Range(low=max(law.floor, likely - reach), likely=likely, high=likely + reach)


def effective_tokens(unique_tokens: float, tokens: float) -> float:
    """Return how many fresh tokens several passes over the same text are worth.

    `D' = U + U R (1 - exp(-r / R))` with r repetitions after the first pass and R = 15.39: four passes are worth almost
    as much as fresh text, forty almost nothing more (Muennighoff et al. 2023, arXiv:2305.16264, equation 5; R as
    recalled from there).
    """
    repeated = max(0.0, tokens / unique_tokens - 1)
    half_life = 15.39
    return min(tokens, unique_tokens) + (
        unique_tokens * half_life * (1 - math.exp(-repeated / half_life)) if repeated else 0.0
    )
