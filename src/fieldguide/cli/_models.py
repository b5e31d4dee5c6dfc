"""`pull`, `list`, `verify`, `remove`."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from fieldguide import catalogue
from fieldguide.cli._output import console, gigabytes, house_of, note, print_json, table
from fieldguide.cli._progress import ProgressLine, pull_line
from fieldguide.sources import StoredModel


def run(args: Namespace) -> int:
    """Run one of the commands on stored models."""
    commands = {"pull": _pull, "list": _list, "verify": _verify, "remove": _remove}
    return commands[args.command](args)


def _stored_json(stored: StoredModel) -> dict[str, Any]:
    return {
        "name": stored.name,
        "reference": stored.reference,
        "path": str(stored.path),
        "size_bytes": stored.size_bytes,
        "sha256": stored.sha256,
        "licence": stored.licence_id,
        "pulled_at": stored.pulled_at,
    }


def _pull(args: Namespace) -> int:
    house = house_of(args)
    accepted = frozenset(args.accept_licence) | house.settings.accept_licences
    with ProgressLine(quiet=args.quiet) as line:
        stored = house.models.pull(
            args.model, accepted_licences=accepted, progress=lambda progress: line.text(pull_line(progress))
        )
    if args.json:
        print_json(_stored_json(stored))
    else:
        print(f"{stored.name}: {gigabytes(stored.size_bytes)}, sha256 {stored.sha256[:16]}…, {stored.path}")
        print(f"licence: {stored.licence_id or 'unknown; see its publisher'}")
    return 0


def _list(args: Namespace) -> int:
    house = house_of(args)
    stored = house.models.list()
    here = {model.name for model in stored}
    others = [entry for entry in catalogue.entries() if entry.name not in here]
    if args.json:
        print_json(
            {
                "models": [_stored_json(model) for model in stored],
                "available": [
                    {"name": entry.name, "licence": entry.licence.id, "parameters": entry.parameters.value}
                    for entry in others
                ],
            }
        )
        return 0
    rows = table("model", "size", "licence", "where", right=(1,))
    for model in stored:
        rows.add_row(model.name, gigabytes(model.size_bytes), model.licence_id or "unknown", str(model.path))
    for entry in others:
        size = gigabytes(entry.places[0].file_bytes) if entry.places else "n/a"
        rows.add_row(entry.name, size, entry.licence.id, f"not here: fieldguide pull {entry.name}")
    console().print(rows)
    return 0


def _verify(args: Namespace) -> int:
    house = house_of(args)
    names = [args.model] if args.model else [model.name for model in house.models.list()]
    verified = []
    for name in names:
        note(args, f"hashing {name}")
        verified.append(house.models.verify(name))
    if args.json:
        print_json({"verified": [_stored_json(model) for model in verified]})
    else:
        for model in verified:
            print(f"{model.name}: intact (sha256 {model.sha256})")
        if not verified:
            print("no stored models")
    return 0


def _remove(args: Namespace) -> int:
    freed = house_of(args).models.remove(args.model)
    if args.json:
        print_json({"removed": args.model, "freed_bytes": freed})
    else:
        print(f"{args.model} removed; {gigabytes(freed)} freed")
    return 0
