"""`score`: judge answers that were made elsewhere."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Sequence

from fieldguide.app.as_json import item_score_json, protocols_json, scored_json
from fieldguide.app.files import check_folder_of, written
from fieldguide.app.score import Difference, Scored, against, differences, score_file, score_under_all
from fieldguide.cli._output import console, house_of, interval, note, percent, print_json, table
from fieldguide.cli._progress import ProgressLine
from fieldguide.cli._tables import accuracy_table, fields_lines, metrics_lines, other_outcomes
from fieldguide.domain import JsonValue

_ALL = "all"
_SHOWN_DIFFERENCES = 20


def run(args: Namespace) -> int:
    """Score a file of answers and print the result."""
    if args.per_item is not None:
        check_folder_of(args.per_item)
    scored = _scored(args)
    if args.per_item is not None:
        written(args.per_item, _per_item(scored, with_protocol=args.protocol == _ALL))
    for warning in dict.fromkeys(warning for each in scored for warning in each.warnings):
        note(args, f"note: {warning}")
    if strangers := scored[0].unknown_items:
        note(args, f"note: {len(strangers)} items are not in this exam and were left out, such as {strangers[0]}")
    if args.protocol == _ALL:
        apart = differences(scored)
        if args.json:
            print_json(protocols_json(scored, apart))
        else:
            _show_all(scored, apart, args)
    elif args.json:
        print_json(scored_json(scored[0]))
    else:
        _show(scored[0], args)
    return 0


def _scored(args: Namespace) -> tuple[Scored, ...]:
    with ProgressLine(quiet=args.quiet) as line:

        def told(done: int, total: int) -> None:
            line.text(f"scoring {done}/{total}")

        house = house_of(args)
        if args.protocol == _ALL:
            return score_under_all(house, args.benchmark, args.answers, data=args.data, seed=args.seed, told=told)
        one = score_file(
            house, args.benchmark, args.answers, protocol=args.protocol, data=args.data, seed=args.seed, told=told
        )
        return (one,)


def _per_item(scored: Sequence[Scored], *, with_protocol: bool) -> Iterable[dict[str, JsonValue]]:
    for each in scored:
        protocol: dict[str, JsonValue] = {"protocol": each.exam.protocol} if with_protocol else {}
        quoted = each.exam.restricted is None
        for score in each.scores:
            yield protocol | item_score_json(score, each.targets.get(score.item), quoted=quoted)


def _show(scored: Scored, args: Namespace) -> None:
    exam = scored.exam
    print(f"{exam.benchmark} under {exam.protocol}, judged by {scored.scorer.name} {scored.scorer.version}")
    accuracy_table([(args.answers.name, exam.benchmark, scored.accuracy)])
    metrics_lines([(args.answers.name, exam.benchmark, scored.scores)])
    fields_lines([(args.answers.name, exam, scored.scores)])
    _show_rest(scored, args)


def _show_all(scored: Sequence[Scored], apart: Sequence[Difference], args: Namespace) -> None:
    ours = scored[0]
    print(f"{args.answers.name} on {ours.exam.benchmark} under every protocol")
    made = table(
        "protocol",
        "right",
        "of",
        "accuracy",
        "95 % interval",
        "other outcomes",
        "gained",
        "lost",
        right=(1, 2, 3, 6, 7),
    )
    for each in scored:
        accuracy, (gained, lost) = each.accuracy, against(ours, each)
        made.add_row(
            each.exam.protocol,
            str(accuracy.correct),
            str(accuracy.scored),
            percent(accuracy.accuracy),
            interval(accuracy.ci_low, accuracy.ci_high),
            other_outcomes(accuracy),
            str(gained),
            str(lost),
        )
    console().print(made)
    print(f"gained and lost: attempts that are right here and not under {ours.exam.protocol}, and the other way round")
    if apart:
        _show_differences(scored, apart)
    _show_rest(ours, args)


def _show_differences(scored: Sequence[Scored], apart: Sequence[Difference]) -> None:
    made = table("item", "attempt", *(each.exam.protocol for each in scored), right=(1,))
    for difference in apart[:_SHOWN_DIFFERENCES]:
        scores = [difference.scores.get(each.exam.protocol) for each in scored]
        told = ["" if score is None else f"{score.outcome.value} {score.extracted or ''}".strip() for score in scores]
        made.add_row(difference.item, str(difference.attempt), *told)
    console().print(made)
    if len(apart) > _SHOWN_DIFFERENCES:
        print(f"... and {len(apart) - _SHOWN_DIFFERENCES} more: `--per-item FILE` or `--json` gives them all")


def _show_rest(scored: Scored, args: Namespace) -> None:
    if scored.unanswered_items:
        print(f"{scored.unanswered_items} of {len(scored.exam.items)} items have no answer in this file.")
    if args.per_item is not None:
        print(f"per item: {args.per_item}")
