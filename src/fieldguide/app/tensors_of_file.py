"""The tensors of a file as the planner knows them: GGUF's names and sides, whatever the format calls them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from fieldguide.domain import Tensor
from fieldguide.errors import InputFileError
from fieldguide.formats import ModelFacts, TensorInfo

_MOST = 2**40
_EXPERT = re.compile(r"^(.*\.)?layers\.(\d+)\.(.*?)experts\.(\d+)\.(\w+)\.(.*)$")
_LAYER = re.compile(r"^(?:.*\.)?(?:layers|h|blocks)\.(\d+)\.(.*)\.(\w+)$")
_TOWER = re.compile(r"(^|\.)(vision|visual|image|audio|multi_modal_projector|vision_tower|audio_tower|sound)")
_ENDS = {"embed_tokens": "token_embd", "wte": "token_embd", "lm_head": "output", "norm": "output_norm"}
_PARTS = {
    "q_proj": "attn_q", "k_proj": "attn_k", "v_proj": "attn_v", "o_proj": "attn_output", "qkv_proj": "attn_qkv",
    "q_norm": "attn_q_norm", "k_norm": "attn_k_norm", "q_a_proj": "attn_q_a", "q_b_proj": "attn_q_b",
    "kv_a_proj_with_mqa": "attn_kv_a_mqa", "kv_b_proj": "attn_kv_b", "gate_proj": "ffn_gate", "up_proj": "ffn_up",
    "down_proj": "ffn_down", "gate_up_proj": "ffn_up", "w1": "ffn_gate", "w2": "ffn_down", "w3": "ffn_up",
    "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm", "router": "ffn_gate_inp",
}  # fmt: skip
"""The last word of a module in transformers, and what GGUF calls its tensor."""


def tensors_of_file(model: ModelFacts) -> tuple[Tensor, ...]:
    """Return every tensor with its stored type; a copy of a tied embedding counts, since it is loaded too.

    Raises:
        InputFileError: A tensor has an absurd size.
    """
    if model.format == "gguf":
        return tuple(_tensor(each, each.name, each.shape) for each in model.tensors)
    return tuple(_of_safetensors(model.tensors))


def _of_safetensors(stored: Iterable[TensorInfo]) -> Iterator[Tensor]:
    """Yield tensors under GGUF's names; the experts of a layer become one."""
    experts: dict[tuple[str, tuple[int, ...], str], list[TensorInfo]] = defaultdict(list)
    for each in stored:
        if found := _EXPERT.match(each.name):
            role = _PARTS.get(found[5], found[5])
            experts[f"blk.{found[2]}.{role}_exps.{found[6]}", each.shape, each.type].append(each)
            continue
        yield _tensor(each, _gguf_name(each), each.shape[::-1])
    for (name, shape, _), several in experts.items():
        yield _tensor(several[0], name, (*_two(shape[::-1]), len(several)))


def _two(shape: tuple[int, ...]) -> tuple[int, int]:
    columns, rows = (*shape, 1, 1)[:2]
    return columns, rows


def _gguf_name(each: TensorInfo) -> str:
    """Return the name that GGUF gives a tensor; one of an unknown kind keeps its own behind its layer."""
    if _TOWER.search(each.name):
        return f"tower.{each.name}"
    if found := _LAYER.match(each.name):
        module = found[2].rpartition(".")[2]
        role = "ffn_gate_inp" if found[2].endswith("mlp.gate") else _PARTS.get(module, module)
        role += "_exps" if ".experts." in f".{found[2]}." else "_shexp" if "shared_expert" in found[2] else ""
        return f"blk.{found[1]}.{role}.{found[3]}"
    module, _, kind = each.name.rpartition(".")
    return f"{_ENDS.get(module.rpartition('.')[2], each.name)}.{kind}"


def _tensor(stored: TensorInfo, name: str, shape: tuple[int, ...]) -> Tensor:
    sides = (*shape, 1, 1, 1, 1)[:4]
    if not all(0 < side < _MOST for side in sides):
        raise InputFileError(stored.file, f"holds a tensor {stored.name!r} of an absurd size.")
    return Tensor(name=name, columns=sides[0], rows=sides[1], experts=sides[2] * sides[3], stored_type=stored.type)
