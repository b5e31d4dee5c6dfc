"""A network from the header of a GGUF file: exact sizes, and what each layer keeps of the past."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

from fieldguide.domain import LayerCache, Network, Tensor
from fieldguide.errors import InputFileError
from fieldguide.formats import FileSource, GgufArray, GgufHeader, TensorInfo, read_gguf
from fieldguide.planner import row_bytes

Facts: TypeAlias = Mapping[str, object]

_FILE_TYPES = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    7: "Q8_0",
    8: "Q5_0",
    9: "Q5_1",
    10: "Q2_K",
    11: "Q3_K_S",
    12: "Q3_K_M",
    13: "Q3_K_L",
    14: "Q4_K_S",
    15: "Q4_K_M",
    16: "Q5_K_S",
    17: "Q5_K_M",
    18: "Q6_K",
    19: "IQ2_XXS",
    20: "IQ2_XS",
    21: "Q2_K_S",
    22: "IQ3_XS",
    23: "IQ3_XXS",
    24: "IQ1_S",
    25: "IQ4_NL",
    26: "IQ3_S",
    27: "IQ3_M",
    28: "IQ2_S",
    29: "IQ2_M",
    30: "IQ4_XS",
    31: "IQ1_M",
    32: "BF16",
    36: "TQ1_0",
    37: "TQ2_0",
    38: "MXFP4_MOE",
}
"""llama.cpp's numbers of mixtures: include/llama.h, `llama_ftype`."""

_PERIODS = {
    "gemma2": 2,
    "gemma3": 6,
    "gemma3n": 5,
    "gpt-oss": 2,
    "llama4": 4,
    "cohere2": 4,
    "exaone4": 4,
    "olmo2": 4,
    "phi3": None,
}
"""Every how many layers one sees everything, where the header does not say; llama.cpp uses a window in no other
architecture, whatever the header says (`src/models/*.cpp`, `set_swa_pattern`). None: all layers have the window."""

_LLAMA4_CHUNK_TOKENS = 8192
_INTERVALS = {"qwen3next": 4, "qwen35": 4, "qwen35moe": 4}
"""Every how many layers one has attention, where the others keep a state."""


def network_of_file(path: Path) -> Network:
    """Return the network that a GGUF file holds.

    Raises:
        InputFileError: It cannot be read, or lacks the numbers that a plan needs.
        FormatError: It is no whole GGUF header.
    """
    with closing(FileSource(path)) as source:
        header = read_gguf(source)
    return network_of_header(_facts(header), header.tensors, name=path.name)


def _facts(header: GgufHeader) -> Facts:
    """Return the metadata as plain values: lists for arrays that are kept, and the count of others."""
    facts: dict[str, object] = {}
    for key, found in header.metadata.items():
        value = found.value
        if isinstance(value, GgufArray):
            facts[key] = value.count if value.values is None else list(value.values)
        else:
            facts[key] = value
    return facts


def network_of_header(facts: Facts, stored: Iterable[TensorInfo], *, name: str) -> Network:
    """Return the network of a header's facts and tensors.

    Raises:
        InputFileError: A number that a plan needs is missing or absurd.
    """
    header = _Header(facts, name)
    tensors = tuple(_tensor(each, name) for each in stored)
    embedding = next((tensor for tensor in tensors if tensor.role == "token_embd"), None)
    if embedding is None:
        raise InputFileError(name, "holds no language model: it has no token embedding.")
    total = sum(tensor.numbers for tensor in tensors)
    experts, used = header.number("expert_count"), header.number("expert_used_count")
    idle = 0
    if experts and used:
        idle = sum(tensor.numbers for tensor in tensors if tensor.role.endswith("_exps")) * (experts - used) // experts
    kv_heads = [count for count in header.by_layer("attention.head_count_kv", header.heads) if count]
    return Network(
        name=name,
        parameters=total,
        active_parameters=total - idle,
        tensors=tensors,
        caches=tuple(_caches(header)),
        hidden=embedding.columns,
        ffn=_width(header, used or 0),
        heads=header.heads,
        head_dim=header.head_dim,
        kv_heads=min(kv_heads[0] if kv_heads else header.heads, header.heads),
        vocabulary=embedding.rows,
        tied_head=not any(tensor.role == "output" for tensor in tensors),
        layers=header.layers,
        experts=experts,
        experts_per_token=used,
        context_tokens=header.number("context_length"),
        byte_pair_vocabulary=facts.get("tokenizer.ggml.model") == "gpt2",
        stored_quantization=_quantization(facts, tensors),
        source=f"header of {name}",
    )


class _Header:
    """The facts of one architecture, read with bounds."""

    def __init__(self, facts: Facts, name: str) -> None:
        self._facts, self._name = facts, name
        self.architecture = str(facts.get("general.architecture", ""))
        self.layers = self.required("block_count")
        self.heads = max(self.by_layer("attention.head_count", 0), default=0) or 1
        self.hidden = self.required("embedding_length")
        self.head_dim = self.number("attention.key_length") or max(1, self.hidden // self.heads)

    def number(self, key: str) -> int | None:
        value = self._facts.get(f"{self.architecture}.{key}")
        return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31 else None

    def required(self, key: str) -> int:
        value = self.number(key)
        if value is None or (key == "block_count" and value > 4096):
            raise InputFileError(self._name, f"has no usable {self.architecture}.{key} in its header.")
        return value

    def by_layer(self, key: str, default: int) -> list[int]:
        """Return one number per layer, of a list or of one number for all."""
        value = self._facts.get(f"{self.architecture}.{key}", default)
        values = value if isinstance(value, list) else [value] * self.layers
        numbers = [int(each) if isinstance(each, int) and 0 <= each < 2**31 else default for each in values]
        return (numbers + [default] * self.layers)[: self.layers]

    def sees_everything(self) -> list[bool]:
        """Return for each layer whether it looks back at everything."""
        pattern = self._facts.get(f"{self.architecture}.attention.sliding_window_pattern")
        if isinstance(pattern, list):
            return ([not each for each in pattern] + [True] * self.layers)[: self.layers]
        if not isinstance(pattern, int) and self.architecture not in _PERIODS:
            return [True] * self.layers
        period = pattern if isinstance(pattern, int) and pattern > 0 else _PERIODS.get(self.architecture)
        return [period is not None and layer % period == period - 1 for layer in range(self.layers)]

    @property
    def state_numbers(self) -> int:
        """32-bit numbers that a layer without attention keeps: its convolution's tail and its state."""
        inner, size = self.number("ssm.inner_size") or 0, self.number("ssm.state_size") or 0
        groups, kernel = self.number("ssm.group_count") or 0, self.number("ssm.conv_kernel") or 1
        convolution = (kernel - 1) * (inner + 2 * groups * size)
        short = ((self.number("shortconv.l_cache") or 1) - 1) * self.hidden
        return convolution + inner * size + short


def _caches(header: _Header) -> Iterable[LayerCache]:
    """Yield what each layer keeps."""
    rank, rotary = header.number("attention.kv_lora_rank"), header.number("rope.dimension_count") or 0
    window = header.number("attention.sliding_window") or header.number("attention.chunk_size")
    if header.architecture == "llama4":
        window = window or _LLAMA4_CHUNK_TOKENS
    key, value = header.head_dim, header.number("attention.value_length") or header.head_dim
    key_near, value_near = header.number("attention.key_length_swa"), header.number("attention.value_length_swa")
    feed_forward = header.by_layer("feed_forward_length", 0)
    interval = header.number("full_attention_interval") or _INTERVALS.get(header.architecture)
    kv_heads, far = header.by_layer("attention.head_count_kv", header.heads), header.sees_everything()
    for layer, heads in enumerate(kv_heads):
        if interval is not None and layer % interval != interval - 1:
            heads = 0
        if heads == 0:
            is_block = header.architecture == "nemotron_h" and feed_forward[layer]  # a feed-forward block and no more
            yield LayerCache(state_numbers=0 if is_block else header.state_numbers)
        elif rank is not None:
            yield LayerCache(key_width=rank + rotary)
        elif far[layer] or window is None:
            yield LayerCache(key_width=heads * key, value_width=heads * value)
        else:
            near = heads * (key_near or key), heads * (value_near or value)
            yield LayerCache(key_width=near[0], value_width=near[1], window=window)


def _width(header: _Header, used: int) -> int:
    dense = max(header.by_layer("feed_forward_length", 0), default=0)
    expert = header.number("expert_feed_forward_length") or (dense if used else 0)
    shared = header.number("expert_shared_feed_forward_length") or 0
    leading = header.number("leading_dense_block_count")
    return max(used * expert + shared, dense if not used or leading else 0)


def _tensor(stored: TensorInfo, name: str) -> Tensor:
    sides = (*stored.shape, 1, 1, 1, 1)[:4]
    if not all(0 < side < 2**40 for side in sides):
        raise InputFileError(name, f"holds a tensor {stored.name!r} of an absurd size.")
    return Tensor(
        name=stored.name, columns=sides[0], rows=sides[1], experts=sides[2] * sides[3], stored_type=stored.type
    )


def _quantization(facts: Facts, tensors: Iterable[Tensor]) -> str:
    """Return the name that the header gives, or else the type of most bytes."""
    number = facts.get("general.file_type")
    if isinstance(number, int) and number in _FILE_TYPES:
        return _FILE_TYPES[number]
    sizes: Counter[str] = Counter()
    for tensor in tensors:
        kind = tensor.stored_type or "F16"
        sizes[kind] += row_bytes(tensor.columns, kind) * tensor.rows * tensor.experts
    return sizes.most_common(1)[0][0]
