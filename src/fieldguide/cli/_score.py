"""`score`: judge answers that were made elsewhere."""

from __future__ import annotations

from argparse import Namespace

from fieldguide.app.as_json import item_score_json, scored_json
from fieldguide.app.files import check_folder_of, written
from fieldguide.app.score import Scored, score_file
from fieldguide.cli._output import house_of, note, print_json
from fieldguide.cli._progress import ProgressLine
from fieldguide.cli._tables import accuracy_table


def run(args: Namespace) -> int:
    """Score a file of answers and print the result."""
    if args.per_item is not None:
        check_folder_of(args.per_item)
    with ProgressLine(quiet=args.quiet) as line:
        scored = score_file(
            house_of(args),
            args.benchmark,
            args.answers,
            protocol=args.protocol,
            data=args.data,
            seed=args.seed,
            told=lambda done, total: line.text(f"scoring {done}/{total}"),
        )
    if args.per_item is not None:
        written(args.per_item, [item_score_json(score, scored.targets.get(score.item)) for score in scored.scores])
    for warning in scored.warnings:
        note(args, f"note: {warning}")
    if scored.unknown_items:
        example = scored.unknown_items[0]
        note(args, f"note: {len(scored.unknown_items)} items are not in this exam and were left out, such as {example}")
    if args.json:
        print_json(scored_json(scored))
    else:
        _show(scored, args)
    return 0


def _show(scored: Scored, args: Namespace) -> None:
    exam = scored.exam
    print(f"{exam.benchmark} under {exam.protocol}, judged by {scored.scorer.name} {scored.scorer.version}")
    accuracy_table([(args.answers.name, exam.benchmark, scored.accuracy)])
    if scored.unanswered_items:
        print(f"{scored.unanswered_items} of {len(exam.items)} items have no answer in this file.")
    if args.per_item is not None:
        print(f"per item: {args.per_item}")
