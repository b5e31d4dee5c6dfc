"""One file before it is kept, and again whenever it is verified."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

from fieldguide.errors import FormatError, UnsafeFileError
from fieldguide.formats import FileSource, read_gguf, read_safetensors, shown
from fieldguide.sources.safety._kinds import refused_kind, refused_start
from fieldguide.sources.safety._scan import scanned
from fieldguide.sources.safety._templates import check_templates

_HEAD_BYTES = 64
_LARGEST_CONFIG_BYTES = 8 << 20
_VOCABULARIES = {"tokenizer.json", "vocab.json", "added_tokens.json"}
"""Large, and of no interest here: they hold words and no settings."""


def checked(path: str, place: Path) -> tuple[str, ...]:
    """Do what `check_file` says."""
    with place.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    lower = path.lower()
    if lower.endswith(".safetensors"):
        with FileSource(place) as source:
            return _named(path, read_safetensors(source, file=path).warnings)
    why = refused_kind(path) or refused_start(head)
    if why is not None:
        raise UnsafeFileError(shown(path, 120), f"{why}{scanned(place)}")
    if lower.endswith(".gguf"):
        return _gguf(path, place)
    if lower.endswith(".jinja"):
        return _named(path, check_templates(path, {PurePosixPath(path).name: _text(path, place)}))
    if lower.endswith(".json") and PurePosixPath(lower).name not in _VOCABULARIES:
        return _json(path, place)
    return ()


def _gguf(path: str, place: Path) -> tuple[str, ...]:
    with FileSource(place) as source:
        header = read_gguf(source, file=path)
    keys = [key for key in header.metadata if key.startswith("tokenizer.chat_template")]
    templates = {key: text for key in keys if (text := header.text(key)) is not None}
    return _named(path, (*header.warnings, *check_templates(path, templates)))


def _json(path: str, place: Path) -> tuple[str, ...]:
    try:
        found: Any = json.loads(_text(path, place))
    except (ValueError, RecursionError) as error:
        raise FormatError(shown(path, 120), 0, f"it is no JSON ({type(error).__name__})") from None
    if not isinstance(found, dict):
        return ()
    warnings = []
    if found.get("auto_map") or found.get("trust_remote_code"):
        warnings.append("it asks to run Python code of its repository (auto_map), which is never done")
    templates: dict[str, str] = {}
    template = found.get("chat_template")
    if isinstance(template, str):
        templates["chat_template"] = template
    elif isinstance(template, list):
        templates = {
            f"chat_template {number}": each["template"]
            for number, each in enumerate(template, 1)
            if isinstance(each, dict) and isinstance(each.get("template"), str)
        }
    return _named(path, (*warnings, *check_templates(path, templates)))


def _text(path: str, place: Path) -> str:
    size = place.stat().st_size
    if size > _LARGEST_CONFIG_BYTES:
        raise FormatError(shown(path, 120), 0, f"it takes {size} bytes; at most {_LARGEST_CONFIG_BYTES} are read")
    return place.read_bytes().decode("utf-8", "replace")


def _named(path: str, warnings: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{shown(path, 120)}: {warning}" for warning in warnings)
