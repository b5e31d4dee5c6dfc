"""Prices as models.dev (MIT) lists them in its api.json, read into our own form."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from fieldguide.catalogue.prices._book import line_of
from fieldguide.catalogue.prices._listing import DatedRates, Rate, amount_of
from fieldguide.catalogue.prices._providers import provider_name
from fieldguide.catalogue.prices._units import UNITS

MODELSDEV = "models.dev"
MODELSDEV_URL = "https://models.dev"

_UNITS = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cached_input_tokens",
    "cache_write": "cache_write_input_tokens",
    "reasoning": "reasoning_output_tokens",
    "input_audio": "audio_input_tokens",
    "output_audio": "audio_output_tokens",
}


def lines_of(api: Mapping[str, Any], malformed: list[str]) -> list[dict[str, Any]]:
    """Return the lines of a book for its api.json: `{provider: {"models": {id: {"cost": ...}}}}`.

    Models that cannot be read are named in `malformed`.

    Raises:
        ValueError, TypeError, AttributeError: It is not of the shape that we know.
    """
    lines = []
    for provider, value in api.items():
        for model, facts in value["models"].items():
            try:
                if cost := facts.get("cost"):
                    lines.append(line_of(provider_name(provider), model, [DatedRates(rates=rates_of(cost))]))
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                malformed.append(f"{provider}:{model}: {error}")
    return lines


def rates_of(cost: Mapping[str, Any]) -> tuple[Rate, ...]:
    """Return the rates of one of its cost tables (US dollars per million tokens), with its tiers by context."""
    steps = [(int(tier["tier"]["size"]), tier) for tier in cost.get("tiers") or ()]
    if not steps and cost.get("context_over_200k"):
        steps = [(200_000, cost["context_over_200k"])]
    steps.sort(key=_size)
    return tuple(
        Rate(
            unit=UNITS[unit],
            amount=_amount(cost[key]),
            tiers=tuple((size, _amount(tier[key])) for size, tier in steps if tier.get(key) is not None),
        )
        for key, unit in _UNITS.items()
        if cost.get(key) is not None
    )


def _size(step: tuple[int, Any]) -> int:
    return step[0]


def _amount(value: Any) -> Decimal:
    amount = amount_of(value)
    return amount.normalize() if amount else Decimal(0)
