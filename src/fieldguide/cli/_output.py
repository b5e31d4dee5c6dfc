"""Printing: one JSON value for programs, tables for people, notes on standard error."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fieldguide.app.wiring import House, open_house

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_MOST_RICH_ROWS = 50


def house_of(args: Namespace) -> House:
    """Return the house that the flags of a command name."""
    deadline_s, idle_timeout_s = getattr(args, "timeout", None), getattr(args, "idle_timeout", None)
    return open_house(
        {
            "home": args.home,
            "data": args.data,
            "deadline_s": deadline_s,
            "idle_timeout_s": idle_timeout_s,
            "connections": getattr(args, "connections", None),
            "limit_bytes_per_s": getattr(args, "limit_rate", None),
        }
    )


def print_json(value: Any) -> None:
    """Print one JSON value."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str).encode("utf-8", "replace").decode())


def note(args: Namespace, text: str) -> None:
    """Say something on standard error, unless quiet."""
    if not args.quiet:
        print(text, file=sys.stderr, flush=True)


def console(*, stderr: bool = False) -> Console:
    """Return a rich console; markup is off, since model text may look like it."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else 120
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False, soft_wrap=False, width=width)


def table(*columns: str, right: tuple[int, ...] = ()) -> Table:
    """Return an empty table; `right` are the columns set to the right."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, name in enumerate(columns):
        made.add_column(name, justify="right" if index in right else "left", overflow="fold")
    return made


def print_rows(columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: tuple[int, ...] = ()) -> None:
    """Print a table; a long one in plain columns, which a thousand rows take no time for."""
    if len(rows) <= _MOST_RICH_ROWS:
        made = table(*columns, right=right)
        for row in rows:
            made.add_row(*row)
        console().print(made)
        return
    widths = [max(len(row[index]) for row in (columns, *rows)) for index in range(len(columns))]
    for row in (columns, *rows):
        cells = [
            cell.rjust(width) if index in right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())


def percent(value: float | None) -> str:
    """Return a fraction as percent with one decimal."""
    return "n/a" if value is None else f"{100 * value:.1f} %"


def interval(low: float | None, high: float | None) -> str:
    """Return two fractions as a range in percent."""
    return "n/a" if low is None or high is None else f"{100 * low:.1f} to {100 * high:.1f}"


def money(value: Decimal | float | None) -> str:
    """Return US dollars, with as many digits as small amounts need."""
    if value is None:
        return "n/a"
    amount = float(value)
    return f"${amount:.2f}" if amount == 0 or amount >= 1 else f"${amount:.4f}"


def number(value: float | None, unit: str = "") -> str:
    """Return a number with its unit."""
    if value is None:
        return "n/a"
    text = f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
    return f"{text} {unit}".rstrip()


def seconds(value: float | None) -> str:
    """Return a duration for people."""
    if value is None:
        return "n/a"
    if value < 100:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def span(low: float, high: float, show: Callable[[float], str]) -> str:
    """Return a range; one figure where both ends look alike."""
    return show(low) if show(low) == show(high) else f"{show(low)} to {show(high)}"


def gigabytes(value: int | None) -> str:
    """Return bytes as GB (10^9)."""
    return "n/a" if value is None else f"{value / 1e9:.2f} GB" if value >= 1e9 else f"{value / 1e6:.1f} MB"
