"""`pull`: what would come, the questions before the first byte, and the bytes."""

from __future__ import annotations

import sys
from argparse import Namespace

from fieldguide.app.pull import Consent, PullPreview, preview_pull, pull_model
from fieldguide.app.speech_models import coming_json, is_speech, pull_speech, speech_json
from fieldguide.app.stored_json import stored_json
from fieldguide.app.wiring import House
from fieldguide.cli._output import console, gigabytes, house_of, note, print_json, table
from fieldguide.cli._progress import ProgressLine, pull_line
from fieldguide.formats import shown
from fieldguide.sources import PullProgress

_MOST_FILES = 20
_LONGEST = 160


def run(args: Namespace) -> int:
    """Fetch a model, or say what would be fetched."""
    house = house_of(args)
    if is_speech(args.model):
        return _speech(args, house)
    with ProgressLine(quiet=args.quiet) as line:

        def progress(told: PullProgress) -> None:
            line.text(pull_line(told))

        if args.dry_run:
            preview = preview_pull(house, args.model, progress=progress)
            line.clear()
            if args.json:
                print_json({"dry_run": True, **preview.as_json()})
            else:
                _show(preview)
            return 0

        def ask(question: str) -> bool:
            line.clear()
            print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
            return sys.stdin.readline().strip().lower() in {"y", "yes"}

        def told(preview: PullPreview) -> None:
            line.clear()
            for sentence in _sentences(preview):
                note(args, sentence)

        consent = Consent(
            accepted=frozenset(args.accept_licence),
            yes=args.yes,
            ask=ask if sys.stdin.isatty() and sys.stderr.isatty() and not args.yes else None,
            told=told,
            note=line.say,
        )
        stored = pull_model(house, args.model, consent, progress=progress)
    if args.json:
        print_json(stored_json(stored))
        return 0
    print(f"{stored.name}: {gigabytes(stored.size_bytes)}, sha256 {stored.sha256[:16]}…, {stored.path}")
    print(f"licence: {stored.licence_id or 'unknown; see its publisher'}")
    for warning in stored.warnings:
        print(f"warning: {warning}")
    return 0


def _speech(args: Namespace, house: House) -> int:
    """Fetch a speech model; its licence asks for nothing."""
    if args.dry_run:
        coming = coming_json(args.model)
        if args.json:
            print_json({"dry_run": True, **coming})
        else:
            sizes = [file["size_bytes"] for file in coming["files"] or ()]
            print(f"{coming['name']}: {gigabytes(sum(sizes)) if sizes else 'a size that is not known'} to fetch")
        return 0
    with ProgressLine(quiet=args.quiet) as line:
        stored = pull_speech(house, args.model, told=line.text)
    if args.json:
        print_json(speech_json(stored))
        return 0
    print(f"{stored.name}: {gigabytes(stored.size_bytes)}, {stored.path}")
    print(f"licence: {stored.licence_id or 'unknown; see its publisher'}")
    return 0


def _show(preview: PullPreview) -> None:
    files = table("file", "size", "here", right=(1,))
    for file in preview.files[:_MOST_FILES]:
        files.add_row(shown(file.path, _LONGEST), gigabytes(file.size_bytes), file.here or "no")
    console().print(files)
    if len(preview.files) > _MOST_FILES:
        print(f"and {len(preview.files) - _MOST_FILES} more files")
    for sentence in _sentences(preview):
        print(sentence)


def _sentences(preview: PullPreview) -> list[str]:
    """Return what a person should know before the first byte."""
    said = [] if preview.took is None else [preview.took]
    missing = preview.missing_bytes
    amount = "an unknown size" if missing is None else gigabytes(missing) if missing else "nothing"
    said.append(
        f"{preview.name} from {shown(preview.reference, _LONGEST)}: {amount} to fetch "
        f"of {gigabytes(preview.total_bytes)}, {gigabytes(preview.free_bytes)} free"
    )
    licence = preview.licence
    if licence is None:
        said.append(f"licence: unknown{f' (the hub says {shown(preview.licence_tag)})' if preview.licence_tag else ''}")
    else:
        use = f", commercial use: {licence.commercial_use}" if licence.commercial_use else ""
        by = "" if licence.known_by == "catalogue" else " (as its hub has it)"
        said.append(f"licence: {shown(licence.id)}{by}{use}{f' ({licence.terms_url})' if licence.terms_url else ''}")
        if licence.needs_acceptance:
            said += [f"  {kind.replace('_', ' ')}: {text}" for kind, text in licence.duties.items()]
    if preview.gated:
        said.append("gated: its hub gives it to those who have accepted its terms there")
    if preview.fit is not None:
        said.append(preview.fit.sentence)
    return said
