"""From a path to the files of one model: its parts, its index, and the JSON files beside them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from fieldguide.errors import FormatError, InputFileError
from fieldguide.formats._caution import shown
from fieldguide.formats._gguf_model import PART, gguf_model, part_names
from fieldguide.formats._model import ModelFacts
from fieldguide.formats._recognise import recognise
from fieldguide.formats._safetensors_model import (
    CONFIG,
    INDEX_ENDING,
    TEMPLATE,
    TOKENIZER_CONFIG,
    read_index,
    safetensors_model,
)
from fieldguide.formats._source import ByteSource, FileSource

_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
_MOST_ENTRIES = 10_000


def inspect_path(path: Path) -> ModelFacts:
    """Return the facts of the model at a path: a file, one of several parts, an index, or a folder.

    Raises:
        FormatError: A file is no model file, is refused, or a part is missing.
        InputFileError: There is nothing at the path, or it cannot be read.
    """
    if _is_folder(path):
        path = _in_folder(path)
    with ExitStack() as open_files:

        def opened(file: Path) -> FileSource:
            return open_files.enter_context(FileSource(file))

        if path.name.endswith(INDEX_ENDING):
            return _indexed(path, opened(path), open_files)
        source = opened(path)
        kind = recognise(source)
        if kind == "safetensors" and (index := _index_of(path)) is not None:
            return _indexed(index, opened(index), open_files)
        named = part_names(path.name)
        ends_like_it = path.name.endswith(".gguf") == (kind == "gguf")
        files = [path.with_name(name) for name in named] if ends_like_it else [path]
        sources: dict[str, ByteSource] = {}
        for number, file in enumerate(files, 1):
            if not file.exists():
                raise FormatError(str(path), 0, f"part {number} of {len(files)} is missing: {file.name}")
            sources[file.name] = source if file == path else opened(file)
        if kind == "gguf":
            return gguf_model(sources)
        return safetensors_model(sources, _beside(path.parent, open_files))


def _indexed(path: Path, index: ByteSource, open_files: ExitStack) -> ModelFacts:
    sources: dict[str, ByteSource] = {}
    for name in sorted(set(read_index(index)[0].values())):
        file = path.with_name(name)
        if not file.exists():
            raise FormatError(str(path), 0, f"the index names a file that is missing: {name}")
        source = open_files.enter_context(FileSource(file))
        if recognise(source) != "safetensors":
            raise FormatError(source.name, 0, "the index names this file, and it is no safetensors file")
        sources[name] = source
    return safetensors_model(sources, _beside(path.parent, open_files), index=index)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # such as a name too long for the file system: opening it tells
        return False


def _beside(folder: Path, open_files: ExitStack) -> dict[str, ByteSource]:
    found = [name for name in (CONFIG, TOKENIZER_CONFIG, TEMPLATE) if (folder / name).is_file()]
    return {name: open_files.enter_context(FileSource(folder / name)) for name in found}


def _index_of(path: Path) -> Path | None:
    """Return the index of a safetensors file that is named as a part, where one lies beside it."""
    found = PART.match(path.name)
    index = None if found is None else path.with_name(found["stem"] + INDEX_ENDING)
    return index if index is not None and index.is_file() else None


def _in_folder(folder: Path) -> Path:
    """Return the file of a folder that stands for its model."""
    try:
        names = sorted(entry.name for entry, _ in zip(folder.iterdir(), range(_MOST_ENTRIES), strict=False))
    except OSError as error:
        raise InputFileError(str(folder), f"cannot be read ({error.strerror}).", hint="Check the path.") from None
    indexes = [name for name in names if name.endswith(INDEX_ENDING)]
    weights = [name for name in names if name.endswith((".safetensors", ".gguf")) and not _later_part(name)]
    for found in (indexes, [name for name in weights if name == "model.safetensors"], weights):
        if len(found) == 1:
            return folder / found[0]
        if found:
            first = [shown(name) for name in found[:5]] + ["..."] * (len(found) > 5)
            raise InputFileError(
                str(folder), f"holds several models: {', '.join(first)}.", hint="Give the path of one of them."
            )
    if any(name.endswith(_PICKLES) for name in names):
        reason = "holds its weights as pickles only, and unpickling can run any program."
        raise InputFileError(str(folder), reason, hint="Fetch the model as .safetensors or .gguf.")
    raise InputFileError(str(folder), "holds no .safetensors or .gguf file.", hint="Give the folder of a model.")


def _later_part(name: str) -> bool:
    found = PART.match(name)
    return found is not None and int(found["number"]) != 1
