"""`cost MODEL --against HARDWARE`: from a priced workload and a model that fits a machine to the break-even of both."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass, field

from fieldguide.app.accuracy_at_hand import Accuracy, accuracies
from fieldguide.app.break_even import Against, AgainstRequest, compare_costs
from fieldguide.app.cost import Costs, PricedModel
from fieldguide.app.fit import largest_quantization, room_on, verdict_of
from fieldguide.app.hardware import hardware
from fieldguide.app.looking import projector_for
from fieldguide.app.network_of_file import requantized
from fieldguide.app.plan_subject import Subject, subject_of
from fieldguide.app.wiring import House
from fieldguide.domain import Hardware, Network
from fieldguide.errors import InsufficientFactsError, UsageError
from fieldguide.planner import (
    Engine,
    MemoryPlan,
    PaidWorkload,
    Range,
    TokenPrice,
    Workload,
    engine_named,
    is_gguf,
    load_of,
    memory_plan,
    prompt_parameters,
    quantization_named,
    usual_utilisation,
)

_AT_ONCE = 16
_SERVED_BY_VLLM = frozenset({"nvidia-datacenter", "nvidia-rtx", "amd"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AgainstOptions:
    """What the machine runs and costs; None leaves the choice to us."""

    on: str
    own_model: str | None = None
    """What the machine runs; None is the model that is priced."""
    engine: str | None = None
    at_once: int | None = None
    utilisation: Range = field(default_factory=usual_utilisation)
    purchase_usd: float | None = None
    usd_per_kwh: float = 0.15
    usd_per_device_hour: float | None = None
    benchmark: str | None = None
    """Whose accuracy, measured or claimed, makes dollars for each right answer."""


def cost_against(
    house: House, costs: Costs, options: AgainstOptions, *, progress: Callable[[str], None] = lambda _: None
) -> Against:
    """Return the comparison of the cheapest price of one model with a machine that runs it, or another.

    Raises:
        UsageError: Several models were priced, nobody sells the model, it does not fit, or the machine's price is not
            known.
        InsufficientFactsError: What the machine would run is not known well enough.
        UnknownNameError: There is no such hardware, model, engine or benchmark.
    """
    _check(options, costs)
    paid = _cheapest(costs)
    machine = hardware(options.on, house, progress=progress)
    subject = _own(house, paid.model, options)
    plan, notes = _plan(subject, machine, options, costs)
    api, own = (None, None)
    if options.benchmark is not None:
        api, own, said = accuracies(house, options.benchmark, paid.model, options.own_model or paid.model)
        notes += said
    work = costs.workload
    provider = paid.offer.provider if paid.offer else "unknown"
    request = AgainstRequest(
        on=options.on,
        workload=PaidWorkload(input_tokens=work.input_tokens, output_tokens=work.output_tokens),
        price=_price(paid, costs),
        load=load_of(plan.network, plan.weights_in, plan.work),
        prompt_parameters=prompt_parameters(plan.network),
        engine=plan.engine.name,
        sequences=plan.work.sequences,
        utilisation=options.utilisation,
        purchase_usd=options.purchase_usd,
        usd_per_kwh=options.usd_per_kwh,
        usd_per_device_hour=options.usd_per_device_hour,
        accuracy=_fraction(api),
        own_accuracy=_fraction(own),
    )
    made = compare_costs(house, request)
    runs = f"{machine.name} runs {plan.network.name} in {plan.weights_in.quantization} with {plan.engine.name}"
    sold = f"the API is {paid.model} at {provider}, the cheapest price known here"
    return dataclasses.replace(made, notes=(runs, sold, *notes, *made.notes))


def _fraction(found: Accuracy | None) -> float | None:
    return None if found is None else found.fraction


def _check(options: AgainstOptions, costs: Costs) -> None:
    figures = {
        "--purchase-usd": options.purchase_usd,
        "--usd-per-kwh": options.usd_per_kwh,
        "--usd-per-hour": options.usd_per_device_hour,
        "--concurrent": options.at_once,
    }
    for option, figure in figures.items():
        if figure is not None and not (math.isfinite(figure) and figure > 0):
            raise UsageError(f"{option} takes a number above 0, not {figure:g}.")
    if options.purchase_usd is not None and options.usd_per_device_hour is not None:
        raise UsageError("A machine is bought or rented.", hint="Leave out --purchase-usd or --usd-per-hour.")
    if len({each.model for each in costs.models}) > 1:
        raise UsageError("--against compares one model with a machine.", hint="Name one model.")
    if costs.workload.output_tokens < 1 or costs.workload.input_tokens < 1:
        raise UsageError("A request needs tokens both ways.", hint="Give --input-tokens and --output-tokens.")


def _cheapest(costs: Costs) -> PricedModel:
    """Return the cheapest row in dollars; trial quotas at nothing do not count."""
    for each in costs.models:
        if each.currency == "USD" and each.per_request:
            return each
    names = ", ".join(dict.fromkeys(each.model for each in costs.models))
    raise UsageError(
        f"Nobody is known to sell {names}, so there is nothing to compare a machine with.",
        hint="Name the API's model, and what the machine runs: `cost gpt-4o-mini --against h100 --own-model NAME`.",
    )


def _price(paid: PricedModel, costs: Costs) -> TokenPrice:
    """Return dollars per million tokens that give the price of the request: cached tokens and images in the input's."""
    whole = float(paid.per_request or 0)
    work = costs.workload
    lines = paid.offer.used.bill.lines if paid.offer and paid.offer.used and paid.offer.used.bill else ()
    outgoing = sum(float(line.price or 0) for line in lines if line.rate.unit.name == "output_tokens")
    return TokenPrice(
        input_usd_per_mtok=(whole - outgoing) / work.input_tokens * 1e6,
        output_usd_per_mtok=outgoing / work.output_tokens * 1e6,
    )


def _own(house: House, paid: str, options: AgainstOptions) -> Subject:
    if options.own_model is not None:
        return subject_of(house, options.own_model)
    try:
        return subject_of(house, _bare(paid))
    except InsufficientFactsError as error:
        raise UsageError(
            f"What the machine would run: {error.message}",
            hint=f"Name a model with weights in place of {paid}: --own-model qwen2.5-7b-instruct.",
        ) from error


def _bare(paid: str) -> str:
    """Return a priced model without its provider: `openai:gpt-4o` is gpt-4o; a tag such as `qwen2.5:7b` stays."""
    _, colon, rest = paid.partition(":")
    return rest if colon and not rest[:1].isdigit() else paid


def _plan(subject: Subject, machine: Hardware, options: AgainstOptions, costs: Costs) -> tuple[MemoryPlan, list[str]]:
    """Return the plan in the quantization asked, else the one with the most bits that surely fits."""
    name = options.engine or ("vllm" if machine.device.kind in _SERVED_BY_VLLM else "llama.cpp")
    asked, network = subject.quantization, subject.network
    if options.engine is None and is_gguf(asked or network.stored_quantization or ""):
        name = "llama.cpp"
    engine, room = engine_named(name), room_on(machine, engine_named(name).name)
    tokens = costs.workload.input_tokens + costs.workload.output_tokens
    notes: list[str] = []
    at_once = options.at_once or _AT_ONCE
    if room is None:
        notes.append(f"how much memory {machine.device.name} has is not known, so nothing says that it fits")
        return _one(subject, asked or "BF16", engine, _work(tokens, at_once, machine, costs)), notes
    while True:
        work = _work(tokens, at_once, machine, costs)
        chosen = asked or network.stored_quantization
        chosen = chosen or largest_quantization(_one(subject, "BF16", engine, work), room, machine.device.kind)
        plan = None if chosen is None else _one(subject, chosen, engine, work)
        if plan is not None and verdict_of(plan, room, machine.device.kind) == "yes":
            if at_once < (options.at_once or _AT_ONCE):
                notes.append(f"{at_once} requests at once, as more do not surely fit")
            return plan, notes
        if at_once == 1:
            needed = plan or _one(subject, "AWQ" if name == "vllm" else "Q4_K_M", engine, work)
            raise UsageError(
                f"{network.name} does not surely fit {machine.name}: {needed.total_high_bytes / 1e9:.3g} GB in "
                f"{needed.weights_in.quantization}.",
                hint=f"See `fieldguide plan {network.name} --on {options.on}`, or name more hardware.",
            )
        at_once //= 2


def _one(subject: Subject, quantization: str, engine: Engine, work: Workload) -> MemoryPlan:
    network: Network = subject.network
    if network.stored_quantization not in (None, quantization) and subject.facts is not None:
        network = requantized(subject.facts, network)
    name = quantization if network.stored_quantization == quantization else quantization_named(quantization)
    return memory_plan(network, name, engine, work, projector=projector_for(engine, subject.file))


def _work(tokens: int, at_once: int, machine: Hardware, costs: Costs) -> Workload:
    return Workload(
        context_tokens=tokens,
        answer_tokens=min(costs.workload.output_tokens, tokens - 1),
        sequences=at_once,
        devices=machine.count,
    )
