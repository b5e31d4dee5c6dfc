"""How many bytes numbers take: ggml's block types and the plain types of other engines."""

from __future__ import annotations

from fieldguide.errors import UnknownNameError

_BLOCKS: dict[str, tuple[int, int]] = {
    "F32": (1, 4),
    "F16": (1, 2),
    "BF16": (1, 2),
    "F64": (1, 8),
    "I8": (1, 1),
    "I16": (1, 2),
    "I32": (1, 4),
    "I64": (1, 8),
    "Q4_0": (32, 18),
    "Q4_1": (32, 20),
    "Q5_0": (32, 22),
    "Q5_1": (32, 24),
    "Q8_0": (32, 34),
    "Q8_1": (32, 40),
    "Q2_K": (256, 84),
    "Q3_K": (256, 110),
    "Q4_K": (256, 144),
    "Q5_K": (256, 176),
    "Q6_K": (256, 210),
    "Q8_K": (256, 292),
    "IQ1_S": (256, 50),
    "IQ1_M": (256, 56),
    "IQ2_XXS": (256, 66),
    "IQ2_XS": (256, 74),
    "IQ2_S": (256, 82),
    "IQ3_XXS": (256, 98),
    "IQ3_S": (256, 110),
    "IQ4_NL": (32, 18),
    "IQ4_XS": (256, 136),
    "TQ1_0": (256, 54),
    "TQ2_0": (256, 66),
    "MXFP4": (32, 17),
    "NVFP4": (64, 36),
    "Q1_0": (128, 18),
    "FP8": (1, 1),
}
"""Numbers in a block and bytes of a block, scales included.

Source: `gguf.constants.GGML_QUANT_SIZES` of the package gguf 0.19.0 (MIT); FP8 is one byte by definition.
"""

_OTHER_NAMES = {"FP32": "F32", "FP16": "F16", "FLOAT16": "F16", "BFLOAT16": "BF16", "FLOAT32": "F32"}
_OTHER_NAMES |= {"FP8_E4M3": "FP8", "FP8_E5M2": "FP8", "INT8": "I8", "AUTO": "F16"}
_OTHER_NAMES |= {"F8_E4M3": "FP8", "F8_E5M2": "FP8", "F8_E8M0": "FP8", "U8": "I8", "BOOL": "I8", "U16": "I16"}
_OTHER_NAMES |= {"U32": "I32", "U64": "I64"}


def block_type(name: str) -> str:
    """Return the name under which a type is known here; case does not matter.

    Raises:
        UnknownNameError: There is no such type.
    """
    folded = name.upper().replace("-", "_")
    folded = _OTHER_NAMES.get(folded, folded)
    if folded not in _BLOCKS:
        raise UnknownNameError("type of numbers", name, [], hint=f"Known: {', '.join(sorted(_BLOCKS))}.")
    return folded


def block_of(name: str) -> tuple[int, int]:
    """Return how many numbers a block of a type holds, and its bytes."""
    return _BLOCKS[block_type(name)]


def row_bytes(numbers: int, name: str) -> int:
    """Return the bytes of a row of numbers; a row that ends within a block takes the whole block."""
    block, block_bytes = block_of(name)
    return -(-numbers // block) * block_bytes
