"""`plan`: what a model needs, term by term, whether it fits, and how fast it is."""

from __future__ import annotations

from argparse import Namespace

from fieldguide.app.hardware import price_dates
from fieldguide.app.plan import Plan, PlanOptions, plan
from fieldguide.app.plan_images import images_sentences
from fieldguide.app.plan_json import plan_json
from fieldguide.app.plan_page import write_plan_page, write_plan_png
from fieldguide.cli._output import console, gigabytes, house_of, note, number, print_json, span, table
from fieldguide.domain import Hardware
from fieldguide.errors import UsageError
from fieldguide.planner import MemoryTerm, Range

_VERDICT = {
    "yes": "It fits: even the high end does.",
    "no": "It does not fit: even the low end is too much.",
    "borderline": "Borderline: the low end fits and the high end does not.",
}


def run(args: Namespace) -> int:
    """Print the plan, or the models that do a job and fit."""
    if args.job is not None:
        from fieldguide.cli import _recommend

        return _recommend.run(args)
    if args.model is None:
        raise UsageError(
            "Name a model, a file or a job.",
            hint="Such as `fieldguide plan qwen2.5-7b-instruct --on rtx4090`, or `plan --job code --memory 16GB`.",
        )
    for flag in ("memory", "budget", "licence", "limit"):
        if getattr(args, flag) is not None:
            raise UsageError(f"--{flag} goes with --job.", hint="Plan a model on hardware with --on.")
    house = house_of(args)
    made = plan(house, args.model, _options(args), progress=lambda text: note(args, text))
    if args.html is not None:
        write_plan_page(made, args.html, tuple(_sentences(made)))
        note(args, f"written to {args.html}")
    if args.png is not None:
        write_plan_png(made, args.png)
        note(args, f"written to {args.png}")
    if args.json:
        print_json(plan_json(made))
        return 0
    _show(made)
    for text in made.notes:
        note(args, text)
    return 0


def _options(args: Namespace) -> PlanOptions:
    return PlanOptions(
        quantization=args.quantization,
        context_tokens=args.context,
        answer_tokens=args.answer,
        sequences=args.sequences,
        kv_type=args.kv_dtype,
        engine=args.engine,
        on=args.on,
        devices=args.devices,
        lora_rank=args.lora_rank,
        images=args.images,
        image_size=args.image_size,
    )


def _show(made: Plan) -> None:
    memory, network = made.memory, made.memory.network
    bits = memory.weights_in.bits_per_weight(network.parameters)
    print(f"{network.name}: {network.parameters:,} parameters ({network.active_parameters:,} per token)")
    print(f"weights in {memory.weights_in.quantization}, {bits:.2f} bits each; {_workload(made)}")
    print(f"engine: {memory.engine.name} {memory.engine.kind}\n")
    rows = table("what", "bytes", "how", right=(1,))
    numbers = {source: place for place, source in enumerate(made.sources, start=1)}
    for each in memory.terms:
        inputs = ", ".join(f"{key} {_plain(value)}" for key, value in each.inputs.items())
        rows.add_row(each.name, _size(each), f"{each.formula}\n{inputs}\n[{numbers[each.source]}]")
    console().print(rows)
    for sentence in _sentences(made):
        print(sentence)
    _show_changes(made)
    print(f"\nfitted on: {memory.engine.fitted_on}; off by: {memory.engine.residual}\n\nsources")
    for source, place in numbers.items():
        print(f"  [{place}] {source}")


def _sentences(made: Plan) -> list[str]:
    """Return the total, the verdict and the speed in words."""
    memory = made.memory
    low, high = memory.total_low_bytes, memory.total_high_bytes
    told = [] if made.images is None or made.image_load is None else images_sentences(made.images, made.image_load)
    told += [f"total: {gigabytes(memory.total_bytes)}, from {gigabytes(low)} to {gigabytes(high)}"]
    if made.fit is None and memory.work.devices > 1:
        told.append(f"per device: {gigabytes(memory.per_device_bytes)}, if all {memory.work.devices} hold alike shares")
    if made.hardware is None:
        return told
    return [*told, *_on(made, made.hardware), *_speed(made)]


def _on(made: Plan, hardware: Hardware) -> list[str]:
    fit = made.fit
    if fit is None:
        return [f"on {hardware.name}: whether it fits is not known"]
    room = span(fit.room.low_bytes, fit.room.high_bytes, lambda value: gigabytes(round(value)))
    each = "" if fit.room.devices == 1 else " on each device"
    need = span(fit.need_low_bytes, fit.need_high_bytes, lambda value: gigabytes(round(value)))
    told = [
        f"on {hardware.name}: {room} free{each} ({fit.room.formula}); needed{each}: {need}. {_VERDICT[fit.verdict]}"
    ]
    context = "no context" if fit.largest_context is None else f"a context of {fit.largest_context:,} tokens"
    told.append(
        f"the most that surely fits: {fit.largest_quantization or 'no quantization'} at this context; "
        f"{context} in {made.memory.weights_in.quantization}"
    )
    if listed := hardware.list_prices:
        prices = sorted(price.usd_per_device_hour * hardware.count for price in listed)
        rent = span(prices[0], prices[-1], "${:.2f}".format)
        told.append(f"to rent: {rent} an hour (list prices, {price_dates(listed)})")
    return told


def _speed(made: Plan) -> list[str]:
    speed, told = made.speed, []
    if speed.decode is not None:
        how = "measured here" if speed.measured is not None else f"bound by {speed.bound}"
        together = ""
        if made.memory.work.sequences > 1:
            together = f" each, {_range(speed.decode_together)} together"
        told.append(f"decoding: {_range(speed.decode)} tokens/s{together} ({how}): {speed.formula}")
        if speed.estimated is not None:
            told.append(f"it would have been estimated at {_range(speed.estimated)} tokens/s")
    if speed.prefill is not None:
        told.append(f"reading prompts: {_range(speed.prefill)} tokens/s")
    return told


def _range(value: Range | None) -> str:
    if value is None:
        return "n/a"
    return f"{number(value.low)} to {number(value.high)} (likely {number(value.likely)})"


def _show_changes(made: Plan) -> None:
    if made.fit is None or not made.fit.changes:
        return
    rows = table("what to give up", "saves", "total then", "fits then", right=(1, 2))
    for each in made.fit.changes:
        rows.add_row(each.what, gigabytes(each.saves_bytes), gigabytes(each.total_bytes), each.fits)
    console().print(rows)


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
