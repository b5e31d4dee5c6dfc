"""Reading the YAML files. pydantic and yaml are imported on first use: most commands never look a model up."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from fieldguide.catalogue._entry import ModelEntry
from fieldguide.errors import CatalogueError, UnknownNameError
from fieldguide.registry import nearest

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable
    from pathlib import Path


def entries(copies: Path | None = None) -> tuple[ModelEntry, ...]:
    """Return every model of the catalogue, by name.

    Args:
        copies: Folder of fast copies, such as `families` takes; None reads the files.

    Raises:
        CatalogueError: A file of the catalogue is malformed.
    """
    return _shipped(copies)


def entry_names() -> tuple[str, ...]:
    """Return the name of every model of `entries`, without reading any: a file is called as its model."""
    return tuple(item.name.removesuffix(".yaml") for item in _files_in(_facts()))


def entry(name: str) -> ModelEntry:
    """Return the model called `name`; capitals do not matter.

    Raises:
        UnknownNameError: There is none; the nearest names are given.
        CatalogueError: A file of the catalogue is malformed.
    """
    known = {model.name: model for model in entries()}
    found = known.get(name.lower())
    if found is None:
        raise UnknownNameError("model", name, nearest(name, sorted(known)))
    return found


def read_entries(folder: Traversable) -> tuple[ModelEntry, ...]:
    """Return the models described by the YAML files in `folder`, by name.

    Raises:
        CatalogueError: A file is not YAML, repeats or misses a key, has one we do not know, or a value is not possible.
    """
    return tuple(_read_one(item) for item in _files_in(folder))


@cache
def _shipped(copies: Path | None) -> tuple[ModelEntry, ...]:
    from fieldguide.catalogue._compiled import compiled  # Imports this module.

    folder, schema = _facts(), tuple[ModelEntry, ...]
    found: tuple[ModelEntry, ...] = compiled(copies, "entries", _files_in(folder), schema, lambda: read_entries(folder))
    return found


def _facts() -> Traversable:
    return files("fieldguide.catalogue").joinpath("facts")


def _files_in(folder: Traversable) -> list[Traversable]:
    return sorted((item for item in folder.iterdir() if item.name.endswith(".yaml")), key=lambda item: item.name)


def _read_one(item: Traversable) -> ModelEntry:
    model: ModelEntry = validated(item.name, read_yaml(item), ModelEntry)
    if item.name != f"{model.name}.yaml":
        raise CatalogueError(item.name, "name", f"the file must be called {model.name}.yaml")
    return model


def validated(file: str, content: object, schema: Any) -> Any:
    """Return the content of a curated file as a value of `schema`.

    Raises:
        CatalogueError: A key is missing or not one that we know, or a value is not possible; file and key are named.
    """
    from pydantic import ValidationError

    try:
        # By way of JSON, because only there strict validation takes a list for a tuple and a text for a date.
        return adapter(schema).validate_json(json.dumps(content, default=str), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(step) for step in first["loc"]) or "(top)"
        raise CatalogueError(file, key, first["msg"]) from error


@cache
def adapter(schema: Any) -> Any:
    """Return pydantic's reader of a schema, made once."""
    from pydantic import TypeAdapter

    return TypeAdapter(schema)


def read_yaml(item: Traversable) -> object:
    """Return what a YAML file holds.

    Raises:
        CatalogueError: It is missing, not YAML, or gives a key twice.
    """
    import yaml

    try:
        return yaml.load(item.read_text(encoding="utf-8"), Loader=_loader(item.name))  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        key = "(top)" if mark is None else f"line {mark.line + 1}"
        raise CatalogueError(item.name, key, str(getattr(error, "problem", None) or error)) from error
    except UnicodeDecodeError as error:
        raise CatalogueError(item.name, "(top)", "not UTF-8 text") from error
    except OSError as error:
        raise CatalogueError(item.name, "(top)", f"cannot be read: {error.strerror}") from error


def _loader(file: str) -> Any:
    """Return a safe YAML loader that refuses a key given twice: plain YAML silently keeps the last.

    Days stay text: the schema reads them, and names the key of one that does not exist.
    """
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the same in C, ten times as fast
        pass

    def mapping(loader: Any, node: yaml.MappingNode) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = str(key_node.value)
            if key in seen:
                raise CatalogueError(file, key, f"given twice (line {key_node.start_mark.line + 1})")
            seen.add(key)
        made: dict[Any, Any] = loader.construct_mapping(node, deep=True)
        return made

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in Loader.yaml_implicit_resolvers.items()
    }
    Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    return Loader
