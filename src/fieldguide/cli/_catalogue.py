"""`catalogue`: what data are in use; `catalogue refresh` brings newer prices."""

from __future__ import annotations

import sys
from argparse import Namespace
from decimal import Decimal
from typing import Any

from fieldguide.app.refresh import DataInUse, Refreshed, data_in_use, refresh_prices
from fieldguide.cli._errors import FAILED, error_json
from fieldguide.cli._loop import run_to_end
from fieldguide.cli._output import console, house_of, note, print_json, table

_MOST_LINES = 20


def run(args: Namespace) -> int:
    """Show what is in use, or refresh it."""
    if args.action is None:
        return _in_use(args)
    house = house_of(args)
    done: tuple[Refreshed, ...] = run_to_end(
        house, lambda stop: refresh_prices(house), say=lambda text: note(args, text), gentle=False
    )
    failed = [each.error for each in done if each.error is not None]
    if len(failed) == len(done):
        for error in failed[1:]:
            note(args, f"note: {error.message}")
        raise failed[0]
    if args.json:
        print_json({"sources": [_refreshed_json(each) for each in done]})
    else:
        for each in done:
            _show_refreshed(each)
    return FAILED if failed else 0


def _in_use(args: Namespace) -> int:
    used = data_in_use(house_of(args).settings.home)
    if args.json:
        print_json(_in_use_json(used))
        return 0
    print(f"{used.families} families with {used.models} models (newest fact read {used.families_read})")
    print(f"{used.claims} published scores (newest read {used.claims_read})")
    rows = table("prices from", "read", "listings", "providers", "licence", "came", right=(2, 3))
    for each in _in_use_json(used)["prices"]:
        came = "by refresh" if each["refreshed"] else "with the program"
        counts = (f"{each['listings']:,}", str(each["providers"]))
        rows.add_row(each["source"], each["read"], *counts, each["licence"], came)
    console().print(rows)
    for warning in used.prices.warnings:
        note(args, f"note: {warning}")
    note(args, "`fieldguide catalogue refresh` brings newer prices")
    return 0


def _in_use_json(used: DataInUse) -> dict[str, Any]:
    return {
        "families": used.families,
        "models": used.models,
        "families_read": used.families_read.isoformat() if used.families_read else None,
        "claims": used.claims,
        "claims_read": used.claims_read.isoformat() if used.claims_read else None,
        "prices": [
            {
                "source": book.source.name,
                "url": book.source.url,
                "licence": book.source.licence,
                "read": book.source.read.isoformat(),
                "listings": len(book.entries),
                "providers": len({entry.provider for entry in book.entries}),
                "refreshed": book.source.name in used.prices.refreshed,
            }
            for book in used.prices.books
        ],
        "warnings": list(used.prices.warnings),
    }


def _refreshed_json(done: Refreshed) -> dict[str, Any]:
    changes = done.changed
    return {
        "source": done.source,
        "url": done.url,
        "status": "failed" if done.error else "unchanged" if done.unchanged else "updated",
        "read": done.read.isoformat() if done.read else None,
        "listings": done.listings,
        "new": [{"provider": provider, "model": model} for provider, model in changes.new] if changes else [],
        "removed": [{"provider": provider, "model": model} for provider, model in changes.removed] if changes else [],
        "changed": [
            {
                "provider": each.provider,
                "model": each.model,
                "unit": each.unit,
                "old": _number(each.old),
                "new": _number(each.new),
            }
            for each in (changes.changed if changes else ())
        ],
        "new_providers": list(changes.new_providers) if changes else [],
        **(error_json(done.error) if done.error else {"error": None}),
    }


def _show_refreshed(done: Refreshed) -> None:
    if done.error is not None:
        print(f"{done.source}: not refreshed: {done.error.message}", file=sys.stderr)
        if done.error.hint:
            print(f"  next: {done.error.hint}", file=sys.stderr)
        return
    changes = done.changed
    if changes is None or done.unchanged:
        print(f"{done.source}: unchanged; {done.listings:,} listings, read {done.read}")
        return
    counts = f"{len(changes.new)} new, {len(changes.removed)} removed, {len(changes.changed)} prices changed"
    print(f"{done.source}: {done.listings:,} listings, read {done.read}: {counts}")
    lines = [f"new: {provider}:{model}" for provider, model in changes.new]
    lines += [f"removed: {provider}:{model}" for provider, model in changes.removed]
    lines += [
        f"{each.provider}:{each.model}: {each.unit} {_text(each.old)} -> {_text(each.new)}" for each in changes.changed
    ]
    for line in lines[:_MOST_LINES]:
        print(f"  {line}")
    if len(lines) > _MOST_LINES:
        print(f"  and {len(lines) - _MOST_LINES} more; --json lists them all")


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _text(value: Decimal | None) -> str:
    return "none" if value is None else f"{value:f}"
