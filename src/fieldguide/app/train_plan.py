"""`train-plan`: what training a model of a size on a number of tokens takes, costs and reaches."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldguide.app.hardware import hardware, price_dates, sources_of
from fieldguide.app.show import show_model
from fieldguide.app.wiring import House
from fieldguide.domain import Architecture, Hardware, active_parameters, total_parameters
from fieldguide.errors import InputFileError, UsageError
from fieldguide.planner import (
    Method,
    Range,
    ScalingLaw,
    TrainingMemory,
    TrainingRun,
    attention_flop,
    count_text,
    device_hours,
    effective_tokens,
    expected_loss,
    fit_scaling_law,
    published_utilisation,
    root_mean_square,
    scaling_laws,
    training_cost_usd,
    training_flop,
    training_memory,
    training_notes,
    usable_runs,
    verdict,
)

_METHODS: tuple[Method, ...] = ("full", "lora", "qlora")
_COLUMNS = ({"N", "parameters"}, {"D", "tokens"}, {"loss"})
_STEPS = 41
_REACH = 30.0
"""The curve goes from a thirtieth of the size to thirty times it."""
_MOST = 1e30


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRequest:
    """What a person asks; numbers are counts."""

    model: str | None = None
    parameters: float | None = None
    active_parameters: float | None = None
    tokens: float | None = None
    """Trained on, repetitions included; None takes the compute-optimal ones, or the model's own."""
    unique_tokens: float | None = None
    on: str | None = None
    usd_per_device_hour: float | None = None
    utilisation: float | None = None
    """A fraction; None is the range of published runs."""
    sequence_tokens: int = 2048
    sequences: int = 1
    rank: int = 16
    distilled: bool = False
    runs: Path | None = None
    """Runs of one's own to fit the law to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPlan:
    """The answer."""

    name: str
    parameters: float
    active_parameters: float
    tokens: float
    effective_tokens: float
    """Fresh ones that the repeated ones are worth; as many as `tokens` where none is repeated."""
    flop: float
    law: ScalingLaw
    law_rmse: float | None
    """Of a law fitted here, on the runs it was fitted to."""
    loss: Range
    kind: str
    compute_optimal_tokens: float
    hardware: Hardware | None
    device_hours: Range | None
    cost_usd: Range | None
    memory: tuple[TrainingMemory, ...]
    notes: tuple[str, ...]
    sources: tuple[str, ...]

    @property
    def wall_clock_hours(self) -> Range | None:
        """Hours until it is done, on all devices of the hardware."""
        if self.device_hours is None or self.hardware is None:
            return None
        return self.device_hours.scaled(1 / self.hardware.count)


def plan_training(house: House, request: TrainingRequest) -> TrainingPlan:
    """Return the plan of one training run.

    Raises:
        UsageError: Neither a model nor a size is given, or a figure is not possible.
        UnknownNameError: There is no such model or hardware.
        InputFileError: The runs cannot be read.
    """
    name, parameters, active, known_tokens, shape = _size(house, request)
    law, rmse = _law(request.runs)
    tokens = request.tokens or known_tokens or law.optimal_tokens(active)
    _check(request, parameters, active, tokens)
    fresh = effective_tokens(request.unique_tokens or tokens, tokens)
    flop = training_flop(active, tokens)
    machine = hardware(request.on, house, measure=False) if request.on else None
    utilisation = published_utilisation()
    if request.utilisation is not None:
        utilisation = Range(low=request.utilisation, likely=request.utilisation, high=request.utilisation)
    hours = None if machine is None else device_hours(flop, machine, utilisation)
    cost = None if hours is None or machine is None else training_cost_usd(hours, machine, request.usd_per_device_hour)
    return TrainingPlan(
        name=name,
        parameters=parameters,
        active_parameters=active,
        tokens=tokens,
        effective_tokens=fresh,
        flop=flop,
        law=law,
        law_rmse=rmse,
        loss=expected_loss(active, fresh, law),
        kind=verdict(active, tokens, law),
        compute_optimal_tokens=law.optimal_tokens(active),
        hardware=machine,
        device_hours=hours,
        cost_usd=cost,
        memory=_memory(request, parameters, shape),
        notes=(
            *_notes(request, parameters, active, tokens, law, machine, hours, cost),
            *_left_out(request, shape, tokens, flop),
        ),
        sources=tuple(_sources(law, machine)),
    )


def _size(house: House, request: TrainingRequest) -> tuple[str, float, float, float | None, Architecture | None]:
    """Return name, parameters, active parameters, tokens it was trained on and shape of what is to be trained."""
    if request.model is None:
        if request.parameters is None:
            raise UsageError("Name a model or give --parameters.", hint="Such as `train-plan --parameters 7B`.")
        active = request.active_parameters or request.parameters
        return f"{count_text(request.parameters)} parameters", request.parameters, active, None, None
    if request.parameters is not None:
        raise UsageError("A model has its own size.", hint="Leave out the model, or --parameters.")
    page = show_model(house.settings.home, request.model)
    if page.is_family and len({id(size) for size, _ in page.members}) > 1:
        names = ", ".join(member.name for _, member in page.members[:8])
        raise UsageError(f"{page.name} has several sizes.", hint=f"Name one: {names}.")
    size, _ = page.members[0]
    shape = size.architecture.value if size.architecture else None
    whole = size.parameters.value if size.parameters else total_parameters(shape) if shape else size.label_parameters
    if whole is None:
        raise UsageError(f"How many parameters {page.name} has is not known.", hint="Give --parameters instead.")
    active = size.active_parameters.value if size.active_parameters else active_parameters(shape) if shape else whole
    trained = size.training_tokens.value if size.training_tokens else None
    return page.name, float(whole), float(active), None if trained is None else float(trained), shape


def _check(request: TrainingRequest, parameters: float, active: float, tokens: float) -> None:
    figures = (parameters, active, tokens, request.unique_tokens, request.usd_per_device_hour, request.utilisation)
    if any(figure is not None and not 0 < figure < _MOST for figure in figures):
        raise UsageError(
            f"Counts, prices and utilisation must be above 0 and below {_MOST:g}.", hint="Write 7B, 1.5T or 4e12."
        )
    if active > parameters:
        raise UsageError("No more parameters can be active than there are.", hint="Swap the two figures.")
    if request.utilisation is not None and request.utilisation > 1:
        raise UsageError("Utilisation is a fraction of the peak.", hint="Write 0.4 for 40 %.")
    if request.unique_tokens is not None and request.unique_tokens > tokens:
        raise UsageError("More tokens are unique than are trained on.", hint="Raise --tokens.")
    if min(request.sequence_tokens, request.sequences, request.rank) < 1:
        raise UsageError("Sequence, batch and rank are counts above 0.")


def _memory(request: TrainingRequest, parameters: float, shape: Architecture | None) -> tuple[TrainingMemory, ...]:
    return tuple(
        training_memory(
            parameters,
            method=method,
            architecture=shape,
            sequence_tokens=request.sequence_tokens,
            sequences=request.sequences,
            rank=request.rank,
        )
        for method in _METHODS
    )


def _notes(
    request: TrainingRequest,
    parameters: float,
    active: float,
    tokens: float,
    law: ScalingLaw,
    machine: Hardware | None,
    hours: Range | None,
    cost: Range | None,
) -> list[str]:
    notes = list(
        training_notes(
            active,
            tokens,
            law,
            held_parameters=parameters,
            unique_tokens=request.unique_tokens,
            distilled=request.distilled,
        )
    )
    return notes + _cost_notes(request, machine, hours, cost)


def _left_out(request: TrainingRequest, shape: Architecture | None, tokens: float, flop: float) -> Iterator[str]:
    """Say how much attention would add to `6 N D`, of a network whose layers all attend to the whole sequence."""
    if shape is None or shape.linear is not None or shape.sliding_window is not None or not shape.kv_heads:
        return
    share = attention_flop(shape, sequence_tokens=request.sequence_tokens, tokens=tokens) / flop
    yield f"Attention is not in 6 N D: at sequences of {request.sequence_tokens:,} tokens it adds {share:.1%}."


def _cost_notes(
    request: TrainingRequest, machine: Hardware | None, hours: Range | None, cost: Range | None
) -> list[str]:
    if machine is None:
        return ["Hours and cost need hardware: add --on, such as --on 1024xh100."]
    if hours is None:
        return [f"The peak of {machine.device.name} is not known here, so hours and cost are not."]
    notes = []
    if cost is None:
        notes.append(f"No price of {machine.device.name} is known here: add --usd-per-hour.")
    elif request.usd_per_device_hour is None:
        prices = machine.list_prices
        notes.append(
            f"Cost from {len(prices)} list prices per device hour, {price_dates(prices)}; rented "
            "long-term it is less, and staff, failed runs, data and storage come on top."
        )
    if request.utilisation is None:
        usual = published_utilisation()
        notes.append(
            f"Utilisation {usual.low:.0%} to {usual.high:.0%} of the 16-bit peak, as "
            "published device hours come to, restarts included."
        )
    return notes


def _sources(law: ScalingLaw, machine: Hardware | None) -> list[str]:
    return [law.source, "6 N D: Kaplan et al. 2020, arXiv:2001.08361"] + (
        [] if machine is None else sources_of(machine)
    )


def _law(path: Path | None) -> tuple[ScalingLaw, float | None]:
    if path is None:
        return scaling_laws()[0], None
    every = _read_runs(path)
    runs = usable_runs(every)
    source = f"{len(runs)} of {len(every)} runs of {path.name}: those with at least 0.42 tokens per parameter"
    try:
        law = fit_scaling_law(runs, name=f"fitted to {path.name}", source=source)
    except ValueError as error:
        raise InputFileError(str(path), f"{error}.") from error
    return law, root_mean_square(law, runs)


def _read_runs(path: Path) -> list[TrainingRun]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            names = [next((name for name in reader.fieldnames or () if name in wanted), None) for wanted in _COLUMNS]
            if None in names:
                raise InputFileError(str(path), "needs the columns N, D and loss.", line=1)
            n, d, loss = (str(name) for name in names)
            runs = []
            for row in reader:
                try:
                    run = TrainingRun(parameters=float(row[n]), tokens=float(row[d]), loss=float(row[loss]))
                except (TypeError, ValueError) as error:
                    raise InputFileError(
                        str(path), "has a row that is not three numbers.", line=reader.line_num
                    ) from error
                runs.append(run)
            return runs
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputFileError(str(path), f"cannot be read as CSV: {error}.") from error


def loss_curve(plan: TrainingPlan) -> list[tuple[float, float, float | None]]:
    """Return (parameters, loss at the plan's tokens, likely cost) over sizes around the plan's, for a chart."""
    rows = []
    for step in range(_STEPS):
        size = plan.active_parameters * _REACH ** (2 * step / (_STEPS - 1) - 1)
        cost = None if plan.cost_usd is None else plan.cost_usd.likely * size / plan.active_parameters
        rows.append((size, plan.law.loss(size, plan.effective_tokens), cost))
    return rows


def plan_json(plan: TrainingPlan) -> dict[str, Any]:
    """Return a plan as its JSON."""
    return {
        "model": plan.name,
        "parameters": plan.parameters,
        "active_parameters": plan.active_parameters,
        "tokens": plan.tokens,
        "effective_tokens": plan.effective_tokens,
        "flops": plan.flop,
        "loss": plan.loss.as_json(),
        "tokens_per_parameter": plan.tokens / plan.active_parameters,
        "compute_optimal_tokens": plan.compute_optimal_tokens,
        "verdict": plan.kind,
        "hardware": None if plan.hardware is None else plan.hardware.name,
        "gpu_hours": _range_json(plan.device_hours),
        "wall_clock_hours": _range_json(plan.wall_clock_hours),
        "cost_usd": _range_json(plan.cost_usd),
        "memory": {each.method: memory_json(each) for each in plan.memory},
        "law": {"name": plan.law.name, "constants": _constants(plan.law), "rmse": plan.law_rmse},
        "other_laws": [
            {
                "name": law.name,
                "constants": _constants(law),
                "loss": law.loss(plan.active_parameters, plan.effective_tokens),
                "compute_optimal_tokens": law.optimal_tokens(plan.active_parameters),
                "warning": law.warning,
            }
            for law in scaling_laws()
            if law != plan.law
        ],
        "notes": list(plan.notes),
        "sources": list(plan.sources),
    }


def _range_json(value: Range | None) -> dict[str, float | None]:
    return dict.fromkeys(("low", "likely", "high")) if value is None else {**value.as_json()}


def memory_json(memory: TrainingMemory) -> dict[str, Any]:
    """Return what training holds, as JSON."""
    return {
        "weights_bytes": memory.weights_bytes,
        "gradients_bytes": memory.gradients_bytes,
        "optimizer_bytes": memory.optimizer_bytes,
        "activations_bytes": memory.activations_bytes,
        "total_bytes": None if memory.activations_bytes is None else memory.total_bytes,
        "total_without_activations_bytes": memory.total_bytes - (memory.activations_bytes or 0.0),
        "trained_parameters": memory.trained_parameters,
        "formula": memory.formula,
    }


def _constants(law: ScalingLaw) -> dict[str, float]:
    return {"A": law.a, "B": law.b, "E": law.floor, "alpha": law.alpha, "beta": law.beta}
