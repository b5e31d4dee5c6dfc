"""This machine and the versions on it, as recorded with every run."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fieldguide import __version__

_PACKAGES = ("xllamacpp", "aiohttp", "math-verify", "vl-convert-python")


def describe_machine() -> dict[str, str | None]:
    """Return system, processor, cores, memory (GiB) and versions; None where unknown."""
    memory = memory_bytes()
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": str(usable_cores()),
        "memory": None if memory is None else f"{memory / 2**30:.1f} GiB",
        "python": platform.python_version(),
        "fieldguide": __version__,
        **{name: package_version(name) for name in _PACKAGES},
    }


def usable_cores() -> int:
    """Return the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_bytes() -> int | None:
    """Return the machine's memory (bytes), None where it cannot be told."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None


def package_version(name: str) -> str | None:
    """Return the installed version of a package, None where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _processor() -> str | None:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or None
