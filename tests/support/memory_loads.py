"""The loads that the planner's estimate is held against: shapes, contexts, slots and types of cache."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.random_gguf import RandomModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One way to run one model."""

    name: str
    model: RandomModel
    context_tokens: int = 2048
    slots: int = 1
    kv_type: str = "F16"


def _gemma(architecture: str, window: int) -> RandomModel:
    return RandomModel(
        architecture=architecture,
        layers=12,
        heads=4,
        kv_heads=1,
        head_dim=128,
        sliding_window=window,
        tied_head=True,
        vocabulary=32768,
    )


QUICK = [
    Load(name="llama, 8 of 8 heads", model=RandomModel(layers=4), context_tokens=1024),
    Load(name="qwen2, 2 of 8 heads, 2 slots", model=RandomModel(architecture="qwen2", kv_heads=2), slots=2),
    Load(name="gemma3, window 512 in 10 of 12 layers", model=_gemma("gemma3", 512), context_tokens=2048),
]
LONG = [
    Load(name="llama, 4 of 8 heads, 4 slots", model=RandomModel(kv_heads=4), slots=4),
    Load(name="llama, 1 of 8 heads, long context", model=RandomModel(kv_heads=1), context_tokens=8192),
    Load(name="llama, 32 of 32 heads, narrow", model=RandomModel(layers=6, ffn=256, heads=32, kv_heads=32)),
    Load(name="llama, weights Q8_0", model=RandomModel(layers=12, tensor_type="Q8_0"), context_tokens=4096),
    Load(name="llama, weights Q4_0, 3 slots", model=RandomModel(layers=12, tensor_type="Q4_0"), slots=3),
    Load(name="llama, cache Q8_0", model=RandomModel(), context_tokens=4096, kv_type="Q8_0"),
    Load(name="llama, cache Q4_0, 2 slots", model=RandomModel(layers=4), context_tokens=512, slots=2, kv_type="Q4_0"),
    Load(name="llama, 8 experts, 2 chosen", model=RandomModel(layers=4, ffn=512, experts=8, experts_per_token=2)),
    Load(
        name="qwen3moe, 16 experts, 4 chosen, wide hidden",
        model=RandomModel(
            architecture="qwen3moe", layers=4, hidden=1024, ffn=256, experts=16, experts_per_token=4, kv_heads=2
        ),
    ),
    Load(name="qwen3, 2 of 8 heads", model=RandomModel(architecture="qwen3", kv_heads=2), context_tokens=4096),
    Load(name="gemma2, window 512 in 6 of 12 layers", model=_gemma("gemma2", 512), context_tokens=4096),
    Load(name="gemma3, window 256, 3 slots", model=_gemma("gemma3", 256), context_tokens=4096, slots=3),
    Load(
        name="deci, 8, 4, 2 or 1 heads by layer",
        model=RandomModel(architecture="deci", kv_heads=(8, 4, 2, 1, 8, 4, 2, 1)),
        context_tokens=4096,
    ),
    Load(name="llama, wide, 100 million weights", model=RandomModel(hidden=1024, ffn=4096, layers=6, heads=16)),
]
