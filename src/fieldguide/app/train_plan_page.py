"""A training plan as a page and as a picture: loss and cost against size."""

from __future__ import annotations

from pathlib import Path

from fieldguide.app.train_plan import TrainingPlan, loss_curve
from fieldguide.planner import count_text, expected_loss, scaling_laws
from fieldguide.reporting import Curves, Line, write_curves_html, write_curves_png


def write_training_page(plan: TrainingPlan, path: Path) -> None:
    """Write the plan as one HTML file.

    Raises:
        UsageError: It cannot be written there.
    """
    write_curves_html(f"Training {plan.name}", plan.notes, training_figures(plan), path)


def write_training_png(plan: TrainingPlan, path: Path) -> None:
    """Write loss against size as PNG.

    Raises:
        MissingDependencyError: The extra `charts` is not installed.
        UsageError: It cannot be written there.
    """
    write_curves_png(training_figures(plan)[0], path)


def training_figures(plan: TrainingPlan) -> tuple[Curves, Curves]:
    """Return loss and cost against parameters, the tokens held fast."""
    rows = loss_curve(plan)
    here = ((plan.active_parameters, "this plan"),)
    laws = (plan.law, *(law for law in scaling_laws() if law != plan.law))
    lines = [
        Line(
            name=law.name,
            points=tuple((size, law.loss(size, plan.effective_tokens)) for size, _, _ in rows),
            band=_band(plan, rows) if law == plan.law else (),
        )
        for law in laws
    ]
    loss = Curves(
        title=f"Loss against size on {count_text(plan.tokens)} tokens",
        description="Nats per token; the band is the spread of runs, wider beyond the sizes that were measured.",
        x_title="parameters (active)",
        y_title="loss (nats per token)",
        lines=tuple(lines),
        marks=here,
    )
    cost = Curves(
        title=f"Cost against size on {count_text(plan.tokens)} tokens",
        description="US dollars of device hours at list prices, with the range of utilisation and price.",
        x_title="parameters (active)",
        y_title="cost (USD)",
        log_y=True,
        lines=(
            Line(
                name="cost",
                points=tuple((size, cost) for size, _, cost in rows if cost is not None),
                band=_cost_band(plan, rows),
            ),
        ),
        marks=here,
    )
    return loss, cost


def _band(plan: TrainingPlan, rows: list[tuple[float, float, float | None]]) -> tuple[tuple[float, float, float], ...]:
    ranges = [(size, expected_loss(size, plan.effective_tokens, plan.law)) for size, _, _ in rows]
    return tuple((size, each.low, each.high) for size, each in ranges)


def _cost_band(
    plan: TrainingPlan, rows: list[tuple[float, float, float | None]]
) -> tuple[tuple[float, float, float], ...]:
    cost = plan.cost_usd
    if cost is None:
        return ()
    scale = [(size, size / plan.active_parameters) for size, _, _ in rows]
    return tuple((size, cost.low * factor, cost.high * factor) for size, factor in scale)
