"""What a step of a planned network moves and multiplies: from tensors and caches to the terms of its speed."""

from __future__ import annotations

from fieldguide.domain import Network
from fieldguide.planner._kv_cache import kv_cache_bytes
from fieldguide.planner._speed_load import DecodeLoad, layer_cost_of
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
        vocabulary=network.vocabulary or None,
        expert_bytes=routed * share,
        experts=network.experts,
        experts_per_token=network.experts_per_token,
    )


def prompt_parameters(network: Network) -> float:
    """Return the weights that every token of a prompt passes: no embedding and no head, which only the last needs."""
    return _passed(network, expert_share(network), head=False)


def _passed(network: Network, share: float, *, head: bool) -> float:
    embedding = reads_embedding(network)
    passed = (tensor for tensor in network.tensors if is_read(tensor, embedding=embedding))
    read = (tensor for tensor in passed if head or tensor.role not in _ENDS)
    packed = network.parameters / max(1, sum(tensor.numbers for tensor in network.tensors))
    numbers = sum(tensor.numbers * (share if is_routed(tensor) else 1.0) for tensor in read)
    return max(1.0, numbers * max(1.0, packed))
