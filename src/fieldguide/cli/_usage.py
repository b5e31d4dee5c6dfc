"""`usage`: who used which model of the gateway, how much, and at what cost."""

from __future__ import annotations

from argparse import Namespace
from datetime import date
from decimal import Decimal
from typing import Any

from fieldguide.app.gateway import key_named
from fieldguide.cli._output import console, house_of, money, note, number, print_json, table
from fieldguide.errors import UsageError

_COUNTS = (
    "requests",
    "answered",
    "failed",
    "abandoned",
    "input_tokens",
    "output_tokens",
    "cached_input_tokens",
    "reasoning_tokens",
)


def run(args: Namespace) -> int:
    """Show sums by key, model or day."""
    house = house_of(args)
    records = house.gateway_records
    try:
        key_id = None if args.key is None else key_named(house, args.key).key_id
        column = "key_id" if args.by == "key" else args.by
        sums = records.usage_sums(since=_day(args.since), key_id=key_id, by=[column])
        names = {row.key_id: row.name for row in records.all_keys()}
    finally:
        records.close()
    rows = [_row(each, column, names) for each in sums]
    if args.json:
        print_json({"by": args.by, "since": args.since, "usage": rows})
        return 0
    shown = table(args.by, "requests", "answered", "failed", "input", "output", "cost", right=(1, 2, 3, 4, 5, 6))
    for row in rows:
        counts = [number(row[name]) for name in ("requests", "answered", "failed", "input_tokens", "output_tokens")]
        shown.add_row(str(row["name"] or "no key"), *counts, money(_cost(row)))
    console().print(shown)
    if unpriced := sum(row["unpriced"] for row in rows):
        note(args, f"note: the cost of {unpriced} answers is not known and not in the sums.")
    return 0


def _row(sums: dict[str, Any], column: str, names: dict[str, str]) -> dict[str, Any]:
    key = sums[column]
    nano = sums["nano_usd"]
    cost = None if nano is None else str(Decimal(nano) / 1_000_000_000)
    name = names.get(key, key) if column == "key_id" else key
    counts = {each: sums[each] for each in _COUNTS}
    return {column: key, "name": name, **counts, "cost_usd": cost, "unpriced": sums["unpriced"] or 0}


def _cost(row: dict[str, Any]) -> Decimal | None:
    return None if row["cost_usd"] is None else Decimal(row["cost_usd"])


def _day(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise UsageError(f"--since takes a day such as 2026-11-01, not {text!r}.") from None
