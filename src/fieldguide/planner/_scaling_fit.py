"""Constants of a scaling law from runs: Huber loss on the logarithm, from many starting points."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fieldguide.planner._scaling import ScalingLaw

_HUBER = 1e-3
"""Above this residual of the logarithm a run counts by its distance and no more by its square (as the papers do)."""
_STARTS = tuple(itertools.product((4.0, 8.0), (4.0, 8.0), (0.0, 0.7), (0.3, 0.5), (0.3, 0.5)))
_ROUNDS = 200
_FEWEST_TOKENS_PER_PARAMETER = 0.42
"""The law does not hold for runs that see far less text than they have parameters: with the five such runs among the
245 of Chinchilla's figure the RMSE is 0.097, and without them 0.022."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRun:
    """One run: how large, how long, how good."""

    parameters: float
    tokens: float
    loss: float
    """Nats per token, at its end."""


def fit_scaling_law(runs: Sequence[TrainingRun], *, name: str = "fitted", source: str = "your runs") -> ScalingLaw:
    """Return the law nearest to the runs, by damped Gauss-Newton steps with Huber weights.

    The unknowns are log A, log B, log E, alpha and beta; the residual is that of log(loss).

    Raises:
        ValueError: There are fewer than 6 runs, or one has a figure that is not above 0.
    """
    if len(runs) < 6:
        raise ValueError("five constants need at least 6 runs")
    if any(min(run.parameters, run.tokens, run.loss) <= 0 for run in runs):
        raise ValueError("parameters, tokens and loss must be above 0")
    rough = sorted(((_cost(start, runs), start) for start in _STARTS), key=lambda pair: pair[0])
    found = min((_descend(start, runs) for _, start in rough[:8]), key=lambda pair: pair[0])[1]
    log_a, log_b, log_e, alpha, beta = found
    law = ScalingLaw(
        name=name,
        a=math.exp(log_a),
        b=math.exp(log_b),
        floor=math.exp(log_e),
        alpha=alpha,
        beta=beta,
        source=source,
        sizes=(min(run.parameters for run in runs), max(run.parameters for run in runs)),
        most_flop=max(6 * run.parameters * run.tokens for run in runs),
    )
    return replace(law, residual=root_mean_square(law, runs))


def usable_runs(runs: Sequence[TrainingRun]) -> list[TrainingRun]:
    """Return the runs that the law may be fitted to: those with at least 0.42 tokens per parameter."""
    return [run for run in runs if run.tokens >= _FEWEST_TOKENS_PER_PARAMETER * run.parameters]


def root_mean_square(law: ScalingLaw, runs: Sequence[TrainingRun]) -> float:
    """Return by how much a law misses the losses of runs (nats per token)."""
    return math.sqrt(sum((law.loss(run.parameters, run.tokens) - run.loss) ** 2 for run in runs) / len(runs))


def _descend(start: Sequence[float], runs: Sequence[TrainingRun]) -> tuple[float, tuple[float, ...]]:
    """Return the cost and place of a minimum (Levenberg-Marquardt)."""
    at, damping = tuple(start), 1e-2
    cost = _cost(at, runs)
    for _ in range(_ROUNDS):
        normal, slope = _normal_equations(at, runs)
        for row in range(5):
            normal[row][row] *= 1 + damping
        step = _solved(normal, slope)
        trial = tuple(value + change for value, change in zip(at, step, strict=True))
        trial_cost = _cost(trial, runs)
        if trial_cost < cost:
            gained = cost - trial_cost
            at, cost, damping = trial, trial_cost, max(damping / 5, 1e-12)
            if gained < 1e-12 * cost:
                break
        elif damping > 1e10:
            break
        else:
            damping *= 5
    return cost, at


def _predicted(at: Sequence[float], run: TrainingRun) -> tuple[float, tuple[float, float, float]]:
    """Return the logarithm of the loss and the shares of its three terms."""
    log_a, log_b, log_e, alpha, beta = at
    terms = (log_a - alpha * math.log(run.parameters), log_b - beta * math.log(run.tokens), log_e)
    most = max(terms)
    weights = [math.exp(term - most) for term in terms]
    whole = sum(weights)
    return most + math.log(whole), (weights[0] / whole, weights[1] / whole, weights[2] / whole)


def _cost(at: Sequence[float], runs: Sequence[TrainingRun]) -> float:
    total = 0.0
    for run in runs:
        miss = abs(_predicted(at, run)[0] - math.log(run.loss))
        total += 0.5 * miss * miss if miss <= _HUBER else _HUBER * (miss - 0.5 * _HUBER)
    return total if math.isfinite(total) else math.inf


def _normal_equations(at: Sequence[float], runs: Sequence[TrainingRun]) -> tuple[list[list[float]], list[float]]:
    normal = [[0.0] * 5 for _ in range(5)]
    slope = [0.0] * 5
    for run in runs:
        predicted, (of_a, of_b, of_e) = _predicted(at, run)
        miss = math.log(run.loss) - predicted
        weight = 1.0 if abs(miss) <= _HUBER else _HUBER / abs(miss)
        row = (of_a, of_b, of_e, -of_a * math.log(run.parameters), -of_b * math.log(run.tokens))
        for i in range(5):
            slope[i] += weight * row[i] * miss
            for j in range(5):
                normal[i][j] += weight * row[i] * row[j]
    for i in range(5):
        normal[i][i] += 1e-12
    return normal, slope


def _solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Return the solution of five linear equations (elimination with pivots)."""
    size = len(right)
    rows = [[*matrix[i], right[i]] for i in range(size)]
    for column in range(size):
        pivot = max(range(column, size), key=lambda row: abs(rows[row][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        if rows[column][column] == 0.0:
            return [0.0] * size
        for row in range(column + 1, size):
            factor = rows[row][column] / rows[column][column]
            for place in range(column, size + 1):
                rows[row][place] -= factor * rows[column][place]
    found = [0.0] * size
    for row in reversed(range(size)):
        rest = sum(rows[row][place] * found[place] for place in range(row + 1, size))
        found[row] = (rows[row][size] - rest) / rows[row][row]
    return found
