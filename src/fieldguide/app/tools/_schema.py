"""The part of JSON Schema that tools and answers use: whether a schema is one, and whether a value keeps to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: _is_number(value) and float(value).is_integer(),
    "number": lambda value: _is_number(value),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
_DEEPEST = 64


def fault_of_schema(schema: object, *, at: str = "the schema", depth: int = 0) -> str | None:
    """Return what makes this no JSON schema, as far as the parts go that are looked at; None where nothing does."""
    if isinstance(schema, bool):
        return None
    if not isinstance(schema, Mapping):
        return f"{at} is not a JSON object"
    if depth > _DEEPEST:
        return f"{at} is nested too deeply"
    kinds = schema.get("type", [])
    for kind in [kinds] if isinstance(kinds, str) else kinds if isinstance(kinds, list) else [kinds]:
        if kind not in _TYPES:
            return f"{at} has the type {kind!r}, which there is not ({', '.join(_TYPES)})"
    for name, kind, what in (("required", list, "a list"), ("enum", list, "a list"), ("properties", dict, "an object")):
        if name in schema and not isinstance(schema[name], kind):
            return f"{at} has `{name}` that is not {what}"
    faults = (fault_of_schema(inner, at=f"{at}/{name}", depth=depth + 1) for name, inner in _inner(schema))
    return next((fault for fault in faults if fault is not None), None)


def _inner(schema: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for name in ("properties", "$defs", "definitions"):
        if isinstance(schema.get(name), Mapping):
            yield from schema[name].items()
    for name in ("anyOf", "oneOf", "allOf", "prefixItems"):
        if isinstance(schema.get(name), list):
            yield from ((f"{name}/{place}", each) for place, each in enumerate(schema[name]))
    for name in ("items", "additionalProperties", "not"):
        if name in schema and not isinstance(schema[name], list):
            yield name, schema[name]


def faults(
    value: object, schema: Mapping[str, Any], *, root: Mapping[str, Any] | None = None, at: str = ""
) -> list[str]:
    """Return in what a value does not keep to a schema, in words for the model that wrote it; empty where it does.

    Keywords that are not known here are passed over.
    """
    root = schema if root is None else root
    if (target := schema.get("$ref")) is not None:
        resolved = _resolved(str(target), root)
        return [] if resolved is None else faults(value, resolved, root=root, at=at)
    where = at or "the value"
    kinds = schema.get("type")
    if kinds is not None:
        wanted = [kinds] if isinstance(kinds, str) else kinds
        if not any(_TYPES[kind](value) for kind in wanted):
            return [f"{where} must be of type {' or '.join(wanted)}, not {type(value).__name__}"]
    found = [*_of_choice(value, schema, where), *_of_bounds(value, schema, where)]
    if isinstance(value, dict):
        found += _of_object(value, schema, root, at)
    if isinstance(value, list):
        for place, part in enumerate(value):
            inner = _item_schema(schema, place)
            if isinstance(inner, Mapping):
                found += faults(part, inner, root=root, at=f"{at}[{place}]")
    for name, enough in (("anyOf", any), ("oneOf", any), ("allOf", all)):
        options = schema.get(name)
        if isinstance(options, list) and not enough(
            not faults(value, option, root=root, at=at) for option in options if isinstance(option, Mapping)
        ):
            found.append(f"{where} keeps to none of the forms it may have")
    return found


def _of_choice(value: object, schema: Mapping[str, Any], where: str) -> list[str]:
    if "enum" in schema and value not in schema["enum"]:
        return [f"{where} must be one of {schema['enum']}, not {value!r}"]
    if "const" in schema and value != schema["const"]:
        return [f"{where} must be {schema['const']!r}"]
    return []


def _of_bounds(value: object, schema: Mapping[str, Any], where: str) -> list[str]:
    found = []
    if _is_number(value):
        for name, holds in (("minimum", float.__ge__), ("maximum", float.__le__)):
            if name in schema and not holds(float(value), float(schema[name])):  # type: ignore[arg-type]
                found.append(f"{where} must keep to the {name} {schema[name]}")
    if isinstance(value, str | list):
        size = "Length" if isinstance(value, str) else "Items"
        if len(value) < schema.get(f"min{size}", 0) or len(value) > schema.get(f"max{size}", len(value)):
            found.append(f"{where} has a size of {len(value)}, which is out of bounds")
    if isinstance(value, str) and isinstance(schema.get("pattern"), str) and len(value) < 10_000:
        try:
            if re.search(schema["pattern"], value) is None:
                found.append(f"{where} must match {schema['pattern']}")
        except re.error:
            pass
    return found


def _of_object(value: dict[str, Any], schema: Mapping[str, Any], root: Mapping[str, Any], at: str) -> list[str]:
    properties = schema.get("properties") or {}
    found = [f"{name} is missing" for name in schema.get("required") or () if name not in value]
    others = schema.get("additionalProperties", True)
    for name, part in value.items():
        place = f"{at}.{name}" if at else name
        inner = properties.get(name, others)
        if inner is False:
            found.append(f"there is no {place} (known: {', '.join(properties)})")
        elif isinstance(inner, Mapping):
            found += faults(part, inner, root=root, at=place)
    return found


def _item_schema(schema: Mapping[str, Any], place: int) -> object:
    first: Sequence[Any] = schema.get("prefixItems") or ()
    return first[place] if place < len(first) else schema.get("items")


def _resolved(target: str, root: Mapping[str, Any]) -> Mapping[str, Any] | None:
    found: Any = root
    for part in target.removeprefix("#").strip("/").split("/"):
        found = found.get(part) if isinstance(found, Mapping) and part else found
    return found if isinstance(found, Mapping) and found is not root else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
