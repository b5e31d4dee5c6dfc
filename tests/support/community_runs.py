"""Speeds that strangers sent in, cleaned: which rows say what was run, and what it must have read per token."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from fieldguide.planner import DecodeLoad, layer_cost_of

_ACTIVE = {
    "granite-3.1-1b-a400m": 0.4,
    "granite-3.1-3b-a800m": 0.8,
    "smallthinker-4ba0.6b": 0.6,
    "lfm2-8b-a1b": 1.5,
    "deepseek-coder-v2-lite": 2.4,
    "gpt-oss-20b": 3.6,
    "ernie-4.5-21b-a3b": 3.0,
    "qwen3-30b-a3b": 3.3,
    "qwen3.6:35b": 3.0,
    "qwen3-coder-next": 3.0,
    "gemma4:26b": 4.0,
    "glm-4.7-flash": 3.0,
}
"""Active parameters (billions) of mixtures of experts, as their publishers say."""
_TOTAL = {"gpt-oss-20b": 20.9, "deepseek-coder-v2-lite": 15.7, "qwen3-coder-next": 80.0, "glm-4.7-flash": 30.0}
_EXACT = {"phi-3.5-mini": 3.82, "phi-4-mini": 3.84, "phi-3-medium": 13.96, "phi-4": 14.66, "mistral-nemo": 12.2}
_SIZE = re.compile(r"(?<![a-z\d.])(\d+(?:[._]\d+)?)\s?([bm])(?![a-z\d])")
_QUANTIZED = re.compile(r"q\d|4bit|mlx|mxfp4|:", re.IGNORECASE)
_SPREAD = 1.5
"""Trials further apart than this were disturbed: a model still loading, or memory that was swapped."""
_ROOM_GB = 1.0
"""Cache and buffers beside the weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommunityRun:
    """One usable row."""

    hardware: str
    engine: str
    model: str
    load: DecodeLoad
    tokens_per_s: float


def community_runs(path: Path, bandwidth_of: dict[str, float]) -> tuple[list[CommunityRun], Counter[str]]:
    """Return the usable rows, and how many were left out for which reason."""
    used, left_out = [], Counter[str]()
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found = _read(row, bandwidth_of)
            if isinstance(found, str):
                left_out[found] += 1
            else:
                used.append(found)
    return used, left_out


def _read(row: dict[str, str], bandwidth_of: dict[str, float]) -> CommunityRun | str:
    name, speed = row["model"].lower(), float(row["avg_tok_s"])
    if row["provider"] == "vllm":
        return "number of devices not stated"
    active = _first(_ACTIVE, name) or _first(_EXACT, name) or _stated(name)
    if active is None:
        return "size not in the name"
    if not _QUANTIZED.search(name):
        return "quantization not stated"
    if float(row["max_tok_s"]) > _SPREAD * float(row["min_tok_s"]):
        return "trials too far apart"
    total = _first(_TOTAL, name) or max(active, _stated(name) or 0.0)
    bits = 8.5 if "q8_0" in name else 4.5 if "4bit" in name or "mlx" in name else 4.85
    if total * bits / 8 + _ROOM_GB > float(row["vram_gb"]):
        return "does not fit the GPU's memory, so part of it ran on the processor"
    weights = active * 1e9 * bits / 8
    if speed > bandwidth_of[row["hardware"]] / weights:
        return "faster than its memory can be read: several tokens per step (speculation)"
    experts = 64 if _first(_ACTIVE, name) is not None else None
    load = DecodeLoad(
        weights_bytes=weights,
        active_parameters=active * 1e9,
        kv_bytes=6e6 * active,
        layers=48 if experts and total > 8 else 24 if experts else None,
        experts=experts,
        experts_per_token=8 if experts else None,
        layer_cost=layer_cost_of("gemma3") if "gemma" in name else 1.0,
    )
    engine = "mlx" if row["provider"] == "mlx" else "llama.cpp"
    return CommunityRun(hardware=row["hardware"], engine=engine, model=row["model"], load=load, tokens_per_s=speed)


def _stated(name: str) -> float | None:
    found = _SIZE.search(name)
    return None if found is None else float(found[1].replace("_", ".")) * (1.0 if found[2] == "b" else 1e-3)


def _first(table: dict[str, float], name: str) -> float | None:
    return next((value for key, value in table.items() if key in name), None)
