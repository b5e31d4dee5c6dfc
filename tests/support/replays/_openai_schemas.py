"""OpenAI's published schemas."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import jsonschema
import yaml

from tests.support.shared import shared


@cache
def _validator(name: str) -> jsonschema.Draft202012Validator:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with gzip.open(shared("specs", "openai-openapi.yaml.gz"), "rt", encoding="utf-8") as file:
        document = yaml.load(file, Loader=loader)
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    return jsonschema.Draft202012Validator(schema)


def schema_errors(name: str, body: Mapping[str, Any]) -> Sequence[str]:
    """Return what the named schema has against a body."""
    return [f"{error.json_path}: {error.message[:200]}" for error in _validator(name).iter_errors(dict(body))]
