"""What pictures become and add: bounds that hold for every size, and the arithmetic of a whole prompt."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fieldguide.domain import ImageRule, Tower, network_of
from fieldguide.errors import UsageError
from fieldguide.planner import (
    Workload,
    engine_named,
    image_load,
    image_tokens,
    kv_cache_bytes,
    memory_plan,
    rule_in_engine,
    with_images,
)
from tests.unit.domain.test_layer_cache import shape

_QWEN = ImageRule(scheme="multiple", patch=14, merge=2, least_pixels=3136, most_pixels=1_003_520, markers=2)
_RULES = (
    _QWEN,
    ImageRule(scheme="square", patch=14, merge=4, side=896, markers=4),
    ImageRule(scheme="budget", patch=16, merge=3, most_tokens=280, markers=2),
    ImageRule(scheme="rows", patch=14, merge=2, longest_edge=1540),
    ImageRule(scheme="split", patch=16, merge=4, side=512, longest_edge=2048),
    ImageRule(scheme="unpadded", patch=14, side=336, canvases=((2, 1), (1, 2), (2, 2), (1, 3), (3, 1))),
    ImageRule(scheme="closest-ratio", patch=14, merge=2, side=448, most_tiles=12, markers=2),
    ImageRule(scheme="canvas", patch=14, merge=2, side=336, most_tiles=16, markers=3),
    ImageRule(scheme="cross", patch=14, side=560, most_tiles=4, markers=1),
)
_sides = st.integers(1, 20_000)


@example(rule=_RULES[3], width=4002, height=1)
@given(rule=st.sampled_from(_RULES), width=_sides, height=_sides)
def test_any_picture_becomes_a_bounded_number_of_tokens_or_is_refused(rule: ImageRule, width: int, height: int) -> None:
    """No size, however odd, makes none or millions; whole patches are merged into whole tokens."""
    try:
        made = image_tokens(rule, width_px=width, height_px=height)
    except UsageError:
        assert rule.scheme in ("multiple", "rows")
        assert max(width, height) > (200 if rule.scheme == "multiple" else 1540) * min(width, height)
        return
    assert 1 <= made.tokens <= 6000
    assert made.patches >= 1
    assert made.patches % made.tiles == 0
    assert made.width_px % rule.patch == made.height_px % rule.patch == 0
    assert (made.cross_tokens > 0) == (rule.scheme == "cross")


@given(width=_sides, height=_sides)
def test_the_area_of_a_resized_picture_stays_between_its_bounds(width: int, height: int) -> None:
    """Both of Qwen's, and those that llama.cpp sets in their place."""
    if max(width, height) > 200 * min(width, height):
        return
    for rule in (_QWEN, rule_in_engine(_QWEN, "llama.cpp")[0]):
        made = image_tokens(rule, width_px=width, height_px=height)
        area = made.width_px * made.height_px
        thin = min(made.width_px, made.height_px) == 28  # a row of one square is never shrunk away
        assert (rule.least_pixels or 0) <= area <= (rule.most_pixels or 0) or thin


@pytest.mark.parametrize(("width", "height"), [(0, 10), (10, -1), (1 << 20, 10)])
def test_a_picture_without_a_possible_side_is_refused(width: int, height: int) -> None:
    """The side is named."""
    with pytest.raises(UsageError, match="pixels"):
        image_tokens(_QWEN, width_px=width, height_px=height)


@pytest.mark.parametrize("changes", [{"scheme": "rows"}, {"scheme": "square"}, {"scheme": "multiple", "side": 1}])
def test_a_rule_without_the_numbers_of_its_scheme_is_refused(changes: dict[str, Any]) -> None:
    """Unknown is not zero."""
    with pytest.raises(ValueError, match="needs"):
        ImageRule(patch=14, **changes)


def test_only_qwen_is_held_otherwise_by_llama_cpp() -> None:
    """Other engines and other schemes keep the model's own numbers."""
    assert rule_in_engine(_QWEN, "vllm") == (_QWEN, None)
    assert all(rule_in_engine(rule, "llama.cpp") == (rule, None) for rule in _RULES[1:])


def test_pictures_fill_the_cache_as_so_many_tokens_do() -> None:
    """Windows that are full grow no more."""
    network = network_of(shape(sliding_window=100, global_layer_every=4), name="net", source="test")
    each = image_tokens(_QWEN, width_px=1024, height_px=768)
    load = image_load(network, each, 3)
    assert load.tokens == 3 * each.tokens
    assert load.kv_cache_bytes == kv_cache_bytes(network, context_tokens=load.tokens)
    assert load.kv_cache_bytes < 3 * image_load(network, each, 1).kv_cache_bytes
    assert load.encoder_flop == 0  # nothing is known of an encoder
    assert load.decoder_flop > 0


def test_crossing_layers_keep_every_picture_and_a_plan_counts_them() -> None:
    """Two pictures are two times 6,404 tokens in each of them, and hardly any in the prompt."""
    crossing = shape(cross_layers=(3, 8), cross_tokens=6404)
    network = network_of(crossing, name="net", source="test")
    each = image_tokens(_RULES[-1], width_px=800, height_px=600)
    seen = with_images(network, each, 2)
    assert {cache.fixed_tokens for cache in seen.caches} == {None, 12808}
    added = kv_cache_bytes(seen, context_tokens=500) - kv_cache_bytes(network, context_tokens=500)
    assert added == 2 * 6404 * 2 * 128 * 2
    assert image_load(network, each, 2).kv_cache_bytes == 2 * added + kv_cache_bytes(
        network_of(shape(layers=10), name="net", source="test"), context_tokens=2
    )


def test_the_room_of_an_encoder_is_a_term_of_the_plan() -> None:
    """From nothing to all scores of one tile; its arithmetic is twice its weights for each patch, and the scores."""
    tower = Tower(kind="clip", layers=2, hidden=64, ffn=128, patch=14, positions=577)
    network = network_of(shape(towers=(tower,)), name="net", source="test")
    each = image_tokens(_RULES[5], width_px=672, height_px=672)
    plan = memory_plan(network, "F16", engine_named("llama.cpp"), Workload(context_tokens=4096), images=each)
    room = next(term for term in plan.engine_terms if term.name == "picture encoder")
    assert (room.low_bytes, room.bytes) == (0, 4 * 576 * (128 + 6 * 64))
    assert room.high_bytes == room.bytes + 4 * 576**2
    scores = 4 * 5 * 576**2 * 64 * 2
    assert image_load(network, each, 1).encoder_flop == 2 * network.tower_parameters * 5 * 576 + scores
