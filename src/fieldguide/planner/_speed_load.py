"""What one step of decoding moves, and the speed that comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from fieldguide.domain import Scheme
from fieldguide.planner._ranges import Range

Bound: TypeAlias = Literal["fixed cost", "bandwidth", "arithmetic"]

_LAYER_COSTS: dict[Scheme, float] = {"gemma2": 1.7, "gemma3": 1.7}


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixLoad:
    """Matrices of one type that a token passes."""

    type: str
    bits: float
    """Per weight."""
    weights: float
    rows: float
    in_prompts: bool = True
    """Whether every token of a prompt passes them; the output layer is passed by its last token alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeLoad:
    """What one step has to move and to multiply."""

    weights_bytes: float
    """Weights read for one token: of the active parameters, the embedding table left out unless it is the head too."""
    active_parameters: float
    kv_bytes: float = 0.0
    """Keys and values read for one sequence: those of its context so far, on average over the answer."""
    layers: int | None = None
    """None: taken from the parameters, about as models of that size have them."""
    layer_cost: float = 1.0
    """Fixed cost of a layer against that of a llama's; see `layer_cost_of`."""
    matrices: tuple[MatrixLoad, ...] = ()
    """By type of numbers; only a measured machine tells them apart."""
    attended_numbers: float = 0.0
    """Numbers of keys and values that all query heads look at, once for each head."""
    expert_bytes: float = 0.0
    """Part of `weights_bytes` that belongs to the experts one token is sent to."""
    experts: int | None = None
    experts_per_token: int | None = None

    @property
    def quantized(self) -> bool:
        """Whether weights have less than 12 bits, so that engines unpack them on the way."""
        return self.weights_bytes * 8 < 12 * self.active_parameters

    def layer_count(self) -> float:
        """Return the layers, or what models of this size have: 16 at 1.2e9 parameters, 32 at 8e9, 80 at 70e9."""
        return self.layers or max(12.0, min(126.0, 15.5 * (self.active_parameters / 1e9) ** 0.37))

    def streamed_bytes(self, sequences: int) -> float:
        """Return the weights read in one step: more sequences wake more experts (each drawn alike)."""
        if not self.experts or not self.experts_per_token:
            return self.weights_bytes
        share = self.experts_per_token / self.experts
        awake = (1 - (1 - share) ** sequences) / share
        return self.weights_bytes + self.expert_bytes * (awake - 1)


def layer_cost_of(scheme: Scheme) -> float:
    """Return how much more a layer costs to launch than a llama's: more norms and gates are more kernels.

    Gemma 2 and 3 (four norms a layer, and norms of queries and keys or capped scores) took 1.5 to 1.9 times as long a
    layer as Llama and Qwen2.5 of like size on an RTX 2080 and an RTX 5070 (llmfit's community runs).
    """
    return _LAYER_COSTS.get(scheme, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeSpeed:
    """Tokens per second while answers are generated."""

    tokens_per_s: Range
    """Of one sequence."""
    total_tokens_per_s: Range
    """Of all sequences together."""
    bound: Bound
    """What most of the step waits for."""
    formula: str
    source: str
    """What the constants were fitted on."""
