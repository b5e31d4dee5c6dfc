"""Contexts to HTML."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment

from fieldguide.planner import count_text
from fieldguide.reporting import template_environment
from fieldguide.web._assets import address_of
from fieldguide.web._trace import some, trace


class Sources:
    """Numbers the sources of one page in the order in which they are first cited."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def cite(self, fact: Mapping[str, Any]) -> int:
        """Return the number of a fact's source."""
        text = f"{fact['source']} (read {fact['as_of']})"
        return self.numbers.setdefault(text, len(self.numbers) + 1)


@cache
def _environment() -> Environment:
    environment = template_environment("fieldguide.web")
    environment.filters.update(
        weights=lambda count: "n/a" if count is None else count_text(count),
        money=money,
        part=lambda text: quote(str(text), safe="", errors="replace"),
        known=lambda value: "n/a" if value is None else value,
        joined=lambda values: ", ".join(str(each) for each in values) or "none",
        day=lambda text: str(text)[:16].replace("T", " "),
        gigabytes=gigabytes,
        span=span,
        trace=trace,
        some=some,
        as_json=lambda value: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False),
        tokens=lambda count: "n/a" if count is None else f"{count:,} tokens",
    )
    environment.globals.update(asset=address_of, sources=Sources, address=address)
    return environment


def render(template: str, **context: Any) -> str:
    """Return a page."""
    return _environment().get_template(template).render(context)


def compile_template(template: str) -> None:
    """Have a template ready before a page is asked for."""
    _environment().get_template(template)


def address(path: str, **fields: Any) -> str:
    """Return a path of ours with fields behind it; unknown ones are left out."""
    given = {name: value for name, value in fields.items() if value not in (None, "", [], ())}
    return f"{path}?{urlencode(given, doseq=True, errors='replace')}" if given else path


def gigabytes(held: float | None) -> str:
    """Return bytes as GB (10^9), or as MB or kB where they are fewer."""
    if held is None:
        return "n/a"
    if held < 1e5:
        return f"{held / 1e3:,.1f} kB"
    return f"{held / 1e9:,.2f} GB" if held >= 1e9 else f"{held / 1e6:,.1f} MB"


def span(value: Mapping[str, float | None] | None, factor: float = 1.0) -> str:
    """Return a range with its likely figure: `12 to 30 (likely 20)`."""
    if value is None or any(each is None for each in value.values()):
        return "n/a"
    low, likely, high = ((value[name] or 0.0) * factor for name in ("low", "likely", "high"))
    return f"{low:,.3g} to {high:,.3g} (likely {likely:,.3g})" if high < 1000 else _whole(low, likely, high)


def _whole(low: float, likely: float, high: float) -> str:
    return f"{low:,.0f} to {high:,.0f} (likely {likely:,.0f})"


def money(value: float | None, currency: str | None = "USD") -> str:
    """Return an amount with at least two digits behind the point, and of a small one at least three that count."""
    if value is None:
        return "n/a"
    digits = 2 if value == 0 or value >= 100 else max(2, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{digits}f}"
    while len(text.partition(".")[2]) > 2 and text.endswith("0"):
        text = text[:-1]
    return ("$" if currency in (None, "USD") else f"{currency} ") + text
