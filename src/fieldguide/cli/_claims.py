"""`claims`: what is published about models, and what arithmetic says of it."""

from __future__ import annotations

from argparse import Namespace

from fieldguide.app.claims import Ledger, Recomputed, ledger_json, look_up_claims
from fieldguide.catalogue.claims import Claim
from fieldguide.cli._output import console, house_of, interval, note, print_json, table
from fieldguide.comparison import Difference, JudgedClaim
from fieldguide.domain import VerdictKind

_MARKS = {
    "not attainable": "x",
    "protocol not stated": "p",
    "window not stated": "w",
    "subset not stated": "s",
}


def run(args: Namespace) -> int:
    """Print the ledger of the models or the table."""
    house = house_of(args)
    try:
        ledger = look_up_claims(
            house, args.models, benchmark=args.benchmark, table=args.table, imported=args.import_file
        )
    finally:
        house.close_store()
    if args.json:
        print_json(ledger_json(ledger))
    else:
        _show(ledger)
        for text in ledger.notes:
            note(args, text)
    return 0


def _show(ledger: Ledger) -> None:
    if ledger.title:
        print(ledger.title)
    rows = table("model", "benchmark", "value", "n", "95 %", "from", "marks", right=(2, 3))
    for judged in ledger.claims:
        rows.add_row(*_cells(judged))
    console().print(rows)
    _show_marks(ledger.claims)
    if ledger.differences:
        _show_differences(ledger.differences)
    if ledger.recomputed is not None:
        _show_recomputed(ledger.recomputed)


def _cells(judged: JudgedClaim) -> tuple[str, ...]:
    claim = judged.claim
    marks = [mark for flag, mark in _MARKS.items() if any(each.startswith(flag) for each in judged.flags)]
    marks += [f"C{len(judged.conflicts)}"] if judged.conflicts else []
    marks += [claim.kind] if claim.kind != "published" else []
    return (
        claim.model if claim.snapshot is None else f"{claim.model} {claim.snapshot}",
        _benchmark(claim),
        str(claim.value),
        "n/a" if claim.n is None else f"{claim.n}{'~' if 'n' in claim.inferred else ''}",
        interval(judged.ci_low, judged.ci_high),
        claim.collection,
        " ".join(marks),
    )


def _stated(claim: Claim) -> str:
    asked = "" if claim.protocol is None else f"; {claim.protocol}"
    tries = "" if claim.attempts is None else f"; {claim.attempts} attempts"
    return f"{claim.value} ({claim.collection}{asked}{tries})"


def _show_marks(claims: tuple[JudgedClaim, ...]) -> None:
    print("~ n inferred from the benchmark; p protocol, w window, s subset not stated; x not attainable; C conflicts.")
    if impossible := [each for each in claims if each.attainable is False]:
        print(f"\nNot attainable ({len(impossible)}): no number of right answers gives these. Each is an average, from")
        print("another test, or copied from elsewhere:")
        for benchmark in dict.fromkeys(_benchmark(each.claim) for each in impossible):
            here = [each.claim for each in impossible if _benchmark(each.claim) == benchmark]
            print(f"  {benchmark}: {', '.join(f'{claim.model} {claim.value}' for claim in here)}")
    cells: dict[str, dict[str, None]] = {}
    for judged in claims:
        if judged.conflicts:
            name = f"{judged.claim.model} on {_benchmark(judged.claim)}".lower()
            cell = cells.setdefault(name, {_stated(judged.claim): None})
            cell.update(dict.fromkeys(_stated(each.other) for each in judged.conflicts))
    if cells:
        print("\nConflicts: one cell, several values. Protocols are set beside each other and never merged.")
        for name, values in cells.items():
            print(f"  {name}: {', '.join(values)}")
    print()


def _benchmark(claim: Claim) -> str:
    name = claim.benchmark if claim.subset is None else f"{claim.benchmark}@{claim.subset}"
    name = name if claim.window is None else f"{name} {claim.window}"
    return name if claim.metric in (None, "pass@1") else f"{name} {claim.metric}"


def _show_differences(differences: tuple[Difference, ...]) -> None:
    print("Which differences n supports (unpaired test; no results per question are public for these):")
    rows = table("benchmark", "a", "b", "a - b", "p", "p, all at once", "supported", right=(3, 4, 5))
    for each in differences:
        if each.p_value is not None and each.p_adjusted is not None:
            verdict = "yes" if each.supported_adjusted else "alone only" if each.supported else "no"
            points, p, adjusted = f"{100 * each.difference:+.1f}", f"{each.p_value:.2g}", f"{each.p_adjusted:.2g}"
            rows.add_row(each.a.benchmark, each.a.model, each.b.model, points, p, adjusted, verdict)
    if not rows.rows:
        print("None: the numbers of items are not known for these.")
        return
    console().print(rows)
    print("alone only: supported if this were the one question asked, not among all differences of the table (Holm).")
    if unknown := sorted({each.a.benchmark for each in differences if each.p_value is None}):
        print(f"No test from the published values of {', '.join(unknown)}: n is not stated.")


def _show_recomputed(recomputed: Recomputed) -> None:
    print(f"LiveCodeBench {recomputed.window} recomputed from results per problem ({recomputed.file.name}):")
    rows = table(
        "model", "published", "recomputed", "problems", "tries at each", "a k of so many gives", right=(1, 2, 3, 4)
    )
    for each in recomputed.beside:
        again = each.recomputed
        name = again.model if again.snapshot is None else f"{again.model} {again.snapshot}"
        possible = "the published value" if each.attainable_there else "not the published value"
        figures = (str(each.published.value), str(again.value), str(again.n), str(again.attempts))
        rows.add_row(name, *figures, possible)
    console().print(rows)
    print(
        "What differs: the table states neither which problems nor how many, nor prompt, decoding and snapshots; "
        "these are\nthe site's own runs, problems whose contest lies in those months. A published value that no k of "
        "them gives was not\none run over these problems."
    )
    if recomputed.absent:
        print(f"Without results per problem: {', '.join(recomputed.absent)}.")
    print("Paired, problem by problem:")
    for verdict, sentence in zip(recomputed.verdicts, recomputed.sentences, strict=True):
        worse = verdict.b if verdict.verdict is VerdictKind.A_BETTER else verdict.a
        print(f"  {sentence.replace(' is better on ', f' is better than {worse} on ', 1)}")
