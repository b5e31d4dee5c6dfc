"""Schemes: which tensors a layer has beside the matrices that every layer has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Scheme: TypeAlias = Literal[
    "llama", "qwen2", "qwen3", "gemma", "gemma2", "gemma3", "gemma4", "deepseek-v3", "qwen2-vl", "qwen2-audio",
    "whisper", "cohere", "gpt-oss", "llama4", "mllama", "qwen3-next", "glm4-moe", "minimax-m2", "phimoe", "grok",
    "gpt-bigcode", "starcoder2", "codegen", "bert", "xlm-roberta", "nomic-bert",
]  # fmt: skip
"""Whose reference implementation (`models/*/modeling_*.py` of transformers 5) says which tensors there are."""

HeadNorms: TypeAlias = Literal["shared", "each"]
"""Norms of queries and keys: one of a head's width for all of them, or one over all heads together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What a layer of a scheme has. The plain llama has none of it but two norms."""

    norms: int = 2
    """Norms of the hidden width."""
    norm_bias: bool = False
    """Whether norms shift as well as scale."""
    query_bias: bool = False
    """Of queries, keys and values."""
    output_bias: bool = False
    """Of the way out of attention."""
    head_norms: HeadNorms | None = None
    gated: bool = True
    """Whether the feed-forward block has a gate beside its way in: three matrices and not two."""
    ffn_bias: bool = False
    router_bias: bool = False
    """One number for each expert."""
    expert_bias: bool = False
    sinks: bool = False
    """One number for each head, which draws attention from where there is nothing to see."""
    gated_attention: bool = False
    """Whether queries come with a gate as wide as they are."""
    shared_gate: bool = False
    """Whether the shared expert has a gate of one row."""
    scaled: bool = False
    """Whether a layer ends with one number that scales it."""
    head_bias: bool = False
    """Of the output layer."""
    final_norm: bool = True
    token_types: int = 0
    """Rows of an embedding of the kind of text, of an encoder; it has a norm behind its embeddings too."""
    pooler: bool = False
    """Whether the first token's output passes one more matrix."""
    encoder: bool = False
    """Whether it reads a whole text at once, writes none and keeps no cache: an embedding model."""
    sentence_pieces: bool = False
    """Whether the tokenizer is SentencePiece's, which has no list of merges."""


TRAITS: Mapping[Scheme, Traits] = {
    "llama": Traits(),
    "llama4": Traits(),  # its norms of queries and keys have no weights
    "mllama": Traits(),
    "qwen2": Traits(query_bias=True),
    "qwen2-vl": Traits(query_bias=True),
    "qwen2-audio": Traits(query_bias=True),
    "qwen3": Traits(head_norms="shared"),
    "qwen3-next": Traits(head_norms="shared", gated_attention=True, shared_gate=True),
    "gemma": Traits(sentence_pieces=True),
    "gemma2": Traits(norms=4, sentence_pieces=True),
    "gemma3": Traits(norms=4, head_norms="shared", sentence_pieces=True),
    "gemma4": Traits(norms=4, head_norms="shared", scaled=True, sentence_pieces=True),
    "deepseek-v3": Traits(router_bias=True),
    "glm4-moe": Traits(query_bias=True, router_bias=True),
    "minimax-m2": Traits(head_norms="each", router_bias=True),
    "gpt-oss": Traits(query_bias=True, output_bias=True, router_bias=True, expert_bias=True, sinks=True),
    "cohere": Traits(norms=1),
    "phimoe": Traits(query_bias=True, output_bias=True, norm_bias=True, head_bias=True),
    "grok": Traits(norms=4, sentence_pieces=True),
    "gpt-bigcode": Traits(query_bias=True, output_bias=True, norm_bias=True, gated=False, ffn_bias=True),
    "starcoder2": Traits(query_bias=True, output_bias=True, norm_bias=True, gated=False, ffn_bias=True),
    "codegen": Traits(norms=1, norm_bias=True, gated=False, ffn_bias=True, head_bias=True),
    "bert": Traits(
        query_bias=True, output_bias=True, norm_bias=True, gated=False, ffn_bias=True, final_norm=False, encoder=True,
        token_types=2, pooler=True,
    ),
    "xlm-roberta": Traits(
        query_bias=True, output_bias=True, norm_bias=True, gated=False, ffn_bias=True, final_norm=False, encoder=True,
        token_types=1, pooler=True, sentence_pieces=True,
    ),
    "nomic-bert": Traits(norm_bias=True, final_norm=False, encoder=True, token_types=2),
    "whisper": Traits(),
}  # fmt: skip
