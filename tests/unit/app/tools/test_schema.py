"""Our part of JSON Schema agrees with the reference implementation."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from fieldguide.app.tools import fault_of_schema, faults

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "n": {"type": "integer", "minimum": 0, "maximum": 9},
        "s": {"type": "string", "minLength": 2, "pattern": "^a"},
        "e": {"enum": ["x", 1, None]},
        "l": {"type": "array", "items": {"anyOf": [{"type": "number"}, {"$ref": "#/$defs/d"}]}, "maxItems": 2},
        "o": {"type": ["object", "null"], "additionalProperties": {"type": "boolean"}},
    },
    "required": ["n"],
    "additionalProperties": False,
    "$defs": {"d": {"type": "object", "required": ["k"]}},
}


@pytest.mark.parametrize(
    "value",
    [
        {"n": 1}, {"n": 1.0}, {"n": 1.5}, {"n": True}, {"n": -1}, {"n": 10}, {}, [], None, "n", {"n": 1, "z": 1},
        {"n": 1, "s": "ab"}, {"n": 1, "s": "a"}, {"n": 1, "s": "bb"}, {"n": 1, "e": None}, {"n": 1, "e": "y"},
        {"n": 1, "l": [1, {"k": 1}]}, {"n": 1, "l": [{}]}, {"n": 1, "l": [1, 2, 3]}, {"n": 1, "o": None},
        {"n": 1, "o": {"a": True}}, {"n": 1, "o": {"a": 1}},
    ],
)  # fmt: skip
def test_values_are_judged_as_the_reference_judges_them(value: Any) -> None:
    """Where it finds a fault, so do we, and nowhere else."""
    assert bool(faults(value, SCHEMA)) == (not jsonschema.Draft202012Validator(SCHEMA).is_valid(value))


@pytest.mark.parametrize(
    "schema", [[], "x", {"type": "strng"}, {"properties": []}, {"required": "n"}, {"items": {"type": 3}}, {"enum": 1}]
)
def test_what_is_no_schema_is_told(schema: Any) -> None:
    """With the place."""
    assert fault_of_schema(schema) is not None
    assert fault_of_schema(SCHEMA) is None
