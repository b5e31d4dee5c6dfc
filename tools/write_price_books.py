"""Write the books of prices that come with the program from the flat tables of models.dev and litellm.

python tools/write_price_books.py FOLDER DAY OUT

FOLDER holds modelsdev_provider_models.csv and litellm_models.csv; DAY is when models.dev was read, and litellm's table
is that of the release named below.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from fieldguide.catalogue.prices import PriceSource, write_book
from fieldguide.catalogue.prices._book import line_of
from fieldguide.catalogue.prices._listing import DatedRates
from fieldguide.catalogue.prices._litellm import LITELLM, LITELLM_URL, line_of_row
from fieldguide.catalogue.prices._modelsdev import MODELSDEV, MODELSDEV_URL, rates_of
from fieldguide.catalogue.prices._providers import provider_name

_LITELLM_RELEASE, _LITELLM_READ = "1.109.1", date(2026, 11, 1)
_COLUMNS = {
    "input": "usd_in_per_mtok",
    "output": "usd_out_per_mtok",
    "cache_read": "usd_cache_read",
    "cache_write": "usd_cache_write",
    "reasoning": "usd_reasoning",
    "input_audio": "usd_in_audio",
    "output_audio": "usd_out_audio",
}


def main(folder: Path, day: date, out: Path) -> None:
    """Write both books."""
    modelsdev = PriceSource(name=MODELSDEV, url=MODELSDEV_URL, licence="MIT", read=day)
    out.joinpath("models.dev.jsonl.gz").write_bytes(write_book(modelsdev, _modelsdev(folder), {}))
    litellm = PriceSource(name=f"{LITELLM} {_LITELLM_RELEASE}", url=LITELLM_URL, licence="MIT", read=_LITELLM_READ)
    lines = filter(None, (line_of_row(row) for row in _rows(folder / "litellm_models.csv")))
    out.joinpath("litellm.jsonl.gz").write_bytes(write_book(litellm, lines, {}))


def _modelsdev(folder: Path) -> Iterator[dict[str, Any]]:
    for row in _rows(folder / "modelsdev_provider_models.csv"):
        cost: dict[str, Any] = {key: row[column] for key, column in _COLUMNS.items() if row[column]}
        if cost:
            if row["tiers"]:
                cost["tiers"] = json.loads(row["tiers"], parse_float=str, parse_int=str)
            yield line_of(provider_name(row["provider"]), row["model_id"], [DatedRates(rates=rates_of(cost))])


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main(Path(sys.argv[1]), date.fromisoformat(sys.argv[2]), Path(sys.argv[3]))
