"""Whether a model that is about to be fetched will run on this machine, from its header alone."""

from __future__ import annotations

from dataclasses import dataclass

from fieldguide.app.fit import needs, room_on, verdict_of
from fieldguide.app.hardware import HERE, hardware
from fieldguide.app.network_of_file import network_of_facts
from fieldguide.app.wiring import House
from fieldguide.errors import FieldguideError
from fieldguide.formats import is_projector
from fieldguide.planner import MemoryPlan, Projector, Workload, engine_named, memory_plan
from fieldguide.sources import PullPlan

_CONTEXT_TOKENS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class FitNote:
    """Whether a model will run on this machine, and why."""

    fits: bool
    sentence: str


def fits_here(house: House, plan: PullPlan) -> FitNote | None:
    """Return whether a GGUF file will run on the embedded engine here; None where that is not known.

    A few ranges of the remote file are read. That they cannot be, or say too little, stops nobody: what comes is
    checked before it is stored.
    """
    if plan.artifact.kind != "gguf":
        return None
    try:
        memory = _memory(house, plan)
        machine = hardware(HERE, house, measure=False)
        room = room_on(machine, memory.engine.name)
    except FieldguideError:
        return None
    if room is None:
        return None
    _, likely, _ = needs(memory, machine.device.kind)
    verdict = verdict_of(memory, room, machine.device.kind)
    amounts = f"{likely / 1e9:.1f} GB at {memory.work.context_tokens:,} tokens of context"
    here = f"this machine's {room.device_bytes / 1e9:.1f} GB"
    sentence = {
        "yes": f"It fits here: {amounts} of {here}.",
        "borderline": f"It may just fit here: {amounts} of {here}.",
        "no": f"It does not fit here: it needs about {amounts}, more than {here} leave it.",
    }[verdict]
    return FitNote(fits=verdict != "no", sentence=sentence)


def _memory(house: House, plan: PullPlan) -> MemoryPlan:
    network = network_of_facts(house.models.remote(str(plan.reference)).facts(), name=plan.name)
    context = min(network.context_tokens or _CONTEXT_TOKENS, _CONTEXT_TOKENS)
    quantization = network.stored_quantization or "F16"
    projectors = [file.size_bytes for file in plan.files if file.size_bytes and is_projector(file.path)]
    return memory_plan(
        network,
        quantization,
        engine_named("llama.cpp"),
        Workload(context_tokens=context),
        projector=Projector(file_bytes=sum(projectors)) if projectors else None,
    )
