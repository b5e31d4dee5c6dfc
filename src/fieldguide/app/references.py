"""From what a person types to a runner that answers."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from fieldguide import catalogue, registry
from fieldguide.app.find import compiled_folder
from fieldguide.app.pull import Consent, pull_model
from fieldguide.app.wiring import House
from fieldguide.catalogue.whisper import whisper_size
from fieldguide.errors import UnknownNameError, UnsupportedError, UsageError
from fieldguide.runners import OpenRunner, Runner, RunnerSettings
from fieldguide.sources import LocalFileSource, is_repository

if TYPE_CHECKING:
    from fieldguide.sources import PullProgress

_HERE = frozenset({"espeak-ng", "faster-whisper", "kokoro", "llama.cpp", "piper", "recorded", "stable-diffusion.cpp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOptions:
    """How to open a model."""

    accept_licences: frozenset[str] = field(default_factory=frozenset)
    api_key_env: str | None = None
    """Variable that holds the key of an HTTP endpoint."""
    concurrency: int | None = None
    runner_options: dict[str, str] = field(default_factory=dict)
    """Options for whichever of the models take them: those of flags that name one kind of runner."""
    given_options: dict[str, str] = field(default_factory=dict)
    """Options by name, for every model, or by `PROVIDER:NAME`, for models of one provider; all have to be known."""
    note: Callable[[str], None] | None = None
    """Told, in a sentence, what slow thing is being done."""
    pulled: Callable[[PullProgress], None] | None = None
    """Told of a download's progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedModel:
    """A model that is ready to answer."""

    runner: Runner
    provider: str
    licence: str | None
    """Licence id, where it is known."""
    took: str | None
    """For a bare name: which place it was resolved to."""

    @property
    def free(self) -> bool:
        """Whether asking it costs no money: it runs here, or is not run at all."""
        return self.provider in _HERE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Resolved:
    provider: str
    target: str
    display_name: str | None = None
    licence: str | None = None
    took: str | None = None


def is_called(reference: str) -> bool:
    """Return whether a reference names a model behind an interface, which is opened without fetching or loading it."""
    provider, colon, _ = reference.partition(":")
    if reference.startswith(("http://", "https://")):
        return not _is_web_file(reference)
    return bool(colon) and provider not in _HERE and provider in registry.names("runners") and not _is_file(reference)


async def open_model(
    house: House, reference: str, options: ModelOptions, *, deadline_factor: float = 1.0, over_lines: bool = False
) -> OpenedModel:
    """Return the model that a reference names, fetching its file first where that is needed.

    A reference is `provider:model`, a bare HTTP address with `#MODEL`, a path of a GGUF file, `source:...`, or a name
    of the catalogue, which resolves to the best place it can run from here. `deadline_factor` lengthens the deadline
    of the settings for a model elsewhere, for a caller that keeps its own and listens on. `over_lines` sends requests
    the fast way (`fieldguide.http_client.Lines`), which takes the extra `server`.

    Raises:
        UnknownNameError: Nothing of that name exists; the nearest are given.
        FieldguideError: The model cannot be fetched or opened.
    """
    resolved = await asyncio.to_thread(_resolve, house, reference, options)
    open_runner = cast(OpenRunner, registry.load("runners", resolved.provider))
    if not inspect.iscoroutinefunction(open_runner):
        raise UsageError(f"The runner {resolved.provider!r} is not an async function.")
    runner = await open_runner(
        resolved.target,
        RunnerSettings(
            home=house.settings.home,
            session=house.session,
            lines=(lambda: house.lines) if over_lines else None,
            proxy_for=house.proxy_for,
            api_key=house.api_key(options.api_key_env),
            environment=house.variables(_variables(open_runner)),
            deadline_s=house.settings.deadline_s * (1.0 if resolved.provider in _HERE else deadline_factor),
            idle_timeout_s=house.settings.idle_timeout_s,
            concurrency=options.concurrency,
            options=options_for(open_runner, resolved.provider, options),
            display_name=resolved.display_name,
            progress=options.note,
        ),
    )
    return OpenedModel(runner=runner, provider=resolved.provider, licence=resolved.licence, took=resolved.took)


def check_named(house: House, reference: str) -> None:
    """Do nothing where a reference names something that can be tried; nothing is fetched, opened or asked.

    Raises:
        UnknownNameError: Nothing of that name exists; the nearest are given.
        FieldguideError: It names a file that is not there, or what cannot be run by its name.
    """
    provider, colon, _ = reference.partition(":")
    registered = colon and provider in {*registry.names("runners"), *registry.names("sources")}
    if reference.startswith(("http://", "https://")) or registered:
        return
    if _is_path(reference) and not is_repository(reference):
        LocalFileSource().resolve(reference)
    elif not _is_path(reference):
        _check_catalogue_name(house, reference)


def _check_catalogue_name(house: House, reference: str) -> None:
    if catalogue.folded(reference) in {catalogue.folded(entry.name) for entry in catalogue.entries()}:
        return
    provider, colon, target = reference.partition(":")
    if colon and target and "/" not in provider and not _is_known(house, reference):
        raise _unknown_provider(provider)
    found = catalogue.resolve_model(catalogue.families(compiled_folder(house.settings.home)), reference)
    if found.model is None:
        raise UnsupportedError(f"{found.family.title}, a whole family,", "being run", hint=_members_hint(found.family))


def _unknown_provider(provider: str) -> UnknownNameError:
    known = [*registry.names("runners"), *registry.names("sources")]
    return UnknownNameError(
        "provider or source", provider, registry.nearest(provider, known), hint=f"Known: {', '.join(known)}."
    )


def _variables(open_runner: OpenRunner) -> tuple[str, ...]:
    """Return the environment variables that the runner's module says it takes."""
    return tuple(getattr(_module(open_runner), "VARIABLES", ()))


def options_for(open_runner: OpenRunner, provider: str, options: ModelOptions) -> dict[str, str]:
    """Return the options that one runner is opened with.

    A runner lists those that it takes in `OPTIONS` of its module; a plug-in without the list is given all.

    Raises:
        UnknownNameError: One that was given by name is not among them.
    """
    given = {}
    for name, value in options.given_options.items():
        owner, colon, inner = name.partition(":")
        if not colon or owner == provider:
            given[inner if colon else name] = value
    known = getattr(_module(open_runner), "OPTIONS", None)
    if known is None:
        return {**options.runner_options, **given}
    for name in given:
        if name not in known:
            hint = f"It takes: {', '.join(known)}." if known else "It takes none."
            raise UnknownNameError(f"option of {provider}", name, registry.nearest(name, list(known)), hint=hint)
    flags = {name: value for name, value in options.runner_options.items() if name in known}
    return flags | given


def _module(open_runner: OpenRunner) -> object:
    return sys.modules.get(getattr(open_runner, "__module__", ""))


def _resolve(house: House, reference: str, options: ModelOptions) -> _Resolved:
    provider, colon, target = reference.partition(":")
    if reference.startswith(("http://", "https://")) and not _is_web_file(reference):
        return _Resolved(provider="openai-compatible", target=reference)
    if colon and provider in registry.names("runners") and not _is_file(reference):
        return _Resolved(provider=provider, target=target)
    if (colon and provider in registry.names("sources")) or _is_path(reference):
        return _fetched(house, reference, options)
    if colon and target and "/" not in provider and not _is_known(house, reference):
        raise _unknown_provider(provider)
    if (size := whisper_size(reference)) is not None:
        return _Resolved(provider="faster-whisper", target=size)
    return _from_catalogue(house, reference, options)


def _from_catalogue(house: House, name: str, options: ModelOptions) -> _Resolved:
    """Return the best place that a name of the catalogue can run from here: a file kept or fetched, else a call."""
    kept = {catalogue.folded(entry.name): entry for entry in catalogue.entries()}
    if (entry := kept.get(catalogue.folded(name))) is not None:
        return _fetched(house, entry.name, options)
    try:
        found = catalogue.resolve_model(catalogue.families(compiled_folder(house.settings.home)), name)
    except UnknownNameError as error:
        near = registry.nearest(name, [entry.name for entry in kept.values()])
        matches = list(dict.fromkeys([*near, *error.close_matches]))[:3]
        raise UnknownNameError("model", name, matches, hint=None if matches else error.hint) from error
    if found.model is None:
        raise UnsupportedError(f"{found.family.title}, a whole family,", "being run", hint=_members_hint(found.family))
    member = found.model.member
    entry = kept.get(catalogue.folded(member.name))
    wanted = catalogue.parse_name(name).quantization
    if entry is not None and wanted in (None, *(place.quantization for place in entry.places)):
        return _fetched(house, entry.name, options)
    return _called(found, member, quantized=wanted is not None)


def _called(found: catalogue.Resolved, member: catalogue.Member, *, quantized: bool) -> _Resolved:
    """Return the first place that runs a model and for which there is a runner here; else say which places there are.

    A quantization that was asked for is kept, which only a tag of Ollama can say.
    """
    for place in member.places:
        if place.keeps_weights and place.hub != "ollama":
            continue  # That its weights lie at ModelScope does not say that ModelScope runs it.
        if place.hub in registry.names("runners") and (place.hub == "ollama" or not quantized):
            target = place.id
            if place.hub == "ollama" and ":" in found.name:
                target = found.name.rpartition("/")[2]
            elif found.snapshot and found.snapshot.startswith(place.id):
                target = found.snapshot
            took = f"{found.name} is called as {place.hub}:{target}"
            return _Resolved(provider=place.hub, target=target, display_name=member.name, took=took)
    places = ", ".join(f"{place.hub}:{place.id}" for place in member.places)
    raise UnsupportedError(
        member.name,
        "being run by its name alone: this program has no file of it and no runner for its places",
        hint=f"{f'It is at {places}' if places else 'No place that has it is known'}. "
        f"Bring it here (`fieldguide pull {member.name}`), or name a server that has it: http://HOST/v1#MODEL.",
    )


def _is_known(house: House, name: str) -> bool:
    """Return whether a name with a colon in it, such as `qwen2.5:7b`, is one of the catalogue's."""
    try:
        catalogue.resolve_model(catalogue.families(compiled_folder(house.settings.home)), name)
    except UnknownNameError:
        return False
    return True


def _members_hint(family: catalogue.Family) -> str:
    members = [member.name for size in family.sizes for member in size.members]
    return f"Name one of its models: {', '.join(members[:6])}{', ...' if len(members) > 6 else '.'}"


def _is_file(reference: str) -> bool:
    """Whether a name that a runner and a source share, `modelscope`, means the source: a file of it is named."""
    provider, _, target = reference.partition(":")
    return "#" in target and provider in registry.names("sources")


def _is_web_file(reference: str) -> bool:
    """Whether an address is that of a model file, and not of a server."""
    parts = urlsplit(reference)
    return parts.path.lower().endswith(".gguf") and not parts.fragment


def _is_path(reference: str) -> bool:
    return reference.lower().endswith(".gguf") or ("/" in reference and Path(reference).expanduser().exists())


def _fetched(house: House, reference: str, options: ModelOptions) -> _Resolved:
    if reference.startswith("file:") or (_is_path(reference) and not is_repository(reference)):
        return _Resolved(provider="llama.cpp", target=str(LocalFileSource().resolve(reference)))
    accepted = options.accept_licences | house.settings.accept_licences
    stored = house.models.find(reference)
    if stored is None:
        if options.note:
            options.note(f"fetching {reference}")
        consent = Consent(accepted=accepted, yes=True, only_runnable=True)
        stored = pull_model(house, reference, consent, progress=options.pulled)
    if stored.kind != "gguf":
        raise UnsupportedError(
            stored.name,
            "being run by the embedded engine, which loads GGUF files",
            hint="Pull it from a GGUF repository, or name a server that has it: http://HOST/v1#MODEL.",
        )
    return _Resolved(
        provider="llama.cpp",
        target=str(stored.path),
        display_name=stored.name,
        licence=stored.licence_id,
        took=f"{reference} runs on the embedded llama.cpp from {stored.path}",
    )


def as_decimal(value: str | None, option: str) -> Decimal | None:
    """Return an amount of money; None where none was given.

    Raises:
        UsageError: It is no number, or below 0.
    """
    if value is None:
        return None
    try:
        amount = Decimal(value)
    except ArithmeticError as error:
        raise UsageError(f"{option} takes a number, not {value!r}.") from error
    if not amount.is_finite() or amount < 0:
        raise UsageError(f"{option} takes a number of at least 0, not {value!r}.")
    return amount
