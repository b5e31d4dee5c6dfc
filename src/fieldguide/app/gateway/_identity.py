"""Who asks, and what they may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from fieldguide.domain import JsonValue

Role: TypeAlias = Literal["admin", "user"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLimits:
    """What a key may use; None is no limit."""

    budget_usd: Decimal | None = None
    """For all time (US dollars)."""
    daily_usd: Decimal | None = None
    """For each day (UTC)."""
    model_usd: Mapping[str, Decimal] = field(default_factory=dict)
    """For all time, by model."""
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    models: tuple[str, ...] | None = None
    """Models that may be asked; None for all."""

    @property
    def of_money(self) -> bool:
        """Whether any of them is a budget."""
        return self.budget_usd is not None or self.daily_usd is not None or bool(self.model_usd)

    def as_json(self) -> dict[str, JsonValue]:
        """Return the limits that are set, as they are kept."""
        written: dict[str, JsonValue] = {
            "budget_usd": None if self.budget_usd is None else str(self.budget_usd),
            "daily_usd": None if self.daily_usd is None else str(self.daily_usd),
            "model_usd": {model: str(amount) for model, amount in self.model_usd.items()} or None,
            "requests_per_minute": self.requests_per_minute,
            "tokens_per_minute": self.tokens_per_minute,
            "models": None if self.models is None else list(self.models),
        }
        return {name: value for name, value in written.items() if value is not None}


def limits_from_json(value: Mapping[str, Any]) -> KeyLimits:
    """Return the limits that `KeyLimits.as_json` wrote."""
    models = value.get("models")
    return KeyLimits(
        budget_usd=_money(value.get("budget_usd")),
        daily_usd=_money(value.get("daily_usd")),
        model_usd={model: Decimal(amount) for model, amount in value.get("model_usd", {}).items()},
        requests_per_minute=value.get("requests_per_minute"),
        tokens_per_minute=value.get("tokens_per_minute"),
        models=None if models is None else tuple(models),
    )


def _money(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Someone who may ask."""

    key_id: str | None
    """None where the gateway demands no keys."""
    name: str
    role: Role
    limits: KeyLimits = KeyLimits()

    def may_ask(self, model: str) -> bool:
        """Whether a model is among those that this key may ask."""
        return self.limits.models is None or model in self.limits.models


ANYONE = Identity(key_id=None, name="anyone", role="admin")
"""Whoever reaches a gateway that demands no keys."""
