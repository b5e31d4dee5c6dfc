"""`cost`: price a workload over models and providers."""

from __future__ import annotations

from argparse import Namespace
from decimal import Decimal

from fieldguide.app.cost import Costs, PricedModel, Workload, price_workload
from fieldguide.app.cost_json import costs_json
from fieldguide.app.prices import moment
from fieldguide.app.references import as_decimal
from fieldguide.catalogue.prices import PriceLine
from fieldguide.cli._output import console, house_of, note, print_json, table


def run(args: Namespace) -> int:
    """Print what it costs, the cheapest first."""
    workload = Workload(
        input_tokens=args.input_tokens,
        output_tokens=args.output_tokens,
        requests=args.requests,
        cached_tokens=args.cached_tokens,
        cache_write_tokens=args.cache_write_tokens,
        batch=args.batch,
        images=args.images,
        audio_seconds=as_decimal(args.audio_seconds, "--audio-seconds") or Decimal(0),
    )
    home = house_of(args).settings.home
    costs = price_workload(home, args.models, workload, provider=args.provider, at=moment(args.at))
    if args.json:
        print_json(costs_json(costs))
    else:
        _show(args, costs)
    return 0


def _show(args: Namespace, costs: Costs) -> None:
    rows = table(
        "model", "provider", "total", "range of the sources", "a request", "price used", "source", right=(2, 3, 4)
    )
    notes: dict[str, list[str]] = {}
    for each in costs.models:
        rows.add_row(*_row(each))
        for text in each.notes:
            notes.setdefault(text, []).append(f"{each.model} at {each.offer.provider}" if each.offer else each.model)
    console().print(rows)
    for text, of in notes.items():
        note(args, f"note: {', '.join(of)}: {text}")
    for warning in costs.warnings:
        note(args, f"note: {warning}")


def _row(priced: PricedModel) -> tuple[str, ...]:
    made = priced.offer
    used = made.used if made else None
    if made is None or used is None or used.bill is None or used.rates is None:
        return (priced.model, made.provider if made else "nobody known", "n/a", "n/a", "n/a", "n/a", "n/a")
    low, high = priced.times(made.low), priced.times(made.high)
    currency = used.listing.currency
    spread = "one source" if len(made.quotes) == 1 else f"{_money(low, currency)} to {_money(high, currency)}"
    read = used.rates.read or used.listing.source.read
    since = f", from {used.rates.valid_from}" if used.rates.valid_from else ""
    return (
        priced.model,
        made.provider,
        _money(priced.times(used.total), currency),
        spread if made.disagree or len(made.quotes) == 1 else "same",
        _money(used.total, currency),
        "; ".join(_line(line, currency) for line in used.bill.lines),
        f"{used.listing.source.name} ({read}{since})",
    )


def _line(line: PriceLine, currency: str) -> str:
    return f"{_money(line.amount, currency)} per {line.rate.unit.per_name} of {line.rate.unit.name}"


def _money(value: Decimal | None, currency: str) -> str:
    if value is None:
        return "n/a"
    sign = "$" if currency == "USD" else f"{currency} "
    if value == 0 or value >= 1:
        return f"{sign}{value:,.2f}" if value == round(value, 2) or value >= 100 else f"{sign}{value:,.4f}"
    digits = max(2, 3 - value.adjusted())
    return f"{sign}{value:.{digits}f}".rstrip("0")
