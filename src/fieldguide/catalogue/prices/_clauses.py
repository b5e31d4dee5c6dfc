"""Rules that say which names a listing covers, as genai-prices writes them.

A rule is one of `{"equals": text}`, `starts_with`, `ends_with`, `contains`, `regex`, or `{"or": [...]}` and
`{"and": [...]}` over rules; all ignore case but `regex`, which reads the name in lower case.
"""

from __future__ import annotations

import re
from typing import Any

_LONGEST_PATTERN = 200
_DEEPEST = 8
_NESTED = re.compile(r"[*+}]\)*[*+{]|\([^()]*[*+][^()]*\)[*+{]")
"""A repeat within a repeat, which may take for ever: no rule of a list that came over the network may have one."""


def covers(rule: dict[str, Any], name: str) -> bool:
    """Whether a rule covers a name in lower case."""
    (kind, value), *_ = rule.items()
    if kind == "or":
        return any(covers(each, name) for each in value)
    if kind == "and":
        return all(covers(each, name) for each in value)
    if kind == "regex":
        return re.search(value, name) is not None
    text = value.lower()
    if kind == "equals":
        return bool(name == text)
    if kind == "starts_with":
        return name.startswith(text)
    return name.endswith(text) if kind == "ends_with" else text in name


def names_in(rule: dict[str, Any]) -> list[str]:
    """Return the whole names that a rule lists, in lower case."""
    (kind, value), *_ = rule.items()
    if kind == "or":
        return [name for each in value for name in names_in(each)]
    return [value.lower()] if kind == "equals" else []


def checked_rule(rule: Any, depth: int = 0) -> dict[str, Any]:
    """Return a rule that came from outside.

    Raises:
        ValueError: It is none of those that we know, too deep, or a pattern that could take for ever.
    """
    if not isinstance(rule, dict) or len(rule) != 1 or depth > _DEEPEST:
        raise ValueError("not a rule for names")
    ((kind, value),) = rule.items()
    if kind in {"or", "and"}:
        if not isinstance(value, list) or not value:
            raise ValueError("not a rule for names")
        return {kind: [checked_rule(each, depth + 1) for each in value]}
    if kind not in {"equals", "starts_with", "ends_with", "contains", "regex"} or not isinstance(value, str):
        raise ValueError("not a rule for names")
    if kind == "regex":
        _check_pattern(value)
    return {kind: value}


def _check_pattern(pattern: str) -> None:
    if len(pattern) > _LONGEST_PATTERN or _NESTED.search(pattern):
        raise ValueError("a pattern for names that could take for ever")
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a pattern for names: {error}") from error
