"""Priced workloads to the JSON that programs read. Money keeps every digit; unknown is null and never 0."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fieldguide.app.cost import Costs, PricedModel
from fieldguide.catalogue.prices import Quote


def costs_json(costs: Costs) -> dict[str, Any]:
    """Return the result of `cost`."""
    load = costs.workload
    return {
        "models": [_model_json(each) for each in costs.models],
        "workload": {
            "input_tokens": load.input_tokens,
            "output_tokens": load.output_tokens,
            "cached_tokens": load.cached_tokens,
            "cache_write_tokens": load.cache_write_tokens,
            "images": load.images,
            "audio_seconds": float(load.audio_seconds),
            "requests": load.requests,
            "batch": load.batch,
        },
        "at": costs.at.isoformat(),
        "warnings": list(costs.warnings),
    }


def _model_json(priced: PricedModel) -> dict[str, Any]:
    made = priced.offer
    used = made.used if made else None
    usd = priced.currency in (None, "USD")
    return {
        "model": priced.model,
        "provider": made.provider if made else None,
        "provider_model": used.listing.model if used else None,
        "total_usd": _number(priced.times(priced.per_request)) if usd else None,
        "low_usd": _number(priced.times(made.low)) if made and usd else None,
        "high_usd": _number(priced.times(made.high)) if made and usd else None,
        "per_request_usd": _number(priced.per_request) if usd else None,
        "total": _number(priced.times(priced.per_request)),
        "currency": priced.currency,
        "breakdown": _breakdown(priced, used),
        "sources": [_source_json(priced, quote, used) for quote in (made.quotes if made else ())],
        "valid_from": used.rates.valid_from.isoformat() if used and used.rates and used.rates.valid_from else None,
        "disagree": made.disagree if made else None,
        "notes": list(priced.notes),
    }


def _breakdown(priced: PricedModel, used: Quote | None) -> list[dict[str, Any]]:
    if used is None or used.bill is None:
        return []
    return [
        {
            "unit": line.rate.unit.name,
            "count": _number(line.count),
            "price": _number(line.amount),
            "per": line.rate.unit.per,
            "tiers": [{"above_input_tokens": above, "price": _number(price)} for above, price in line.rate.tiers],
            "per_request": _number(line.price),
            "total": _number(priced.times(line.price)),
        }
        for line in used.bill.lines
    ]


def _source_json(priced: PricedModel, quote: Quote, used: Quote | None) -> dict[str, Any]:
    source, rates = quote.listing.source, quote.rates
    return {
        "source": source.name,
        "url": source.url,
        "licence": source.licence,
        "read": ((rates.read if rates else None) or source.read).isoformat(),
        "cited": rates.cited if rates else None,
        "provider_model": quote.listing.model,
        "used": quote is used,
        "total": _number(priced.times(quote.total)),
        "currency": quote.listing.currency,
        "valid_from": rates.valid_from.isoformat() if rates and rates.valid_from else None,
        "valid_until": rates.valid_until.isoformat() if rates and rates.valid_until else None,
        "not_believed": quote.flag,
        "notes": list(quote.notes),
    }


def _number(value: Decimal | None) -> int | float | None:
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)
