"""What pictures add to a prompt: tokens, cache, arithmetic, and the room that their encoder works in."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fieldguide.domain import Network, Tower
from fieldguide.planner._image_tokens import ImageTokens
from fieldguide.planner._kv_cache import kv_cache_bytes
from fieldguide.planner._load_of_network import prompt_parameters
from fieldguide.planner._memory_term import MemoryTerm, term

_HEAD_DIM = 64
"""Width of a head of an encoder, of which all known ones have 64 to 88: the narrowest makes the most scores."""
_LIVE = 6
"""Rows as wide as the encoder that are held at once beside the feed-forward block: input, norm, queries, keys, values,
output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLoad:
    """So many pictures of one size in the prompt of one sequence."""

    count: int
    each: ImageTokens
    tokens: int
    """Of all of them, in the prompt."""
    kv_cache_bytes: int
    """Part of the cache that they fill: of the text's layers, and of those that attend to pictures from beside."""
    encoder_flop: float
    """Arithmetic of the encoder, for all of them; scores of whole tiles, which encoders with windows have fewer of."""
    decoder_flop: float
    """Arithmetic of passing their tokens through the decoder, scores left out."""


def image_load(network: Network, each: ImageTokens, count: int, *, kv_type: str = "F16") -> ImageLoad:
    """Return what `count` pictures add to a prompt.

    Args:
        network: The model; one without the shape of its encoder has that part of the arithmetic from its weights alone.
        each: What one picture becomes.
        count: Pictures (> 0).
        kv_type: Element type of the cache.
    """
    tokens = count * each.tokens
    seen = with_images(network, each, count)
    beside = replace(seen, caches=tuple(cache for cache in seen.caches if cache.fixed_tokens is not None))
    text = replace(network, caches=tuple(cache for cache in network.caches if cache.fixed_tokens is None))
    filled = kv_cache_bytes(text, context_tokens=tokens, key_type=kv_type) - kv_cache_bytes(
        text, context_tokens=0, key_type=kv_type
    )
    return ImageLoad(
        count=count,
        each=each,
        tokens=tokens,
        kv_cache_bytes=filled + kv_cache_bytes(beside, context_tokens=0, key_type=kv_type),
        encoder_flop=count * _encoder_flop(network, each),
        decoder_flop=2.0 * prompt_parameters(network) * tokens,
    )


def with_images(network: Network, each: ImageTokens, count: int) -> Network:
    """Return a network whose layers of cross-attention keep what so many pictures become; every other stays."""
    if not each.cross_tokens:
        return network
    kept = count * each.cross_tokens
    caches = (cache if cache.fixed_tokens is None else replace(cache, fixed_tokens=kept) for cache in network.caches)
    return replace(network, caches=tuple(caches))


def image_encoder_term(network: Network, each: ImageTokens) -> MemoryTerm | None:
    """Return the room that the encoder works in, one tile at a time; None where its shape is not known.

    Low is nothing (no picture came yet), high counts the scores of all patches with all, which engines with flash
    attention do not hold.
    """
    tower = _encoder(network)
    if tower is None or tower.hidden is None or tower.ffn is None:
        return None
    patches = each.patches // each.tiles
    likely = 4 * patches * (tower.ffn + _LIVE * tower.hidden)
    scores = 4 * patches**2 * max(1, tower.hidden // _HEAD_DIM)
    return term(
        "picture encoder",
        likely,
        low=0,
        high=likely + scores,
        formula="4 bytes x patches of a tile x (ffn + 6 x hidden); at most the scores of heads x patches^2 more",
        inputs={"patches": patches, "ffn": tower.ffn, "hidden": tower.hidden},
        source="form of a transformer layer; not fitted",
    )


def _encoder(network: Network) -> Tower | None:
    return next((tower for tower in network.towers if tower.modality == "image"), None)


def _encoder_flop(network: Network, each: ImageTokens) -> float:
    """Return 2 x weights x patches, and 4 x patches^2 of a tile x width for the scores of each layer."""
    tower = _encoder(network)
    weights = network.tower_parameters if tower is None else network.encoder_parameters(tower)
    flop = 2.0 * weights * each.patches
    if tower is not None and tower.layers is not None and tower.hidden is not None:
        patches = each.patches / each.tiles
        flop += 4.0 * each.tiles * patches**2 * tower.hidden * tower.layers
    return flop
