"""`exam`: show exactly what a model will be asked."""

from __future__ import annotations

from argparse import Namespace

from fieldguide.app.exam_file import shown_item, write_exam
from fieldguide.app.exams import build_exam, data_access
from fieldguide.app.files import jsonl_line
from fieldguide.cli._output import house_of, note, print_json
from fieldguide.domain import Exam, ExamItem

_SHOWN = 3


def run(args: Namespace) -> int:
    """Print or write an exam."""
    house = house_of(args)
    exam, scorer = build_exam(
        args.benchmark,
        data=house.settings.data,
        limit=args.limit,
        seed=args.seed,
        protocol=args.protocol,
        access=data_access(house.settings),
    )
    scorer.close()
    told = exam.source.get("warnings")
    for warning in told if isinstance(told, list) else ():
        note(args, f"note: {warning}")
    if args.out is not None:
        write_exam(exam, args.out, with_targets=args.with_targets)
    if args.json:
        value = dict(exam.header_json())
        if args.out is None:
            value["exam_items"] = [shown_item(exam, item, with_target=args.with_targets) for item in exam.items]
        print_json(value | {"out": None if args.out is None else str(args.out)})
    elif args.out is not None:
        print(f"{exam.exam_id}: {len(exam.items)} items written to {args.out}")
    else:
        _show(exam, with_targets=args.with_targets)
    return 0


def _show(exam: Exam, *, with_targets: bool) -> None:
    decoding = exam.decoding
    print(f"{exam.benchmark}, protocol {exam.protocol}, {len(exam.items)} items, exam id {exam.exam_id}")
    print(
        f"temperature {decoding.temperature:g}, at most {decoding.max_output_tokens} output tokens, "
        f"stop {list(decoding.stop)}, answers read by {exam.extraction}"
    )
    if exam.restricted is not None:
        print(f"Only ids are shown: {exam.restricted}. `--out FILE` writes the questions, with the canary string.")
    for item in exam.items[:_SHOWN]:
        _show_item(item, with_target=with_targets, with_text=exam.restricted is None)
    if len(exam.items) > _SHOWN:
        print(f"\n... and {len(exam.items) - _SHOWN} more: fieldguide exam {exam.benchmark} --out FILE writes them all")


def _show_item(item: ExamItem, *, with_target: bool, with_text: bool) -> None:
    print(f"\n--- {item.item} {jsonl_line(item.metadata).strip()}")
    if with_text and item.prompt is not None:
        print(item.prompt)
    for message in (item.messages or ()) if with_text else ():
        print(f"[{message.role}]\n{message.text}")
    if with_target:
        print(f"--- target: {item.target}")
