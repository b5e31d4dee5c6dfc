"""What this machine offers to a CPU engine, as seen from inside its container."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The processors and the memory that this process may use."""

    cpu_model: str
    cores: int
    """Physical cores, no more than the affinity mask and the container's quota allow."""
    memory_bytes: int


def this_machine(*, proc: Path = Path("/proc"), cgroup: Path = Path("/sys/fs/cgroup")) -> Machine:
    """Return what this process may use."""
    records = list(_processors(proc / "cpuinfo"))
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    mine = [
        record for record in records if record.get("processor", "").isdigit() and int(record["processor"]) in allowed
    ]
    physical = {(record.get("physical id"), record.get("core id", record["processor"])) for record in mine}
    quota = _quota_cores(cgroup / "cpu.max")
    return Machine(
        cpu_model=records[0].get("model name", "unknown") if records else "unknown",
        cores=max(1, min(len(physical) or len(allowed), quota or len(allowed))),
        memory_bytes=_memory_bytes(proc / "meminfo", cgroup / "memory.max"),
    )


async def is_busy(cores: int, *, proc: Path = Path("/proc"), over_s: float = 0.5) -> bool:
    """Return whether other work keeps more than a quarter of the cores running, by a look of `over_s` seconds.

    The load average would not do: for a minute it also holds what this program itself has just done, such as a
    download or its own installation.
    """
    before = _busy_jiffies(proc / "stat")
    await asyncio.sleep(over_s)
    after = _busy_jiffies(proc / "stat")
    if before is None or after is None:
        return False
    return (after - before) / os.sysconf("SC_CLK_TCK") / over_s > 0.25 * cores


def _busy_jiffies(stat: Path) -> int | None:
    """Return the time all processors together have worked since the start (clock ticks); None if unknown."""
    try:
        user, nice, system, _, _, irq, softirq, steal = map(int, stat.read_text().split()[1:9])
    except (OSError, ValueError):
        return None
    return user + nice + system + irq + softirq + steal


def _processors(cpuinfo: Path) -> Iterator[dict[str, str]]:
    try:
        text = cpuinfo.read_text(errors="replace")
    except OSError:
        return
    for block in text.split("\n\n"):
        pairs = (line.partition(":") for line in block.splitlines())
        record = {name.strip(): value.strip() for name, _, value in pairs}
        if "processor" in record:
            yield record


def _quota_cores(cpu_max: Path) -> int | None:
    try:
        quota, period = cpu_max.read_text().split()
        return max(1, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):
        return None


def _memory_bytes(meminfo: Path, memory_max: Path) -> int:
    limits = []
    with contextlib.suppress(OSError, ValueError):  # "max" where there is no limit
        limits.append(int(memory_max.read_text()))
    with contextlib.suppress(OSError, ValueError, KeyError):
        fields = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
        limits.append(int(fields["MemTotal"].split()[0]) * 1024)
    return min(limits, default=8 * 2**30)
