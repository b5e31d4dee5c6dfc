"""What a training run costs: arithmetic, hours, dollars, memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from fieldguide.domain import Architecture, Hardware
from fieldguide.planner._ranges import Range

Method: TypeAlias = Literal["full", "lora", "qlora"]

MODEL_FLOP_UTILISATION = Range(low=0.13, likely=0.35, high=0.5)
"""Share of the dense 16-bit peak that `6 N D` over the whole run's device hours comes to.

From published hours: Llama 2 0.38 to 0.43, Llama 3 and 3.1 0.14 (8B) to 0.35 (405B), DeepSeek-V3 0.35; restarts and
other stages are in the hours. Epoch's median over papers is 0.375. A distilled model lies below, since its teacher's
arithmetic is not in `6 N D` (Llama 3.2 1B: 0.05).
"""

_FULL_BYTES = 16
"""Per parameter: 2 weight, 2 gradient, 12 Adam in 32 bits (a copy of the weight and two moments): Rajbhandari et al.
2020, arXiv:1910.02054, section 3.1."""
_NF4_BYTES = 4.127 / 8
"""Per parameter with double quantization (Dettmers et al. 2023, arXiv:2305.14314, section 3)."""
_LAYER_ACTIVATIONS = 34
"""Bytes per token and unit of width that one layer keeps for its backward pass, without the attention matrix, which
flash attention does not keep (Korthikanti et al. 2022, arXiv:2205.05198, equation 1)."""


def published_utilisation() -> Range:
    """Return the share of the peak that published runs reached over all their device hours."""
    return MODEL_FLOP_UTILISATION


def training_flop(active_parameters: float, tokens: float, *, recompute: bool = False) -> float:
    """Return the arithmetic of one run: 6 per active parameter and token, 8 where activations are computed again.

    2 for the pass forward and 4 for the one backward (Kaplan et al. 2020, arXiv:2001.08361, section 2.1). Left out:
    attention over long contexts, a teacher, evaluation, and runs that failed. Of 241 published language models 60 % lie
    within 10 % of it, a tenth below 0.35 and a tenth above 3.3 times it (several passes, or words counted for tokens).
    """
    return (8 if recompute else 6) * active_parameters * tokens


def attention_flop(architecture: Architecture, *, sequence_tokens: int, tokens: float) -> float:
    """Return what `6 N D` leaves out for attention: 12 x layers x width of heads x half the context, per token."""
    return 12 * architecture.layers * architecture.heads * architecture.head_dim * sequence_tokens / 2 * tokens


def device_hours(flop: float, hardware: Hardware, utilisation: Range = MODEL_FLOP_UTILISATION) -> Range | None:
    """Return the hours of all devices together, None where the hardware's peak is unknown."""
    peak = hardware.bf16_flops_per_s
    return None if peak is None else utilisation.over(flop / peak / 3600)


def training_cost_usd(hours: Range, hardware: Hardware, usd_per_device_hour: float | None = None) -> Range | None:
    """Return the dollars of device hours at one price, or at the range of list prices; None where none is known."""
    if usd_per_device_hour is not None:
        return hours.scaled(usd_per_device_hour)
    prices = sorted(price.usd_per_device_hour for price in hardware.list_prices)
    if not prices:
        return None
    return Range(
        low=hours.low * prices[0],
        likely=hours.likely * prices[len(prices) // 2],
        high=hours.high * prices[-1],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingMemory:
    """Bytes that training holds at once, over all devices together, if they share everything."""

    method: Method
    weights_bytes: float
    gradients_bytes: float
    optimizer_bytes: float
    activations_bytes: float | None
    """None where the shape of the network is unknown."""
    trained_parameters: float
    formula: str

    @property
    def total_bytes(self) -> float:
        """Their sum; without the activations where those are unknown."""
        return self.weights_bytes + self.gradients_bytes + self.optimizer_bytes + (self.activations_bytes or 0.0)


def training_memory(
    parameters: float,
    *,
    method: Method = "full",
    architecture: Architecture | None = None,
    sequence_tokens: int = 2048,
    sequences: int = 1,
    checkpointing: bool = True,
    rank: int = 16,
) -> TrainingMemory:
    """Return what training holds, with Adam in mixed precision.

    Args:
        parameters: All of them; a mixture's idle experts are held too.
        method: `full`, adapters of a rank beside every matrix (`lora`), or those over 4-bit weights (`qlora`).
        architecture: For activations and the adapters' sizes; without it activations are unknown.
        sequence_tokens: Of one sequence (tokens, > 0).
        sequences: Of one step on all devices (count, > 0).
        checkpointing: Whether only each layer's input is kept, and the rest computed again.
        rank: Of the adapters.
    """
    trained = parameters if method == "full" else adapter_parameters(parameters, rank, architecture)
    base = {"full": 0.0, "lora": 2.0 * parameters, "qlora": _NF4_BYTES * parameters}[method]
    formulas = {
        "full": f"{parameters:.4g} x (2 weight + 2 gradient + 12 Adam) bytes",
        "lora": f"{parameters:.4g} x 2 bytes + {trained:.4g} adapter parameters x 16 bytes",
        "qlora": f"{parameters:.4g} x {_NF4_BYTES:.3f} bytes + {trained:.4g} adapter parameters x 16 bytes",
    }
    held = None
    if architecture is not None:
        held = _activations(architecture, sequence_tokens * sequences, checkpointing=checkpointing)
    return TrainingMemory(
        method=method,
        weights_bytes=base + 2 * trained,
        gradients_bytes=2 * trained,
        optimizer_bytes=(_FULL_BYTES - 4) * trained,
        activations_bytes=held,
        trained_parameters=trained,
        formula=formulas[method],
    )


def adapter_parameters(parameters: float, rank: int, architecture: Architecture | None = None) -> float:
    """Return the parameters of adapters of `rank` beside every matrix of every layer: rank x (rows + columns).

    Without an architecture 0.6 % of the parameters at rank 16, as for Llama 2 7B.
    """
    if architecture is None:
        return 0.006 * parameters * rank / 16
    a = architecture
    query, key = a.heads * a.head_dim, a.kv_heads * a.head_dim
    attention = (a.hidden + query) * 2 + (a.hidden + key) * 2
    feed_forward = 3 * (a.hidden + (a.expert_ffn or a.ffn)) * (a.experts or 1)
    return float(a.layers * rank * (attention + feed_forward))


def _activations(architecture: Architecture, tokens: int, *, checkpointing: bool) -> float:
    """Return the bytes kept for the backward pass, the logits (in 32 bits, with their gradient) included."""
    a = architecture
    logits = 8.0 * tokens * a.vocabulary
    one_layer = float(_LAYER_ACTIVATIONS * tokens * a.hidden)
    if checkpointing:
        return 2.0 * tokens * a.hidden * a.layers + one_layer + logits
    return one_layer * a.layers + logits
