"""What transformers holds beside weights and cache, by kind of version: mechanisms first, constants last.

Mechanisms as known of `modeling_qwen2.py`, told apart and confirmed by the memory that Qwen published per prompt
length; the code of those versions was not at hand. Per prompt token in 16 bits:

- every kind: the feed-forward block of one layer keeps three rows of its inner width (gate, up and their product) and
  four of the hidden width (input embedding, input of the layer, sum after attention, its norm);
- 4.38: logits for every token of the prompt, once at 16 bits and once as 32-bit floats; tables of the rotary embedding
  in every layer for the longest context; and the cache of the step before, held while the next is made;
- 4.46: logits of the last token only, one table of the rotary embedding;
- 4.48 and later: what stays is the cache and the workspace of cuBLAS; the pass over the prompt shows in the high end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fieldguide.domain import Network
from fieldguide.planner._kv_cache import DYNAMIC, kv_cache_bytes
from fieldguide.planner._memory_term import MemoryTerm, term
from fieldguide.planner._torch_allocator import rounding_bytes
from fieldguide.planner._weights import Weights, is_linear
from fieldguide.planner._workload import Workload

KIND_438, KIND_446, KIND_LATER = "4.38", "4.46", "4.48"

_CONSTANT = {KIND_438: 20 * 1024**2, KIND_446: 20 * 1024**2, KIND_LATER: 34 * 1024**2}
"""Workspace of cuBLAS (8 MiB before Hopper, 32 MiB from it on), sampling, and small things. 20: the mean of what
Qwen2.5-0.5B and 7B leave unexplained on an A100; 34: of Qwen3-0.6B on an H20."""

_CODE = "mechanism of transformers' modeling_qwen2.py, confirmed by measurements: docs/planner-memory.md"
_UNEVEN = 4
"""Times its even share of the tokens that the busiest expert may get."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One plan, with what several terms look at."""

    kind: str
    network: Network
    weights: Weights
    work: Workload

    def cache(self, tokens: int) -> int:
        return kv_cache_bytes(
            self.network,
            context_tokens=max(1, tokens),
            sequences=self.work.sequences,
            key_type=self.work.kv_type,
            habits=DYNAMIC,
        )

    @property
    def flash(self) -> bool:
        """AutoAWQ's last versions came without FlashAttention (Qwen3 speed benchmark, environments)."""
        if self.work.flash_attention is not None:
            return self.work.flash_attention
        return not (self.kind == KIND_LATER and self.weights.quantization.startswith("AWQ"))


def transformers_terms(kind: str) -> Callable[[Network, Weights, Workload], tuple[MemoryTerm, ...]]:
    """Return the function that lists the terms of one kind of version."""

    def terms(network: Network, weights: Weights, work: Workload) -> tuple[MemoryTerm, ...]:
        case = _Case(kind=kind, network=network, weights=weights, work=work)
        found = [_passing(case), _rounding(case), _constant(case)]
        if kind == KIND_438:
            found.insert(1, _rotary_tables(case))
        if weights.quantization in {"GPTQ-INT4", "GPTQ"}:
            found.append(_dequantized(case))
        if not case.flash:
            found.append(_repeated_heads(case))
        if network.tied_head and kind == KIND_LATER and weights.quantization == "FP8":
            found.append(_second_head(case))
        if network.tied_head and kind != KIND_LATER and weights.quantization.startswith("AWQ"):
            found.append(_while_loading(case, sum(each.bytes for each in found)))
        return tuple(found)

    return terms


def _passing(case: _Case) -> MemoryTerm:
    """Return what comes and goes: the larger of the pass over the prompt and the last step of the answer."""
    prompt, context = case.work.prompt_tokens, case.work.context_tokens
    at_end = case.cache(context)
    stepping = at_end if case.kind == KIND_438 else 0
    highest = max(stepping, _prompt_pass(case, context))
    if case.kind == KIND_LATER:
        likely = 0.0
        formula = "0 (the cache outgrows it); at most: prompt x " + _WORDS[case.kind]
    else:
        likely = max(stepping, case.cache(prompt) + _prompt_pass(case, prompt) - at_end, 0)
        formula = f"max(prompt x {_WORDS[case.kind]} - cache of the answer, {_STEP_WORDS[case.kind]})"
    return term(
        "passing tensors",
        likely,
        low=likely,
        high=max(likely, highest),
        formula=formula,
        inputs={
            "prompt_tokens": prompt,
            "sequences": case.work.sequences,
            "ffn": _inner_width(case.network),
            "hidden": case.network.hidden,
            "head_dim": case.network.head_dim,
            "vocabulary": case.network.vocabulary,
            "devices": case.work.devices,
        },
        source=_CODE,
    )


_WORDS = {
    KIND_438: "max(6 x vocabulary + 2 x hidden, 6 x ffn + 8 x hidden + 4 x head_dim) bytes",
    KIND_446: "(6 x ffn + 8 x hidden + 4 x head_dim) bytes x devices",
    KIND_LATER: "(6 x ffn + 8 x hidden + 4 x head_dim) bytes x devices",
}
_STEP_WORDS = {KIND_438: "a second cache during each step", KIND_446: "0"}


def _prompt_pass(case: _Case, tokens: int) -> float:
    """Return the bytes of what one pass over the prompts holds beside the cache, one set on every device."""
    network, devices = case.network, case.work.devices
    block = 6 * _inner_width(network) + 8 * network.hidden + 4 * network.head_dim
    if network.experts is not None:
        block += 2 * network.hidden + 8 * network.experts  # the sum over experts, and the router's weights
    if case.kind != KIND_438:
        return block * tokens * case.work.sequences * devices
    logits = 6 * network.vocabulary + 2 * network.hidden
    if devices > 1:
        logits += 4 * network.vocabulary  # copied to the device that the prompt is on
    return max(block * devices, logits) * tokens * case.work.sequences


def _inner_width(network: Network) -> float:
    """Return how wide one layer's feed-forward block is per token that it works on at once."""
    if network.experts is None or network.experts_per_token is None:
        return network.ffn
    widths = [tensor.rows for tensor in network.tensors if tensor.role == "ffn_up_exps"]
    width = widths[0] if widths else network.ffn / network.experts_per_token
    return width * min(1.0, _UNEVEN * network.experts_per_token / network.experts)


def _rotary_tables(case: _Case) -> MemoryTerm:
    network = case.network
    longest = max(network.context_tokens or case.work.context_tokens, case.work.context_tokens)
    return term(
        "rotary tables",
        network.layers * longest * network.head_dim * 4,
        formula="layers x longest context x head_dim x 2 (cosine, sine) x 2 bytes",
        inputs={"layers": network.layers, "longest_context_tokens": longest, "head_dim": network.head_dim},
        source="Qwen2RotaryEmbedding of transformers 4.38 keeps one table per layer",
    )


def _rounding(case: _Case) -> MemoryTerm:
    sizes = [size for _, _, size in _as_loaded(case.weights)]
    return term(
        "allocator",
        rounding_bytes(sizes),
        formula="sum over weights of (block - bytes); blocks of 10 MiB and more end at 2 MiB unless over 1 MiB is left",
        inputs={"tensors": len(sizes)},
        source="pytorch/pytorch c10/cuda/CUDACachingAllocator.cpp",
    )


def _as_loaded(weights: Weights) -> list[tuple[str, str, int]]:
    """Return the weights as transformers holds them: one tensor per expert."""
    return [
        (tensor.name, kind, size // tensor.experts)
        for tensor, kind, size in weights.stored
        if tensor.role not in {"tower", "rest"}
        for _ in range(tensor.experts)
    ]


def _constant(case: _Case) -> MemoryTerm:
    return term(
        "workspace",
        _CONSTANT[case.kind] * case.work.devices,
        formula="constant x devices",
        inputs={"constant_bytes": _CONSTANT[case.kind], "devices": case.work.devices},
        source="fitted: see docs/planner-memory.md",
    )


def _dequantized(case: _Case) -> MemoryTerm:
    largest = max((tensor.columns * tensor.rows for tensor in case.network.tensors if is_linear(tensor)), default=0)
    return term(
        "scratch of the 4-bit kernel",
        2 * largest * case.work.devices,
        formula="2 bytes x largest quantized matrix x devices",
        inputs={"numbers": largest, "devices": case.work.devices},
        source="ExLlamaV2's temp_dq buffer (AutoGPTQ qlinear_exllamav2.py)",
    )


def _repeated_heads(case: _Case) -> MemoryTerm:
    width = case.network.heads * case.network.head_dim
    return term(
        "keys and values for every head",
        4 * width * case.work.context_tokens * case.work.sequences,
        formula="2 (K and V) x heads x head_dim x 2 bytes x context x sequences, of one layer",
        inputs={"width": width, "context_tokens": case.work.context_tokens, "sequences": case.work.sequences},
        source="repeat_kv of transformers, where attention is PyTorch's own and not FlashAttention",
    )


def _second_head(case: _Case) -> MemoryTerm:
    return term(
        "second copy of the tied head",
        2 * case.network.vocabulary * case.network.hidden,
        formula="2 bytes x vocabulary x hidden",
        inputs={"vocabulary": case.network.vocabulary, "hidden": case.network.hidden},
        source="fitted: Qwen3-0.6B FP8, transformers 4.51.3",
    )


def _while_loading(case: _Case, others: int) -> MemoryTerm:
    head = 2 * case.network.vocabulary * case.network.hidden
    running = case.cache(case.work.context_tokens) + others
    return term(
        "while loading",
        max(0, head - running),
        formula="max(0, 2 bytes x vocabulary x hidden - all that runs later): the head is apart until it is tied",
        inputs={"vocabulary": case.network.vocabulary, "hidden": case.network.hidden},
        source="AutoAWQ's loader; seen in Qwen2.5-0.5B AWQ at one token",
    )
