"""The projector (`mmproj`) of a model: the file beside it with which llama.cpp looks at pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fieldguide.errors import InputFileError, ModelLoadError, SettingsError
from fieldguide.formats import (
    FileSource,
    ProjectorFacts,
    is_projector,
    model_words,
    projector_of,
    projector_rank,
    projector_suits,
    read_gguf,
)
from fieldguide.runners.llama_cpp._file_facts import FileFacts, read_file_facts

_NONE = "none"
_MOST_FILES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Eyes:
    """A projector that belongs to a model."""

    path: Path
    facts: ProjectorFacts
    size_bytes: int


def find_eyes(model: Path, facts: FileFacts, given: str | None, tell: Callable[[str], None]) -> Eyes | None:
    """Return the projector of a model: the one that was named, or the one beside it; None where there is none.

    One beside it is taken where its file has `mmproj` in its name, its width is that of the model, and its name is of
    the model or of no model at all in a folder of one model: `mmproj-model-f16.gguf` beside two models belongs to
    nobody knows which.

    Args:
        model: The text model.
        facts: What its header says.
        given: Path of the projector, or `none`; None looks for one.
        tell: Told what was passed over and why.

    Raises:
        SettingsError: What was named is no projector, or one of another model.
    """
    if given is not None:
        return None if given.lower() == _NONE else _given(Path(given).expanduser().absolute(), facts)
    found = [eyes for path in _beside(model) if (eyes := _fitting(path, model, facts, tell)) is not None]
    if not found:
        return None
    return max(found, key=lambda each: projector_rank(each.path, model))


def projector_beside(model: Path) -> tuple[ProjectorFacts, int] | None:
    """Return the projector that would be loaded with a model, and the bytes of its file; None where there is none.

    Raises:
        InputFileError: The model cannot be read.
        ModelLoadError: It is none that the engine loads.
    """
    eyes = find_eyes(model, read_file_facts(model), None, lambda what: None)
    return None if eyes is None else (eyes.facts, eyes.size_bytes)


def _given(path: Path, facts: FileFacts) -> Eyes:
    try:
        eyes = _read(path)
    except InputFileError as error:
        raise SettingsError("mmproj", str(error), hint=error.hint) from error
    if eyes is None:
        hint = "Give the file with `mmproj` in its name, or `none` for a model that is not to look."
        raise SettingsError("mmproj", f"{path.name} is no projector but a model that speaks.", hint=hint)
    if not _same_width(eyes.facts, facts):
        raise SettingsError("mmproj", _other_width(path, eyes.facts, facts), hint="Take the one of the same model.")
    return eyes


def _beside(model: Path) -> list[Path]:
    """Return the projectors in the model's folder; else those above it, where that folder holds no model itself.

    Repositories keep large models in a folder for each quantization, and one projector for all of them above.
    """
    own = [path for path in _ggufs(model.parent) if is_projector(path) and path.name != model.name]
    above = _ggufs(model.parent.parent)
    return own or ([] if not all(map(is_projector, above)) else above)


def _ggufs(folder: Path) -> list[Path]:
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".gguf")
    except OSError:
        return []
    return found[:_MOST_FILES]


def _fitting(path: Path, model: Path, facts: FileFacts, tell: Callable[[str], None]) -> Eyes | None:
    """Return a projector that lies beside a model, if it is the model's."""
    if not projector_suits(path, model):
        return None
    if not model_words(path) and (others := _other_models(model)):
        tell(f"{path.name} was not taken: {others[0].name} lies beside it too; --option mmproj={path} takes it")
        return None
    try:
        eyes = _read(path)
    except (InputFileError, ModelLoadError) as error:
        tell(f"{path.name} was not taken: {error}")
        return None
    if eyes is not None and not _same_width(eyes.facts, facts):
        tell(f"{path.name} was not taken: {_other_width(path, eyes.facts, facts)}")
        return None
    return eyes


def _other_models(model: Path) -> list[Path]:
    own = model_words(model)
    return [path for path in _ggufs(model.parent) if not is_projector(path) and model_words(path) != own]


def _read(path: Path) -> Eyes | None:
    with FileSource(path) as source:
        facts = projector_of(read_gguf(source))
        return None if facts is None else Eyes(path=path, facts=facts, size_bytes=source.size_bytes)


def _same_width(projector: ProjectorFacts, facts: FileFacts) -> bool:
    return None in (projector.text_width, facts.width) or projector.text_width == facts.width


def _other_width(path: Path, projector: ProjectorFacts, facts: FileFacts) -> str:
    return f"{path.name} is made for a model of width {projector.text_width}, and this one has {facts.width}."
