"""Bytes of the key/value cache, layer by layer, and the habits of the engines that keep one."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fieldguide.domain import LayerCache, Network
from fieldguide.planner._block_types import row_bytes

STATE_BYTES = 4
"""Bytes per number of the state of a layer without attention: llama.cpp and vLLM keep it at 32 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheHabits:
    """How an engine rounds what it keeps."""

    cells_multiple: int = 1
    """Tokens per sequence are rounded up to this."""
    window_extra_tokens: int = 0
    """Tokens that a layer with a window holds beside the window: the batch that is being worked on."""
    window_multiple: int = 1
    """Cells of a layer with a window are rounded up to this."""
    windows: bool = True
    """Whether a layer with a window holds no more than the window."""


EXACT = CacheHabits()
"""Not a token more than what attention may look at."""

LLAMA_CPP = CacheHabits(cells_multiple=256, window_extra_tokens=512, window_multiple=256)
"""`llama_context` pads the context to 256; `llama_kv_cache_iswa` gives a window n_swa + n_ubatch cells, padded to 256
(ggml-org/llama.cpp@02c28f53:src/llama-kv-cache-iswa.cpp); n_ubatch is 512 by default."""

VLLM = CacheHabits(cells_multiple=16, window_multiple=16)
"""Pages of 16 tokens; layers with a window free the pages behind it."""

DYNAMIC = CacheHabits(windows=False)
"""A cache that grows by the token and keeps all of them, as transformers' `DynamicCache` did until 4.56."""


def cells(cache: LayerCache, context_tokens: int, habits: CacheHabits = EXACT) -> int:
    """Return the tokens that a layer holds of one sequence."""
    if cache.fixed_tokens is not None:
        return cache.fixed_tokens
    if cache.key_width == 0:
        return 0
    context = _up(context_tokens, habits.cells_multiple)
    if cache.window is None or not habits.windows:
        return context
    return _up(min(context, cache.window + habits.window_extra_tokens), habits.window_multiple)


def kv_cache_bytes(
    network: Network,
    *,
    context_tokens: int,
    sequences: int = 1,
    key_type: str = "F16",
    value_type: str | None = None,
    habits: CacheHabits = EXACT,
    devices: int = 1,
) -> int:
    """Return the bytes that hold the key/value cache.

    Sum over layers of (bytes of a token's keys + bytes of its values) x tokens held x sequences; a layer with a
    sliding window holds the window, one with latent attention its compressed keys, one without attention a fixed
    state. Allocator overhead is not included.

    Args:
        network: Facts from the catalogue or from a file's header.
        context_tokens: Prompt plus completion held at once, per sequence (tokens, > 0).
        sequences: Sequences held at once (count, > 0).
        key_type: Element type of the cache, not of the weights; block types count their scales.
        value_type: Of the values, where it differs.
        habits: How the engine rounds.
        devices: Over how many the heads are split; heads that do not divide are held on several of them.

    References:
        Pope et al. 2022, arXiv:2211.05102, on memory cost of the cache.
    """
    copies = devices / math.gcd(devices, network.kv_heads) if devices > 1 else 1
    total = 0.0
    for cache in network.caches:
        token = row_bytes(cache.key_width, key_type) + row_bytes(cache.value_width, value_type or key_type)
        latent = cache.key_width > 0 and cache.value_width == 0
        held = token * cells(cache, context_tokens, habits) * (devices if latent else copies)
        total += sequences * (held + cache.state_numbers * STATE_BYTES)
    return round(total)


def bytes_per_token(network: Network, key_type: str = "F16") -> int:
    """Return what one more token of one sequence costs while no window is full."""
    return sum(
        row_bytes(cache.key_width, key_type) + row_bytes(cache.value_width, key_type)
        for cache in network.caches
        if cache.fixed_tokens is None
    )


def _up(count: int, multiple: int) -> int:
    return -(-count // multiple) * multiple
