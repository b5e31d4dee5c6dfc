"""`list`, `verify`, `remove`."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from fieldguide import catalogue
from fieldguide.app.speech_models import shelf_of, speech_json
from fieldguide.app.stored_json import stored_json
from fieldguide.cli._errors import FAILED, error_json
from fieldguide.cli._output import gigabytes, house_of, print_json, print_rows
from fieldguide.cli._progress import ProgressLine, pull_line
from fieldguide.errors import FieldguideError
from fieldguide.sources import HeldModel, SpeechFolder, StoredModel


def run(args: Namespace) -> int:
    """Run one of the commands on stored models."""
    commands = {"list": _list, "verify": _verify, "remove": _remove}
    return commands[args.command](args)


def _list(args: Namespace) -> int:
    house = house_of(args)
    stored = house.models.list()
    here = {model.name for model in stored}
    others = [entry for entry in catalogue.entries(house.copies) if entry.name not in here]
    held = house.neighbours.held() if args.all else []
    speech = shelf_of(house).list()
    if args.json:
        found: dict[str, Any] = {
            "models": [*map(stored_json, stored), *map(speech_json, speech)],
            "available": [
                {"name": entry.name, "licence": entry.licence.id, "parameters": entry.parameters.value}
                for entry in others
            ],
        }
        if args.all:
            found["elsewhere"] = [
                {"program": each.program, "name": each.name, "path": str(each.path), "size_bytes": each.size_bytes}
                for each in held
            ]
        print_json(found)
        return 0
    rows = [(each.name, gigabytes(each.size_bytes), each.licence_id or "unknown", str(each.path)) for each in stored]
    rows += [(each.name, gigabytes(each.size_bytes), each.licence_id or "unknown", str(each.path)) for each in speech]
    for entry in others:
        size = gigabytes(entry.places[0].file_bytes) if entry.places else "n/a"
        rows.append((entry.name, size, entry.licence.id, f"not here: fieldguide pull {entry.name}"))
    print_rows(("model", "size", "licence", "where"), [*rows, *map(_elsewhere_row, held)], right=(1,))
    return 0


def _elsewhere_row(held: HeldModel) -> tuple[str, str, str, str]:
    from fieldguide.formats import shown

    where = f"{held.program}: {shown(str(held.path), 200)}"
    return shown(held.name), gigabytes(held.size_bytes), "unknown", where


def _verify(args: Namespace) -> int:
    house = house_of(args)
    speech = shelf_of(house)
    spoken = [found] if args.model and (found := speech.find(args.model)) else [] if args.model else [*speech.list()]
    names = [model.name for model in house.models.list()]
    if args.model:
        names = [] if spoken else [args.model]
    verified: list[StoredModel] = []
    heard: list[SpeechFolder] = []
    faults: list[tuple[str, FieldguideError]] = []
    with ProgressLine(quiet=args.quiet) as line:
        for name in names:
            try:
                verified.append(house.models.verify(name, progress=lambda told: line.text(pull_line(told))))
            except FieldguideError as error:
                if args.model:
                    raise
                faults.append((name, error))  # One that is damaged keeps no other from being checked.
        for model in spoken:
            line.text(f"checking {model.name}")
            try:
                speech.verify(model)
                heard.append(model)
            except FieldguideError as error:
                if args.model:
                    raise
                faults.append((model.name, error))
    _show_verified(args, verified, heard, faults)
    return FAILED if faults else 0


def _show_verified(
    args: Namespace,
    verified: list[StoredModel],
    heard: list[SpeechFolder],
    faults: list[tuple[str, FieldguideError]],
) -> None:
    if args.json:
        found: dict[str, Any] = {"verified": [*map(stored_json, verified), *map(speech_json, heard)]}
        if faults:
            found["failed"] = [{"name": name, **error_json(fault)["error"]} for name, fault in faults]
        print_json(found)
    else:
        for model in verified:
            print(f"{model.name}: intact (sha256 {model.sha256})")
            for warning in model.warnings:
                print(f"  warning: {warning}")
        for spoken in heard:
            unknown = sum(file.sha256 is None for file in spoken.files)
            rest = f"; {unknown} small files have no sha256 to be held against" if unknown else ""
            print(f"{spoken.name}: intact ({len(spoken.files)} files{rest})")
        for name, fault in faults:
            print(f"{name}: {fault.message}{f' {fault.hint}' if fault.hint else ''}")
        if not (verified or heard or faults):
            print("no stored models")


def _remove(args: Namespace) -> int:
    house = house_of(args)
    speech = shelf_of(house)
    with ProgressLine(quiet=args.quiet) as line:
        if (spoken := speech.find(args.model)) is not None:
            freed = speech.remove(spoken)
        else:
            freed = house.models.remove(args.model, progress=lambda told: line.text(pull_line(told)))
    if args.json:
        print_json({"removed": args.model, "freed_bytes": freed})
    else:
        print(f"{args.model} removed; {gigabytes(freed)} freed")
    return 0
