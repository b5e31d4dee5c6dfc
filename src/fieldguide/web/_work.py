"""Jobs: what is to be done, what matters for it, and the models that can do it."""

from __future__ import annotations

from fieldguide.app.guide import facets
from fieldguide.app.jobs import find_for_job, jobs
from fieldguide.app.jobs_json import job_answer_json, jobs_json
from fieldguide.catalogue.claims import claims
from fieldguide.web._guide import FIELDS, device_names, filled, request_of
from fieldguide.web._page import Asked, Page, Shown

_MOST = 10


def _jobs(asked: Asked) -> Shown:
    text = asked.one("job")
    answer = None
    if text is not None:
        most = min(asked.count("limit") or _MOST, 100)
        answer = job_answer_json(find_for_job(asked.house.settings.home, text, request_of(asked, most=most)))
    return Shown(
        title="Jobs" if answer is None else answer["job"]["title"],
        context={
            "search": filled(asked) | {"job": text or ""},
            "facets": facets(asked.house),
            "jobs": jobs_json(jobs())["jobs"],
            "answer": answer,
        },
        drawn={"claimed": {claim.benchmark for claim in claims(asked.house.copies)}, "devices": device_names()},
    )


JOBS = Page(
    name="jobs",
    path="/jobs",
    template="jobs.html.j2",
    about="What is to be done, in free words, and the models that can do it.",
    make=_jobs,
    keys={
        "search": "the fields as they were filled in",
        "facets": "what can be chosen: kinds, modalities, licences, places",
        "jobs": "the jobs that the guide knows",
        "answer": "what `find --job --json` gives; null where no job was named",
    },
    fields={"job": "what is to be done, such as `summarise patient letters`"} | FIELDS,
    slow_fields=frozenset({"fits"}),
    nav="Jobs",
)
