"""Which members of the catalogue fit a machine or an amount of memory, each in the best quantization that does."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from fieldguide.app.fit import Room, room_of, room_on, verdict_of
from fieldguide.app.hardware import hardware
from fieldguide.app.plan_speed import estimated_speed
from fieldguide.app.plan_subject import network_of_member, writes_text
from fieldguide.app.wiring import House
from fieldguide.catalogue import CatalogueModel, Size
from fieldguide.domain import Hardware, Network
from fieldguide.errors import UnknownNameError, UsageError
from fieldguide.planner import Engine, MemoryPlan, Range, Workload, engine_named, llama_cpp_runs, memory_plan

State: TypeAlias = Literal["fits", "too large", "unknown"]

_AMOUNT = re.compile(r"(\d{1,7}(?:\.\d{1,6})?)\s*([mgt])(i?)b?", re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?[\d.,]+")
_POWERS = {"m": 2, "g": 3, "t": 4}
_TRIED = ("BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M")
"""Quantizations that are recommended, most bits first: below Q4_K_M answers get markedly worse."""
_LEAST_BITS = 4.5
"""Per weight of the smallest of them: what no file of it is below."""
USUAL_CONTEXT = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class BestFit:
    """How a member fits; None is unknown."""

    state: State
    quantization: str | None = None
    """The one with the most bits that surely fits."""
    total_bytes: int | None = None
    """In it; of a member that is too large in the smallest quantization that is tried."""
    context_tokens: int | None = None
    decode: Range | None = None
    """Tokens per second of one sequence."""
    why: str = ""

    @property
    def sentence(self) -> str:
        """How it fits, in words."""
        if self.state != "fits" or self.total_bytes is None or self.context_tokens is None:
            return self.why
        speed = "" if self.decode is None else f", {self.decode.low:.3g} to {self.decode.high:.3g} tokens/s"
        size = f"{self.total_bytes / 1e9:.3g} GB"
        return f"fits in {self.quantization}: {size} with {self.context_tokens:,} tokens of context{speed}"


@dataclass(slots=True)
class Fitting:
    """Answers for one machine, one engine and one workload; each network is planned once."""

    name: str
    """What is to be fitted, as it was asked for."""
    room: Room
    machine: Hardware | None
    """None for an amount of memory."""
    context_tokens: int
    stated: bool
    """Whether the context was asked for: then a model with less is left out."""
    engine: Engine
    _plans: dict[tuple[int, int], tuple[State, MemoryPlan | None]] = field(default_factory=dict)
    _sizes: list[Size] = field(default_factory=list)

    def of(self, model: CatalogueModel) -> BestFit:
        """Return how a member fits."""
        limit = None if model.member.context_length is None else model.member.context_length.value
        if not model.member.weights_fetchable:
            return BestFit(state="unknown", why="its weights are nowhere known to be fetched")
        if self.stated and limit is not None and limit < self.context_tokens:
            return BestFit(state="too large", why=f"made for {limit:,} tokens of context")
        state, plan = self._planned(model, min(self.context_tokens, limit or self.context_tokens))
        if plan is None:
            return BestFit(state=state, why=_unshaped(model.size) if state == "unknown" else "weights alone are larger")
        if state != "fits":
            return BestFit(state=state, total_bytes=plan.total_bytes, why=f"{plan.total_bytes / 1e9:.3g} GB in Q4_K_M")
        speed = None
        if self.machine is not None and writes_text(model):
            speed = estimated_speed(plan, self.machine).decode
        return BestFit(
            state="fits",
            quantization=plan.weights_in.quantization,
            total_bytes=plan.total_bytes,
            context_tokens=plan.work.context_tokens,
            decode=speed,
        )

    def _planned(self, model: CatalogueModel, context: int) -> tuple[State, MemoryPlan | None]:
        key = (id(model.size), context)
        if key not in self._plans:
            self._sizes.append(model.size)  # an id holds for as long as its size is kept
            self._plans[key] = self._best(model, context)
        return self._plans[key]

    def _best(self, model: CatalogueModel, context: int) -> tuple[State, MemoryPlan | None]:
        counted = model.size.parameters
        most = self.room.high_bytes * self.room.devices
        if counted is not None and counted.value * _LEAST_BITS / 8 > most:
            return "too large", None
        network = network_of_member(model)
        if network is None or not llama_cpp_runs(network):
            return "unknown", None
        return self._within(network, Workload(context_tokens=context, devices=self.room.devices))

    def _within(self, network: Network, work: Workload) -> tuple[State, MemoryPlan]:
        """Return the plan in the quantization with the most bits that surely fits, by halving: bits order bytes."""
        kind = None if self.machine is None else self.machine.device.kind
        first, last, best = 0, len(_TRIED) - 1, None
        while first <= last:
            middle = (first + last) // 2
            made = memory_plan(network, _TRIED[middle], self.engine, work)
            if verdict_of(made, self.room, kind) == "yes":
                best, last = made, middle - 1
            else:
                first = middle + 1
        if best is not None:
            return "fits", best
        return "too large", memory_plan(network, _TRIED[-1], self.engine, work)


def fitting_for(
    house: House,
    name: str,
    *,
    context_tokens: int | None = None,
    progress: Callable[[str], None] = lambda _: None,
    measure: bool = False,
) -> Fitting:
    """Return what answers for a machine (`here`, `rtx4090`) or an amount of memory (`16GB`).

    Raises:
        UnknownNameError: There is no such hardware.
        UsageError: The memory of the hardware is not known, or a number is not above 0.
    """
    if context_tokens is not None and context_tokens < 2:
        raise UsageError(f"--context takes a number above 1, not {context_tokens}.")
    engine, machine = engine_named("llama.cpp"), None
    if _AMOUNT.fullmatch(name.strip()) or name.strip().startswith("-"):
        room = room_of(memory_amount(name))
    elif _NUMBER.fullmatch(name.strip()):
        raise UsageError(f"{name!r} has no unit.", hint=f"Write {name.strip()}GB, or the name of hardware.")
    else:
        machine = _machine(house, name, progress, measure=measure)
        known = room_on(machine, engine.name)
        if known is None:
            raise UsageError(
                f"How much memory {machine.device.name} has is not known here.",
                hint="Write it, such as m3-max-64gb, or give an amount such as 16GB.",
            )
        room = known
    return Fitting(
        name=name,
        room=room,
        machine=machine,
        context_tokens=context_tokens or USUAL_CONTEXT,
        stated=context_tokens is not None,
        engine=engine,
    )


def _machine(house: House, name: str, progress: Callable[[str], None], *, measure: bool) -> Hardware:
    try:
        return hardware(name, house, progress=progress, measure=measure)
    except UnknownNameError:
        if not name.strip()[:1].isdigit():
            raise
        text = f"{name!r} is neither hardware that is known here nor an amount of memory."
        raise UsageError(text, hint="Write how much, such as 16GB, or a name such as rtx4090.") from None


def memory_amount(text: str) -> float:
    """Return an amount of memory such as `16GB`, `1.5TiB` or `800 MB` (bytes).

    Raises:
        UsageError: It is none, or nothing.
    """
    found = _AMOUNT.fullmatch(text.strip())
    size = 0.0
    if found is not None:
        size = float(found[1]) * (1024 if found[3] else 1000) ** _POWERS[found[2].lower()]
    if size <= 0:
        raise UsageError(f"{text!r} is no amount of memory.", hint="Write how much, such as 16GB or 500MB.")
    return size


def _unshaped(size: Size) -> str:
    if size.parameters is None:
        return "neither the number of its parameters nor its shape is known here"
    return "its shape is not known here, so its cache is not"
