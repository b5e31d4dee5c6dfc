"""A network from the files of a model: exact sizes, and what each layer keeps of the past.

GGUF (whole or cut into parts) and safetensors (a file, an index or a folder, with its config.json) come through the
readers of `formats`; what those facts mean for memory is told here once, for both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from fieldguide.app.tensors_of_file import tensors_of_file
from fieldguide.domain import LayerCache, Network, Scheme, network_of
from fieldguide.errors import InsufficientFactsError, UnknownNameError
from fieldguide.formats import LayerFacts, ModelFacts, NetworkFacts, RecurrentFacts, inspect_path
from fieldguide.planner import quantization_named

_GEMMA = re.compile(r"gemma-?([23])")
_IN_PARALLEL = {"falcon_h1", "falcon-h1", "zamba2"}
"""Their layers with attention have a Mamba beside it."""


def network_of_file(path: Path) -> Network:
    """Return the network that a file or a folder holds.

    Raises:
        InputFileError: There is no model, or it cannot be read.
        FormatError: A header is damaged or hostile.
        InsufficientFactsError: Numbers that a plan needs are missing; they are named.
    """
    return network_of_facts(inspect_path(path), name=path.resolve().name)


def network_of_facts(model: ModelFacts, *, name: str) -> Network:
    """Return the network of a model whose headers were read.

    Raises:
        InsufficientFactsError: Numbers that a plan needs are missing; they are named.
    """
    facts = model.network
    if facts is None:
        raise InsufficientFactsError(name, ["config.json"], hint=_BESIDE)
    _require(model, facts, name)
    tensors = tensors_of_file(model)
    embedding = next((tensor for tensor in tensors if tensor.role == "token_embd"), None)
    hidden = facts.hidden or (embedding.columns if embedding else 0)
    heads = max((layer.heads or 0 for layer in facts.layers), default=0) or 1
    kv_heads = next((layer.kv_heads for layer in facts.layers if layer.kv_heads), heads)
    total = model.parameters if model.parameters is not None else sum(tensor.numbers for tensor in tensors)
    experts, used = facts.experts, facts.experts_per_token
    routed = sum(tensor.numbers for tensor in tensors if tensor.role.endswith("_exps"))
    tied = not any(tensor.role == "output" for tensor in tensors) if facts.tied_head is None else facts.tied_head
    return Network(
        name=name,
        parameters=total,
        active_parameters=total - (routed * (experts - used) // experts if experts and used else 0),
        tensors=tensors,
        caches=tuple(_caches(facts, name)),
        hidden=hidden,
        ffn=_width(facts),
        heads=heads,
        head_dim=next((layer.key_length for layer in facts.layers if layer.key_length), max(1, hidden // heads)),
        kv_heads=min(kv_heads, heads),
        vocabulary=facts.vocabulary or (embedding.rows if embedding else 0),
        tied_head=tied,
        layers=len(facts.layers) + (facts.prediction_layers or 0),
        experts=experts,
        experts_per_token=used,
        context_tokens=facts.context_length_tokens,
        byte_pair_vocabulary=None if model.tokenizer is None else model.tokenizer.model == "gpt2",
        stored_quantization=_known_quantization(model.quantization),
        scheme=_scheme(model, facts),
        source=f"header of {name}" if model.format == "gguf" else f"headers and config.json of {name}",
    )


def requantized(model: ModelFacts, network: Network) -> Network:
    """Return the network without the types of its file: tensors by its shape where their names are not ours.

    Raises:
        InsufficientFactsError: Its weights are packed and its shape has no closed form.
    """
    if model.format == "gguf" or all(tensor.stored_type in _PLAIN for tensor in network.tensors if tensor.is_matrix):
        return replace(network, stored_quantization=None)
    if model.shape is None:
        raise InsufficientFactsError(
            network.name, ["the sides of its matrices before they were packed"], hint="Plan it as it is stored."
        )
    made = network_of(model.shape, name=network.name, source=network.source, context_tokens=network.context_tokens)
    return replace(made, byte_pair_vocabulary=network.byte_pair_vocabulary)


_BESIDE = "Give the folder of the model, with its config.json beside the weights."
_PLAIN = {"F32", "F16", "BF16"}


def _known_quantization(stated: str | None) -> str | None:
    """Return a quantization under the planner's name, or as the file has it where the planner knows none."""
    if stated is None:
        return None
    try:
        return quantization_named(stated)
    except UnknownNameError:
        return stated


def _require(model: ModelFacts, facts: NetworkFacts, name: str) -> None:
    missing = [word for word, value in (("layers", facts.layers), ("hidden size", facts.hidden)) if not value]
    if not model.tensors:
        missing.append("tensors")
    if not facts.vocabulary:
        missing.append("a vocabulary (it is no language model, or says nothing of it)")
    if missing:
        raise InsufficientFactsError(name, missing, hint="`fieldguide inspect` shows what the file does say.")


def _scheme(model: ModelFacts, facts: NetworkFacts) -> Scheme | None:
    if model.shape is not None:
        return model.shape.scheme
    found = _GEMMA.match(facts.family or "")
    return None if found is None else "gemma2" if found[1] == "2" else "gemma3"


def _width(facts: NetworkFacts) -> int:
    """Return the width inside the feed-forward block of one token."""
    dense = max((layer.ffn or 0 for layer in facts.layers), default=0)
    if not facts.experts or not facts.experts_per_token:
        return dense
    chosen = facts.experts_per_token * (facts.expert_ffn or dense) + (facts.shared_expert_ffn or 0)
    return max(chosen, dense if facts.dense_layers else 0)


def _caches(facts: NetworkFacts, name: str) -> Iterator[LayerCache]:
    """Yield what each layer keeps; layers that use the cache of earlier ones keep nothing."""
    own = len(facts.layers) - (facts.shared_kv_layers or 0)
    for index, layer in enumerate(facts.layers):
        yield LayerCache() if index >= own else _cache(facts, layer, name)


def _cache(facts: NetworkFacts, layer: LayerFacts, name: str) -> LayerCache:
    if layer.kind == "none":
        return LayerCache()  # a feed-forward block and no more
    if layer.kind == "recurrent":
        return LayerCache(state_numbers=_state(facts, name))
    if facts.kv_lora_rank is not None:
        return LayerCache(key_width=facts.kv_lora_rank + (facts.rope_head_dim or 0))
    sides = {
        "key/value heads": layer.kv_heads,
        "width of keys": layer.key_length,
        "width of values": layer.value_length,
    }
    if layer.kind is None or None in sides.values():
        missing = [word for word, value in sides.items() if value is None]
        raise InsufficientFactsError(name, missing or ["the kind of its layers"])
    heads, key, value = (side or 0 for side in sides.values())
    window = layer.window_tokens if layer.kind in {"window", "chunk"} else None
    beside = _state(facts, name) if facts.family in _IN_PARALLEL else 0
    return LayerCache(key_width=heads * key, value_width=heads * value, window=window, state_numbers=beside)


def _state(facts: NetworkFacts, name: str) -> int:
    """Return the 32-bit numbers that a layer without attention keeps: its convolution's tail and its state.

    As llama.cpp's `n_embd_r` and `n_embd_s` (src/llama-hparams.cpp) have them.
    """
    hidden, state = facts.hidden or 0, facts.recurrent
    if (head := facts.raw.get(f"{facts.family}.wkv.head_size")) and isinstance(head, int):
        shifts = facts.raw.get(f"{facts.family}.token_shift_count", 2)
        return hidden * (head + (shifts if isinstance(shifts, int) else 2))
    if state is None or state.conv_kernel is None:
        raise InsufficientFactsError(name, ["the size of the state of its layers without attention"])
    tail = state.conv_kernel - 1
    if state.key_heads and state.value_heads and state.key_head_dim and state.value_head_dim:
        keys, values = state.key_heads * state.key_head_dim, state.value_heads * state.value_head_dim
        return tail * (2 * keys + values) + state.value_heads * state.key_head_dim * state.value_head_dim
    inner = state.inner_size or _product(state.value_heads, state.value_head_dim)
    if state.state_size and inner:
        return tail * (inner + 2 * (state.groups or 0) * state.state_size) + inner * state.state_size
    if replace(state, conv_kernel=None) == RecurrentFacts():
        return tail * hidden  # a short convolution and no more
    raise InsufficientFactsError(name, ["the width of the state of its layers without attention"])


def _product(one: int | None, other: int | None) -> int | None:
    return one * other if one and other else None
