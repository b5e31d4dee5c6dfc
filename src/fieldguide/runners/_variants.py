"""Options that are part of a model's name, so that it can be measured against itself: `base,compute_type=int8`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def variant(target: str, options: Mapping[str, str], known: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Return a target without the options that stand in it, and all options, those in the name before the given ones.

    What follows a comma is an option only where every part is `NAME=VALUE` with a known name; a path may hold commas.
    """
    name, *parts = target.split(",")
    pairs = [part.partition("=") for part in parts]
    if not pairs or any(option not in known or not equals for option, equals, _ in pairs):
        return target, dict(options)
    return name, {**options, **{option: value for option, _, value in pairs}}
