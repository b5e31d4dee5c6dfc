"""The job guide to the JSON that programs read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fieldguide.app.catalogue_json import found_json
from fieldguide.app.claims import claim_json
from fieldguide.app.jobs import JobAnswer
from fieldguide.catalogue import Evidence, Job, Matter


def jobs_json(jobs: Iterable[Job]) -> dict[str, Any]:
    """Return the jobs that the guide knows."""
    return {"jobs": [_job(job) for job in jobs]}


def job_answer_json(answer: JobAnswer) -> dict[str, Any]:
    """Return the answer to `find --job`: what `find` gives, with reasons, evidence and what is unknown."""
    found = found_json(answer.found)
    for number, (shown, ranked) in enumerate(zip(found["models"], answer.models, strict=True), start=1):
        shown["rank"] = number
        shown["reasons"] = list(ranked.reasons)
        shown["evidence"] = [claim_json(judged) for judged in ranked.evidence]
        shown["unknown"] = list(ranked.unknown)
    found["left_out"]["needs"] = dict(answer.left_out)
    return {
        "text": answer.text,
        "job": _job(answer.job),
        "unsure": answer.unsure,
        "candidates": [
            {"job": match.job.name, "title": match.job.title, "score": match.score, "because": list(match.because)}
            for match in answer.candidates
        ],
        "considerations": [
            {"name": each.name, "matters": _matters(each.matters), "suggests": each.suggests}
            for each in answer.considerations
        ],
        **found,
    }


def _job(job: Job) -> dict[str, Any]:
    return {
        "name": job.name,
        "title": job.title,
        "needs": {
            "modalities_in": sorted(job.needs.modalities_in),
            "modalities_out": sorted(job.needs.modalities_out),
            "any_kind": sorted(job.needs.any_kind),
            "without_kinds": sorted(job.needs.without_kinds),
            "tool_use": job.needs.tool_use,
        },
        "matters": _matters(job.matters),
        "ask": list(job.ask),
        "evidence": _evidence(job.evidence),
        "little_evidence": _evidence(job.little_evidence),
    }


def _matters(matters: Iterable[Matter]) -> list[dict[str, str]]:
    return [{"what": each.what, "why": each.why} for each in matters]


def _evidence(evidence: Iterable[Evidence]) -> list[dict[str, str]]:
    return [{"benchmark": each.benchmark, "says": each.says} for each in evidence]
