"""What a step of a planned network moves and multiplies: from tensors and caches to the terms of its speed."""

from __future__ import annotations

from collections import defaultdict

from fieldguide.domain import LayerCache, Network
from fieldguide.planner._kv_cache import cells, kv_cache_bytes
from fieldguide.planner._speed_load import DecodeLoad, MatrixLoad, layer_cost_of
from fieldguide.planner._weights import Weights, active_bytes, expert_share, is_read, is_routed, reads_embedding
from fieldguide.planner._workload import Workload

_ENDS = frozenset({"token_embd", "output"})


def load_of(network: Network, weights: Weights, work: Workload) -> DecodeLoad:
    """Return what one step of decoding moves, half of the answer being there already."""
    share = expert_share(network)
    context = work.prompt_tokens + (work.context_tokens - work.prompt_tokens) // 2
    cache = kv_cache_bytes(network, context_tokens=context, key_type=work.kv_type)
    routed = sum(size for tensor, _, size in weights.stored if is_routed(tensor))
    return DecodeLoad(
        weights_bytes=float(active_bytes(network, weights)),
        active_parameters=_passed(network, share, head=True),
        kv_bytes=float(cache),
        layers=network.layers or None,
        layer_cost=1.0 if network.scheme is None else layer_cost_of(network.scheme),
        matrices=_matrices(network, weights, share),
        attended_numbers=sum(_looked_at(network, cache) * cells(cache, context) for cache in network.caches),
        expert_bytes=routed * share,
        experts=network.experts,
        experts_per_token=network.experts_per_token,
    )


def prompt_parameters(network: Network) -> float:
    """Return the weights that every token of a prompt passes: no embedding and no head, which only the last needs."""
    return _passed(network, expert_share(network), head=False)


def attended_in_prompt(network: Network, prompt_tokens: int) -> float:
    """Return the numbers of keys and values that the query heads look at for one token of a prompt, on average.

    The first token looks at itself and the last at all before it, or at as many as the layer's window holds.
    """
    return sum(_looked_at(network, cache) * _mean_tokens(cache, prompt_tokens) for cache in network.caches)


def _mean_tokens(cache: LayerCache, prompt_tokens: int) -> float:
    seen = cells(cache, prompt_tokens)
    if cache.fixed_tokens is not None or seen == 0:
        return float(seen)
    return seen - seen * seen / (2 * prompt_tokens)


def _looked_at(network: Network, cache: LayerCache) -> float:
    """Return the numbers that all query heads of a layer look at for each token before; latent values are keys too."""
    if cache.key_width == 0:
        return 0.0
    if cache.value_width == 0:
        return 2.0 * network.heads * cache.key_width
    return network.heads * network.head_dim * (1 + cache.value_width / cache.key_width)


def _matrices(network: Network, weights: Weights, share: float) -> tuple[MatrixLoad, ...]:
    """Return what one token passes, by type of numbers; the output layer apart."""
    embedding = reads_embedding(network)
    sums: dict[tuple[str, bool], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for tensor, kind, size in weights.stored:
        if tensor.is_matrix and is_read(tensor, embedding=embedding):
            part = share if is_routed(tensor) else 1.0
            one = sums[kind, tensor.role not in _ENDS]
            for place, value in enumerate((size, tensor.numbers, tensor.rows * tensor.experts)):
                one[place] += part * value
    return tuple(
        MatrixLoad(type=kind, bits=8 * size / numbers, weights=numbers, rows=rows, in_prompts=in_prompts)
        for (kind, in_prompts), (size, numbers, rows) in sorted(sums.items())
    )


def _passed(network: Network, share: float, *, head: bool) -> float:
    embedding = reads_embedding(network)
    passed = (tensor for tensor in network.tensors if is_read(tensor, embedding=embedding))
    read = (tensor for tensor in passed if head or tensor.role not in _ENDS)
    packed = network.parameters / max(1, sum(tensor.numbers for tensor in network.tensors))
    numbers = sum(tensor.numbers * (share if is_routed(tensor) else 1.0) for tensor in read)
    return max(1.0, numbers * max(1.0, packed))
