"""Runs other planners on the published rows and on one file, beside ours.

python -m venv /tmp/peers && /tmp/peers/bin/pip install llmfit modelinfo-cli accelerate transformers torch
python benchmarks/planner_peers.py --llmfit /tmp/peers/bin/llmfit --modelinfo /tmp/peers/bin/modelinfo \
  --accelerate /tmp/peers/bin/accelerate MODEL.gguf

accelerate reads models from a hub: it gets a hub on loopback with a config.json for each network that we plan.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import fmean

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.config_hub import config_hub
from tests.support.loaded_model import measured
from tests.support.published_memory import Published, published

from fieldguide.app.network_of_file import network_of_file
from fieldguide.planner import Workload, engine_named, memory_plan

_LOADS = ((1024, 1), (2048, 2))
_UNITS = {"bytes": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30}
"""As accelerate means them."""
_ADVISED = 1.2
"""The page of its makers (huggingface.co/spaces/hf-accelerate/model-memory-usage) has one expect up to 20 % more."""


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--llmfit", required=True)
    parser.add_argument("--modelinfo", required=True)
    parser.add_argument("--accelerate", help="the command, of an environment with torch and transformers")
    args = parser.parse_args()
    rows = [row for row in published() if row.devices == 1 and row.quantization == "BF16"]
    theirs = [(row, size) for row in rows if (size := _llmfit(args.llmfit, row)) is not None]
    print(f"llmfit knew {len(theirs)} of {len(rows)} rows\n")
    _line("fieldguide", [row.error for row, _ in theirs])
    _line("llmfit", [size / row.measured_bytes - 1 for row, size in theirs])
    if args.accelerate:
        sizes = _accelerate(args.accelerate, [row for row, _ in theirs])
        _line("accelerate", [sizes[row.model] / row.measured_bytes - 1 for row, _ in theirs])
        _line("accelerate + 20 %", [_ADVISED * sizes[row.model] / row.measured_bytes - 1 for row, _ in theirs])
    for context, slots in _LOADS:
        work = Workload(context_tokens=context, sequences=slots)
        ours = memory_plan(network_of_file(args.file), "F16", engine_named("llama.cpp"), work).total_bytes
        _, held = measured(args.file, context_tokens=context, slots=slots, prompt_tokens=context - 16)
        other = _modelinfo(args.modelinfo, args.file, context, slots)
        print(f"{context} x {slots}: measured {held.pss_bytes:,}, fieldguide {ours:,}, modelinfo {other:,}")


def _line(name: str, errors: list[float]) -> None:
    mean = fmean(abs(error) for error in errors)
    print(f"| {name} | {len(errors)} | {mean:.1%} | {min(errors):+.1%} | {max(errors):+.1%} |")


def _llmfit(program: str, row: Published) -> float | None:
    """Return the least device memory it asks for, in bytes; None where it does not know the model."""
    command = [
        program,
        "plan",
        f"Qwen/{row.model}",
        "--context",
        str(row.prompt_tokens + 2048),
        "--quant",
        "F16",
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        return None
    for path in json.loads(done.stdout)["run_paths"]:
        if path["path"] == "gpu":
            return float(path["minimum"]["vram_gb"]) * 1e9
    return None


def _accelerate(program: str, rows: list[Published]) -> dict[str, float]:
    """Return the "total size" it prints for each model at 16 bits, in bytes."""
    networks = {f"Qwen/{row.model}": row.network for row in rows}
    with config_hub(networks) as address, tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "HF_ENDPOINT": address, "HF_HOME": home}
        return {name.partition("/")[2]: _total_size(program, name, environment) for name in networks}


def _total_size(program: str, model: str, environment: dict[str, str]) -> float:
    command = [program, "estimate-memory", model, "--dtypes", "float16"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300, env=environment)
    found = re.search(r"float16│[^│]*│\s*([\d.]+) (\w+)\s*│", done.stdout)
    assert found, done.stdout
    return float(found[1]) * _UNITS[found[2]]


def _modelinfo(program: str, file: Path, context: int, slots: int) -> int:
    command = [program, str(file), "--context", str(context), "--batch-size", str(slots)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    found = re.search(r"VRAM \(est\):\s+~([\d.]+) MB", done.stdout)
    assert found, done.stdout
    return int(float(found[1]) * 2**20)


if __name__ == "__main__":
    main()
