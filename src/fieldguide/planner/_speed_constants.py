"""What engines make of hardware: efficiencies and fixed costs, each with its spread, and what they were fitted on.

A step of decoding takes `layers x per layer + weights / (efficiency x bandwidth) + cache / (efficiency x bandwidth)`.
The fixed cost is the launching of kernels, so it grows with layers and not with bytes; that is why a small model on a
fast card is far slower than its bytes say. No term's ends lie further apart than a factor of 2.5, and hence no range.
See docs/planner-speed.md for fit and check.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fieldguide.domain import DeviceKind
from fieldguide.planner._ranges import Range

_EXPERTS_S = Range(low=50e-6, likely=75e-6, high=115e-6)
_PREFILL = Range(low=0.25, likely=0.42, high=0.62)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOnDevice:
    """How one engine uses one kind of device."""

    quantized: Range
    """Share of the memory bandwidth at which weights of less than 12 bits are read."""
    whole: Range
    """The same for weights of 16 bits and more."""
    cache: Range
    """The same for keys and values."""
    layer_s: Range
    """Fixed cost of one layer in one step (seconds)."""
    experts_s: Range = _EXPERTS_S
    """What choosing experts adds to it (seconds)."""
    copies_cache: bool = False
    """The engine copies its cache at every step, while the next kernels are being launched."""
    splits: str = "layers"
    """Over several devices: `layers`, one device after another, or `tensors`, all at once."""
    prefill: Range = _PREFILL
    """Share of the dense 16-bit peak that prompts reach."""
    fitted_on: str


def _range(low: float, likely: float, high: float) -> Range:
    return Range(low=low, likely=likely, high=high)


_GPU_BENCH = "XiongjieDai/GPU-Benchmarks-on-LLM-Inference@aa72e0ec (llama.cpp, May 2024)"
_COMMUNITY = "AlexsJones/llmfit@3f44fd3 data/community (2026-08)"
_QWEN = "QwenLM/Qwen2.5 speed benchmark (vLLM 0.6.3, transformers 4.38 to 4.46, A100)"
_SPARK = "ggml-org/llama.cpp@4c7e9893 benches/dgx-spark.md (2025-11)"
_GUESS = "no measurement: the constants of the nearest kind, wider"

_RTX = EngineOnDevice(
    quantized=_range(0.72, 0.87, 0.97),
    whole=_range(0.72, 0.86, 0.95),
    cache=_range(0.35, 0.6, 0.85),
    layer_s=_range(35e-6, 65e-6, 87e-6),
    prefill=_range(0.35, 0.55, 0.85),
    fitted_on=f"{_GPU_BENCH}; {_COMMUNITY}",
)
_DATACENTER = EngineOnDevice(
    quantized=_range(0.45, 0.62, 0.85),
    whole=_range(0.4, 0.53, 0.85),
    cache=_range(0.3, 0.5, 0.7),
    layer_s=_range(70e-6, 115e-6, 170e-6),
    prefill=_range(0.18, 0.3, 0.45),
    fitted_on=_GPU_BENCH,
)
_APPLE = EngineOnDevice(
    quantized=_range(0.38, 0.8, 0.95),
    whole=_range(0.5, 0.76, 0.95),
    cache=_range(0.2, 0.35, 0.5),
    layer_s=_range(40e-6, 65e-6, 100e-6),
    experts_s=_range(30e-6, 60e-6, 75e-6),
    fitted_on=f"{_GPU_BENCH}; {_COMMUNITY}",
)
_OLD = EngineOnDevice(
    quantized=_range(0.3, 0.41, 0.7),
    whole=_range(0.5, 0.75, 0.95),
    cache=_range(0.2, 0.35, 0.5),
    layer_s=_range(130e-6, 200e-6, 310e-6),
    fitted_on=_COMMUNITY,
)
_UNIFIED = EngineOnDevice(
    quantized=_range(0.55, 0.82, 0.95),
    whole=_range(0.55, 0.8, 0.95),
    cache=_range(0.35, 0.55, 0.85),
    layer_s=_range(35e-6, 60e-6, 87e-6),
    fitted_on=_SPARK,
)
_CPU = EngineOnDevice(
    quantized=_range(0.4, 0.65, 0.95),
    whole=_range(0.45, 0.75, 0.95),
    cache=_range(0.3, 0.5, 0.75),
    layer_s=_range(15e-6, 25e-6, 37e-6),
    prefill=_range(0.2, 0.35, 0.5),
    fitted_on=_GUESS,
)
_ELSEWHERE = EngineOnDevice(
    quantized=_range(0.38, 0.62, 0.95),
    whole=_range(0.38, 0.65, 0.95),
    cache=_range(0.25, 0.4, 0.6),
    layer_s=_range(60e-6, 100e-6, 150e-6),
    fitted_on=_GUESS,
)
_VLLM = EngineOnDevice(
    quantized=_range(0.45, 0.7, 0.9),
    whole=_range(0.66, 0.78, 0.9),
    cache=_range(0.2, 0.4, 0.5),
    layer_s=_range(40e-6, 65e-6, 100e-6),
    splits="tensors",
    prefill=_range(0.3, 0.45, 0.65),
    fitted_on=_QWEN,
)
_TRANSFORMERS = EngineOnDevice(
    quantized=_range(0.2, 0.35, 0.5),
    whole=_range(0.8, 0.92, 0.98),
    cache=_range(0.0125, 0.021, 0.031),
    layer_s=_range(350e-6, 560e-6, 870e-6),
    copies_cache=True,
    fitted_on=_QWEN,
)
_TABLE: Mapping[str, Mapping[DeviceKind, EngineOnDevice]] = {
    "llama.cpp": {
        "nvidia-rtx": _RTX,
        "nvidia-datacenter": _DATACENTER,
        "nvidia-old": _OLD,
        "apple": _APPLE,
        "unified": _UNIFIED,
        "cpu": _CPU,
    },
    "mlx": {"apple": _APPLE},
    "vllm": {"nvidia-datacenter": _VLLM, "nvidia-rtx": _VLLM, "amd": _VLLM},
    "transformers": {"nvidia-datacenter": _TRANSFORMERS, "nvidia-rtx": _TRANSFORMERS},
}
_SAME_AS = {"ollama": "llama.cpp", "llamacpp": "llama.cpp", "lmstudio": "llama.cpp", "sglang": "vllm", "trtllm": "vllm"}
"""Engines that share constants: Ollama and LM Studio run llama.cpp; the others were not fitted apart."""


def same_engine(one: str, other: str) -> bool:
    """Return whether two names, with or without a version, mean one engine."""
    return _engine(one) == _engine(other)


def _engine(name: str) -> str:
    known = name.partition("@")[0].lower()
    return _SAME_AS.get(known, known)


def constants_of(engine: str, kind: DeviceKind) -> EngineOnDevice:
    """Return the constants of an engine, with or without a version, on a kind of device."""
    return _TABLE.get(_engine(engine), {}).get(kind, _ELSEWHERE)
