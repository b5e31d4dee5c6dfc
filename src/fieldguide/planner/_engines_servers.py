"""What vLLM and SGLang need beside weights and cache. Both take the memory they are allowed and fill it with cache.

`--gpu-memory-utilization` (vLLM, 0.9) and `--mem-fraction-static` (SGLang) say how much of the device they take; a plan
says how much they need. Nothing published was found to fit this on, so the terms follow what is known of their code,
and are ranged.
"""

from __future__ import annotations

from fieldguide.domain import Network
from fieldguide.planner._memory_term import MemoryTerm, term
from fieldguide.planner._weights import Weights
from fieldguide.planner._workload import Workload

_MIB = 1024**2
_CONTEXT = (300 * _MIB, 500 * _MIB, 900 * _MIB)
"""CUDA context, kernels and communication buffers of one device."""
_GRAPHS = (0, 600 * _MIB, 1800 * _MIB)
"""Recorded CUDA graphs; none with `--enforce-eager`."""
_VLLM_BATCH = (2048, 8192)
"""`max_num_batched_tokens` of the profiling run: before version 1 of its core, and since."""
_SGLANG_BATCH = (2048, 8192)
"""`chunked_prefill_size`: on small devices, and on large ones."""
_SAMPLED = 256
"""Sequences of the profiling run, each with a row of logits."""


def vllm_terms(network: Network, weights: Weights, work: Workload) -> tuple[MemoryTerm, ...]:
    """Return what vLLM's profiling run finds, CUDA graphs, and the context of every device."""
    return _terms(
        network, work, _VLLM_BATCH, "vllm-project/vllm: profile_run and capture_model of its GPU model runner"
    )


def sglang_terms(network: Network, weights: Weights, work: Workload) -> tuple[MemoryTerm, ...]:
    """Return the same for SGLang, whose batch is its chunk of a prompt."""
    return _terms(network, work, _SGLANG_BATCH, "sgl-project/sglang: chunked_prefill_size and CUDA graphs")


def _terms(network: Network, work: Workload, batch: tuple[int, int], source: str) -> tuple[MemoryTerm, ...]:
    devices = work.devices
    per_token = (6 * network.ffn + 8 * network.hidden) / devices + 8 * network.hidden * (devices > 1)
    logits = _SAMPLED * network.vocabulary * 12  # at 32 bits: logits, probabilities, and their order
    passing = [tokens * per_token * devices for tokens in batch]
    inputs = {"ffn": network.ffn, "hidden": network.hidden, "batch_tokens": batch[1], "devices": devices}
    return (
        term(
            "activations",
            passing[1] + logits,
            low=passing[0] + logits / 3,
            formula="batch x (6 x ffn + 8 x hidden) bytes + 256 sequences x vocabulary x 12 bytes",
            inputs=inputs | {"vocabulary": network.vocabulary},
            source=source,
        ),
        _ranged("CUDA graphs", _GRAPHS, devices, source),
        _ranged("device context", _CONTEXT, devices, "from experience, not fitted"),
    )


def _ranged(name: str, constant: tuple[int, int, int], devices: int, source: str) -> MemoryTerm:
    low, likely, high = (each * devices for each in constant)
    inputs = {"constant_bytes": constant[1], "devices": devices}
    return term(name, likely, low=low, high=high, formula="constant x devices", inputs=inputs, source=source)
