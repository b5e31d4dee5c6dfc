"""This machine as hardware: what it has, and how the engine was timed on it, measured once and kept."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fieldguide import catalogue
from fieldguide.app.machine import package_version
from fieldguide.app.wiring import House
from fieldguide.domain import Device, EngineMeasurement, Figure, Hardware
from fieldguide.errors import UsageError

if TYPE_CHECKING:
    from fieldguide.runners.llama_cpp._machine import Machine

_FILE = "this-machine.json"
_SMI = ("nvidia-smi", "--query-gpu=name", "--format=csv,noheader")
_SMI_DEADLINE_S = 10.0
_MEASURED = "measured here"


def this_hardware(
    house: House, *, progress: Callable[[str], None] = lambda _: None, measure: bool = True, fresh: bool = False
) -> Hardware:
    """Return this machine: its NVIDIA GPUs where it has any that we know, else its processors as they were measured.

    A measurement that other work disturbed is kept until the machine is quiet, and then made again.

    Args:
        house: Whose user folder keeps the measurement.
        progress: Told what is being measured.
        measure: Whether to measure where nothing is kept; without, speeds stay unknown.
        fresh: Whether to measure again.

    Raises:
        MissingDependencyError: The engine is not installed.
        RunnerError: The engine cannot be timed.
    """
    from fieldguide.runners.llama_cpp._machine import is_busy, this_machine

    if (gpus := _gpus()) is not None:
        return gpus
    machine = this_machine()
    kept = None if fresh else _kept(house, machine)
    if kept is not None and not kept.quiet and measure and not asyncio.run(is_busy(machine.cores)):
        kept = None
    if kept is None and measure:
        kept = asyncio.run(_measure(machine, progress))
        _keep(house, machine, kept)
    return _hardware(machine, kept)


def measured_at(house: House) -> float | None:
    """Return when this machine was measured (seconds since 1970); None where it was not yet."""
    try:
        return _path(house).stat().st_mtime
    except OSError:
        return None


def _hardware(machine: Machine, measured: EngineMeasurement | None) -> Hardware:
    rate = () if measured is None else (Figure(value=measured.copy_bytes_per_s, source=_MEASURED),)
    peak = max((2 / cost.weight_s for cost in measured.prefill), default=None) if measured else None
    device = Device(
        name=f"this machine ({machine.cpu_model}, {machine.cores} cores)",
        kind="cpu",
        memory_bytes=(Figure(value=float(machine.memory_bytes), source=_MEASURED),),
        bandwidth_bytes_per_s=rate,
        measured_bf16_flops_per_s=() if peak is None else (Figure(value=peak, source=_MEASURED),),
    )
    return Hardware(name=device.name, device=device, measured=measured)


async def _measure(machine: Machine, progress: Callable[[str], None]) -> EngineMeasurement:
    from fieldguide.runners.llama_cpp._probe import measure_engine

    return await measure_engine(machine, progress)


def _gpus() -> Hardware | None:
    """Return the NVIDIA GPUs of this machine, if they are alike and in the table."""
    if shutil.which(_SMI[0]) is None:
        return None
    try:
        told = subprocess.run(_SMI, capture_output=True, text=True, timeout=_SMI_DEADLINE_S, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    names = [line.strip() for line in told.splitlines() if line.strip()]
    if not names or len(set(names)) != 1:
        return None
    try:
        one = catalogue.find_hardware(names[0])
    except UsageError:
        return None
    return replace(one, name=f"this machine ({len(names)} x {names[0]})", count=len(names), prices=())


def _key(machine: Machine) -> dict[str, Any]:
    return {"cpu": machine.cpu_model, "cores": machine.cores, "engine": package_version("xllamacpp")}


def _kept(house: House, machine: Machine) -> EngineMeasurement | None:
    """Return what was measured on this processor with this engine, None where there is nothing usable."""
    from pydantic import TypeAdapter, ValidationError

    try:
        found = json.loads(_path(house).read_text(encoding="utf-8"))
        if found.get("key") != _key(machine):
            return None
        return TypeAdapter(EngineMeasurement).validate_python(found.get("measurement"))
    except (OSError, ValueError, AttributeError, ValidationError):
        return None


def _keep(house: House, machine: Machine, measured: EngineMeasurement) -> None:
    from pydantic import TypeAdapter

    written = {"key": _key(machine), "measurement": TypeAdapter(EngineMeasurement).dump_python(measured, mode="json")}
    path = _path(house)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".part")
        temporary.write_text(json.dumps(written, indent=1), encoding="utf-8")
        temporary.replace(path)
    except OSError:
        return  # what cannot be kept is measured again


def _path(house: House) -> Path:
    return house.settings.home / "measurements" / _FILE
