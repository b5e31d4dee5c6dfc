"""Runs inside the sandbox: describes the functions of a file as tools, or calls one of them.

Read as text and put before nothing: it is the whole program that the sandbox runs, and the user's file comes to it on
standard input. What the functions print goes to standard error; standard output holds the one JSON value.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import inspect
import json
import os
import re
import sys
import traceback
import types
import typing
from typing import Any

_SIMPLE = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


def main() -> None:
    """Do the task that stands on standard input."""
    task = json.loads(sys.stdin.buffer.read())
    out = os.dup(1)
    os.dup2(2, 1)
    sys.stdin.close()
    try:
        told = _do(task)
    except BaseException as error:
        told = {"error": _said(error)}
    sys.stdout.flush()
    with os.fdopen(out, "w", encoding="utf-8", errors="backslashreplace") as stream:
        json.dump(told, stream)


def _do(task: dict[str, Any]) -> dict[str, Any]:
    module = types.ModuleType("tools")
    sys.modules["tools"] = module
    module.__dict__["__file__"] = task["file"]
    exec(compile(task["source"], task["file"], "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - the purpose
    functions = _public(module)
    if "call" not in task:
        return {"tools": [_described(function) for function in functions.values()]}
    function = functions[task["call"]]
    return {"value": _jsonable(_called(function, task["arguments"]))}


def _public(module: types.ModuleType) -> dict[str, Any]:
    named = getattr(module, "__all__", None)
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isfunction(value)
        and (name in named if named is not None else not name.startswith("_") and value.__module__ == "tools")
    }


# -- describing -------------------------------------------------------------------------------------------------------


def _described(function: types.FunctionType) -> dict[str, Any]:
    told: dict[str, Any] = {"name": function.__name__}
    try:
        hints = typing.get_type_hints(function, include_extras=True)
        text = inspect.getdoc(function) or ""
        about = _about_arguments(text)
        properties, required = {}, []
        for parameter in inspect.signature(function).parameters.values():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                raise TypeError(f"*{parameter.name} has no place in a tool")
            schema = _schema(hints.get(parameter.name, typing.Any))
            if parameter.name in about:
                schema.setdefault("description", about[parameter.name])
            if parameter.default is parameter.empty:
                required.append(parameter.name)
            elif parameter.default is not None and _is_json(parameter.default):
                schema["default"] = parameter.default
            properties[parameter.name] = schema
        told["description"] = _summary(text)
        told["parameters"] = {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }
    except Exception as error:
        told["error"] = _said(error)
    return told


def _schema(hint: Any) -> dict[str, Any]:
    if hint is typing.Any or hint is inspect.Parameter.empty or hint is object:
        return {}
    if hint in _SIMPLE:
        return {"type": _SIMPLE[hint]}
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        words = [part for part in parts[1:] if isinstance(part, str)]
        return _schema(parts[0]) | ({"description": words[0]} if words else {})
    if origin is typing.Literal:
        return {"enum": list(parts)}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_schema(part) for part in parts]}
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return {"enum": [member.value for member in hint]}
    if typing.is_typeddict(hint):
        fields = typing.get_type_hints(hint)
        return _object(fields, sorted(hint.__required_keys__))
    if dataclasses.is_dataclass(hint):
        fields = typing.get_type_hints(hint)
        needed = [
            field.name
            for field in dataclasses.fields(hint)
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        ]
        return _object({field.name: fields[field.name] for field in dataclasses.fields(hint)}, needed)
    return _container(hint, origin or hint, parts)


def _container(hint: Any, origin: Any, parts: tuple[Any, ...]) -> dict[str, Any]:
    if not isinstance(origin, type):
        raise TypeError(f"the hint {hint!r} cannot be said in JSON")
    if issubclass(origin, tuple) and parts and parts[-1] is not Ellipsis:
        return {
            "type": "array",
            "prefixItems": [_schema(part) for part in parts],
            "minItems": len(parts),
            "maxItems": len(parts),
        }
    if origin in (list, tuple, set, frozenset) or (
        origin.__module__ == "collections.abc"
        and "__getitem__" in dir(origin)
        and not issubclass(origin, collections.abc.Mapping)
    ):
        return {"type": "array", **({"items": _schema(parts[0])} if parts else {})}
    if origin is dict or issubclass(origin, collections.abc.Mapping):
        return {"type": "object", **({"additionalProperties": _schema(parts[1])} if len(parts) == 2 else {})}
    raise TypeError(f"the hint {hint!r} cannot be said in JSON")


def _object(fields: dict[str, Any], required: list[str]) -> dict[str, Any]:
    properties = {name: _schema(hint) for name, hint in fields.items()}
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


_GOOGLE = re.compile(r"^(?:Args|Arguments|Parameters):\s*$", re.M)
_ENTRY = re.compile(r"^\s+\*{0,2}(\w+)\s*(?:\([^)]*\))?:\s*(.+)$")
_SPHINX = re.compile(r"^\s*:param(?: [^:]*?)? (\w+):\s*(.+)$", re.M)


def _about_arguments(text: str) -> dict[str, Any]:
    about = {name: words.strip() for name, words in _SPHINX.findall(text)}
    if section := _GOOGLE.search(text):
        last = None
        for line in text[section.end() :].lstrip("\n").splitlines():
            if line.strip() and not line.startswith(" "):
                break
            if entry := _ENTRY.match(line):
                last = entry[1]
                about[last] = entry[2].strip()
            elif last and line.strip():
                about[last] += " " + line.strip()
    return about


def _summary(text: str) -> str:
    cut = [found.start() for pattern in (_GOOGLE, _SPHINX) if (found := pattern.search(text))]
    return text[: min(cut, default=len(text))].strip()


# -- calling ----------------------------------------------------------------------------------------------------------


def _called(function: types.FunctionType, arguments: dict[str, Any]) -> object:
    hints = typing.get_type_hints(function)
    given = {name: _converted(hints.get(name, typing.Any), value) for name, value in arguments.items()}
    by_place = [
        given.pop(parameter.name)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is parameter.POSITIONAL_ONLY and parameter.name in given
    ]
    value = function(*by_place, **given)
    if inspect.iscoroutine(value):
        import asyncio

        return asyncio.run(value)
    return value


def _converted(hint: Any, value: Any) -> Any:
    """Return a JSON value as what its hint asks for; what cannot be turned into it stays as it is."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is int and isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint(value)
    if dataclasses.is_dataclass(hint) and isinstance(value, dict):
        fields = typing.get_type_hints(hint)
        made: Any = hint
        return made(**{name: _converted(fields.get(name), part) for name, part in value.items()})
    if origin in (typing.Union, types.UnionType):
        return _of_union(parts, value)
    if origin in (list, set, frozenset) and isinstance(value, list):
        return origin(_converted(parts[0], part) for part in value)
    if origin is tuple and isinstance(value, list):
        each = [parts[0]] * len(value) if parts[-1] is Ellipsis else parts
        return tuple(_converted(hint, part) for hint, part in zip(each, value))
    if origin is dict and isinstance(value, dict) and len(parts) == 2:
        return {key: _converted(parts[1], part) for key, part in value.items()}
    return value


def _of_union(parts: tuple[Any, ...], value: object) -> object:
    if value is None or any(type(value) is part for part in parts):
        return value
    for part in parts:
        try:
            return _converted(part, value)
        except Exception:  # noqa: S112 - the next member of the union may take it
            continue
    return value


def _jsonable(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, set | frozenset):
        value = sorted(value, key=repr)
    return value if _is_json(value) else str(value)


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _said(error: BaseException) -> str:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(".py")]
    inside = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != "program.py"]
    where = f" (line {inside[-1].lineno} of {inside[-1].filename.rpartition('/')[2]})" if lines and inside else ""
    return f"{type(error).__name__}: {error}{where}"[:2000]


main()
