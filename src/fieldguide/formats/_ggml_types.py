"""Element types and file types of GGUF, as numbered by ggml.

References:
    `enum ggml_type`, `GGML_QUANT_SIZES` and `LlamaFileType` of llama.cpp and its Python package `gguf` 0.19.0 (MIT).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GgmlType:
    """How a type stores its elements."""

    name: str
    block_elements: int
    block_bytes: int


GGML_TYPES: dict[int, GgmlType] = {
    0: GgmlType("F32", 1, 4),
    1: GgmlType("F16", 1, 2),
    2: GgmlType("Q4_0", 32, 18),
    3: GgmlType("Q4_1", 32, 20),
    6: GgmlType("Q5_0", 32, 22),
    7: GgmlType("Q5_1", 32, 24),
    8: GgmlType("Q8_0", 32, 34),
    9: GgmlType("Q8_1", 32, 40),
    10: GgmlType("Q2_K", 256, 84),
    11: GgmlType("Q3_K", 256, 110),
    12: GgmlType("Q4_K", 256, 144),
    13: GgmlType("Q5_K", 256, 176),
    14: GgmlType("Q6_K", 256, 210),
    15: GgmlType("Q8_K", 256, 292),
    16: GgmlType("IQ2_XXS", 256, 66),
    17: GgmlType("IQ2_XS", 256, 74),
    18: GgmlType("IQ3_XXS", 256, 98),
    19: GgmlType("IQ1_S", 256, 50),
    20: GgmlType("IQ4_NL", 32, 18),
    21: GgmlType("IQ3_S", 256, 110),
    22: GgmlType("IQ2_S", 256, 82),
    23: GgmlType("IQ4_XS", 256, 136),
    24: GgmlType("I8", 1, 1),
    25: GgmlType("I16", 1, 2),
    26: GgmlType("I32", 1, 4),
    27: GgmlType("I64", 1, 8),
    28: GgmlType("F64", 1, 8),
    29: GgmlType("IQ1_M", 256, 56),
    30: GgmlType("BF16", 1, 2),
    34: GgmlType("TQ1_0", 256, 54),
    35: GgmlType("TQ2_0", 256, 66),
    39: GgmlType("MXFP4", 32, 17),
    40: GgmlType("NVFP4", 64, 36),
    41: GgmlType("Q1_0", 128, 18),
}

RETIRED_TYPES = {4: "Q4_2", 5: "Q4_3", 31: "Q4_0_4_4", 32: "Q4_0_4_8", 33: "Q4_0_8_8"} | {
    36: "IQ4_NL_4_4", 37: "IQ4_NL_4_8", 38: "IQ4_NL_8_8"
}  # fmt: skip
"""Numbers that ggml once gave out and no longer reads."""


@dataclass(frozen=True, slots=True)
class FileType:
    """What `general.file_type` says: the name of a recipe, and the type that most of its matrices are stored in."""

    name: str
    main: frozenset[str]


def _file_type(name: str, *main: str) -> FileType:
    return FileType(name, frozenset(main or (name,)))


FILE_TYPES: dict[int, FileType] = {
    0: _file_type("F32"),
    1: _file_type("F16"),
    2: _file_type("Q4_0"),
    3: _file_type("Q4_1"),
    7: _file_type("Q8_0"),
    8: _file_type("Q5_0"),
    9: _file_type("Q5_1"),
    10: _file_type("Q2_K"),
    11: _file_type("Q3_K_S", "Q3_K"),
    12: _file_type("Q3_K_M", "Q3_K"),
    13: _file_type("Q3_K_L", "Q3_K"),
    14: _file_type("Q4_K_S", "Q4_K"),
    15: _file_type("Q4_K_M", "Q4_K"),
    16: _file_type("Q5_K_S", "Q5_K"),
    17: _file_type("Q5_K_M", "Q5_K"),
    18: _file_type("Q6_K"),
    19: _file_type("IQ2_XXS"),
    20: _file_type("IQ2_XS"),
    21: _file_type("Q2_K_S", "Q2_K"),
    22: _file_type("IQ3_XS", "IQ3_S", "IQ3_XXS"),
    23: _file_type("IQ3_XXS"),
    24: _file_type("IQ1_S"),
    25: _file_type("IQ4_NL"),
    26: _file_type("IQ3_S"),
    27: _file_type("IQ3_M", "IQ3_S"),
    28: _file_type("IQ2_S", "IQ2_XS", "IQ2_S"),
    29: _file_type("IQ2_M", "IQ2_S"),
    30: _file_type("IQ4_XS"),
    31: _file_type("IQ1_M"),
    32: _file_type("BF16"),
    36: _file_type("TQ1_0"),
    37: _file_type("TQ2_0"),
    38: _file_type("MXFP4_MOE", "MXFP4"),
    39: _file_type("NVFP4"),
    40: _file_type("Q1_0"),
}

_GUESSED = 1024
"""A bit of the file type: llama.cpp guessed it."""

FALLBACKS = {
    "Q2_K": "Q4_0", "Q3_K": "IQ4_NL", "Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0", "IQ4_XS": "IQ4_NL",
    "IQ1_S": "IQ4_NL", "IQ1_M": "IQ4_NL", "IQ2_XXS": "IQ4_NL", "IQ2_XS": "IQ4_NL", "IQ2_S": "IQ4_NL",
    "IQ3_XXS": "IQ4_NL", "IQ3_S": "IQ4_NL", "TQ1_0": "Q4_0", "TQ2_0": "Q4_0",
}  # fmt: skip
"""What llama.cpp's quantizer takes where rows are no multiple of 256 (`tensor_type_fallback`)."""


def file_type(number: int | None) -> FileType | None:
    """Return what a file type means, or None where nobody gave out the number."""
    return None if number is None else FILE_TYPES.get(number & ~_GUESSED)
