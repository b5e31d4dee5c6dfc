"""`runs`, `run`, `export`: what was measured."""

from __future__ import annotations

import sys
from argparse import Namespace

from fieldguide.app.files import jsonl_line, written
from fieldguide.app.runs import RunView, export_lines, run_json, view_json, view_run
from fieldguide.app.wiring import House
from fieldguide.cli._output import console, house_of, print_json, seconds, table
from fieldguide.cli._tables import accuracy_table


def run(args: Namespace) -> int:
    """Run one of the commands on stored runs."""
    house = house_of(args)
    try:
        return {"runs": _runs, "run": _run, "export": _export}[args.command](args, house)
    finally:
        house.store.close()


def _runs(args: Namespace, house: House) -> int:
    found = house.store.runs()
    if args.json:
        print_json({"runs": [run_json(each) for each in found]})
        return 0
    rows = table("run", "benchmark", "model", "state", "started", "time", right=(5,))
    for each in found:
        started = each.started_at[:16].replace("T", " ")
        rows.add_row(each.run_id, each.benchmark, each.model_name, each.state.value, started, seconds(each.active_s))
    console().print(rows)
    if not found:
        print("nothing was measured yet: fieldguide evaluate MODEL --benchmark ladder")
    return 0


def _run(args: Namespace, house: House) -> int:
    view = view_run(house, args.run)
    if args.json:
        value = view_json(view)
        if args.items:
            value["answers"] = [
                {key: line[key] for key in ("item", "attempt", "outcome", "extracted", "target", "detail")}
                for line in list(export_lines(view))[1:]
            ]
        print_json(value)
    else:
        _show(view, items=args.items)
    return 0


def _show(view: RunView, *, items: bool) -> None:
    one = view.run
    print(f"{one.run_id}: {one.model_name} on {one.benchmark}, {one.state.value}")
    print(f"model {one.reference}")
    print(f"exam {one.exam_id}, {view.items} items x {one.attempts}, protocol {view.header.get('protocol')}")
    print(f"started {one.started_at}, {seconds(one.active_s)} of work")
    if one.reason:
        print(f"ended because: {one.reason}")
    accuracy_table([(one.model_name, one.benchmark, view.accuracy)])
    if view.missing:
        print(f"{view.missing} attempts are left; evaluate the same model again to go on.")
    if not items:
        return
    rows = table("item", "attempt", "outcome", "extracted", "target", right=(1,))
    for answer in view.answers:
        score = answer.score
        rows.add_row(
            answer.item.item,
            str(answer.attempt),
            score.outcome.value if score else "not judged",
            (score.extracted if score else None) or "",
            answer.item.target,
        )
    console().print(rows)


def _export(args: Namespace, house: House) -> int:
    view = view_run(house, args.run)
    if args.out is None:
        for line in export_lines(view):
            sys.stdout.write(jsonl_line(line))
    else:
        written(args.out, export_lines(view))
        if args.json:
            print_json({"run_id": view.run.run_id, "out": str(args.out), "answers": len(view.answers)})
        else:
            print(f"{view.run.run_id}: {len(view.answers)} answers written to {args.out}")
    return 0
