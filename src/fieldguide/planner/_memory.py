"""Weights, cache and engine: what a model needs, each term with its formula."""

from __future__ import annotations

from dataclasses import dataclass

from fieldguide.domain import Network
from fieldguide.planner._engines import Engine
from fieldguide.planner._image_tokens import ImageTokens
from fieldguide.planner._images import image_encoder_term
from fieldguide.planner._kv_cache import bytes_per_token, kv_cache_bytes
from fieldguide.planner._memory_term import MemoryTerm, term
from fieldguide.planner._projector import Projector, projector_terms
from fieldguide.planner._weights import Weights, weights_of
from fieldguide.planner._workload import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """A LoRA adapter: two thin matrices beside each that it adapts."""

    rank: int
    roles: tuple[str, ...] = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPlan:
    """What one network needs in one engine. Bytes are over all devices together."""

    network: Network
    engine: Engine
    work: Workload
    weights_in: Weights
    weights: MemoryTerm
    kv_cache: MemoryTerm
    engine_terms: tuple[MemoryTerm, ...]
    adapter: Adapter | None = None
    """Counted among the engine's terms."""
    images: ImageTokens | None = None
    """What a picture becomes, where some are in the prompt; the room of their encoder is among the engine's terms."""
    projector: Projector | None = None
    """Of a file apart; counted among the engine's terms."""

    @property
    def engine_bytes(self) -> int:
        """Likely bytes of the engine's own."""
        return sum(each.bytes for each in self.engine_terms)

    @property
    def terms(self) -> tuple[MemoryTerm, ...]:
        """All terms, weights first."""
        return (self.weights, self.kv_cache, *self.engine_terms)

    @property
    def total_bytes(self) -> int:
        """Likely bytes of all."""
        return sum(each.bytes for each in self.terms)

    @property
    def total_low_bytes(self) -> int:
        """Least bytes of all."""
        return sum(each.low_bytes for each in self.terms)

    @property
    def total_high_bytes(self) -> int:
        """Most bytes of all."""
        return sum(each.high_bytes for each in self.terms)

    @property
    def per_device_bytes(self) -> int:
        """Likely bytes of one device, where all hold alike shares."""
        return -(-self.total_bytes // self.work.devices)

    def changed(
        self, *, network: Network | None = None, quantization: str | None = None, work: Workload | None = None
    ) -> MemoryPlan:
        """Return the plan with one thing or more in another way, and everything beside it as it is."""
        return memory_plan(
            network or self.network,
            quantization or self.weights_in.quantization,
            self.engine,
            work or self.work,
            adapter=self.adapter,
            images=self.images,
            projector=self.projector,
        )


def memory_plan(
    network: Network,
    quantization: str,
    engine: Engine,
    work: Workload,
    *,
    adapter: Adapter | None = None,
    images: ImageTokens | None = None,
    projector: Projector | None = None,
) -> MemoryPlan:
    """Return what a network needs, in a quantization, run by an engine, under a workload.

    `images` is what a picture of the prompt becomes: its encoder then needs room, beside the tokens that the workload's
    context already counts. A `projector` from a file of its own brings its weights, and that room with them.

    Raises:
        UnknownNameError: There is no such quantization or type of cache.
        UsageError: The tensors of the network are not known.
    """
    weights = weights_of(network, quantization)
    engine_terms = engine.terms(network, weights, work)
    if adapter is not None:
        engine_terms = (_adapter(network, adapter), *engine_terms)
    if projector is not None:
        engine_terms = (*engine_terms, *projector_terms(projector))
    elif images is not None and (encoder := image_encoder_term(network, images)) is not None:
        engine_terms = (*engine_terms, encoder)
    return MemoryPlan(
        network=network,
        engine=engine,
        work=work,
        weights_in=weights,
        weights=_weights(network, weights),
        kv_cache=_cache(network, engine, work),
        engine_terms=engine_terms,
        adapter=adapter,
        images=images,
        projector=projector,
    )


def _weights(network: Network, weights: Weights) -> MemoryTerm:
    by_type = ", ".join(f"{name} {size:,}" for name, size in weights.bytes_by_type.items())
    exact = network.stored_quantization is not None
    return term(
        "weights",
        weights.total_bytes,
        formula="sum over tensors of rows x blocks per row x bytes per block",
        inputs={"parameters": network.parameters, "quantization": weights.quantization, "bytes_by_type": by_type},
        source=network.source if exact else f"{network.source}; types by llama.cpp's llama-quant.cpp or the scheme",
    )


def _cache(network: Network, engine: Engine, work: Workload) -> MemoryTerm:
    size = kv_cache_bytes(
        network,
        context_tokens=work.context_tokens,
        sequences=work.sequences,
        key_type=work.kv_type,
        habits=engine.habits,
        devices=work.devices if engine.name in {"vllm", "sglang"} else 1,
    )
    windows = sum(cache.window is not None for cache in network.caches)
    return term(
        "key/value cache",
        size,
        formula="sequences x sum over layers of bytes of a token's keys and values x tokens the layer holds",
        inputs={
            "layers": len(network.caches),
            "layers_with_window": windows,
            "bytes_per_token": bytes_per_token(network, work.kv_type),
            "context_tokens": work.context_tokens,
            "sequences": work.sequences,
            "kv_type": work.kv_type,
        },
        source=network.source,
    )


def _adapter(network: Network, adapter: Adapter) -> MemoryTerm:
    sides = sum(
        (tensor.columns + tensor.rows) * tensor.experts for tensor in network.tensors if tensor.role in adapter.roles
    )
    return term(
        "adapter",
        2 * adapter.rank * sides * adapter.count,
        formula="2 bytes x rank x (columns + rows) of every adapted matrix x adapters",
        inputs={"rank": adapter.rank, "sides": sides, "adapters": adapter.count},
        source="Hu et al. 2021, arXiv:2106.09685",
    )
