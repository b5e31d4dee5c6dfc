"""From what a file says to the shape whose parameters and memory are known in closed form."""

from __future__ import annotations

from dataclasses import replace

from fieldguide.domain import Architecture, Scheme
from fieldguide.formats._network import LayerFacts, NetworkFacts

_SCHEMES: dict[str, Scheme] = {
    "llama": "llama",
    "mistral": "llama",
    "mixtral": "llama",
    "qwen2": "qwen2",
    "qwen3": "qwen3",
    "qwen3moe": "qwen3",
    "qwen3_moe": "qwen3",
    "gemma2": "gemma2",
    "gemma3": "gemma3",
    "gemma3_text": "gemma3",
    "deepseek2": "deepseek-v3",
    "deepseek_v3": "deepseek-v3",
}


def architecture_of(facts: NetworkFacts) -> Architecture | None:
    """Return the shape of a network whose scheme is known and whose layers are alike; None for every other.

    Towers for images and sound are not part of it: a network that has one gives None.
    """
    scheme = _SCHEMES.get(facts.family or "")
    if scheme is None or facts.towers or facts.recurrent is not None or facts.tied_head is None:
        return None
    layer = _alike(facts)
    if layer is None or facts.hidden is None or facts.vocabulary is None:
        return None
    head_dim = facts.nope_head_dim if facts.has_latent_attention else layer.key_length
    if layer.heads is None or layer.kv_heads is None or layer.ffn is None or head_dim is None:
        return None
    latent = facts.has_latent_attention
    if scheme == "deepseek-v3" and (not latent or facts.q_lora_rank is None):
        return None
    try:
        return Architecture(
            scheme=scheme,
            layers=len(facts.layers),
            hidden=facts.hidden,
            ffn=layer.ffn,
            heads=layer.heads,
            kv_heads=layer.heads if latent else layer.kv_heads,
            head_dim=head_dim,
            vocabulary=facts.vocabulary,
            tied_head=facts.tied_head,
            experts=facts.experts,
            experts_per_token=facts.experts_per_token if facts.experts else None,
            expert_ffn=facts.expert_ffn or layer.ffn if facts.experts else None,
            shared_experts=(facts.shared_experts or 0) if facts.experts else 0,
            dense_layers=(facts.dense_layers or 0) if facts.experts else 0,
            sliding_window=max((found.window_tokens or 0 for found in facts.layers), default=0) or None,
            global_layer_every=_global_every(facts.layers),
            q_lora_rank=facts.q_lora_rank,
            kv_lora_rank=facts.kv_lora_rank,
            rope_head_dim=facts.rope_head_dim if latent else None,
            value_head_dim=facts.value_head_dim,
        )
    except ValueError:  # the file's facts contradict each other
        return None


def _alike(facts: NetworkFacts) -> LayerFacts | None:
    """Return what every layer is like but for its window and experts, or None where they differ."""
    plain = {replace(layer, kind=None, window_tokens=None, has_experts=False) for layer in facts.layers}
    kinds = {layer.kind for layer in facts.layers}
    return plain.pop() if len(plain) == 1 and kinds <= {"full", "window"} else None


def _global_every(layers: tuple[LayerFacts, ...]) -> int | None:
    """Return every how many layers one looks at everything, of a network that has windows and keeps a rhythm."""
    first = next((index for index, layer in enumerate(layers) if layer.kind == "full"), None)
    if first is None or all(layer.kind == "full" for layer in layers):
        return None
    return first + 1
