"""What is published about models, set side by side, with our own measurements beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from fieldguide.app.as_json import verdict_json
from fieldguide.app.claim_names import base_note, claims_about, spellings
from fieldguide.app.leaderboard import Leaderboard, LeaderboardModel, read_leaderboard
from fieldguide.app.runs import RunView, scores_of, view_run
from fieldguide.app.wiring import House
from fieldguide.catalogue.claims import (
    Claim,
    Collection,
    benchmark_key,
    claims,
    collection,
    collections,
    import_claims,
    model_key,
    split_snapshot,
)
from fieldguide.comparison import (
    Difference,
    ExamScores,
    JudgedClaim,
    ModelScores,
    compare_models,
    error_rate_of,
    is_attainable,
    judge_claims,
    table_differences,
    verdict_sentence,
)
from fieldguide.domain import ErrorRate, Verdict
from fieldguide.errors import StoreError, UnknownNameError, UsageError
from fieldguide.registry import nearest

RECOMPUTED = "livecodebench-leaderboard"
MEASURED = "measured"
_OF_WORDS = "percent of words"
"""No share of questions: it is lower for the better, may exceed 100 and has no interval of a proportion."""
_MOST_NAMED = 20
"""Benchmarks named in an error; the ledger has some hundred."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A published value beside the one computed anew."""

    published: Claim
    recomputed: Claim
    attainable_there: bool
    """Whether one attempt at each of the recomputed one's problems could have given the published value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """One column of a table computed anew from public results per problem."""

    file: Path
    window: str
    claims: tuple[Claim, ...]
    verdicts: tuple[Verdict, ...]
    sentences: tuple[str, ...]
    beside: tuple[Beside, ...]
    absent: tuple[str, ...]
    """Models of the table without results per problem in the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The answer to `claims`."""

    claims: tuple[JudgedClaim, ...]
    differences: tuple[Difference, ...]
    """Of the table that was asked for; empty without one."""
    recomputed: Recomputed | None
    notes: tuple[str, ...]
    """What is missing here, and what would bring it."""
    title: str | None = None


def look_up_claims(
    house: House,
    models: Sequence[str],
    *,
    benchmark: str | None = None,
    table: str | None = None,
    imported: Path | None = None,
    suggest: bool = True,
) -> Ledger:
    """Return the claims about models, or those of one table, each judged against the whole ledger.

    Args:
        house: The user's settings (folder of benchmark data) and records.
        models: Names in any spelling; with a table they choose its columns; none with a benchmark means all.
        benchmark: Only this one.
        table: Name of a table; its differences are tested and, with the files at hand, paired.
        imported: A CSV file with more claims, with the columns of LLMStats or models.dev.
        suggest: Whether the error for a model without claims names the nearest, which takes a while.

    Raises:
        UsageError: Neither a model nor a table nor a benchmark was named.
        UnknownNameError: Nothing is known of a model, a benchmark or a table; the nearest names are given.
        InputFileError: A file of the user's is malformed.
        CatalogueError: A file of the catalogue is malformed.
    """
    if not models and table is None and benchmark is None:
        raise UsageError(
            "Name a model, a table or a benchmark.", hint=f"Tables: {', '.join(t.name for t in collections())}."
        )
    notes: list[str] = []
    chosen = None if table is None else collection(table)
    recomputed = _recomputed(house, chosen or collection("qwq-32b-preview-blog"), notes)
    wanted = _keys(house.settings.home, models, chosen) if models or chosen else None
    measured = _measured(house, wanted, notes)
    more = (*_new(imported), *(recomputed.claims if recomputed else ()), *measured)
    shipped = claims(house.copies)
    ledger = (*shipped, *more) if more else shipped
    asked = ledger if chosen is None else [*chosen.claims(), *_beside(chosen, recomputed, measured)]
    if models:
        about = [claims_about(house.settings.home, name, asked, suggest=suggest) for name in models]
        asked = list(dict.fromkeys(claim for several in about for claim in several))
        notes += [said for said in (base_note(asked, ledger),) if said and chosen is None]
    if benchmark is not None:
        asked = _of_benchmark(benchmark, asked)
    judged = judge_claims(asked, ledger)
    shown = (
        recomputed if chosen is not None and benchmark_key(benchmark or "livecodebench")[0] == "livecodebench" else None
    )
    published = [claim for claim in asked if chosen is not None and claim.collection == chosen.name]
    if not any(claim.benchmark == "livecodebench" for claim in asked):
        notes = [note for note in notes if "leaderboard" not in note]
    return Ledger(
        claims=judged,
        differences=table_differences(published),
        recomputed=shown,
        notes=tuple(notes),
        title=None if chosen is None else f"{chosen.title}\n{chosen.source}\n{chosen.note or ''}".rstrip(),
    )


def _new(imported: Path | None) -> list[Claim]:
    """Return the claims of the user's file that the ledger does not have yet, each once."""
    if imported is None:
        return []

    def row(claim: Claim) -> tuple[object, ...]:
        link = claim.source.partition(", via ")[0]
        asked = (claim.benchmark, claim.subset, claim.metric, claim.protocol)
        return claim.collection, claim.model_key, claim.snapshot, *asked, claim.value, link

    known = {row(claim) for claim in claims() if claim.kind == "imported"}
    once = {row(claim): claim for claim in reversed(import_claims(imported))}
    return [claim for key, claim in reversed(once.items()) if key not in known]


def _of_benchmark(name: str, ledger: Sequence[Claim]) -> list[Claim]:
    family, subset = benchmark_key(name)
    found = [claim for claim in ledger if claim.benchmark == family and subset in (None, claim.subset)]
    if not found:
        known = sorted({claim.benchmark for claim in ledger})
        close = nearest(family, known)
        some = ", ".join(known[:_MOST_NAMED]) + (f" and {len(known) - _MOST_NAMED} more" * (len(known) > _MOST_NAMED))
        raise UnknownNameError("benchmark", name, close, hint=None if close else f"Claims are on: {some}.")
    return found


def _beside(table: Collection, recomputed: Recomputed | None, measured: Sequence[Claim]) -> list[Claim]:
    """Return what was recomputed or measured here for the cells of a table."""
    keys = {claim.model_key for claim in table.claims()}
    benchmarks = {claim.benchmark for claim in table.claims()}
    own = [claim for claim in measured if claim.model_key in keys and claim.benchmark in benchmarks]
    return [*(recomputed.claims if recomputed else ()), *own]


def _recomputed(house: House, table: Collection, notes: list[str]) -> Recomputed | None:
    window = next((row.window for row in table.rows if row.benchmark == "livecodebench" and row.window), None)
    if window is None or not table.per_item:
        return None
    names = [name for several in table.per_item.values() for name in several]
    data = house.settings.data
    board = None if data is None else read_leaderboard(data, names, window)
    if board is None:
        notes.append(
            "The LiveCodeBench column was not recomputed: no leaderboard file with results per problem is at hand. "
            "Put one into DIR/livecodebench/ and name DIR with --data."
        )
        return None
    written = {name: model for model, several in table.per_item.items() for name in several}
    exam = ExamScores(
        benchmark="livecodebench",
        available_items=max(model.problems for model in board.models),
        models=tuple(ModelScores(name=model.name, scores=model.scores) for model in board.models),
    )
    verdicts = compare_models([exam])
    present = {written[model.name] for model in board.models}
    everyone = [model for row in table.rows if row.benchmark == "livecodebench" for model in row.values]
    anew = tuple(_recomputed_claim(board, model, written[model.name], window) for model in board.models)
    stated = {claim.model: claim for claim in table.claims() if claim.benchmark == "livecodebench"}
    return Recomputed(
        file=board.path,
        window=window,
        claims=anew,
        beside=tuple(_beside_published(stated[claim.model], claim) for claim in anew),
        verdicts=verdicts,
        sentences=tuple(verdict_sentence(verdict) for verdict in verdicts),
        absent=tuple(model for model in everyone if model not in present),
    )


def _beside_published(published: Claim, recomputed: Claim) -> Beside:
    there = is_attainable(replace(published, n=recomputed.n, attempts=1))
    return Beside(published=published, recomputed=recomputed, attainable_there=bool(there))


def _recomputed_claim(board: Leaderboard, model: LeaderboardModel, written: str, window: str) -> Claim:
    from_site = split_snapshot(model.name.partition(" (")[0])[1]
    return Claim(
        model=written,
        # A table without snapshots is answered by each that the site has; only where there are several do they part.
        snapshot=from_site
        if sum(each.name.split("-20")[0] == model.name.split("-20")[0] for each in board.models) > 1
        else None,
        benchmark="livecodebench",
        subset=None,
        collection=RECOMPUTED,
        value=Decimal(f"{100 * model.mean:.1f}"),
        unit="percent",
        n=model.problems,
        attempts=model.attempts,
        metric="pass@1",
        protocol="livecodebench",
        window=window,
        source=f"results per problem of {model.name!r} in {board.path.name}, the site's leaderboard",
        date=None,
        published=None,
        kind="recomputed",
        note="computed here from the user's file",
    )


def _keys(home: Path, models: Sequence[str], table: Collection | None) -> set[str]:
    named = {key for name in models for key in spellings(home, name)}
    of_table = set() if table is None else {claim.model_key for claim in table.claims()}
    return named | {f"{key}instruct" for key in named} | of_table


def _measured(house: House, keys: set[str] | None, notes: list[str]) -> list[Claim]:
    """Return our own runs of the models with these keys, or of all."""
    if not house.records.exists():
        return []
    found = []
    try:
        for run in house.store.runs():
            if keys is not None and model_key(run.model_name)[0] not in keys:
                continue
            if (claim := _measured_claim(view_run(house, run.run_id))) is not None:
                found.append(claim)
    except StoreError as error:
        notes.append(f"Own measurements are left out: {error.message}")
    return found


def _measured_claim(view: RunView) -> Claim | None:
    """Return a run's accuracy, or its error rate where errors were counted; None where nothing was judged."""
    run, accuracy = view.run, view.accuracy
    if accuracy.accuracy is None:
        return None
    errors = error_rate_of(scores_of(view))
    family, subset = benchmark_key(run.benchmark)
    model, snapshot = split_snapshot(run.model_name)
    return Claim(
        model=model,
        snapshot=snapshot,
        benchmark=family,
        subset=subset,
        collection=MEASURED,
        value=Decimal(f"{100 * (accuracy.accuracy if errors is None else errors.rate):.1f}"),
        unit="percent" if errors is None else _OF_WORDS,
        n=accuracy.items if errors is None else errors.items,
        attempts=run.attempts,
        metric="pass@1" if errors is None else "word error rate",
        protocol=None,
        window=None,
        source=f"run {run.run_id} ({run.state.value}), measured here",
        date=date.fromisoformat(run.started_at[:10]),
        published=None,
        kind="measured",
        note=None if errors is None else _interval_told(errors),
        run_id=run.run_id,
    )


def _interval_told(errors: ErrorRate) -> str:
    return (
        f"{errors.errors:,} errors in {errors.parts:,} words; "
        f"95 % interval {100 * errors.ci_low:.1f} to {100 * errors.ci_high:.1f}"
    )


def ledger_json(ledger: Ledger) -> dict[str, Any]:
    """Return the answer as programs read it."""
    return {
        "claims": [claim_json(judged) for judged in ledger.claims],
        "differences": [_difference_json(difference) for difference in ledger.differences],
        "recomputed": None if ledger.recomputed is None else _recomputed_json(ledger.recomputed),
        "notes": list(ledger.notes),
    }


def claim_json(judged: JudgedClaim) -> dict[str, Any]:
    """Return one claim with the keys that programs rely on."""
    claim = judged.claim
    return {
        "model": claim.model,
        "snapshot": claim.snapshot,
        "benchmark": claim.benchmark,
        "subset": claim.subset,
        "collection": claim.collection,
        "kind": claim.kind,
        "value": float(claim.value),
        "printed": str(claim.value),
        "unit": claim.unit,
        "n": claim.n,
        "attempts": claim.attempts,
        "metric": claim.metric,
        "protocol": claim.protocol,
        "window": claim.window,
        "inferred": list(claim.inferred),
        "source": claim.source,
        "run_id": claim.run_id,
        "published": claim.published,
        "date": None if claim.date is None else claim.date.isoformat(),
        "attainable": judged.attainable,
        "ci_low": judged.ci_low,
        "ci_high": judged.ci_high,
        "conflicts_with": [
            {
                "collection": conflict.other.collection,
                "value": float(conflict.other.value),
                "kind": conflict.other.kind,
                "source": conflict.other.source,
                "protocol": conflict.protocol,
            }
            for conflict in judged.conflicts
        ],
        "flags": list(judged.flags),
        "note": claim.note,
    }


def _difference_json(difference: Difference) -> dict[str, Any]:
    return {
        "benchmark": difference.a.benchmark,
        "a": difference.a.model,
        "b": difference.b.model,
        "difference": difference.difference,
        "method": "unpaired pooled z test",
        "p_value": difference.p_value,
        "p_adjusted": difference.p_adjusted,
        "supported": difference.supported,
        "supported_adjusted": difference.supported_adjusted,
    }


def _recomputed_json(recomputed: Recomputed) -> dict[str, Any]:
    return {
        "file": str(recomputed.file),
        "window": recomputed.window,
        "beside": [
            {
                "model": each.recomputed.model,
                "snapshot": each.recomputed.snapshot,
                "published": float(each.published.value),
                "recomputed": float(each.recomputed.value),
                "n": each.recomputed.n,
                "published_attainable_there": each.attainable_there,
            }
            for each in recomputed.beside
        ],
        "absent": list(recomputed.absent),
        "verdicts": [
            verdict_json(verdict, sentence)
            for verdict, sentence in zip(recomputed.verdicts, recomputed.sentences, strict=True)
        ],
    }
