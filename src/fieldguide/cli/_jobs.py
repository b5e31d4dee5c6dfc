"""`find --job`: what matters for a job, and the models that can do it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import replace

from fieldguide.app.find import FindRequest
from fieldguide.app.jobs import JobAnswer, RankedModel, find_for_job, jobs
from fieldguide.app.jobs_json import job_answer_json, jobs_json
from fieldguide.cli._find import show_fitted, size_text
from fieldguide.cli._output import console, house_of, note, print_json, table
from fieldguide.comparison import JudgedClaim

_SHOWN = 10
_CLAIMS_SHOWN = 4


def run(args: Namespace, request: FindRequest) -> int:
    """Print the answer, or the jobs."""
    if args.job.strip().lower() == "list":
        _list(args)
        return 0
    if args.limit is None:
        request = replace(request, most=_SHOWN)
    answer = find_for_job(house_of(args).settings.home, args.job, request)
    if args.json:
        print_json(job_answer_json(answer))
        return 0
    _show_job(answer)
    show_models(answer, {})
    for reason, number in answer.left_out.items():
        note(args, f"{number} left out: {reason}")
    found = answer.found
    if found.total > len(answer.models):
        note(args, f"{len(answer.models)} of {found.total} shown; narrow it, or add --limit {found.total}")
    show_fitted(args, found)
    if found.unknown_size:
        note(args, f"{found.unknown_size} left out whose size is not known")
    if found.unknown_licence:
        note(args, f"{found.unknown_licence} left out whose terms of commercial use are not known here")
    return 0


def _list(args: Namespace) -> None:
    if args.json:
        print_json(jobs_json(jobs()))
        return
    rows = table("job", "what", "takes", "some of its words")
    for job in jobs():
        words = ", ".join(word.rstrip("*") for word in job.words[:4])
        rows.add_row(job.name, job.title, ", ".join(sorted(job.needs.modalities_in)), words)
    console().print(rows)


def _show_job(answer: JobAnswer) -> None:
    first, *others = answer.candidates
    print(f"{first.job.title} ({first.job.name}), read from: {', '.join(first.because)}")
    if others:
        named = "; ".join(f"{match.job.name} ({', '.join(match.because)})" for match in others)
        print(
            f"{'Not sure: it may as well be' if answer.unsure else 'It may also be'} {named}. Choose with --job NAME."
        )
    elif answer.unsure:
        print("Not sure: the text does not say what is to be done. `--job list` shows the jobs.")
    print("\nWhat matters")
    for matter in first.job.matters:
        print(f"  {matter.what}: {matter.why}")
    for brought in answer.considerations:
        print(f"\nTo weigh, because the text speaks of {brought.name} (considerations, not advice)")
        for matter in brought.matters:
            print(f"  {matter.what}: {matter.why}")
        if brought.suggests:
            print(f"  try: {brought.suggests}")
    print("\nTo ask first")
    for question in first.job.ask:
        print(f"  {question}")
    print("\nEvidence that says something about it")
    for evidence in first.job.evidence:
        print(f"  {evidence.benchmark}: {evidence.says}")
    little = ", ".join(f"{each.benchmark} ({each.says})" for each in first.job.little_evidence)
    print(f"and little: {little or 'nothing listed'}\n")


def show_models(answer: JobAnswer, rents: Mapping[str, str]) -> None:
    """Print the models of an answer in order; `rents` says, by member, what the cheapest hardware for it costs."""
    if not answer.found.total:
        print("No model of the catalogue has what the job and the facets ask for.")
        return
    for number, ranked in enumerate(answer.models, start=1):
        print(f"{number:>2}. {_facts(answer, ranked)}")
        print(
            f"    here because: {'; '.join(ranked.reasons) or 'it has what the job needs, and nothing more is known'}"
        )
        print(f"    evidence: {_evidence(ranked)}")
        if (rent := rents.get(ranked.model.member.name)) is not None:
            print(f"    {rent}")
        if ranked.unknown:
            print(f"    unknown: {', '.join(ranked.unknown)}")
    print("\nOrder: our summary names the job; the best known of each family, then its second; preferred kind; any")
    print("evidence; newer. No score is made of it: measure with your own texts. Unlike protocols do not compare.")
    print("! the value has flags: see `fieldguide claims MODEL`. * commercial use under conditions; not legal advice.")


def _facts(answer: JobAnswer, ranked: RankedModel) -> str:
    size, member = ranked.model.size, ranked.model.member
    counts = [None if fact is None else fact.value for fact in (size.parameters, size.active_parameters)]
    terms = None if size.licence is None else answer.found.licences.licences[size.licence.value]
    licence = "licence unknown" if terms is None else terms.id
    mark = " *" if terms is not None and terms.commercial_use == "with-conditions" else ""
    context = f"{member.context_length.value:,} tokens" if member.context_length else "context unknown"
    return f"{member.name}: {size_text(*counts)}, {context}, {licence}{mark}"


def _evidence(ranked: RankedModel) -> str:
    told = [_claim(judged) for judged in ranked.evidence[:_CLAIMS_SHOWN]]
    more = len(ranked.evidence) - _CLAIMS_SHOWN
    return ", ".join([*told, f"and {more} more"] if more > 0 else told) or "none published that we hold"


def _claim(judged: JudgedClaim) -> str:
    claim = judged.claim
    name = claim.benchmark if claim.subset is None else f"{claim.benchmark}@{claim.subset}"
    return f"{name} {claim.value} ({claim.collection}){' !' if judged.flags or judged.conflicts else ''}"
