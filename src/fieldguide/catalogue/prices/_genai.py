"""Prices as genai-prices (pydantic, MIT) lists them, read into our own form.

One reader for both of its shapes: the package's Python values, which `from_package` turns into the other one, and the
JSON of its update file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from fieldguide.catalogue.prices._book import line_of
from fieldguide.catalogue.prices._clauses import checked_rule, names_in
from fieldguide.catalogue.prices._listing import BATCH, DatedRates, PriceSource, Rate, Variant, amount_of
from fieldguide.catalogue.prices._providers import provider_name
from fieldguide.catalogue.prices._units import UNITS, Unit

GENAI = "genai-prices"
GENAI_URL = "https://github.com/pydantic/genai-prices"

_MODALITIES = {"text", "audio", "image", "video"}
_OTHERS = {
    "requests_kcount": "requests",
    "web_searches_kcount": "web_searches",
    "social_searches_kcount": "social_searches",
    "storage_searches_kcount": "storage_searches",
    "code_executions_kcount": "code_executions",
    "rerank_searches_kcount": "rerank_searches",
    "audio_hours": "audio_seconds",
    "input_audio_hours": "audio_input_seconds",
    "output_audio_hours": "audio_output_seconds",
    "input_mchars": "input_characters",
    "input_text_messages_kcount": "input_messages",
    "input_document_kpages": "document_pages",
    "input_annotated_document_kpages": "annotated_document_pages",
    "input_gpixels": "input_pixels",
}


def unit_of(key: str) -> Unit | None:
    """Return our unit for one of its price keys; None where we know none, or where it counts per another number."""
    if key in _OTHERS:
        return UNITS[_OTHERS[key]]
    if not key.endswith("_mtok"):
        return None
    first, *rest = key.removesuffix("_mtok").split("_")
    modality = rest.pop(0) if rest and rest[0] in _MODALITIES else ""
    if first == "cache":
        kind = {"read": "cached", "write": "cache_write"}.get(rest[0] if rest else "")
        name = None if kind is None else "_".join(filter(None, (kind, *rest[1:], modality, "input_tokens")))
    else:
        name = "_".join(filter(None, (*rest, modality, first, "tokens")))
    return UNITS.get(name or "")


def lines_of(providers: Iterable[Mapping[str, Any]], malformed: list[str]) -> list[dict[str, Any]]:
    """Return the lines of a book for the providers of its JSON; models that cannot be read are named in `malformed`.

    Raises:
        ValueError, TypeError, KeyError: It is not of the shape that we know.
    """
    lines = []
    for provider in providers:
        name = _text(provider["id"])
        for model in provider.get("models") or ():
            try:
                lines.append(_line(provider_name(name), model))
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                malformed.append(f"{name}: {error}")
    return lines


def from_package() -> tuple[PriceSource, list[dict[str, Any]]]:
    """Return what the installed package lists. Importing it takes a third of a second.

    Raises:
        ImportError: The extra `prices` is not installed.
    """
    from importlib.metadata import version

    from genai_prices.data import providers

    lines = lines_of((_plain(provider) for provider in providers), [])
    installed = version("genai-prices")
    return source_of(lines, f"{GENAI} {installed}"), lines


def source_of(lines: Iterable[Mapping[str, Any]], name: str, read: date | None = None) -> PriceSource:
    """Return the source of these lines; without a day of reading it is the newest past day that a price names."""
    today = datetime.now(UTC).date()
    days = [date.fromisoformat(each["from"]) for line in lines for each in line["d"] if "from" in each]
    newest = max((day for day in days if day <= today), default=today)
    return PriceSource(name=name, url=GENAI_URL, licence="MIT", read=read or newest)


def _line(provider: str, model: Mapping[str, Any]) -> dict[str, Any]:
    unread: dict[str, None] = {}
    prices = model["prices"]
    dated = [_dated(each, unread) for each in (prices if isinstance(prices, list) else [{"prices": prices}])]
    variants = [
        Variant(name=_variant_name(each["when"]), rates=_dated(each, unread))
        for each in model.get("price_variants") or ()
    ]
    rule = checked_rule(model["match"])
    whole = names_in(rule)
    only_names = set(rule) == {"equals"} or (set(rule) == {"or"} and len(whole) == len(rule["or"]))
    return line_of(
        provider,
        _text(model["id"]),
        dated,
        variants=variants,
        names=whole,
        rule=None if only_names else rule,
        not_read=unread,
    )


def _variant_name(when: Mapping[str, Any]) -> str:
    if dict(when) == {"processing": "batch"}:
        return BATCH
    return ", ".join(f"{_text(key)}={_text(value)}" for key, value in when.items())


def _dated(value: Mapping[str, Any], unread: dict[str, None]) -> DatedRates:
    constraint = value.get("constraint") or {}
    if set(constraint) not in (set(), {"start_date"}, {"start_time", "end_time"}):
        raise ValueError(f"a condition that we do not know: {constraint}")
    start, hours = constraint.get("start_date"), None
    if "start_time" in constraint:
        hours = (_utc_time(constraint["start_time"]), _utc_time(constraint["end_time"]))
    rates = []
    for key, price in value["prices"].items():
        if price is None:
            continue
        unit = unit_of(key)
        if unit is None:
            unread[_text(key)] = None
        else:
            rates.append(_rate(unit, price))
    return DatedRates(rates=tuple(rates), valid_from=date.fromisoformat(start) if start else None, hours=hours)


def _rate(unit: Unit, price: Any) -> Rate:
    if not isinstance(price, Mapping):
        return Rate(unit=unit, amount=amount_of(price))
    tiers = sorted((int(tier["start"]), amount_of(tier["price"])) for tier in price["tiers"])
    return Rate(unit=unit, amount=amount_of(price["base"]), tiers=tuple(tiers))


def _utc_time(text: str) -> time:
    value = time.fromisoformat(text)
    if value.tzinfo is None:
        return value
    return datetime.combine(date(2000, 1, 2), value).astimezone(UTC).time()


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"not a name: {value!r}")
    return value


def _plain(value: Any) -> Any:
    """Return one of the package's values in the shape of its JSON."""
    if dataclasses.is_dataclass(value):
        return {
            each.name.rstrip("_"): _plain(getattr(value, each.name))
            for each in dataclasses.fields(value)
            if each.name != "extractors"
        }
    if type(value).__name__ == "ModelPrice":
        return {key: _plain(each) for key, each in vars(value).items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, date | time):
        return value.isoformat()
    return value if isinstance(value, Decimal | str | int | dict | None) else str(value)
