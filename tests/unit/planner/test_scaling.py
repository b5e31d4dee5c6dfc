"""Scaling laws, their optimum, and their constants from runs."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.planner import (
    ScalingLaw,
    TrainingRun,
    effective_tokens,
    expected_loss,
    fit_scaling_law,
    root_mean_square,
    scaling_laws,
    usable_runs,
)
from fieldguide.planner._scaling import BESIROGLU

SIZES, LENGTHS = (5e7, 2e8, 1e9, 5e9), (1e9, 8e9, 4e10, 3e11)


@given(st.floats(1e18, 1e27), st.sampled_from(scaling_laws()))
def test_the_optimum_is_one(flop: float, law: ScalingLaw) -> None:
    """No other division of the same compute has a lower loss, and both ways to the optimum agree."""
    size = law.optimal_parameters(flop)
    best = law.loss(size, flop / 6 / size)
    for factor in (0.5, 0.9, 1.1, 2.0):
        assert law.loss(size * factor, flop / 6 / size / factor) > best
    assert law.optimal_tokens(size) == pytest.approx(flop / 6 / size, rel=1e-6)


@given(st.floats(1e6, 1e13), st.floats(1e8, 1e15))
def test_loss_falls_with_both_and_never_below_the_floor(parameters: float, tokens: float) -> None:
    """Diminishing returns, down to what neither takes away."""
    found = expected_loss(parameters, tokens)
    assert BESIROGLU.floor <= found.low <= found.likely <= found.high
    assert BESIROGLU.loss(2 * parameters, tokens) < found.likely
    assert BESIROGLU.loss(parameters, 2 * tokens) < found.likely


@pytest.mark.parametrize(
    "planted",
    [
        ScalingLaw(name="a", a=300, b=900, floor=1.5, alpha=0.31, beta=0.33, source=""),
        ScalingLaw(name="b", a=482, b=2085, floor=1.82, alpha=0.348, beta=0.366, source=""),
        ScalingLaw(name="c", a=60, b=5000, floor=0.9, alpha=0.22, beta=0.42, source=""),
    ],
)
def test_a_planted_law_is_found(planted: ScalingLaw) -> None:
    """Exactly without noise; with noise of a hundredth, to a few hundredths in the exponents."""
    runs = [
        TrainingRun(parameters=size, tokens=length, loss=planted.loss(size, length))
        for size in SIZES
        for length in LENGTHS
    ]
    found = fit_scaling_law(runs)
    assert (found.alpha, found.beta) == pytest.approx((planted.alpha, planted.beta), rel=1e-3)
    assert (found.a, found.b, found.floor) == pytest.approx((planted.a, planted.b, planted.floor), rel=1e-2)
    noise = random.Random(6)
    many = [
        TrainingRun(parameters=size, tokens=length, loss=planted.loss(size, length) * math.exp(noise.gauss(0, 0.003)))
        for size in SIZES
        for length in LENGTHS
        for _ in range(6)
    ]
    noisy = fit_scaling_law(many)
    assert (noisy.alpha, noisy.beta) == pytest.approx((planted.alpha, planted.beta), abs=0.05)
    assert root_mean_square(noisy, many) < 0.02


def test_the_spread_of_a_law_is_that_of_its_own_runs() -> None:
    """Within the sizes of its runs two residuals, beyond them more; another law's runs say nothing of it."""
    runs = [
        TrainingRun(parameters=n, tokens=d, loss=BESIROGLU.loss(n, d) + (0.05 if index % 2 else -0.05))
        for index, (n, d) in enumerate((n, d) for n in (1e6, 4e6, 16e6) for d in (1e8, 4e8, 16e8))
    ]
    law = fit_scaling_law(runs)
    assert law.residual == pytest.approx(root_mean_square(law, runs))
    assert law.sizes == (1e6, 16e6)
    inside, beyond = expected_loss(4e6, 1e8, law), expected_loss(160e6, 1e8, law)
    assert inside.high - inside.likely == pytest.approx(2 * law.residual)
    assert beyond.high - beyond.likely > 2.9 * law.residual


def test_one_wild_run_does_not_move_the_fit() -> None:
    """Huber's loss counts it by its distance, not by the square of it."""
    planted = ScalingLaw(name="a", a=300, b=900, floor=1.5, alpha=0.31, beta=0.33, source="")
    runs = [
        TrainingRun(parameters=size, tokens=length, loss=planted.loss(size, length))
        for size in SIZES
        for length in LENGTHS
    ]
    runs[5] = TrainingRun(parameters=runs[5].parameters, tokens=runs[5].tokens, loss=9.0)
    assert fit_scaling_law(runs).alpha == pytest.approx(0.31, abs=0.01)


def test_too_few_or_impossible_runs_are_refused() -> None:
    """Five constants cannot come from five runs, nor from a loss of 0."""
    run = TrainingRun(parameters=1e9, tokens=1e10, loss=2.5)
    with pytest.raises(ValueError, match="at least 6"):
        fit_scaling_law([run] * 5)
    with pytest.raises(ValueError, match="above 0"):
        fit_scaling_law([run] * 6 + [TrainingRun(parameters=1e9, tokens=1e10, loss=0)])
    assert usable_runs([run, TrainingRun(parameters=1e9, tokens=1e8, loss=5)]) == [run]


def test_repeated_text_is_worth_less_and_less() -> None:
    """Four passes almost as much as fresh text, a thousand no more than a hundred."""
    assert effective_tokens(1e9, 1e9) == 1e9
    assert 3.6e9 < effective_tokens(1e9, 4e9) < 4e9
    assert effective_tokens(1e9, 1e12) == pytest.approx(effective_tokens(1e9, 1e11), rel=0.01)
