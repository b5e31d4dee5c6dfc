"""What an answer costs, found fast: a price without tiers is a sum of counts times amounts."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from fieldguide.app.gateway._config import ModelConfig
from fieldguide.app.prices import KnownPrice, price_of
from fieldguide.domain import ResolvedModel, Usage

_MILLION = 1_000_000
_ALONE = ("input_tokens", "output_tokens")
_WITHIN = {
    "cached_input_tokens": "input_tokens",
    "cache_write_tokens": "input_tokens",
    "reasoning_tokens": "output_tokens",
}
"""Counts that are part of another: their amount is what the whole costs more, or less, for them."""


class Price(Protocol):
    """The price of one model."""

    def cost_of(self, usage: Usage) -> Decimal | None:
        """Return what an answer costs in US dollars; None where a count or a price is not known."""


class Free:
    """The price of what runs here."""

    def cost_of(self, usage: Usage) -> Decimal | None:
        """Return nothing at all."""
        return Decimal(0)


class Given:
    """A price that the operator has given."""

    def __init__(self, per_million_in: Decimal, per_million_out: Decimal) -> None:
        self._in, self._out = per_million_in / _MILLION, per_million_out / _MILLION

    def cost_of(self, usage: Usage) -> Decimal | None:
        """Return input and output at the given amounts."""
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        return usage.input_tokens * self._in + usage.output_tokens * self._out


class Known:
    """A price from the books. Where it is linear in the usual counts, it is taken apart once and then only added."""

    def __init__(self, price: KnownPrice) -> None:
        self._price = price
        self._amounts = None if any(rate.tiers for rate in price.rates) else self._taken_apart()

    def cost_of(self, usage: Usage) -> Decimal | None:
        """Return what the books say."""
        amounts = self._amounts
        if amounts is None or usage.input_tokens is None or usage.output_tokens is None:
            return self._price.cost_of(usage)
        for name in _OTHERS:
            if getattr(usage, name):
                return self._price.cost_of(usage)
        cost = amounts[""]
        for name, amount in amounts.items():
            if name and (count := getattr(usage, name)):
                cost += count * amount
        return cost

    def _taken_apart(self) -> dict[str, Decimal] | None:
        base = self._cost()
        amounts: dict[str, Decimal | None] = {"": base}
        for name in _ALONE:
            amounts[name] = _each(self._cost(**{name: _MILLION}), base)
        for name, whole in _WITHIN.items():
            amounts[name] = _each(self._cost(**{name: _MILLION, whole: _MILLION}), self._cost(**{whole: _MILLION}))
        known = {name: amount for name, amount in amounts.items() if amount is not None}
        return known if len(known) == len(amounts) else None

    def _cost(self, **counts: int) -> Decimal | None:
        return self._price.cost_of(Usage(**{**dict.fromkeys(_ALONE, 0), **counts}))


_OTHERS = tuple(each.name for each in fields(Usage) if each.name not in {*_ALONE, *_WITHIN})


def _each(with_it: Decimal | None, without: Decimal | None) -> Decimal | None:
    return None if with_it is None or without is None else (with_it - without) / _MILLION


def price_for(home: Path, config: ModelConfig, provider: str, model: ResolvedModel, *, free: bool) -> Price | None:
    """Return the price of a model: the operator's, nothing where it runs here, or the books'; None where none is known.

    A price in another currency than US dollars counts as not known.
    """
    if config.price_in is not None and config.price_out is not None:
        return Given(config.price_in, config.price_out)
    if free:
        return Free()
    named = str(model.identity.get("model") or model.name)
    found = price_of(home, provider, named)
    return Known(found) if found is not None and found.currency == "USD" else None
