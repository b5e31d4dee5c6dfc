"""`show`: one page about a family or a model."""

from __future__ import annotations

import shlex
from argparse import Namespace
from typing import Any

from fieldguide.app.catalogue_json import page_json
from fieldguide.app.show import Page, show_model
from fieldguide.app.sizes import Sizes, explain_sizes, sizes_json, write_sizes_html
from fieldguide.app.speech_models import how_to_run
from fieldguide.cli._find import size_text
from fieldguide.cli._output import console, house_of, note, print_json, table
from fieldguide.cli._sizes import show_meanings, show_needs, show_series

_DUTIES = {
    "threshold": "threshold",
    "naming": "naming",
    "use_restrictions": "use restrictions",
    "outputs": "outputs",
    "redistribution": "passing it on",
    "region_limits": "regions",
    "ship_along": "ship along",
}
_FACTS = (
    "publisher",
    "released",
    "trained_from",
    "trained_for",
    "modalities_in",
    "modalities_out",
    "languages",
    "tool_use",
)
_COMMERCIAL = {
    "yes": "commercial use: yes",
    "with-conditions": "commercial use: yes, under the conditions below",
    "no": "commercial use: no",
    None: "commercial use: not known here",
}


class _Sources:
    """Numbers sources in the order in which they are first cited."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def cite(self, fact: dict[str, Any]) -> str:
        text = f"{fact['source']} (read {fact['as_of']})"
        return f"[{self.numbers.setdefault(text, len(self.numbers) + 1)}]"


def run(args: Namespace) -> int:
    """Print the page."""
    home = house_of(args).settings.home
    page = show_model(home, args.model)
    sizes = explain_sizes(page, home)
    shown = page_json(page) | {"sizes_explained": sizes_json(sizes), "run_here": list(how_to_run(args.model))}
    if args.html is not None:
        command = f"fieldguide show {shlex.quote(args.model)} --html {shlex.quote(str(args.html))}"
        write_sizes_html(page, sizes, args.html, command=command)
        note(args, f"Written: {args.html}")
    if args.json:
        print_json(shown)
    else:
        _show(page, shown, sizes)
        for command in shown["run_here"]:
            print(f"run it here: {command}")
        if page.note:
            note(args, page.note)
    return 0


def _show(page: Page, shown: dict[str, Any], sizes: Sizes) -> None:
    sources = _Sources()
    print(f"{shown['title']}: {', '.join(shown['kinds'])}")
    for key in _FACTS:
        if (fact := shown[key]) is not None:
            print(f"{key.replace('_', ' '):>15}: {_text(fact['value'])} {sources.cite(fact)}")
    if shown["good_for"]:
        print(f"{'good for':>15}: {', '.join(shown['good_for'])} (our summary)")
    rows = table("model", "tuning", "parameters", "context", "licence", "places", right=(2, 3))
    for size in shown["sizes"]:
        counts = (size["parameters"], size["active_parameters"])
        values = [None if fact is None else fact["value"] for fact in counts]
        cited = "".join(sources.cite(fact) for fact in counts if fact)
        licence = f"{size['licence']['id']}" if size["licence"] else "unknown"
        for member in size["members"]:
            context = member["context_length"]
            rows.add_row(
                member["name"],
                member["tuning"] or "n/a",
                f"{_exact(size, values)} {cited}".rstrip(),
                _context(context, member["extended_context_length"], sources),
                licence,
                _hubs(member),
            )
    console().print(rows)
    for member in (member for size in shown["sizes"] for member in size["members"]):
        if member["pull"]:
            print(f"{member['name']} runs here: fieldguide pull {member['pull']}\n")
    _show_places(page, shown, sources)
    show_meanings(sizes)
    show_needs(sizes)
    if said := shown["note_on_sizes"]:
        print(f"What size buys: {said['value']} {sources.cite(said)}\n")
    show_series(sizes)
    _show_details(page, shown, sources)
    _show_licences(shown, sources)
    print("sources")
    for text, number in sources.numbers.items():
        print(f"  [{number}] {text}")


def _show_details(page: Page, shown: dict[str, Any], sources: _Sources) -> None:
    for size in shown["sizes"]:
        name = size["size"] or size["members"][0]["name"]
        if why := size["parameters_note"]:
            print(f"{name}: {why}")
        if compute := size["training_compute"]:
            side = "above" if compute["above_1e25"] else "below"
            print(f"{name}: trained with {compute['flop']:.2g} FLOP ({compute['basis']});")
            print(f"  {side} 10^25 FLOP ({compute['rule']})")
            for rule in () if page.is_family else compute["rules"]:
                print(f"  {rule['rule']}: {rule['says']} {sources.cite(rule)}")
        if not page.is_family and (fact := size["architecture"]):
            facts = [f"{key} {value}" for key, value in fact["value"].items() if value not in (None, 0)]
            print(f"{name}: {', '.join(facts)} {sources.cite(fact)}")
    print()


def _show_licences(shown: dict[str, Any], sources: _Sources) -> None:
    seen: set[str] = set()
    for size in shown["sizes"]:
        terms = size["licence"]
        if terms is None or terms["id"] in seen:
            continue
        seen.add(terms["id"])
        print(f"{terms['name']} {sources.cite(terms)}, confidence {terms['confidence']}")
        print(f"  {_COMMERCIAL[terms['commercial_use']]}")
        for key, words in _DUTIES.items():
            if terms[key]:
                print(f"  {words}: {terms[key]}")
    if seen:
        print("Facts with their sources, not legal advice.\n")


def _hubs(member: dict[str, Any]) -> str:
    hubs = ", ".join(dict.fromkeys(place["hub"] for place in member["places"]))
    return f"{hubs} (hosted only)" if member["hosted_only"] else hubs or "nowhere known"


def _show_places(page: Page, shown: dict[str, Any], sources: _Sources) -> None:
    """Print the ids of one model, each on a line of its own: to be copied. A family would fill pages with them."""
    if page.is_family:
        print("Names and ids at each place: fieldguide show MODEL\n")
        return
    (member,) = (member for size in shown["sizes"] for member in size["members"])
    for place in member["places"]:
        until = f" (ends {place['until']} or later)" if place["until"] else ""
        print(f"{place['hub']:>15}: {place['id']}{until} {sources.cite(place)}")
    if names := member["aliases"]:
        print(f"{'also called':>15}: {_text(names['value'])} {sources.cite(names)}")
    if member["hosted_only"]:
        print(f"{'':>15}  hosted only: its weights are nowhere to be fetched")
    print()


def _context(plain: dict[str, Any] | None, extended: dict[str, Any] | None, sources: _Sources) -> str:
    """Return the context length, and behind it what position scaling makes of it."""
    if plain is None:
        return "n/a"
    more = f", {extended['value']:,} with scaling {sources.cite(extended)}" if extended else ""
    return f"{plain['value']:,} {sources.cite(plain)}{more}"


def _exact(size: dict[str, Any], values: list[int | None]) -> str:
    """Return a count to the last parameter where it is one, and a rounded figure as such."""
    total, active = values
    if total is None or not size["parameters_exact"]:
        return size_text(total, active)
    return f"{total:,}" if active is None else f"{total:,} ({size_text(active)} active)"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(str(each) for each in value) if isinstance(value, list) else str(value)
