"""How long pages of the guide take, and how large they are, with 5,000 models and 10,000 claims.

.venv/bin/python benchmarks/web_pages.py [--models 5000] [--claims 10000] [--pages 60] [--profile PAGE]

The catalogue is made of the shipped one: its families and tables again and again under other names, so that words,
facets, claims and conflicts are as many-sided as the real ones. Times are processor time of the thread of pages, which
a busy machine does not lengthen; the network and the parsing of the request are not in them.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace

from fieldguide.app.wiring import House, open_house
from fieldguide.catalogue import Families, Family, _families
from fieldguide.catalogue.claims import Collection, _read
from fieldguide.web._entry import HERE
from fieldguide.web._page import Asked, Page
from fieldguide.web._pages import PAGES
from fieldguide.web._render import render
from fieldguide.web._warm import warm

MOST_MS, MOST_BYTES = 100.0, 300_000


def grown(whole: Families, models: int) -> Families:
    """Return a catalogue of at least so many models: the same families again under other names."""
    made, count, turn = list(whole.families), len(whole.models()), 1
    while count < models:
        for family in whole.families:
            if count >= models:
                break
            made.append(_renamed(family, turn))
            count += sum(len(size.members) for size in family.sizes)
        turn += 1
    return replace(whole, families=tuple(made))


def _renamed(family: Family, turn: int) -> Family:
    mark = f"x{turn}"
    sizes = tuple(
        replace(
            size,
            members=tuple(
                replace(
                    member,
                    name=f"{member.name}-{mark}",
                    title=f"{member.title}-{mark}",
                    aliases=None,
                    places=tuple(replace(place, id=f"{place.id}-{mark}") for place in member.places),
                )
                for member in size.members
            ),
        )
        for size in family.sizes
    )
    return replace(family, name=f"{family.name}-{mark}", title=f"{family.title} {mark}", sizes=sizes)


def grown_tables(tables: tuple[Collection, ...], claims: int, others: int) -> tuple[Collection, ...]:
    """Return tables with so many claims in all, `others` of which come from elsewhere."""
    made, count, turn = list(tables), others + sum(len(table.claims()) for table in tables), 1
    while count < claims:
        for table in tables:
            if count >= claims:
                break
            rows = tuple(
                replace(row, values={f"{model}-x{turn}": cell for model, cell in row.values.items()})
                for row in table.rows
            )
            made.append(replace(table, name=f"{table.name}-x{turn}", rows=rows))
            count += len(made[-1].claims())
        turn += 1
    return tuple(made)


def shown(house: House, page: Page, parts: dict[str, str], query: dict[str, tuple[str, ...]]) -> str:
    """Return a page as it is sent."""
    made = page.make(Asked(house=house, visitor=HERE, parts=parts, query=query))
    around = {
        "nav": [(each.path, each.nav) for each in PAGES if each.nav],
        "look": "auto",
        "looks": {},
        "here": page.path,
        "token": "0" * 64,
        "visitor": HERE,
    }
    return render(page.template, **around, page=page, title=made.title, **made.context, **made.drawn)


def main() -> None:
    """Measure each kind of page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=int, default=5000)
    parser.add_argument("--claims", type=int, default=10_000)
    parser.add_argument("--pages", type=int, default=60)
    parser.add_argument("--profile", metavar="PAGE")
    args = parser.parse_args()
    gc.set_threshold(50_000)  # as the program does
    whole = grown(_families.families(), args.models)
    tables = _read.collections()
    others = len(_read.claims()) - sum(len(table.claims()) for table in tables)
    tables = grown_tables(tables, args.claims, others)
    _families._shipped.cache_clear()
    _read.collections.cache_clear()
    _families.compiled = lambda *_: whole
    _read.compiled = lambda *_: tables
    if hasattr(_read.claims, "cache_clear"):
        _read.claims.cache_clear()
    with tempfile.TemporaryDirectory() as home:
        house = open_house({"home": home}, environment={})
        print(f"{len(whole.models())} models in {len(whole.families)} families, {len(_read.claims())} claims")
        warm(house)  # as the server does once it listens
        works = _visits(house, whole, tables, args.pages)
        slow = [name for name, several in works.items() if not _measured(name, several, args)]
    sys.exit(1 if slow else 0)


def _visits(
    house: House, whole: Families, tables: tuple[Collection, ...], pages: int
) -> dict[str, list[Callable[[], str]]]:
    draw = random.Random(7)
    of = {page.name: page for page in PAGES}

    def visit(name: str, parts: dict[str, str] | None = None, **query: str) -> Callable[[], str]:
        given = {key: (value,) for key, value in query.items()}
        return lambda: shown(house, of[name], parts or {}, given)

    models = draw.sample([model.member.name for model in whole.models()], pages)
    families = draw.sample([family.name for family in whole.families], min(pages, len(whole.families)))
    words = ["qwen 7b", "llama", "code", "gemma 2b instruct", "vision", "mistrla", "zzzz", "instruct", "deepseek r1"]
    kinds = sorted({kind for family in whole.families for kind in family.kinds})
    chosen = [
        {"q": draw.choice(words)} | ({"kind": draw.choice(kinds)} if draw.random() < 0.5 else {}) for _ in range(pages)
    ]
    return {
        "home": [visit("home") for _ in range(pages)],
        "search": [visit("home", **query) for query in chosen],
        "fits": [visit("home", fits="24GB", **query) for query in chosen[:20]],
        "model": [visit("model", {"name": name}) for name in models],
        "family": [visit("model", {"name": name}) for name in families],
        "claims": [visit("claims", table=table.name) for table in draw.sample(tables, min(20, len(tables)))],
        "claims of a model": [visit("claims", model=draw.choice(tables[0].claims()).model) for _ in range(10)],
    }


def _measured(name: str, several: list[Callable[[], str]], args: argparse.Namespace) -> bool:
    profile = cProfile.Profile() if args.profile == name else None
    start = time.process_time()
    several[0]()
    first_ms = (time.process_time() - start) * 1e3
    taken, sizes = [], []
    for work in several[1:]:
        if profile is not None:
            profile.enable()
        start = time.thread_time()
        text = work()
        taken.append((time.thread_time() - start) * 1e3)
        if profile is not None:
            profile.disable()
        sizes.append(len(text.encode()))
    p95 = statistics.quantiles(taken, n=20)[-1]
    print(
        f"{name:<18} first {first_ms:7.0f} ms, median {statistics.median(taken):6.1f} ms, p95 {p95:6.1f} ms, "
        f"largest {max(sizes) / 1e3:5.0f} kB"
    )
    if profile is not None:
        pstats.Stats(profile).sort_stats("cumulative").print_stats(35)
    return p95 <= MOST_MS and max(sizes) < MOST_BYTES


if __name__ == "__main__":
    main()
