"""Prints how far the planner's memory is from published measurements, and what simpler rules give on the same rows.

    python benchmarks/planner_memory.py [--loads]

Needs the shared facts beside the checkout (or FIELDGUIDE_SHARED). `--loads` also loads random models in llama.cpp,
which takes some minutes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import fmean

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.loaded_model import measured
from tests.support.memory_loads import LONG, QUICK
from tests.support.published_memory import Published, published
from tests.support.random_gguf import random_gguf

from fieldguide.app.network_of_file import network_of_file
from fieldguide.planner import Workload, engine_named, memory_plan

_ENGINES = ("transformers@4.38", "transformers@4.46", "transformers@4.51")
_RULES: dict[str, Callable[[Published], float]] = {
    "weights alone": lambda row: row.plan().weights.bytes,
    "weights x 1.2": lambda row: 1.2 * row.plan().weights.bytes,
    "weights and cache": lambda row: row.plan().weights.bytes + row.plan().kv_cache.bytes,
}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loads", action="store_true")
    loads = parser.parse_args().loads
    rows = published()
    print("| rows | n | mean error | lowest | highest |\n|---|---|---|---|---|")
    for engine in _ENGINES:
        for name, chosen in (("fitted on", True), ("not fitted on", False)):
            own = [row for row in rows if row.engine == engine and row.devices == 1 and row.fitted is chosen]
            _line(f"{engine}, {name}", (row.error for row in own))
        many = [row for row in rows if row.engine == engine and row.devices > 1]
        if many:
            _line(f"{engine}, two or three devices", (row.error for row in many))
    one = [row for row in rows if row.devices == 1 and not row.fitted]
    _line("all not fitted on, one device", (row.error for row in one))
    for quantization in dict.fromkeys(row.quantization for row in one):
        _line(f"of them {quantization}", (row.error for row in one if row.quantization == quantization))
    for name, rule in _RULES.items():
        _line(name, (rule(row) / row.measured_bytes - 1 for row in one))
    if loads:
        _loads()


def _line(name: str, errors: Iterable[float]) -> None:
    found = list(errors)
    mean = fmean(abs(error) for error in found)
    print(f"| {name} | {len(found)} | {mean:.2%} | {min(found):+.1%} | {max(found):+.1%} |")


def _loads() -> None:
    print("\n| model | context | slots | cache | estimate MB | measured MB | error |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for load in QUICK + LONG:
            path = random_gguf(Path(folder) / "model.gguf", load.model)
            work = Workload(context_tokens=load.context_tokens, sequences=load.slots, kv_type=load.kv_type)
            plan = memory_plan(network_of_file(path), "F16", engine_named("llama.cpp"), work)
            _, used = measured(
                path,
                context_tokens=load.context_tokens,
                slots=load.slots,
                kv_type=load.kv_type,
                prompt_tokens=load.context_tokens - 16,
            )
            error = plan.total_bytes - used.pss_bytes
            print(
                f"| {load.name} | {load.context_tokens} | {load.slots} | {load.kv_type} | {plan.total_bytes / 1e6:.1f} "
                f"| {used.pss_bytes / 1e6:.1f} | {error / 1e6:+.1f} MB, {error / used.pss_bytes:+.1%} |"
            )


if __name__ == "__main__":
    main()
