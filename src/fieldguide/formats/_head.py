"""Is the output layer the embedding again? It must not be counted twice, and files differ in how they store it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fieldguide.formats._model import TiedHead
from fieldguide.formats._source import ByteSource, read_exactly
from fieldguide.formats._tensor import TensorInfo

_EMBEDDINGS = (
    "token_embd.weight", "embed_tokens.weight", "wte.weight", "word_embeddings.weight", "tok_embeddings.weight",
    "embed_in.weight", "shared.weight",
)  # fmt: skip
_HEADS = ("lm_head.weight", "embed_out.weight", "output.weight")
_SAMPLES = 8
_SAMPLE_BYTES = 4096


def tied_head(
    tensors: Sequence[TensorInfo],
    sources: Mapping[str, ByteSource],
    *,
    stated: bool | None,
    always: bool,
    headless: bool,
) -> TiedHead:
    """Return whether the head is tied.

    A stored head is a copy of the embedding if the configuration says that the two are tied; or, where it says
    nothing, if shape, type, and 8 samples of 4 KiB of their bytes are equal. Other tensors are never compared.

    Args:
        tensors: Of all files.
        sources: By the names that the tensors bear as `file`.
        stated: What `tie_word_embeddings` says.
        always: Whether every network of this family is tied.
        headless: Whether networks of this family have no output layer at all.
    """
    embedding, head = _find(tensors, _EMBEDDINGS), _find(tensors, _HEADS)
    if embedding is None or headless:
        return _without(None, "nothing")
    if head is None:
        if stated is None:
            return _without(True, "architecture" if always else "no output layer")
        return _without(stated, "config.json")
    if head.shape != embedding.shape or head.parameters != embedding.parameters:
        return _without(False, "unequal shape or type")
    copied = head.parameters or 0
    if stated is not None:
        return TiedHead(
            tied=stated, stored_twice=stated, copy_parameters=copied if stated else 0, known_by="config.json"
        )
    if always:
        return TiedHead(tied=True, stored_twice=True, copy_parameters=copied, known_by="architecture")
    if head.type != embedding.type or head.bytes != embedding.bytes:
        return _without(False, "unequal shape or type")
    if _same_bytes(sources[embedding.file], embedding, sources[head.file], head):
        return TiedHead(tied=True, stored_twice=True, copy_parameters=copied, known_by="equal bytes")
    return _without(False, "unequal bytes")


def _without(tied: bool | None, known_by: str) -> TiedHead:
    return TiedHead(tied=tied, stored_twice=False, copy_parameters=0, known_by=known_by)


def _find(tensors: Sequence[TensorInfo], endings: Sequence[str]) -> TensorInfo | None:
    """Return the first matrix whose whole name, or its end after a dot, is one of `endings`."""
    for ending in endings:
        for tensor in tensors:
            if len(tensor.shape) == 2 and (tensor.name == ending or tensor.name.endswith("." + ending)):
                return None if ending == "output.weight" and tensor.name != ending else tensor
    return None


def _same_bytes(one: ByteSource, first: TensorInfo, other: ByteSource, second: TensorInfo) -> bool:
    last = max(first.bytes - _SAMPLE_BYTES, 0)
    length = min(_SAMPLE_BYTES, first.bytes)
    starts = sorted({last * index // (_SAMPLES - 1) for index in range(_SAMPLES)})
    return all(
        read_exactly(one, first.offset + start, length) == read_exactly(other, second.offset + start, length)
        for start in starts
    )
