"""What a model needs before it is fetched, whether that fits hardware, and how fast it will be there."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fieldguide.app.fit import Fit, check_devices, fit_of
from fieldguide.app.hardware import HERE, hardware, sources_of
from fieldguide.app.looking import projector_for
from fieldguide.app.network_of_file import requantized
from fieldguide.app.plan_images import AskedImages, asked_images, check_room
from fieldguide.app.plan_speed import PlannedSpeed, speed_of
from fieldguide.app.plan_subject import Subject, network_of_member, subject_of
from fieldguide.app.wiring import House
from fieldguide.domain import Hardware, Network, Scheme
from fieldguide.errors import UsageError
from fieldguide.planner import (
    Adapter,
    Engine,
    ImageLoad,
    MemoryPlan,
    Workload,
    block_type,
    engine_named,
    image_load,
    is_gguf,
    llama_cpp_runs,
    memory_plan,
    quantization_named,
    with_images,
)

_CONTEXT_TOKENS = 4096
"""Context that is planned for where none is named, if the model has as much."""
_PLAIN = frozenset({"F32", "FP32", "F16", "FP16", "BF16"})
_PUBLISHED_IN: dict[Scheme, tuple[str, str]] = {"gpt-oss": ("MXFP4_MOE", "MXFP4")}
"""Quantizations that the weights themselves are published in, as llama.cpp and as other engines read them."""
_MOST = 2**40


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """What a plan is asked for; None leaves the choice to us."""

    quantization: str | None = None
    context_tokens: int | None = None
    answer_tokens: int | None = None
    sequences: int = 1
    kv_type: str = "F16"
    engine: str | None = None
    on: str | None = None
    devices: int | None = None
    lora_rank: int | None = None
    images: int | None = None
    """Pictures in the prompt of each sequence."""
    image_size: str | None = None
    """Their width and height in pixels, such as `1024x768`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plan with what was assumed. None means unknown, or not asked for."""

    memory: MemoryPlan
    hardware: Hardware | None
    fit: Fit | None
    speed: PlannedSpeed
    images: AskedImages | None = None
    image_load: ImageLoad | None = None
    notes: tuple[str, ...]
    sources: tuple[str, ...]


def plan(house: House, asked: str, options: PlanOptions, *, progress: Callable[[str], None] = lambda _: None) -> Plan:
    """Return what a model needs, and on hardware whether it fits and how fast it is.

    Args:
        house: Whose user folder and records.
        asked: A name of the catalogue or at a hub, also `NAME:QUANTIZATION`, or the path of a file or folder.
        options: What is asked for.
        progress: Told what slow thing is being done: `--on here` measures this machine once.

    Raises:
        UnknownNameError: There is no such model, quantization, engine, type of cache or hardware.
        UsageError: A family was named, or a number is not possible.
        InsufficientFactsError: What the plan needs is not known; it is named.
        InputFileError: A file has no whole header.
    """
    _check(options)
    subject = subject_of(house, asked)
    notes = [] if subject.note is None else [subject.note]
    machine = _machine(house, options, progress)
    engine = _engine(subject, options, notes)
    network, quantization = _quantized(subject, options, engine, notes)
    seen = asked_images(subject, engine.name, options.images, options.image_size, notes)
    if seen is not None:
        network = with_images(network, seen.each, seen.count)
    work = _work(network, options, check_devices(options.devices, machine), seen, notes)
    adapter = None if options.lora_rank is None else Adapter(rank=options.lora_rank)
    memory = memory_plan(
        network,
        quantization,
        engine,
        work,
        adapter=adapter,
        images=None if seen is None else seen.each,
        projector=projector_for(engine, subject.file),
    )
    fit = None
    if machine is not None:
        taken = 0 if seen is None else seen.tokens
        fit = fit_of(memory, machine, smaller=_smaller(subject), taken_tokens=taken)
    speed = speed_of(house, subject, memory, machine, fit, here=_is_here(options))
    return Plan(
        memory=memory,
        hardware=machine,
        fit=fit,
        speed=speed,
        images=seen,
        image_load=None if seen is None else image_load(network, seen.each, seen.count, kv_type=work.kv_type),
        notes=(*notes, *_said_of(machine, fit, network), *speed.notes),
        sources=tuple(dict.fromkeys(_sources(memory, machine, speed))),
    )


def _smaller(subject: Subject) -> Iterator[Network]:
    """Yield smaller models of the family, largest first; each is made when it is asked for."""
    for model in subject.smaller:
        if (network := network_of_member(model)) is not None:
            yield network


def _check(options: PlanOptions) -> None:
    counts = {
        "--context": options.context_tokens,
        "--sequences": options.sequences,
        "--devices": options.devices,
        "--lora-rank": options.lora_rank,
    }
    for option, count in counts.items():
        if count is not None and not 0 < count < _MOST:
            bound = "above 0" if count < 1 else f"below {_MOST:,}"
            raise UsageError(f"{option} takes a number {bound}, not {count}.", hint=f"Such as {option} 8.")


def _is_here(options: PlanOptions) -> bool:
    return options.on is not None and options.on.strip().lower() == HERE


def _machine(house: House, options: PlanOptions, progress: Callable[[str], None]) -> Hardware | None:
    if options.on is None:
        return None
    found = hardware(options.on, house, progress=progress)
    return dataclasses.replace(found, count=check_devices(options.devices, found))


def _engine(subject: Subject, options: PlanOptions, notes: list[str]) -> Engine:
    """Return the engine: the one that was named, else one that runs what is planned."""
    if options.engine is not None:
        return engine_named(options.engine)
    wanted = options.quantization or subject.quantization
    if not llama_cpp_runs(subject.network):
        notes.append(f"transformers was taken, as llama.cpp does not run {subject.network.name}")
        return engine_named("transformers")
    known = None if wanted is None else quantization_named(wanted)
    is_safetensors = subject.facts is not None and subject.facts.format == "safetensors"
    if known is None and is_safetensors:
        name = "transformers"
    elif known is None or is_gguf(known) or known in _PLAIN:
        return engine_named("llama.cpp")
    else:
        name = "transformers" if known in {"NF4", "INT8"} else "vllm"
    notes.append(f"{name} was taken, as llama.cpp does not run {known or 'safetensors files'}")
    return engine_named(name)


def _quantized(subject: Subject, options: PlanOptions, engine: Engine, notes: list[str]) -> tuple[Network, str]:
    """Return the network, as it is stored or as if quantized anew, and the name of its quantization."""
    network, wanted = subject.network, options.quantization or subject.quantization
    if network.stored_quantization is not None and wanted is None:
        return network, network.stored_quantization
    if network.stored_quantization is not None and subject.facts is not None:
        if wanted is not None and wanted.upper() == network.stored_quantization.upper():
            return network, network.stored_quantization
        notes.append(f"as if quantized anew; the file itself is {network.stored_quantization}")
        network = requantized(subject.facts, network)
    if wanted is None:
        usual = _PUBLISHED_IN.get(network.scheme or "llama", ("Q4_K_M", "BF16"))
        wanted = (subject.pulled_quantization or usual[0]) if engine.name == "llama.cpp" else usual[1]
        notes.append(f"{wanted} was taken, as no quantization was named")
    name = quantization_named(wanted)
    if engine.name != "llama.cpp" and is_gguf(name):
        notes.append(f"{name} is a mixture of llama.cpp; other engines read few of them")
    elif engine.name == "llama.cpp" and not is_gguf(name) and name not in _PLAIN:
        notes.append(f"llama.cpp does not run {name}: plan it with --engine vllm or transformers")
    return network, name


def _work(
    network: Network, options: PlanOptions, devices: int, images: AskedImages | None, notes: list[str]
) -> Workload:
    taken = _CONTEXT_TOKENS + (0 if images is None else images.tokens)
    context = options.context_tokens or min(taken, network.context_tokens or taken)
    check_room(images, context)
    if options.context_tokens is None:
        notes.append(f"a context of {context:,} tokens was taken, as none was named")
    elif network.context_tokens is not None and context > network.context_tokens:
        notes.append(
            f"the model was made for {network.context_tokens:,} tokens of context; {context:,} are planned all the same"
        )
    return Workload(
        context_tokens=context,
        answer_tokens=options.answer_tokens,
        sequences=options.sequences,
        kv_type=block_type(options.kv_type),
        devices=devices,
    )


def _said_of(machine: Hardware | None, fit: Fit | None, network: Network) -> Iterator[str]:
    if machine is None:
        return
    if machine.also:
        yield f"taken as {machine.device.name}; the name also fits {', '.join(machine.also)}"
    if machine.measured is not None and not machine.measured.quiet:
        yield (
            "other work kept this machine busy while it was measured, so its speeds are less sure; they are measured"
            " again by the next plan with --on here that finds it quiet"
        )
    if fit is None:
        yield f"how much memory {machine.device.name} has is not known here: write it, such as --on m3-max-64gb"
        return
    if fit.offload is not None:
        yield fit.offload
    if fit.largest_context is not None and network.context_tokens is None:
        yield "how long a context the model was made for is not known here, so the longest may be beyond it"


def _sources(memory: MemoryPlan, machine: Hardware | None, speed: PlannedSpeed) -> Iterator[str]:
    yield from (each.source for each in memory.terms)
    if machine is not None:
        yield from sources_of(machine)
    yield from speed.sources
