"""`plan`: what a model needs, term by term."""

from __future__ import annotations

from argparse import Namespace

from fieldguide.app.plan import Plan, PlanOptions, plan, plan_json
from fieldguide.cli._output import console, gigabytes, house_of, note, print_json, span, table
from fieldguide.planner import MemoryTerm


def run(args: Namespace) -> int:
    """Print the plan."""
    options = PlanOptions(
        quantization=args.quantization,
        context_tokens=args.context,
        answer_tokens=args.answer,
        sequences=args.sequences,
        kv_type=args.kv_dtype,
        engine=args.engine,
        devices=args.devices,
        lora_rank=args.lora_rank,
    )
    made = plan(house_of(args).settings.home, args.model, options)
    if args.json:
        print_json(plan_json(made))
        return 0
    for text in made.notes:
        note(args, text)
    _show(made)
    return 0


def _show(made: Plan) -> None:
    memory, network = made.memory, made.memory.network
    bits = memory.weights_in.bits_per_weight(network.parameters)
    print(f"{network.name}: {network.parameters:,} parameters ({network.active_parameters:,} per token)")
    print(f"weights in {memory.weights_in.quantization}, {bits:.2f} bits each; {_workload(made)}")
    print(f"engine: {memory.engine.name} {memory.engine.kind}\n")
    rows = table("what", "bytes", "how", right=(1,))
    for each in memory.terms:
        inputs = ", ".join(f"{key} {_plain(value)}" for key, value in each.inputs.items())
        rows.add_row(each.name, _size(each), f"{each.formula}\n{inputs}\n[{_numbers(made)[each.source]}]")
    console().print(rows)
    low, high = memory.total_low_bytes, memory.total_high_bytes
    print(f"total: {gigabytes(memory.total_bytes)}, from {gigabytes(low)} to {gigabytes(high)}")
    if memory.work.devices > 1:
        print(f"per device: {gigabytes(memory.per_device_bytes)}, if all {memory.work.devices} hold alike shares")
    print(f"fitted on: {memory.engine.fitted_on}; off by: {memory.engine.residual}\n\nsources")
    for source, number in _numbers(made).items():
        print(f"  [{number}] {source}")


def _workload(made: Plan) -> str:
    work = made.memory.work
    many = "one sequence" if work.sequences == 1 else f"{work.sequences} sequences"
    return f"{many} of {work.context_tokens:,} tokens, cache in {work.kv_type}"


def _size(each: MemoryTerm) -> str:
    likely = gigabytes(each.bytes)
    if each.low_bytes == each.high_bytes:
        return likely
    return f"{likely}\n({span(each.low_bytes, each.high_bytes, lambda value: gigabytes(round(value)))})"


def _plain(value: int | float | str) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _numbers(made: Plan) -> dict[str, int]:
    """Number the sources in the order in which they are first cited."""
    found: dict[str, int] = {}
    for each in made.memory.terms:
        found.setdefault(each.source, len(found) + 1)
    return found
