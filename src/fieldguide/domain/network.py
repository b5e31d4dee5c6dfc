"""One network as the planner needs it, whether its facts come from the catalogue or from a file's header."""

from __future__ import annotations

from dataclasses import dataclass

from fieldguide.domain.architecture import Architecture
from fieldguide.domain.layer_cache import LayerCache, layer_caches
from fieldguide.domain.parameter_count import active_parameters, encoders_of, tensors_of, total_parameters
from fieldguide.domain.scheme import Scheme
from fieldguide.domain.tensor import Tensor
from fieldguide.domain.tower import Tower, tower_parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Every number is a count; None where it is not known."""

    name: str
    parameters: int
    """All weights, a tied output layer counted once."""
    active_parameters: int
    """Weights that take part in one token."""
    tensors: tuple[Tensor, ...]
    caches: tuple[LayerCache, ...]
    """What the layers keep of the past."""
    hidden: int
    ffn: int
    """Width inside the feed-forward block of one token: of all chosen experts together where there are experts."""
    heads: int
    head_dim: int
    kv_heads: int
    """Of the first layer that has any."""
    vocabulary: int
    tied_head: bool
    layers: int
    experts: int | None = None
    experts_per_token: int | None = None
    context_tokens: int | None = None
    """Most tokens of prompt plus completion."""
    byte_pair_vocabulary: bool | None = None
    """Whether the tokenizer merges byte pairs (GPT kind) and is not SentencePiece's."""
    stored_quantization: str | None = None
    """Of the file it was read from; None for a network that follows from a shape."""
    scheme: Scheme | None = None
    """Which tensors its layers have beside those of every decoder."""
    towers: tuple[Tower, ...] = ()
    """Shapes of its encoders, where they are known."""
    source: str
    """Where the facts come from."""

    @property
    def tower_parameters(self) -> int:
        """Weights of the encoder for images or sound."""
        return sum(tensor.numbers for tensor in self.tensors if tensor.role == "tower")

    def encoder_parameters(self, tower: Tower) -> int:
        """Return the weights of one of its encoders, with what leads from it to the decoder."""
        return tower_parameters(tower, self.hidden)


def network_of(
    shape: Architecture,
    *,
    name: str,
    source: str,
    context_tokens: int | None = None,
    parameters: tuple[int, int] | None = None,
) -> Network:
    """Return the network of a known shape.

    Args:
        shape: As in the catalogue.
        name: What it is called.
        source: Where the shape comes from.
        context_tokens: Most tokens of prompt plus completion, where known.
        parameters: Published counts, all and active, for a network whose layers differ in kind: there is no closed form
            then, and all but the embedding is taken as one matrix.

    Raises:
        UnsupportedError: The shape lacks a number that its scheme needs.
    """
    chosen = (shape.experts_per_token or 0) + shape.shared_experts
    mixed = shape.kv_heads_by_layer is not None
    total, active = (
        parameters if mixed and parameters is not None else (total_parameters(shape), active_parameters(shape))
    )
    return Network(
        name=name,
        parameters=total,
        active_parameters=active,
        tensors=_in_one(shape, total) if mixed else tensors_of(shape),
        caches=layer_caches(shape),
        hidden=shape.hidden,
        ffn=max(chosen * (shape.expert_ffn or 0), _dense_width(shape)),
        heads=shape.heads,
        head_dim=shape.head_dim + (shape.rope_head_dim or 0),
        kv_heads=shape.kv_heads,
        vocabulary=shape.vocabulary,
        tied_head=shape.tied_head,
        layers=shape.layers,
        experts=shape.experts,
        experts_per_token=shape.experts_per_token,
        context_tokens=context_tokens,
        byte_pair_vocabulary=not shape.traits.sentence_pieces and shape.vocabulary not in {32000, 32768},
        scheme=shape.scheme,
        towers=encoders_of(shape),
        source=source,
    )


def _dense_width(shape: Architecture) -> int:
    """Return the width inside the widest feed-forward block without experts; 0 where every layer has experts."""
    if all(shape.has_experts(layer) for layer in range(shape.layers)):
        return 0
    return max(shape.ffn, shape.shared_kv_ffn or 0)


def _in_one(shape: Architecture, parameters: int) -> tuple[Tensor, ...]:
    """Return the embedding, the output layer and one matrix for all else."""
    ends = [Tensor(name="token_embd.weight", columns=shape.hidden, rows=shape.vocabulary)]
    if not shape.tied_head:
        ends.append(Tensor(name="output.weight", columns=shape.hidden, rows=shape.vocabulary))
    left = parameters - sum(tensor.numbers for tensor in ends)
    return (*ends, Tensor(name="rest.weight", columns=shape.hidden, rows=max(1, left // shape.hidden)))
