"""Whether what a plan needs fits the memory of hardware: yes, no or borderline, and what would make it fit."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from fieldguide.domain import DeviceKind, Hardware, Network
from fieldguide.errors import UsageError
from fieldguide.planner import (
    MemoryPlan,
    block_of,
    constants_of,
    is_gguf,
    quantization_names,
)

Verdict: TypeAlias = Literal["yes", "no", "borderline"]

_GIB = 2**30
_GPU_HELD = (0.3 * _GIB, 0.9 * _GIB)
"""Driver, context and kernels of one GPU, where the engine's own terms do not count them; from experience."""
_SYSTEM_HELD = (0.0, 1.0 * _GIB)
"""What other programs of a machine hold, when its processors run the model; from experience."""
_APPLE_SHARE = (0.66, 1.0)
"""Part of unified memory that macOS gives the GPU: two thirds to three quarters unless a setting raises it."""
_FULL_SHARE = (0.9, 1.0)
"""Part of a device that vLLM and SGLang take: 0.9 unless told otherwise."""
_LLAMA_CPP_LADDER = ("BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K")
_LADDERS = {
    "llama.cpp": _LLAMA_CPP_LADDER,
    "vllm": ("BF16", "FP8", "AWQ"),
    "sglang": ("BF16", "FP8", "AWQ"),
    "transformers": ("BF16", "INT8", "NF4"),
}
_MOST_CONTEXT = 2**20
_LEAST_CONTEXT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Memory that hardware leaves a model, per device. Low is what is surely free, high what may be."""

    device_bytes: float
    low_bytes: float
    high_bytes: float
    devices: int
    formula: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing to give up."""

    what: str
    saves_bytes: int
    """Of the likely total."""
    total_bytes: int
    fits: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """The answer for one plan on one piece of hardware."""

    verdict: Verdict
    room: Room
    need_low_bytes: int
    """Of the fullest device."""
    need_bytes: int
    need_high_bytes: int
    largest_quantization: str | None
    """With the most bits that surely fits at the context asked; None: none does."""
    largest_context: int | None
    """That surely fits in the quantization asked, at most the model's own; None: none does."""
    changes: tuple[Change, ...]
    """What to give up where it does not surely fit."""
    offload: str | None
    """What of it would fit on the device, in words, where the engine can leave the rest to the processor."""


def room_on(hardware: Hardware, engine: str) -> Room | None:
    """Return the memory that hardware leaves a model; None where it is not known."""
    whole = hardware.memory_bytes
    if whole is None:
        return None
    one, kind = whole / hardware.count, hardware.device.kind
    low, high, formula = _room(one, kind, engine)
    return Room(device_bytes=one, low_bytes=low, high_bytes=high, devices=hardware.count, formula=formula)


def room_of(memory_bytes: float) -> Room:
    """Return memory of which all is free for a model."""
    return Room(
        device_bytes=memory_bytes, low_bytes=memory_bytes, high_bytes=memory_bytes, devices=1, formula="all of it"
    )


def _room(one: float, kind: DeviceKind, engine: str) -> tuple[float, float, str]:
    if kind == "apple":
        return _APPLE_SHARE[0] * one, _APPLE_SHARE[1] * one, "two thirds of unified memory (macOS's limit) to all of it"
    if engine in {"vllm", "sglang"}:
        return _FULL_SHARE[0] * one, _FULL_SHARE[1] * one, "0.9 of the device, as the engine takes by default, to all"
    held = _SYSTEM_HELD if kind in {"cpu", "unified"} else _GPU_HELD
    who = "other programs" if held is _SYSTEM_HELD else "driver and context"
    formula = f"its memory less {held[0] / _GIB:.1f} to {held[1] / _GIB:.1f} GiB that {who} hold"
    return one - held[1], one - held[0], formula


def needs(plan: MemoryPlan, kind: DeviceKind | None) -> tuple[int, int, int]:
    """Return the bytes of the fullest device: least, likely, most.

    Engines that give each device whole layers fill the first ones more where layers do not divide evenly.
    """
    devices = plan.work.devices
    share = 1 / devices
    if devices > 1 and (kind is None or constants_of(plan.engine.name, kind).splits == "layers"):
        layers = plan.network.layers or devices
        share = min(1.0, -(-layers // devices) / layers)
    ends = (plan.total_low_bytes, plan.total_bytes, plan.total_high_bytes)
    return round(ends[0] * share), round(ends[1] * share), round(ends[2] * share)


def verdict_of(plan: MemoryPlan, room: Room, kind: DeviceKind | None) -> Verdict:
    """Return whether it fits: `yes` where even the most does, `no` where not even the least does."""
    low, _, high = needs(plan, kind)
    if high <= room.low_bytes:
        return "yes"
    return "no" if low > room.high_bytes else "borderline"


def fit_of(
    plan: MemoryPlan, hardware: Hardware, *, smaller: Iterable[Network] = (), taken_tokens: int = 0
) -> Fit | None:
    """Return whether a plan fits hardware, and what would; None where the hardware's memory is not known.

    Args:
        plan: For as many devices as the hardware has.
        hardware: Where.
        smaller: Smaller models to fall back on, largest first; made only where they are wanted.
        taken_tokens: Of the context, by pictures: a shorter context is none to fall back on.
    """
    room, kind = room_on(hardware, plan.engine.name), hardware.device.kind
    if room is None:
        return None
    low, likely, high = needs(plan, kind)
    verdict = verdict_of(plan, room, kind)
    longest = largest_context(plan, room, kind)
    return Fit(
        verdict=verdict,
        room=room,
        need_low_bytes=low,
        need_bytes=likely,
        need_high_bytes=high,
        largest_quantization=largest_quantization(plan, room, kind)
        or (plan.weights_in.quantization if verdict == "yes" else None),
        largest_context=longest if longest is not None and longest > taken_tokens else None,
        changes=() if verdict == "yes" else tuple(_changes(plan, room, kind, smaller, taken_tokens)),
        offload=_offload(plan, room, kind) if verdict == "no" else None,
    )


def ladder(engine: str) -> tuple[str, ...]:
    """Return the quantizations that are tried with an engine, most bits first."""
    return _LADDERS.get(engine, _LLAMA_CPP_LADDER)


def largest_quantization(plan: MemoryPlan, room: Room, kind: DeviceKind | None) -> str | None:
    """Return the quantization with the most bits in which a plan surely fits; None where there is none."""
    anew = _as_new(plan.network)
    if anew is None:
        return None
    tried = ((name, plan.changed(network=anew, quantization=name)) for name in ladder(plan.engine.name))
    return next((name for name, other in tried if verdict_of(other, room, kind) == "yes"), None)


def largest_context(plan: MemoryPlan, room: Room, kind: DeviceKind | None) -> int | None:
    """Return the longest context, in steps of 256 tokens, that surely fits; at most what the model was made for."""
    most = plan.network.context_tokens or _MOST_CONTEXT
    if verdict_of(_with(plan, context_tokens=most), room, kind) == "yes":
        return most
    low, high = 0, most // _LEAST_CONTEXT
    while low < high:
        middle = (low + high + 1) // 2
        if verdict_of(_with(plan, context_tokens=middle * _LEAST_CONTEXT), room, kind) == "yes":
            low = middle
        else:
            high = middle - 1
    return low * _LEAST_CONTEXT or None


def _as_new(network: Network) -> Network | None:
    """Return a network without the types of its file, None where it cannot be quantized anew."""
    if network.stored_quantization is None:
        return network
    plain = all(tensor.stored_type in {"F32", "F16", "BF16"} for tensor in network.tensors if tensor.is_matrix)
    known = plain or is_gguf(network.stored_quantization)
    return dataclasses.replace(network, stored_quantization=None) if known else None


def _with(plan: MemoryPlan, **changes: object) -> MemoryPlan:
    work = plan.work
    context = changes.get("context_tokens")
    if isinstance(context, int) and work.answer_tokens is not None:
        changes["answer_tokens"] = min(work.answer_tokens, context - 1)
    return plan.changed(work=dataclasses.replace(work, **changes))  # type: ignore[arg-type]


def _changes(
    plan: MemoryPlan, room: Room, kind: DeviceKind, smaller: Iterable[Network], taken_tokens: int
) -> Iterator[Change]:
    """Yield what could be given up, each alone; after each the bytes it saves and whether it fits then."""
    for what, other in _others(plan, taken_tokens):
        if (saved := plan.total_bytes - other.total_bytes) > 0:
            fits = verdict_of(other, room, kind)
            yield Change(what=what, saves_bytes=saved, total_bytes=other.total_bytes, fits=fits)
    for network in smaller:
        other = plan.changed(network=network, quantization=_nearest_name(plan))
        if (fits := verdict_of(other, room, kind)) != "no":
            saved = plan.total_bytes - other.total_bytes
            yield Change(what=network.name, saves_bytes=saved, total_bytes=other.total_bytes, fits=fits)
            return


def _nearest_name(plan: MemoryPlan) -> str:
    """Return the quantization of a plan, or the smallest that is tried where its file's own has no rule here."""
    name = plan.weights_in.quantization
    return name if name in quantization_names() else ladder(plan.engine.name)[-1]


def _others(plan: MemoryPlan, taken_tokens: int) -> Iterator[tuple[str, MemoryPlan]]:
    work, anew = plan.work, _as_new(plan.network)
    if anew is not None:
        for name in ladder(plan.engine.name):
            yield f"weights in {name}", plan.changed(network=anew, quantization=name)
    for name in ("Q8_0", "Q4_0") if plan.engine.name == "llama.cpp" else ("FP8",):
        if _bits(name) < _bits(work.kv_type):
            yield f"cache in {name}", _with(plan, kv_type=name)
    context = work.context_tokens // 2
    while context >= max(_LEAST_CONTEXT, work.context_tokens // 8, taken_tokens + 1):
        yield f"a context of {context:,} tokens", _with(plan, context_tokens=context)
        context //= 2
    if work.sequences > 1:
        yield "one sequence at a time", _with(plan, sequences=1)


def _bits(name: str) -> float:
    block, size = block_of(name)
    return 8 * size / block


def _offload(plan: MemoryPlan, room: Room, kind: DeviceKind) -> str | None:
    """Return how many layers would fit on the devices, the rest being left to the processor."""
    if plan.engine.name != "llama.cpp" or kind in {"cpu", "unified", "apple"} or not plan.network.layers:
        return None
    each = (plan.weights.bytes + plan.kv_cache.bytes) / plan.network.layers
    left = room.low_bytes * room.devices - plan.engine_bytes
    layers = max(0, min(plan.network.layers, int(left // each)))
    return (
        f"llama.cpp can leave layers to the processor (--n-gpu-layers): about {layers} of {plan.network.layers} would "
        "fit on the device. Such a split is not modelled here: memory is for all of it, and speed is that of the "
        "device alone, which a split does not reach."
    )


def check_devices(devices: int | None, hardware: Hardware | None) -> int:
    """Return how many devices a plan is for.

    Raises:
        UsageError: More are asked for than the hardware has.
    """
    if hardware is None:
        return devices or 1
    if devices is not None and devices > hardware.count:
        raise UsageError(
            f"{hardware.name} has {hardware.count} device{'s' * (hardware.count > 1)}, not {devices}.",
            hint=f"Write how many in its name, such as --on {devices}xh100-80gb.",
        )
    return devices or hardware.count
