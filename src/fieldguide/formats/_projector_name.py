"""Which model a projector is of, by the names that publishers give to files."""

from __future__ import annotations

import re
from pathlib import PurePath

_BETWEEN = re.compile(r"[^a-z0-9]+")
_FORM = re.compile(
    r"(?<![a-z0-9])(?:ud[-_.])?(?:i?q\d(?:_(?:\d|k|s|m|l|xs|xl|xxs|nl))*|tq\d_\d|mxfp4|bf16|fp?16|fp?32)(?![a-z0-9])"
    r"|-\d{5}-of-\d{5}$"
)
"""What of a file's name says how it is stored and not what it is: `Q4_K_M`, `f16`, the number of a part."""
_EVERY = frozenset({"", "mmproj", "model", "gguf", "ggml"})


def is_projector(path: str | PurePath) -> bool:
    """Whether a file is called a projector: the part of a model that looks or listens, and no model by itself."""
    return "mmproj" in PurePath(path).name.lower()


def model_words(path: str | PurePath) -> frozenset[str]:
    """Return the words of a file's name that say which model it is of; none of one such as `mmproj-model-f16.gguf`."""
    name = _FORM.sub("-", PurePath(path).stem.lower().replace("mmproj", "-"))
    return frozenset(_BETWEEN.split(name)) - _EVERY


def projector_suits(projector: str | PurePath, model: str | PurePath) -> bool:
    """Whether a projector's name is one of this model or of no model at all."""
    return model_words(projector) <= model_words(model)


def projector_rank(projector: str | PurePath, model: str | PurePath) -> tuple[int, int, str]:
    """Return how well a projector suits a model, to choose among several: by its name, and then 16 bits first."""
    name = PurePath(projector).name
    lower = name.lower()
    precision = next((rank for rank, word in ((2, "bf16"), (3, "16"), (1, "q8")) if word in lower), 0)
    return len(model_words(projector) & model_words(model)), precision, name
