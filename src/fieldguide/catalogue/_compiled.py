"""Fast copies of what was read from YAML and found valid: JSON under the hash of the files, restored without pydantic.

Importing pydantic, making its readers and parsing YAML takes a third of a second, most of what a look-up may take. A
copy begins with the hash of its content, so that one that was cut or changed is not believed but made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from fieldguide.catalogue._read import adapter

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_FORMAT = 4
"""Of a copy, and of the classes that are kept in it: raise it when a default changes. Part of its name."""
_PLAIN = frozenset({str, int, float, bool})


def compiled(folder: Path | None, kind: str, items: Iterable[Traversable], schema: Any, make: Callable[[], Any]) -> Any:
    """Return what `make` reads from `items`, by way of a copy in `folder` where it is at hand.

    Args:
        folder: Where copies are kept; None for nowhere.
        kind: What it is a copy of, such as `catalogue`; part of its name.
        items: The files that it depends on.
        schema: What `make` returns.
        make: Reads and validates the files.
    """
    if folder is None:
        return make()
    copy = folder / f"{kind}-{_FORMAT}-{_hash(items)}.json"
    with contextlib.suppress(OSError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError):
        return _restored(copy.read_bytes(), schema)
    made = make()
    _keep(copy, kind, adapter(schema).dump_json(made, exclude_defaults=True))
    return made


def _hash(items: Iterable[Traversable]) -> str:
    made = hashlib.sha256()
    for item in items:
        content = item.read_bytes() if item.is_file() else b""
        made.update(f"{item.name}\0{len(content)}\0".encode())
        made.update(content)
    return made.hexdigest()[:32]


def _restored(content: bytes, schema: Any) -> Any:
    stated, _, body = content.partition(b"\n")
    if stated.decode() != hashlib.sha256(body).hexdigest():
        raise ValueError("cut or changed")
    return _reader(schema)(json.loads(body))


def _keep(copy: Path, kind: str, body: bytes) -> None:
    """Write the copy whole or not at all; a folder that cannot be written to only costs time."""
    with contextlib.suppress(OSError):
        copy.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=copy.parent, prefix=f".{kind}-")
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
        Path(part).replace(copy)
        for old in copy.parent.glob(f"{kind}-*.json"):
            if old != copy:
                old.unlink(missing_ok=True)


@cache
def _reader(schema: Any) -> Callable[[Any], Any]:
    """Return what makes a value of `schema` from JSON that pydantic wrote of one."""
    origin, args = get_origin(schema), get_args(schema)
    if schema in _PLAIN or origin is Literal:
        return _same
    if schema is date:
        return date.fromisoformat
    if schema is Decimal:
        return Decimal
    if is_dataclass(origin or schema):
        return _reader_of_dataclass(schema)
    if origin in (tuple, frozenset):
        return _reader_of_several(origin, _reader(args[0]))
    if origin is dict or origin is Mapping:
        value = _reader(args[1])
        return lambda content: {key: value(each) for key, each in content.items()}
    if origin in (Union, types.UnionType):
        return _reader_of_union([each for each in args if each is not types.NoneType])
    raise TypeError(f"no copy can hold {schema}")


def _same(content: Any) -> Any:
    return content


def _reader_of_several(kind: Callable[[Iterable[Any]], Any], one: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return kind if one is _same else lambda content: kind(map(one, content))


def _reader_of_union(kinds: list[Any]) -> Callable[[Any], Any]:
    """Return a reader of one class or none, or of a class that is told from plain values by being an object."""
    objects = [_reader(kind) for kind in kinds if _reader(kind) is not _same]
    if not objects:
        return _same
    (made,) = objects
    plain = len(kinds) > 1
    return lambda content: content if content is None or (plain and not isinstance(content, dict)) else made(content)


def _reader_of_dataclass(schema: Any) -> Callable[[Any], Any]:
    owner = get_origin(schema) or schema
    bound = dict(zip(getattr(owner, "__parameters__", ()), get_args(schema), strict=False))
    hints = get_type_hints(owner)
    known = {field.name: hints[field.name] for field in fields(owner)}
    readers = {
        name: _reader(bound.get(hint, hint) if isinstance(hint, TypeVar) else hint) for name, hint in known.items()
    }
    return lambda content: owner(**{key: readers[key](each) for key, each in content.items()})
