"""What the catalogue says of a family of models. The same classes are the schema of `families/*.yaml`.

A family has sizes, a size has members (base, instruct and so on, or dated snapshots), and a member has places. Unknown
is None. `contradictions` holds the facts of one family against each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from fieldguide.catalogue._entry import Fact
from fieldguide.domain import Architecture, active_parameters, total_parameters

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
    "azure",
    "bedrock",
    "sagemaker",
    "vertex",
    "model-studio",
]
"""Who keeps or runs a model: hubs of weights first, then APIs and clouds."""

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*")
_LABEL = re.compile(r"(\d+(?:\.\d+)?)([MB])(?:-A\d+(?:\.\d+)?B)?")
_CLOSED = {"extra": "forbid"}
_LABEL_TOLERANCE = 1.35
"""How far a count may lie from its label: Gemma-2-2B, the furthest so far, has 2.61 billion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """One place where a member can be had or called."""

    __pydantic_config__ = _CLOSED

    hub: Hub
    id: str
    """Its name there: repository, tag, or model id."""
    source: str
    as_of: date


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
    context_length: Fact[int] | None = None
    """Most tokens of prompt plus completion."""
    output_tokens: Fact[int] | None = None
    """Most tokens of one answer, where its provider limits them."""
    modalities_in: Fact[frozenset[Modality]] | None = None
    """Where they differ from the family's."""
    places: tuple[Where, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError("a name has lower-case letters, digits, dots and dashes only")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Models of one publisher that were made together."""

    __pydantic_config__ = _CLOSED

    name: str
    title: str
    kinds: frozenset[FamilyKind]
    publisher: Fact[str]
    released: Fact[date]
    trained_from: Fact[str] | None = None
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
        if not _NAME.fullmatch(self.name):
            raise ValueError("a name has lower-case letters, digits, dots and dashes only")
        if not self.kinds or not self.sizes:
            raise ValueError("kinds and sizes must not be empty")


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

    @property
    def allows_commercial_use(self) -> bool:
        """Whether commercial use is allowed at all, be it under conditions; unknown counts as no."""
        return self.commercial_use in {"yes", "with-conditions"}


def contradictions(family: Family, licences: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield (key, what is wrong) for every two facts of a family that cannot both hold."""
    seen: set[str] = set()
    for kind, modality in (("vision-language", "image"), ("audio", "audio")):
        known = family.modalities_in.value | family.modalities_out.value
        if kind in family.kinds and modality not in known:
            yield "kinds", f"{kind}, yet no {modality} goes in or out"
    for number, size in enumerate(family.sizes):
        for key, wrong in _size_contradictions(size, licences):
            yield f"sizes.{number}.{key}", wrong
        for index, member in enumerate(size.members):
            if member.name in seen:
                yield f"sizes.{number}.members.{index}.name", f"{member.name} is given twice"
            seen.add(member.name)


def _size_contradictions(size: Size, licences: frozenset[str]) -> Iterator[tuple[str, str]]:
    total = size.parameters.value if size.parameters else None
    active = size.active_parameters.value if size.active_parameters else None
    if size.licence is not None and size.licence.value not in licences:
        yield "licence", f"{size.licence.value} is not in licences.yaml"
    if total is not None and active is not None and active > total:
        yield "active_parameters", f"{active} of {total} parameters cannot be active"
    label = size.label_parameters
    if total is not None and label is not None and not 1 / _LABEL_TOLERANCE < total / label < _LABEL_TOLERANCE:
        yield "parameters", f"{total} parameters do not fit the label {size.size}"
    if size.architecture is None or size.parameters_note is not None:
        return
    shape = size.architecture.value
    computed = total_parameters(shape)
    if total is not None and size.parameters_exact and total != computed:
        yield "parameters", f"{total} published, {computed} from the architecture; mend one, or say why in a note"
    if active is not None and active != active_parameters(shape):
        yield "active_parameters", f"{active} published, {active_parameters(shape)} from the architecture"
