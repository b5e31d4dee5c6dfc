"""`train-plan`: what training takes, costs and reaches."""

from __future__ import annotations

import re
from argparse import Namespace

from fieldguide.app.train_plan import TrainingPlan, TrainingRequest, plan_json, plan_training
from fieldguide.app.train_plan_page import write_training_page, write_training_png
from fieldguide.cli._output import console, gigabytes, house_of, note, print_json, table
from fieldguide.errors import UsageError
from fieldguide.planner import Range, count_text

_AMOUNT = re.compile(r"(\d+(?:\.\d+)?(?:e\d{1,2})?)\s*([kmbt]?)", re.IGNORECASE)
_UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}


def run(args: Namespace) -> int:
    """Print the plan, and write its page or picture."""
    house = house_of(args)
    plan = plan_training(house, _request(args))
    if args.html is not None:
        write_training_page(plan, args.html)
        note(args, f"written to {args.html}")
    if args.png is not None:
        write_training_png(plan, args.png)
        note(args, f"written to {args.png}")
    if args.json:
        print_json(plan_json(plan))
    else:
        _show(plan)
    return 0


def _request(args: Namespace) -> TrainingRequest:
    return TrainingRequest(
        model=args.model,
        parameters=_amount(args.parameters, "--parameters"),
        active_parameters=_amount(args.active_parameters, "--active-parameters"),
        tokens=_amount(args.tokens, "--tokens"),
        unique_tokens=_amount(args.unique_tokens, "--unique-tokens"),
        on=args.on,
        usd_per_device_hour=args.usd_per_hour,
        utilisation=args.utilisation,
        sequence_tokens=args.sequence_tokens,
        sequences=args.sequences,
        rank=args.rank,
        distilled=args.distilled,
        runs=args.runs,
    )


def _amount(text: str | None, option: str) -> float | None:
    if text is None:
        return None
    found = _AMOUNT.fullmatch(text.strip())
    if found is None or float(found[1]) == 0:
        raise UsageError(f"{option} takes an amount such as 7B, 1.5T or 4e12, not {text!r}.")
    return float(found[1]) * _UNITS[found[2].lower()]


def _show(plan: TrainingPlan) -> None:
    rows = table("", "low", "likely", "high", right=(1, 2, 3))
    rows.add_row("loss (nats/token)", *_three(plan.loss, "{:.3f}"))
    rows.add_row("device hours", *_three(plan.device_hours, "{:,.0f}"))
    if plan.hardware is not None and plan.hardware.count > 1:
        rows.add_row("days until done", *_three(plan.wall_clock_hours, "{:,.1f}", 1 / 24))
    rows.add_row("cost (USD)", *_three(plan.cost_usd, "${:,.0f}"))
    on = "" if plan.hardware is None else f", with {plan.hardware.name}"
    size = "" if plan.name.endswith("parameters") else f": {count_text(plan.parameters)} parameters"
    print(f"{plan.name}{size} on {count_text(plan.tokens)} tokens{on}")
    print(
        f"{plan.flop:.3g} FLOP (6 x active parameters x tokens); "
        f"{plan.tokens / plan.active_parameters:.3g} tokens per parameter, "
        f"compute-optimal {count_text(plan.compute_optimal_tokens)}: {plan.kind}"
    )
    console().print(rows)
    _show_memory(plan)
    for sentence in plan.notes:
        print(f"- {sentence}")
    print()
    print("Sources: " + "; ".join(plan.sources))


def _show_memory(plan: TrainingPlan) -> None:
    rows = table(
        "training memory", "weights", "gradients", "optimizer", "activations", "together", right=(1, 2, 3, 4, 5)
    )
    for each in plan.memory:
        figures = (each.weights_bytes, each.gradients_bytes, each.optimizer_bytes)
        held = each.activations_bytes
        together = gigabytes(round(each.total_bytes))
        rows.add_row(
            each.method,
            *(gigabytes(round(figure)) for figure in figures),
            gigabytes(None if held is None else round(held)),
            together if held is not None else f"{together} + activations",
        )
    console().print(rows)


def _three(value: Range | None, form: str, factor: float = 1.0) -> tuple[str, str, str]:
    if value is None:
        return "n/a", "n/a", "n/a"
    low, likely, high = (form.format(end * factor) for end in (value.low, value.likely, value.high))
    return low, likely, high
