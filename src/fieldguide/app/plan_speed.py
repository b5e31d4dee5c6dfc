"""How fast a planned model will be on hardware; what was measured of it there goes before any estimate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fieldguide.app.fit import Fit
from fieldguide.app.plan_subject import Subject
from fieldguide.app.wiring import House
from fieldguide.domain import Hardware
from fieldguide.errors import StoreError
from fieldguide.planner import (
    DecodeSpeed,
    MemoryPlan,
    Range,
    attended_in_prompt,
    decode_speed,
    load_of,
    prefill_speed,
    prompt_parameters,
)

if TYPE_CHECKING:
    from fieldguide.app.measured_speed import MeasuredSpeed


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSpeed:
    """Tokens per second. None is unknown."""

    decode: Range | None = None
    """Of one sequence."""
    decode_together: Range | None = None
    """Of all sequences."""
    prefill: Range | None = None
    formula: str | None = None
    """Of a step of decoding."""
    bound: str | None = None
    measured: MeasuredSpeed | None = None
    """Where a run of the same model here stands in for the estimate."""
    estimated: Range | None = None
    """What would have been estimated, where it was measured."""
    notes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


def speed_of(
    house: House, subject: Subject, memory: MemoryPlan, machine: Hardware | None, fit: Fit | None, *, here: bool
) -> PlannedSpeed:
    """Return the speed of a plan on hardware; nothing is estimated of what does not fit or writes no text."""
    if machine is None:
        return PlannedSpeed()
    if not subject.generates:
        return PlannedSpeed(notes=("no speed is given: it does not write text token by token",))
    if fit is not None and fit.verdict == "no":
        return PlannedSpeed(notes=("no speed is given, since it does not fit",))
    made = estimated_speed(memory, machine)
    found = _measured(house, subject, memory) if here else None
    if found is None or memory.work.sequences > 1:
        return made
    return PlannedSpeed(
        decode=found.tokens_per_s,
        decode_together=found.tokens_per_s,
        prefill=made.prefill,
        formula=made.formula,
        bound=made.bound,
        measured=found,
        estimated=made.decode,
        notes=(*made.notes, f"decoding: {found.sentence}"),
        sources=(*made.sources, f"run {found.run_id} on this machine"),
    )


def estimated_speed(memory: MemoryPlan, machine: Hardware) -> PlannedSpeed:
    """Return the estimate of a plan on hardware."""
    network, engine = memory.network, memory.engine.name
    load = load_of(network, memory.weights_in, memory.work)
    step = decode_speed(load, machine, engine=engine, sequences=memory.work.sequences)
    prompt = prefill_speed(
        prompt_parameters(network),
        machine,
        engine=engine,
        prompt_tokens=memory.work.prompt_tokens,
        hidden=network.heads * network.head_dim,
        layers=sum(cache.key_width > 0 for cache in network.caches),
        matrices=load.matrices,
        attended_numbers=attended_in_prompt(network, memory.work.prompt_tokens),
    )
    return PlannedSpeed(
        decode=None if step is None else step.tokens_per_s,
        decode_together=None if step is None else step.total_tokens_per_s,
        prefill=prompt,
        formula=None if step is None else step.formula,
        bound=None if step is None else step.bound,
        notes=tuple(_missing(step, prompt, machine)),
        sources=() if step is None else (f"speed: {step.source}",),
    )


def _missing(step: DecodeSpeed | None, prompt: Range | None, machine: Hardware) -> list[str]:
    notes = []
    if step is None:
        notes.append(f"the memory bandwidth of {machine.device.name} is not known here, so neither is the speed")
    if prompt is None:
        notes.append(f"the 16-bit peak of {machine.device.name} is not known here, so reading prompts is not estimated")
    return notes


def _measured(house: House, subject: Subject, memory: MemoryPlan) -> MeasuredSpeed | None:
    """Return what runs of the same weights on this machine showed; None where there is none, or no records."""
    quantization = memory.weights_in.quantization
    as_stored = memory.network.stored_quantization is not None or quantization == subject.pulled_quantization
    if memory.engine.name != "llama.cpp" or not as_stored:
        return None
    from fieldguide.app.measured_speed import measured_speed

    try:
        if (sha256 := subject.file_sha256 or _sha256(house, subject)) is not None:
            return measured_speed(house, file_sha256=sha256)
        return next((found for name in subject.names if (found := measured_speed(house, name=name))), None)
    except StoreError:
        return None


def _sha256(house: House, subject: Subject) -> str | None:
    """Return the hash under which runs of a file are recorded, where there are any; kept, as large files take long."""
    if subject.path is None or not subject.path.is_file() or not house.records.exists():
        return None
    from fieldguide.runners.llama_cpp._kept import Kept, file_sha256

    return file_sha256(subject.path, Kept(house.settings.home / "measurements"))
