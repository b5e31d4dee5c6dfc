"""Tokens of pictures against the models' own processors, and against what servers were seen to count.

The table is what the code of transformers 5.24 gives (Apache-2.0): `smart_resize` of Qwen2-VL,
`get_aspect_ratio_preserving_size` of Gemma 4, `get_resize_output_image_size` of Pixtral, `resize` and `split_images` of
Idefics 3, `_get_number_of_features` of LLaVA-NeXT, `get_optimal_tiled_canvas` of GOT-OCR 2 (InternVL) and Mllama,
`get_best_fit` of Llama 4, each with the tokens that its processor puts around. The same code and ours were compared
once on 7,500 sizes from 1 to 20,000 pixels for each of the twelve rules: no count differed.
"""

from __future__ import annotations

import pytest

from fieldguide.catalogue import families
from fieldguide.domain import ImageRule
from fieldguide.planner import image_tokens, rule_in_engine

_SIZES = (
    (1, 1), (13, 9), (28, 28), (56, 2000), (100, 30), (224, 224), (336, 672), (364, 365), (448, 300), (512, 512),
    (640, 480), (768, 1365), (800, 600), (1000, 1000), (1024, 768), (1080, 1920), (1536, 1152), (1920, 1080),
    (2480, 3508), (3000, 200), (4000, 3000), (4096, 4096), (8000, 6000), (150, 10),
)  # fmt: skip

_OF_CATALOGUE = {
    "qwen2-vl-7b-instruct": (
        6, 8, 6, 144, 6, 66, 290, 171, 178, 326, 393, 1325, 611, 1298, 1001, 2693, 2257, 2693, 11127, 751, 15303, 16386,
        16172, 10,
    ),
    "qwen3.6-27b": (
        66, 72, 66, 126, 77, 66, 212, 123, 128, 258, 302, 1034, 477, 963, 770, 2042, 1730, 2042, 8582, 566, 11752,
        16386,
        16172, 95,
    ),
    "gemma-4-31b-it": (
        258, 262, 258, 202, 272, 258, 255, 258, 262, 258, 268, 266, 268, 258, 268, 266, 268, 266, 268, 258, 268, 258,
        268, 258,
    ),
    "pixtral-12b-2409": (
        2, 2, 6, 192, 16, 210, 924, 552, 551, 1056, 1230, 2368, 1938, 4032, 3120, 2368, 3120, 2340, 3008, 325,
        3120, 4160,
        3120, 11,
    ),
    "mistral-small-3.1-24b-instruct-2503": (
        2, 2, 2, 165, 10, 72, 312, 196, 187, 380, 432, 1421, 660, 1332, 1064, 1760, 2352, 1736, 2200, 224, 2352, 3080,
        2352, 7,
    ),
    "llama-4-scout": (
        147, 147, 147, 1017, 147, 147, 437, 727, 437, 727, 727, 2322, 1017, 1452, 1887, 2322, 1887, 2322, 2322, 1452,
        1887, 2467, 1887, 147,
    ),
    "gemma-3-4b-it": (260,) * len(_SIZES),
}  # fmt: skip
"""By a model whose rule stands in the catalogue; Gemma 3 has 256 tokens, two marks and two line breaks for any size."""

_OTHERS = (
    (
        ImageRule(scheme="split", patch=14, side=364, longest_edge=1456, tokens_per_tile=169),  # Idefics 3
        (
            2912, 2227, 2912, 860, 1542, 2912, 1544, 2912, 2227, 2912, 2227, 2228, 2227, 2912, 2227, 2228, 2227, 2227,
            2228, 857, 2227, 2912, 2227, 857,
        ),
    ),
    (
        ImageRule(scheme="split", patch=14, side=384, longest_edge=1536, tokens_per_tile=81),  # SmolVLM
        (
            1416, 1083, 1416, 420, 750, 1416, 752, 1416, 1083, 1416, 1083, 1084, 1083, 1416, 1083, 1084, 1083,
            1083, 1084,
            417, 1083, 1416, 1083, 417,
        ),
    ),
    (
        ImageRule(scheme="split", patch=16, merge=4, side=512, longest_edge=2048),  # SmolVLM2 of 256 and 500 million
        (
            1127, 862, 1127, 335, 597, 1127, 599, 1127, 862, 1127, 862, 863, 862, 1127, 862, 863, 862, 862, 863,
            332, 862,
            1127, 862, 332,
        ),
    ),
    (
        # LLaVA-NeXT
        ImageRule(scheme="unpadded", patch=14, side=336, canvases=((2, 1), (1, 2), (2, 2), (1, 3), (3, 1))),
        (
            1176, 1416, 1176, 792, 1262, 1176, 1776, 2928, 1464, 2928, 2340, 1968, 2340, 2928, 2340, 1968, 2340, 1948,
            2256, 868, 2340, 2928, 2340, 772,
        ),
    ),
    (
        ImageRule(scheme="closest-ratio", patch=14, merge=2, side=448, most_tiles=12, markers=2),  # InternVL 2.5 and 3
        (
            258, 1794, 258, 3330, 1026, 258, 770, 258, 1794, 258, 3330, 2306, 3330, 2562, 3330, 2306, 3330, 2306, 1794,
            3330, 3330, 2562, 3330, 3330,
        ),
    ),
)  # fmt: skip

_TILES_OF_MLLAMA = (
    (1, 1), (1, 1), (1, 1), (1, 4), (1, 1), (1, 1), (1, 2), (1, 1), (1, 1), (1, 1), (2, 1), (2, 2), (2, 2), (2, 2),
    (2, 2), (2, 2), (2, 2), (2, 2), (2, 2), (4, 1), (2, 2), (2, 2), (2, 2), (1, 1),
)  # fmt: skip


def _rule(name: str) -> ImageRule:
    for family in families().families:
        for size in family.sizes:
            if size.images is not None and any(member.name == name for member in size.members):
                return size.images.value
    raise AssertionError(f"{name} has no rule in the catalogue")


def _counts(rule: ImageRule) -> tuple[int, ...]:
    return tuple(image_tokens(rule, width_px=width, height_px=height).tokens for width, height in _SIZES)


@pytest.mark.parametrize("name", _OF_CATALOGUE)
def test_rules_of_the_catalogue_give_the_counts_of_the_models_own_processors(name: str) -> None:
    """For 24 sizes, from one pixel to 48 million, marks and separators included."""
    assert _counts(_rule(name)) == _OF_CATALOGUE[name]


@pytest.mark.parametrize(("rule", "counts"), _OTHERS, ids=lambda value: getattr(value, "scheme", None))
def test_rules_of_other_models_give_the_counts_of_their_processors(rule: ImageRule, counts: tuple[int, ...]) -> None:
    """Schemes that a file of one's own may have, although no model of the catalogue has them yet."""
    assert _counts(rule) == counts


def test_llama_3_2_vision_chooses_the_tiles_of_its_processor_and_keeps_four_of_them() -> None:
    """Its prompt has one token for a picture; 6,404 stand beside it: four tiles of 1,600 patches and a class each."""
    made = [image_tokens(_rule("llama-3.2-11b-vision-instruct"), width_px=w, height_px=h) for w, h in _SIZES]
    assert tuple((each.width_px // 560, each.height_px // 560) for each in made) == _TILES_OF_MLLAMA
    assert {(each.tokens, each.cross_tokens) for each in made} == {(1, 4 * 1601)}


def test_qwen_is_met_where_servers_were_seen_to_count_prompt_tokens() -> None:
    """Tokens of a picture that two servers reported for Qwen 3.5, as a public table of measurements has them.

    With the model's own bounds: MLX. With llama.cpp's 4,096 tokens: 3072x1728 becomes 85 x 48 and not 96 x 54.
    """
    rule = _rule("qwen3.5-9b")
    ladder = ((256, 144), (512, 288), (1024, 576), (2048, 1152), (3072, 1728))
    assert [image_tokens(rule, width_px=w, height_px=h).tokens for w, h in ladder] == [68, 146, 578, 2306, 5186]
    held, said = rule_in_engine(rule, "llama.cpp")
    assert said is not None
    assert [image_tokens(held, width_px=w, height_px=h).tokens for w, h in ladder[-2:]] == [2306, 4082]
