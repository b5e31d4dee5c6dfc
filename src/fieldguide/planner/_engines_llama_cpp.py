"""What llama.cpp holds beside weights and cache, in one process on a CPU.

Source of the forms: the sizes that the engine reports for random shapes (`sched_reserve: compute buffer size`), which
they meet to 1 % where the feed-forward block is the widest point and to 5 % where attention is.
"""

from __future__ import annotations

from fieldguide.domain import Network
from fieldguide.planner._kv_cache import LLAMA_CPP, STATE_BYTES, cells
from fieldguide.planner._memory_term import MemoryTerm, term
from fieldguide.planner._weights import Weights
from fieldguide.planner._workload import Workload

_PROCESS = 26 * 10**6
"""Interpreter, libraries, threads and server of a process that runs the package xllamacpp 2026.10, in bytes of its
proportional set size after a prompt; its resident set counts some 9 MB of shared libraries more."""

_TOKEN_BYTES = {False: 208, True: 480}
"""Bytes per token of the vocabulary: its text twice and its place; with merges of byte pairs in the second case."""

_CHECKPOINTS = (0, 2, 32)
"""Copies of what cannot be stepped back in that the server keeps per sequence: none yet, after a prompt, at most."""

_SOURCE = "measured with xllamacpp 2026.10 on a CPU; docs/planner-memory.md"


def llama_cpp_terms(network: Network, weights: Weights, work: Workload) -> tuple[MemoryTerm, ...]:
    """Return compute buffer, output buffer, checkpoints of windows and states, vocabulary and process."""
    found = [_compute(network, work), _output(network, work), _vocabulary(network), _process()]
    if any(cache.window is not None or cache.state_numbers for cache in network.caches):
        found.insert(2, _checkpoints(network, work))
    return tuple(found)


def _compute(network: Network, work: Workload) -> MemoryTerm:
    """Return the buffer of one batch. It is reserved at once and touched by the first full prompt: low is 0."""
    key_value = max((cache.key_width + cache.value_width for cache in network.caches), default=0)
    query = network.heads * network.head_dim
    feed_forward = max(3 * network.ffn + 5 * network.hidden, _returned_by_experts(network))
    attention = 4 * network.hidden + 2 * query + key_value
    masks = sum(_mask_cells(network, work))
    likely = work.batch_tokens * (4 * max(feed_forward, attention) + 2 * masks) * work.devices
    return term(
        "compute buffer",
        likely,
        low=0,
        formula="ubatch x (4 x max(3 x ffn + 5 x hidden, what chosen experts return, 4 x hidden + 2 x heads x head_dim"
        " + keys and values) + 2 x cells in the masks) x devices",
        inputs={
            "ubatch": work.batch_tokens,
            "ffn": network.ffn,
            "hidden": network.hidden,
            "query": query,
            "keys_and_values": key_value,
            "mask_cells": masks,
            "devices": work.devices,
        },
        source=_SOURCE,
    )


def _returned_by_experts(network: Network) -> int:
    """Return the numbers per token of what the chosen experts give back, and of its weighted copy.

    The copy takes the place of the first where the experts are narrower than the hidden width, all together. Met to
    20 % on ten random shapes: where the engine's allocator puts things decides the rest.
    """
    each = (network.experts_per_token or 0) * network.hidden
    if network.ffn <= network.hidden:
        return each + 5 * network.hidden
    return 2 * each + network.ffn + network.hidden


def _mask_cells(network: Network, work: Workload) -> set[int]:
    """Return the cells of the caches that need a mask: one for whole contexts, one for windows."""
    kinds = [cache for cache in network.caches if cache.key_width and cache.fixed_tokens is None]
    full = [cells(cache, work.context_tokens, LLAMA_CPP) for cache in kinds if cache.window is None]
    windowed = [cells(cache, work.context_tokens, LLAMA_CPP) for cache in kinds if cache.window is not None]
    return set(full[:1]) | set(windowed[:1])


def _output(network: Network, work: Workload) -> MemoryTerm:
    return term(
        "output buffer",
        4 * network.vocabulary * work.sequences,
        formula="4 bytes x vocabulary x sequences",
        inputs={"vocabulary": network.vocabulary, "sequences": work.sequences},
        source=_SOURCE,
    )


def _checkpoints(network: Network, work: Workload) -> MemoryTerm:
    """Return what is kept to step back in windows, which forget, and in states, which know no tokens."""
    windows = [cache for cache in network.caches if cache.window is not None]
    each = sum(cells(cache, work.context_tokens) * (cache.key_width + cache.value_width) * 2 for cache in windows)
    each += STATE_BYTES * sum(cache.state_numbers for cache in network.caches)
    low, likely, high = (count * each * work.sequences for count in _CHECKPOINTS)
    return term(
        "checkpoints of windows and states",
        likely,
        low=low,
        high=high,
        formula="copies x (keys and values of the windows + states) x sequences",
        inputs={"copies": _CHECKPOINTS[1], "at_most": _CHECKPOINTS[2], "bytes_each": each},
        source="llama.cpp server, n_ctx_checkpoints (32): models with windows, recurrent and hybrid ones",
    )


def _vocabulary(network: Network) -> MemoryTerm:
    per_token = _TOKEN_BYTES[network.byte_pair_vocabulary is not False]
    return term(
        "vocabulary",
        per_token * network.vocabulary,
        formula="bytes per token x vocabulary",
        inputs={"bytes_per_token": per_token, "vocabulary": network.vocabulary},
        source=_SOURCE,
    )


def _process() -> MemoryTerm:
    return term("process", _PROCESS, formula="constant", inputs={"constant_bytes": _PROCESS}, source=_SOURCE)
