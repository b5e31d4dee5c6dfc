"""`find`: look models up by words and facets."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from fieldguide.app.catalogue_json import found_json
from fieldguide.app.find import FindRequest, FoundModels, find_models
from fieldguide.cli._output import console, gigabytes, house_of, note, print_json, table
from fieldguide.errors import UsageError

if TYPE_CHECKING:
    from fieldguide.app.fitting import Fitting
    from fieldguide.app.live_search import LiveFound
    from fieldguide.app.wiring import House

_NOT_ADVICE = "Facts about licences with their sources (`fieldguide show MODEL`), not legal advice."


def run(args: Namespace) -> int:
    """Print what was found."""
    house = house_of(args)
    request = request_of(args, house)
    if args.job is not None:
        from fieldguide.cli import _jobs

        return _jobs.run(args, request)
    found = find_models(house.settings.home, request)
    live = None
    if args.live:
        from fieldguide.app.live_search import search_live

        live = search_live(house, request, found)
        if live.note:
            note(args, live.note)
    if args.json:
        print_json(found_json(found, live))
    else:
        _show(args, found, live)
    return 0


def request_of(args: Namespace, house: House) -> FindRequest:
    """Return what the facets on the command line ask for."""
    fits = None
    if args.fits is not None:
        from fieldguide.app.fitting import fitting_for

        fits = fitting_for(house, args.fits, context_tokens=args.context)
    elif args.context is not None:
        raise UsageError("--context goes with --fits.", hint="Such as `find --fits rtx4090 --context 32768`.")
    return FindRequest(
        text=" ".join(args.query),
        kinds=tuple(args.kind),
        max_parameters=args.max_parameters,
        licence=args.licence,
        modalities=tuple(args.modality),
        at=tuple(args.at),
        on_premises=args.on_premises,
        fits=fits,
        most=50 if args.limit is None else args.limit,
    )


def size_text(parameters: int | None, active: int | None = None) -> str:
    """Return a number of parameters for people: `30.5B (3.35B active)`."""
    if parameters is None:
        return "n/a"
    text = f"{parameters / 1e9:.3g}B" if parameters >= 999.5e6 else f"{parameters / 1e6:.3g}M"
    if parameters >= 1e12:
        text = f"{parameters / 1e12:.3g}T"
    return text if active is None else f"{text} ({size_text(active)} active)"


def _show(args: Namespace, found: FoundModels, live: LiveFound | None) -> None:
    shown = found_json(found, live)["models"]
    if not shown:
        print("Nothing found." + (f" Nearest names: {', '.join(found.nearest)}." if found.nearest else ""))
    else:
        fitted = ("fits in", "needs") if found.fits else ()
        rows = table("model", "kinds", "parameters", "context", "licence", *fitted, "at", right=(2, 3))
        for each in shown:
            licence = (each["licence"] or "unknown") + (" *" if each["commercial_use"] == "with-conditions" else "")
            context = f"{each['context_length']:,}" if each["context_length"] else "n/a"
            at = ", ".join(dict.fromkeys(place["hub"] for place in each["places"])) + (
                " (live)" if each["live"] else ""
            )
            size = size_text(each["parameters"], each["active_parameters"])
            own = (each["fit"]["quantization"], gigabytes(each["fit"]["total_bytes"])) if found.fits else ()
            rows.add_row(each["name"], ", ".join(each["kinds"]), size, context, licence, *own, at or "nowhere known")
        console().print(rows)
        if live is not None and live.models:
            note(args, "(live): as the hub lists it now; size read from its name, licence from its owner's tag")
        if found.total > len(found.models):
            note(args, f"{len(found.models)} of {found.total} shown; narrow it, or add --limit {found.total}")
        note(args, f"* commercial use under conditions. {_NOT_ADVICE}")
    for word, taken in found.corrected:
        note(args, f"nothing has the word {word!r}; {taken!r} was looked for")
    show_fitted(args, found)
    if found.unknown_size:
        note(args, f"{found.unknown_size} left out whose size is not known")
    if found.unknown_licence:
        note(args, f"{found.unknown_licence} left out whose terms of commercial use are not known here")


def show_fitted(args: Namespace, found: FoundModels) -> None:
    """Say on standard error what was left out because of its memory."""
    if found.too_large:
        note(args, f"{found.too_large} left out that do not surely fit in Q4_K_M or better")
    if found.unknown_fit:
        note(
            args,
            f"{found.unknown_fit} left out of which it is not known: their shape, or their weights, are not at hand",
        )


def fitting_text(fits: Fitting) -> str:
    """Return what was fitted, in words."""
    what = fits.name if fits.machine is None else fits.machine.name
    return f"{what}, llama.cpp, {fits.context_tokens:,} tokens of context, one sequence"
