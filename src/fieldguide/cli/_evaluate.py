"""`evaluate` and `compare`."""

from __future__ import annotations

import shlex
import sys
from argparse import Namespace
from collections.abc import Coroutine
from typing import Any

from fieldguide.app.as_json import comparison_json, evaluation_json
from fieldguide.app.compare import Comparison, compare
from fieldguide.app.evaluate import EvaluateRequest, Evaluation, evaluate
from fieldguide.app.files import check_folder_of
from fieldguide.app.references import as_decimal
from fieldguide.app.wiring import House
from fieldguide.cli._errors import FAILED, INTERRUPTED
from fieldguide.cli._loop import run_to_end
from fieldguide.cli._options import model_options
from fieldguide.cli._output import house_of, note, print_json
from fieldguide.cli._progress import ProgressLine
from fieldguide.cli._tables import accuracy_table, fields_lines, metrics_lines, speed_table
from fieldguide.evaluation import Stop
from fieldguide.store import RunState

_EXIT = dict.fromkeys(RunState, FAILED) | {RunState.FINISHED: 0, RunState.INTERRUPTED: INTERRUPTED}


def run(args: Namespace) -> int:
    """Measure, and compare if that is what was asked."""
    house = house_of(args)
    if args.report is not None:
        check_folder_of(args.report)
    with ProgressLine(quiet=args.quiet) as line:
        if args.command == "compare":
            return _compare(args, house, line)
        return _evaluate(args, house, line)


def _exit_code(evaluation: Evaluation) -> int:
    """Return 1 where a whole exam was taken and not one answer could be judged: nothing was measured."""
    measured = all(result.accuracy.scored or not result.run.planned for result in evaluation.results)
    return _EXIT[evaluation.state] if measured or evaluation.state is not RunState.FINISHED else FAILED


def _request(args: Namespace, line: ProgressLine, stop: Stop) -> EvaluateRequest:
    return EvaluateRequest(
        models=tuple(args.models),
        benchmarks=tuple(dict.fromkeys(name for name in args.benchmark.split(",") if name)),
        data=args.data,
        limit=args.limit,
        attempts=args.attempts,
        seed=args.seed,
        protocol=args.protocol,
        fresh=args.fresh,
        concurrency=args.concurrency,
        budget_usd=as_decimal(args.budget_usd, "--budget-usd"),
        price_in_usd_per_mtok=as_decimal(args.price_in, "--price-in"),
        price_out_usd_per_mtok=as_decimal(args.price_out, "--price-out"),
        options=model_options(args, line, stopped=lambda: stop.requested),
    )


def _evaluate(args: Namespace, house: House, line: ProgressLine) -> int:
    def work(stop: Stop) -> Coroutine[Any, Any, Evaluation]:
        return evaluate(house, _request(args, line, stop), stop=stop, listener=line.run)

    evaluation: Evaluation = run_to_end(house, work, say=line.say)
    comparison = Comparison(evaluation=evaluation, verdicts=(), sentences=())
    report = _report(args, house, comparison)
    if args.json:
        print_json(evaluation_json(evaluation) | {"report": report})
    else:
        _show(args, comparison, report)
    return _exit_code(evaluation)


def _compare(args: Namespace, house: House, line: ProgressLine) -> int:
    def work(stop: Stop) -> Coroutine[Any, Any, Comparison]:
        request = _request(args, line, stop)
        return compare(house, request, margin=args.margin, stop=stop, listener=line.run)

    comparison: Comparison = run_to_end(house, work, say=line.say)
    report = _report(args, house, comparison)
    if args.json:
        print_json(comparison_json(comparison, report=report))
    else:
        _show(args, comparison, report)
    return _exit_code(comparison.evaluation)


def _report(args: Namespace, house: House, comparison: Comparison) -> str | None:
    if args.report is None or not comparison.evaluation.results:
        return None
    from fieldguide.app.report import write_report

    command = shlex.join(["fieldguide", *sys.argv[1:]])
    try:
        write_report(comparison, args.report, store=house.store, command=command)
    finally:
        house.close_store()
    return str(args.report)


def _show(args: Namespace, comparison: Comparison, report: str | None) -> None:
    evaluation = comparison.evaluation
    for sentence in comparison.sentences:
        print(sentence)
    accuracy_table([(result.model, result.run.exam.benchmark, result.accuracy) for result in evaluation.results])
    metrics_lines([(result.model, result.run.exam.benchmark, result.run.scores) for result in evaluation.results])
    fields_lines([(result.model, result.run.exam, result.run.scores) for result in evaluation.results])
    speed_table(evaluation.results)
    for warning in evaluation.warnings:
        note(args, f"note: {warning}")
    if evaluation.state is not RunState.FINISHED:
        note(args, _unfinished(evaluation))
    if report is not None:
        print(f"report: {report}")


def _unfinished(evaluation: Evaluation) -> str:
    missing = sum(result.run.missing for result in evaluation.results)
    why = {
        RunState.BUDGET: "the budget is reached",
        RunState.INTERRUPTED: "it was interrupted",
    }.get(evaluation.state, "it failed")
    return (
        f"stopped: {why}; {missing} attempts of this run are left. "
        "The same command goes on from here; nothing is asked or paid twice."
    )
