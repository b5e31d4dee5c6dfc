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
from fieldguide.errors import UsageError


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
    house = house_of(args)
    costs = price_workload(house.settings.home, args.models, workload, provider=args.provider, at=moment(args.at))
    if args.against is not None:
        from fieldguide.cli._against import run_against

        return run_against(args, house, costs, lambda: show_costs(args, costs))
    for flag in (
        "own_model",
        "engine",
        "concurrent",
        "utilisation",
        "purchase_usd",
        "usd_per_hour",
        "benchmark",
        "html",
        "png",
    ):
        if getattr(args, flag) is not None:
            raise UsageError(f"--{flag.replace('_', '-')} goes with --against.", hint="Such as --against h100.")
    if args.json:
        print_json(costs_json(costs))
    else:
        show_costs(args, costs)
    return 0


def show_costs(args: Namespace, costs: Costs) -> None:
    """Print a row for each price."""
    rows = table("model", "provider", "total", "sources", "a request", "price used", "source", right=(2, 3, 4))
    priced = [each for each in costs.models if each.per_request is not None]
    for each in priced:
        rows.add_row(*_row(each))
    if priced:
        console().print(rows)
    notes: dict[str, list[str]] = {}
    for each in costs.models:
        for text in each.notes:
            notes.setdefault(f"{each.model}: {text}", []).append(each.offer.provider if each.offer else "")
    for text, providers in notes.items():
        where = ", ".join(filter(None, providers))
        print(f"{text} (at {where})" if where else text)
    for warning in costs.warnings:
        note(args, f"note: {warning}")


def _row(priced: PricedModel) -> tuple[str, ...]:
    made = priced.offer
    if made is None or made.used is None or made.used.bill is None or made.used.rates is None:
        raise ValueError("a row without a price")
    used, bill, rates = made.used, made.used.bill, made.used.rates
    currency = used.listing.currency
    low, high = (_money(priced.times(end), currency) for end in (made.low, made.high))
    believed = sum(1 for quote in made.quotes if quote.total is not None and quote.flag is None)
    since = f", from {rates.valid_from}" if rates.valid_from else ""
    return (
        priced.model,
        made.provider,
        _money(priced.times(used.total), currency),
        f"{low} to {high}" if made.disagree else "1" if believed == 1 else f"{believed} agree",
        _money(used.total, currency),
        ", ".join(_line(line, currency) for line in bill.lines),
        f"{used.listing.source.name} ({rates.read or used.listing.source.read}{since})",
    )


def _line(line: PriceLine, currency: str) -> str:
    name = line.rate.unit.name.removesuffix("_tokens").replace("_", " ")
    per = "M" if line.rate.unit.per_name == "million tokens" else line.rate.unit.per_name
    return f"{name} {_money(line.amount, currency)}/{per}"


def _money(value: Decimal | None, currency: str) -> str:
    """Return an amount with at least two digits behind the point, and of a small one at least three that count."""
    if value is None:
        return "n/a"
    sign = "$" if currency == "USD" else f"{currency} "
    digits = 2 if value == 0 or value >= 100 else max(2, 2 - value.adjusted())
    text = f"{value:,.{digits}f}"
    while len(text.partition(".")[2]) > 2 and text.endswith("0"):
        text = text[:-1]
    return sign + text
