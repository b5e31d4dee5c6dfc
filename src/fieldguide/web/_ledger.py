"""Claims: published scores as tables, with their flags, what n supports, and our own runs beside them."""

from __future__ import annotations

from typing import Any

from fieldguide.app.claims import MEASURED, RECOMPUTED, ledger_json, look_up_claims
from fieldguide.catalogue.claims import collections
from fieldguide.web._page import Asked, Page, Shown

_MOST_ROWS = 400


def _claims(asked: Asked) -> Shown:
    models = tuple(name.strip() for text in asked.every("model") for name in text.split(",") if name.strip())
    table, benchmark = asked.one("table"), asked.one("benchmark")
    ledger = None
    if models or table or benchmark:
        found = look_up_claims(asked.house, models, benchmark=benchmark, table=table)
        ledger = ledger_json(found) | {"title": found.title}
    shown = [] if ledger is None else ledger["claims"]
    return Shown(
        title="Claims" if ledger is None else table or ", ".join(models) or str(benchmark),
        context={
            "search": {"model": ", ".join(models), "table": table or "", "benchmark": benchmark or ""},
            "tables": [_table_json(each) for each in collections()],
            "ledger": ledger,
        },
        drawn={
            "grid": _grid(shown, table) if table else None,
            "rows": shown[:_MOST_ROWS],
            "left_out": max(0, len(shown) - _MOST_ROWS),
        },
    )


def _table_json(table: Any) -> dict[str, Any]:
    return {
        "name": table.name,
        "title": table.title,
        "source": table.source,
        "published": table.published.isoformat() if table.published else None,
        "read": table.read.isoformat(),
        "rows": len(table.rows),
    }


def _grid(claims: list[dict[str, Any]], table: str) -> dict[str, Any]:
    """Return a table as it was published, what was recomputed or measured here beside each value."""
    of_table = [claim for claim in claims if claim["collection"] == table]
    beside = [claim for claim in claims if claim["collection"] in (MEASURED, RECOMPUTED)]
    models = list(dict.fromkeys(_column(claim) for claim in of_table))
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for claim in of_table:
        key = tuple(claim[name] for name in ("benchmark", "subset", "window", "metric"))
        row = rows.setdefault(key, {"claim": claim, "cells": {}})
        row["cells"][_column(claim)] = {
            "claim": claim,
            "beside": [each for each in beside if each["model"] == claim["model"] and _same(each, claim)],
        }
    return {"models": models, "rows": list(rows.values())}


def _column(claim: dict[str, Any]) -> str:
    return claim["model"] if claim["snapshot"] is None else f"{claim['model']}-{claim['snapshot']}"


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool(one["benchmark"] == other["benchmark"] and one["subset"] in (None, other["subset"]))


CLAIMS = Page(
    name="claims",
    path="/claims",
    template="claims.html.j2",
    about="Published scores: by table, by model, by benchmark, each with its source and what a reader should know.",
    make=_claims,
    keys={
        "search": "the fields as they were filled in",
        "tables": "the tables that scores come from",
        "ledger": "what `claims --json` gives, with the table's title; null where nothing was asked",
    },
    fields={
        "model": "a model; several by commas",
        "table": "name of a table",
        "benchmark": "such as `gpqa`",
    },
    nav="Claims",
)
