"""A plan as a page and as a picture: memory against context, a line for each quantization."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from fieldguide.app.fit import ladder
from fieldguide.app.plan import Plan
from fieldguide.domain import Network
from fieldguide.planner import MemoryPlan, Workload, is_gguf
from fieldguide.reporting import Curves, Line, write_curves_html, write_curves_png

_SHOWN = {"BF16", "Q8_0", "Q4_K_M", "FP8", "AWQ", "NF4"}
_LEAST, _MOST = 512, 131_072
_GB = 1e9


def write_plan_page(made: Plan, path: Path, lead: tuple[str, ...]) -> None:
    """Write the plan as one HTML file.

    Raises:
        UsageError: It cannot be written there.
    """
    write_curves_html(f"Memory of {made.memory.network.name}", (*lead, *made.notes), (memory_figure(made),), path)


def write_plan_png(made: Plan, path: Path) -> None:
    """Write memory against context as PNG.

    Raises:
        MissingDependencyError: The extra `charts` is not installed.
        UsageError: It cannot be written there.
    """
    write_curves_png(memory_figure(made), path)


def memory_figure(made: Plan) -> Curves:
    """Return memory against context per quantization, with what the hardware has."""
    memory = made.memory
    contexts = _contexts(memory.network, memory.work.context_tokens)
    lines = memory_lines(memory, contexts)
    if made.hardware is not None and made.fit is not None:
        room = made.fit.room.high_bytes * made.fit.room.devices / _GB
        lines.append(Line(name=f"memory of {made.hardware.name}", points=tuple((x, room) for x in contexts)))
    return Curves(
        title=f"Memory against context: {memory.network.name}",
        description=(
            f"Weights, cache and engine in GB (10^9 bytes) with {memory.engine.name}, {memory.work.sequences} at once; "
            "the band is the range of the quantization that was planned."
        ),
        x_title="context (tokens)",
        y_title="memory (GB)",
        lines=tuple(lines),
        marks=((float(memory.work.context_tokens), "this plan"),),
        plain_y=True,
        names_on_lines=True,
    )


def memory_lines(plan: MemoryPlan, contexts: list[float]) -> list[Line]:
    """Return a line for each quantization that tells something, the one that was planned with its range."""
    network, asked = plan.network, plan.weights_in.quantization
    names = [name for name in ladder(plan.engine.name) if name in _SHOWN]
    stored = network.stored_quantization
    anew = network if stored is None else None
    if stored is not None and is_gguf(stored):
        anew = dataclasses.replace(network, stored_quantization=None)
    lines = []
    for name in dict.fromkeys([asked, *names]):
        of = network if name == asked else anew
        if of is None:
            continue
        made = [(x, plan.changed(network=of, quantization=name, work=_at(plan.work, int(x)))) for x in contexts]
        points = tuple((x, each.total_bytes / _GB) for x, each in made)
        band = tuple((x, each.total_low_bytes / _GB, each.total_high_bytes / _GB) for x, each in made)
        lines.append(Line(name=name, points=points, band=band if name == asked else ()))
    return lines


def _at(work: Workload, context: int) -> Workload:
    answer = None if work.answer_tokens is None else min(work.answer_tokens, context - 1)
    return dataclasses.replace(work, context_tokens=context, answer_tokens=answer)


def _contexts(network: Network, asked: int) -> list[float]:
    most = max(network.context_tokens or _MOST, asked)
    found = {asked, most}
    step = float(_LEAST)
    while step < most:
        found.add(round(step))
        step *= 2**0.5
    return [float(each) for each in sorted(found) if each >= 2]
