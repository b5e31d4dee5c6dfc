"""What a model needs before it is fetched: memory now; speed and fit join here."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldguide.app.network_of_file import network_of_file
from fieldguide.app.show import Page, show_model
from fieldguide.domain import Network, network_of
from fieldguide.errors import UnknownNameError, UsageError
from fieldguide.planner import (
    Adapter,
    MemoryPlan,
    MemoryTerm,
    Workload,
    block_type,
    engine_named,
    memory_plan,
    quantization_named,
)

_CONTEXT_TOKENS = 4096
"""Context that is planned for where none is named, if the model has as much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """What a plan is asked for; None leaves the choice to us."""

    quantization: str | None = None
    context_tokens: int | None = None
    answer_tokens: int | None = None
    sequences: int = 1
    kv_type: str = "F16"
    engine: str = "llama.cpp"
    devices: int = 1
    lora_rank: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plan with what was assumed."""

    memory: MemoryPlan
    notes: tuple[str, ...]


def plan(home: Path, subject: str, options: PlanOptions) -> Plan:
    """Return what a model needs: a catalogue name, also as `NAME:QUANTIZATION`, or the path of a GGUF file.

    Raises:
        UnknownNameError: There is no such model, quantization, engine or type of cache.
        UsageError: A family was named, or a model whose shape is not known.
        InputFileError: The file has no whole header.
    """
    notes: list[str] = []
    engine = engine_named(options.engine)
    network, named, stored = _network(home, subject)
    quantization = options.quantization or named
    if network.stored_quantization is not None and quantization is not None:
        notes.append(f"as if quantized anew; the file itself is {network.stored_quantization}")
        network = dataclasses.replace(network, stored_quantization=None)
    if quantization is None:
        quantization = network.stored_quantization or ((stored or "Q4_K_M") if engine.name == "llama.cpp" else "BF16")
        if network.stored_quantization is None:
            notes.append(f"{quantization} was taken, as no quantization was named")
    context = options.context_tokens or min(_CONTEXT_TOKENS, network.context_tokens or _CONTEXT_TOKENS)
    if options.context_tokens is None:
        notes.append(f"a context of {context:,} tokens was taken, as none was named")
    elif network.context_tokens is not None and context > network.context_tokens:
        notes.append(f"the model was made for {network.context_tokens:,} tokens of context")
    work = Workload(
        context_tokens=context,
        answer_tokens=options.answer_tokens,
        sequences=options.sequences,
        kv_type=block_type(options.kv_type),
        devices=options.devices,
    )
    adapter = None if options.lora_rank is None else _adapter(options.lora_rank)
    name = quantization if network.stored_quantization is not None else quantization_named(quantization)
    return Plan(memory=memory_plan(network, name, engine, work, adapter=adapter), notes=tuple(notes))


def plan_json(made: Plan) -> dict[str, Any]:
    """Return a plan for programs. Unknown is null and never 0."""
    memory = made.memory
    return {
        "model": memory.network.name,
        "parameters": memory.network.parameters,
        "active_parameters": memory.network.active_parameters,
        "quantization": memory.weights_in.quantization,
        "bits_per_weight": round(memory.weights_in.bits_per_weight(memory.network.parameters), 4),
        "context_tokens": memory.work.context_tokens,
        "prompt_tokens": memory.work.prompt_tokens,
        "sequences": memory.work.sequences,
        "kv_dtype": memory.work.kv_type,
        "devices": memory.work.devices,
        "engine": {
            "name": memory.engine.name,
            "version": memory.engine.kind,
            "fitted_on": memory.engine.fitted_on,
            "residual": memory.engine.residual,
        },
        "weights_bytes": memory.weights.bytes,
        "kv_cache_bytes": memory.kv_cache.bytes,
        "engine_bytes": memory.engine_bytes,
        "total_bytes": memory.total_bytes,
        "total_low_bytes": memory.total_low_bytes,
        "total_high_bytes": memory.total_high_bytes,
        "per_device_bytes": memory.per_device_bytes,
        "terms": [_term_json(each) for each in memory.terms],
        # The joint: what is known of a machine comes in here.
        "hardware": None,
        "fits": None,
        "decode_tokens_per_s": None,
        "prefill_tokens_per_s": None,
        "sources": list(dict.fromkeys(each.source for each in memory.terms)),
        "notes": list(made.notes),
    }


def _term_json(each: MemoryTerm) -> dict[str, Any]:
    return {
        "name": each.name,
        "bytes": each.bytes,
        "low_bytes": each.low_bytes,
        "high_bytes": each.high_bytes,
        "formula": each.formula,
        "inputs": dict(each.inputs),
        "source": each.source,
    }


def _adapter(rank: int) -> Adapter:
    if rank < 1:
        raise UsageError("The rank of an adapter is at least 1.")
    return Adapter(rank=rank)


def _network(home: Path, subject: str) -> tuple[Network, str | None, str | None]:
    """Return a network, the quantization in its name, and that of the file that `pull` would fetch."""
    path = Path(subject).expanduser()
    if subject.lower().endswith(".gguf") or ("/" in subject and path.is_file()):
        return network_of_file(path), None, None
    page, named = _page(home, subject)
    return _of_catalogue(page, named)


def _page(home: Path, subject: str) -> tuple[Page, str | None]:
    bare, colon, tag = subject.rpartition(":")
    if not colon:
        return show_model(home, subject), None
    try:
        return show_model(home, subject), None
    except UnknownNameError:
        return show_model(home, bare), quantization_named(tag)


def _of_catalogue(page: Page, named: str | None) -> tuple[Network, str | None, str | None]:
    named_so = [(size, member) for size, member in page.members if member.name == page.name]
    if page.is_family and not named_so and len({id(size) for size, _ in page.members}) > 1:
        names = ", ".join(member.name for _, member in page.members[:6])
        raise UsageError(f"{page.name} is a family.", hint=f"Name one of its models, such as {names}.")
    size, member = (named_so or list(page.members))[0]
    if size.architecture is None:
        raise UsageError(
            f"The shape of {member.name} is not known here, so that nothing can be computed from it.",
            hint="Plan a GGUF file of it instead: `fieldguide plan FILE.gguf`.",
        )
    parameters = None
    if size.parameters is not None:
        active = size.active_parameters or size.parameters
        parameters = (size.parameters.value, active.value)
    network = network_of(
        size.architecture.value,
        name=member.name,
        source=size.architecture.source,
        context_tokens=None if member.context_length is None else member.context_length.value,
        parameters=parameters,
    )
    entry = page.stored.get(member.name)
    stored = entry.places[0].quantization if entry is not None and entry.places else None
    return network, named, stored
