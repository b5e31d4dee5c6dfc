"""What the catalogue says of a family of models. The same classes are the schema of `families/*.yaml`.

A family has sizes, a size has members (base, instruct and so on, or dated snapshots), and a member has places. Unknown
is None. `_contradictions.py` holds the facts of one family against each other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from fieldguide.catalogue._entry import Fact
from fieldguide.domain import Architecture, ImageRule

FamilyKind: TypeAlias = Literal[
    "foundation",
    "general",
    "reasoning",
    "vision-language",
    "audio",
    "code",
    "maths",
    "embedding",
    "image",
    "speech",
]
"""What a family is; several hold at once."""

Modality: TypeAlias = Literal["text", "image", "audio", "video", "pdf"]

Hub: TypeAlias = Literal[
    "hf",
    "modelscope",
    "ollama",
    "openai",
    "anthropic",
    "gemini",
    "cohere",
    "mistral",
    "deepseek",
    "xai",
    "azure",
    "bedrock",
    "sagemaker",
    "vertex",
    "model-studio",
]
"""Who keeps or runs a model: hubs of weights first, then APIs and clouds."""

WEIGHT_HUBS: frozenset[Hub] = frozenset({"hf", "modelscope", "ollama"})
"""Where weights can be fetched; `sagemaker` (JumpStart) deploys them, on rented machines only."""

PROPRIETARY = "proprietary"
"""The licence of weights that are not published."""

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*")
_LABEL = re.compile(r"(\d+(?:\.\d+)?)([MB])(?:-A(\d+(?:\.\d+)?)B)?")
_NAME_RULE = "a name has lower-case letters, digits, dots and dashes only"
_CLOSED = {"extra": "forbid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """One place where a member can be had or called."""

    __pydantic_config__ = _CLOSED

    hub: Hub
    id: str
    """Its name there: repository, tag, or model id."""
    until: date | None = None
    """Day on which it ended there, or the first on which it may end, as `source` has it; None where none is known."""
    source: str
    as_of: date

    @property
    def keeps_weights(self) -> bool:
        """Whether weights can be fetched there; other places only run a model."""
        return self.hub in WEIGHT_HUBS

    def __post_init__(self) -> None:
        _require(bool(self.id.strip()), "a place needs an id")
        _require(bool(self.source.strip()), "a place needs a source")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One published model: a size in one tuning, or one dated snapshot."""

    __pydantic_config__ = _CLOSED

    name: str
    """Catalogue name, such as `qwen2.5-7b-instruct`."""
    title: str
    """Name as its publisher writes it."""
    tuning: Literal["base", "instruct", "reasoning"] | None
    released: Fact[date] | None = None
    """Where it differs from the family's."""
    released_unknown: bool = False
    """Whether it came out on another day than its family, and that day is not known here."""
    context_length: Fact[int] | None = None
    """Most tokens of prompt plus completion, as it is delivered."""
    extended_context_length: Fact[int] | None = None
    """The same with position scaling that has to be switched on, such as YaRN."""
    output_tokens: Fact[int] | None = None
    """Most tokens of one answer, where its provider limits them."""
    modalities_in: Fact[frozenset[Modality]] | None = None
    """Where they differ from the family's."""
    modalities_out: Fact[frozenset[Modality]] | None = None
    """Where they differ from the family's."""
    tool_use: Fact[bool] | None = None
    """Where it differs from the family's."""
    aliases: Fact[frozenset[str]] | None = None
    """Names that its provider points at it, such as `gpt-4o`; they may be pointed elsewhere later."""
    places: tuple[Where, ...] = ()

    def __post_init__(self) -> None:
        _require(bool(_NAME.fullmatch(self.name)), _NAME_RULE)

    @property
    def weights_fetchable(self) -> bool:
        """Whether a hub of weights is among its places."""
        return any(place.keeps_weights for place in self.places)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """One network of a family."""

    __pydantic_config__ = _CLOSED

    size: str | None
    """Label as its publisher writes it, such as `7B` or `30B-A3B`; None where none is published."""
    parameters: Fact[int] | None = None
    """Number of weights, tied embeddings counted once."""
    parameters_exact: bool = False
    """Whether `parameters` is a count, and not a rounded figure."""
    parameters_note: str | None = None
    """Why the published figure and the closed form differ, where they do."""
    active_parameters: Fact[int] | None = None
    """Weights that take part in one token, where fewer than all."""
    architecture: Fact[Architecture] | None = None
    images: Fact[ImageRule] | None = None
    """How many tokens a picture becomes, of a model that looks at pictures."""
    licence: Fact[str] | None = None
    """Id in `licences.yaml`."""
    training_tokens: Fact[int] | None = None
    training_flop: Fact[float] | None = None
    """Published or estimated by a named source; never computed here."""
    members: tuple[Member, ...]

    @property
    def label_parameters(self) -> float | None:
        """The number in the label, total and never active: 30 billion for `30B-A3B`."""
        found = _LABEL.fullmatch(self.size or "")
        return float(found[1]) * (1e6 if found[2] == "M" else 1e9) if found else None

    def hosted_only(self, member: Member) -> bool | None:
        """Return whether `member` can be called and its weights are not published; None where that is not known.

        That we know no hub with its weights is not enough: its licence must say that they are not published.
        """
        if member.weights_fetchable:
            return False
        return True if member.places and self.licence and self.licence.value == PROPRIETARY else None

    @property
    def label_active_parameters(self) -> float | None:
        """The active number in the label: 3 billion for `30B-A3B`."""
        found = _LABEL.fullmatch(self.size or "")
        return float(found[3]) * 1e9 if found and found[3] else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Models of one publisher that were made together."""

    __pydantic_config__ = _CLOSED

    name: str
    title: str
    kinds: frozenset[FamilyKind]
    publisher: Fact[str]
    released: Fact[date] | None = None
    trained_from: Fact[str] | None = None
    trained_for: Fact[str] | None = None
    modalities_in: Fact[frozenset[Modality]]
    modalities_out: Fact[frozenset[Modality]]
    languages: Fact[frozenset[str]] | None = None
    tool_use: Fact[bool] | None = None
    good_for: tuple[str, ...] = ()
    """Jobs, in a few words; our summary."""
    note_on_sizes: Fact[str] | None = None
    """What more parameters buy here, and where that ends."""
    sizes: tuple[Size, ...]

    def __post_init__(self) -> None:
        _require(bool(_NAME.fullmatch(self.name)), _NAME_RULE)
        _require(bool(self.kinds and self.sizes), "kinds and sizes must not be empty")

    def release_of(self, member: Member) -> Fact[date] | None:
        """Return the day on which a member came out: its own, else the family's; None where it is not known."""
        return member.released or (None if member.released_unknown else self.released)


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceTerms:
    """Facts about a licence, each read from its source; never legal advice."""

    __pydantic_config__ = _CLOSED

    id: str
    name: str
    commercial_use: Literal["yes", "with-conditions", "no"] | None
    """`with-conditions`: yes for most, with thresholds, duties or restrictions that the other fields name."""
    threshold: str | None = None
    naming: str | None = None
    use_restrictions: str | None = None
    outputs: str | None = None
    """What its terms say of outputs and of training on them."""
    redistribution: str | None = None
    region_limits: str | None = None
    ship_along: str | None = None
    """What must accompany a copy."""
    confidence: Literal["high", "medium", "low"]
    source: str
    as_of: date

    def __post_init__(self) -> None:
        _require(bool(self.source.strip()), "a licence needs a source")

    @property
    def allows_commercial_use(self) -> bool:
        """Whether commercial use is allowed at all, be it under conditions; unknown counts as no."""
        return self.commercial_use in {"yes", "with-conditions"}


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)
