"""Which models can do a job: what the job needs held against the catalogue, ranked by what is known and not by guess.

The order, in this sequence: the family's summary names the job; the best of each family before its second; a kind that
the job prefers; some published evidence that says something about the job; newer. Within a family: more such
benchmarks, more values above others in the same tables, the same among siblings on any benchmark, newer, and last more
parameters. No score is made of these.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from fieldguide.app.find import (
    FindRequest,
    FoundModels,
    find_models,
    kinds_of,
    modalities_in,
    modalities_out,
    released,
)
from fieldguide.catalogue import CatalogueModel, Job, JobMatch, Matter, job_guide
from fieldguide.catalogue.claims import Claim, claims, model_key
from fieldguide.comparison import JudgedClaim, judge_claims
from fieldguide.errors import UnknownNameError

_EVERYTHING = 1_000_000
_OWN_WORK = frozenset({"foundation"})
"""A kind that says nothing about the work."""
_HISTORY = "history"
"""How a summary begins of what a model was once good for."""
_NO_LINK = "no link"
"""How the source of an imported row begins whose catalogue names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """Something to weigh that a word of the text brought up."""

    name: str
    matters: tuple[Matter, ...]
    suggests: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedModel:
    """A model that has what the job needs."""

    model: CatalogueModel
    reasons: tuple[str, ...]
    """Why it stands where it stands."""
    evidence: tuple[JudgedClaim, ...]
    """Published scores on benchmarks that say something about the job, with their flags."""
    unknown: tuple[str, ...]
    """What somebody would want to know and the catalogue does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobAnswer:
    """The answer to `find --job`."""

    text: str
    candidates: tuple[JobMatch, ...]
    """Jobs that the text may mean; the first was answered."""
    unsure: bool
    """Whether another job has as good a claim to the text, or only hints speak for this one."""
    considerations: tuple[Brought, ...]
    models: tuple[RankedModel, ...]
    found: FoundModels
    """The same models as `find` gives them, in the same order."""
    left_out: Mapping[str, int]
    """By reason: models that the facets let through and the job's needs do not."""

    @property
    def job(self) -> Job:
        """The job that was answered."""
        return self.candidates[0].job


def jobs() -> tuple[Job, ...]:
    """Return the jobs that the guide knows."""
    return job_guide().jobs


def find_for_job(home: Path, text: str, request: FindRequest) -> JobAnswer:
    """Return the models for a job in free text that a request's facets let through, best known first.

    Raises:
        UnknownNameError: The text means no job, or a facet has no such value; the nearest are given.
        CatalogueError: A file of the catalogue is malformed.
    """
    guide = job_guide()
    candidates = guide.matches(text)
    if not candidates:
        names = ", ".join(job.name for job in guide.jobs)
        nearest = guide.nearest(text)
        hint = f"Nearest: {', '.join(nearest)}. " if nearest else ""
        raise UnknownNameError("job", text, nearest, hint=f"{hint}Jobs: {names}.")
    job = candidates[0].job
    let_through = find_models(home, replace(request, most=_EVERYTHING))
    left_out: dict[str, int] = defaultdict(int)
    able = []
    for model in let_through.models:
        reason = _unable(job, model)
        if reason is None:
            able.append(model)
        else:
            left_out[reason] += 1
    shown = [
        replace(each, reasons=(let_through.fits[each.model.member.name].sentence, *each.reasons))
        if let_through.fits
        else each
        for each in _Ranking(job, able).ranked(request.most)
    ]
    return JobAnswer(
        text=text,
        candidates=candidates,
        unsure=_is_unsure(candidates),
        considerations=tuple(
            Brought(name=each.name, matters=each.matters, suggests=None if request.on_premises else each.suggests)
            for each in guide.considered(text)
        ),
        models=tuple(shown),
        found=replace(let_through, models=tuple(each.model for each in shown), total=len(able)),
        left_out=dict(left_out),
    )


def _is_unsure(candidates: Sequence[JobMatch]) -> bool:
    first, *others = candidates
    return not first.says_what_to_do or any(match.score >= first.score for match in others)


def _unable(job: Job, model: CatalogueModel) -> str | None:
    """Return why a model cannot do a job, or None."""
    needs, kinds = job.needs, set(kinds_of(model))
    if not model.member.places:
        return "no place to have or call it is known"
    today = datetime.now(UTC).date()
    if all(place.until is not None and place.until <= today for place in model.member.places):
        return "ended at every place that is known"
    if not needs.modalities_in <= modalities_in(model):
        return f"takes no {' or '.join(sorted(needs.modalities_in - modalities_in(model)))}"
    if not needs.modalities_out <= modalities_out(model):
        return f"gives no {' or '.join(sorted(needs.modalities_out))}"
    if needs.any_kind and not needs.any_kind & kinds:
        return f"is not of the kind {' or '.join(sorted(needs.any_kind))}"
    if kinds - _OWN_WORK and kinds - _OWN_WORK <= needs.without_kinds:
        return "made for other work"
    if model.member.tuning == "base" and not needs.any_kind:
        return "a base model: to be tuned first"
    if needs.tool_use and model.family.tool_use is not None and not model.family.tool_use.value:
        return "calls no tools"
    return None


def _newest(model: CatalogueModel) -> int:
    """Return what puts newer models first, and those without a known day last."""
    day = released(model)
    return 0 if day is None else -day.toordinal()


class _Ranking:
    """The models of one job in order."""

    def __init__(self, job: Job, models: Sequence[CatalogueModel]) -> None:
        self._job = job
        self._models = models

    def ranked(self, most: int) -> list[RankedModel]:
        """Return the first `most`, each with its reasons."""
        place: dict[str, int] = {}
        for members in self._by_family.values():
            for number, model in enumerate(sorted(members, key=self._within_family)):
                place[model.member.name] = number
        order = sorted(self._models, key=lambda model: self._among_all(model, place[model.member.name]))
        return [self._explained(model) for model in order[:most]]

    def _among_all(self, model: CatalogueModel, place: int) -> tuple[object, ...]:
        preferred = bool(self._job.prefers_kinds & set(kinds_of(model)))
        newest = _newest(model)
        return not self._suited(model), place, not preferred, not self._claims(model), newest, model.member.name

    def _within_family(self, model: CatalogueModel) -> tuple[object, ...]:
        benchmarks = {claim.benchmark for claim in self._claims(model)}
        size = model.size.parameters.value if model.size.parameters else model.size.label_parameters or 0
        known = (-len(benchmarks), -self._wins(model)[0], -self._above_siblings(model))
        return *known, _newest(model), -size, model.member.name

    def _above_siblings(self, model: CatalogueModel) -> int:
        """Return how many values of its family, on any benchmark, lie below its own in the same rows of tables."""
        siblings = {key for each in self._by_family[model.family.name] for key in _keys(each)}
        own = [claim for key in _keys(model) for claim in self._whole_ledger.get(key, ())]
        beside = defaultdict(list)
        for key in siblings - set(_keys(model)):
            for claim in self._whole_ledger.get(key, ()):
                beside[_row(claim)].append(claim.value)
        return sum(value < claim.value for claim in own for value in beside.get(_row(claim), ()))

    @cached_property
    def _by_family(self) -> dict[str, list[CatalogueModel]]:
        found: dict[str, list[CatalogueModel]] = defaultdict(list)
        for model in self._models:
            found[model.family.name].append(model)
        return found

    @cached_property
    def _whole_ledger(self) -> dict[str, list[Claim]]:
        found: dict[str, list[Claim]] = defaultdict(list)
        for claim in claims():
            if not claim.source.startswith(_NO_LINK):
                found[claim.model_key].append(claim)
        return found

    def _suited(self, model: CatalogueModel) -> list[str]:
        today = (said for said in model.family.good_for if not said.startswith(_HISTORY))
        return [said for said in today if any(word in said for word in self._job.good_for)]

    @cached_property
    def _ledger(self) -> dict[str, list[Claim]]:
        """The claims on the job's benchmarks, by model key."""
        telling = {each.benchmark for each in self._job.evidence}
        found: dict[str, list[Claim]] = defaultdict(list)
        for claim in claims():
            if claim.benchmark in telling:
                found[claim.model_key].append(claim)
        return found

    def _claims(self, model: CatalogueModel) -> list[Claim]:
        """Return the claims about a model; one that names another snapshot is about another model."""
        snapshot = model_key(model.member.name)[1] or model_key(model.member.title)[1]
        about = dict.fromkeys(claim for key in _keys(model) for claim in self._ledger.get(key, ()))
        return [claim for claim in about if snapshot is None or claim.snapshot in (None, snapshot)]

    @cached_property
    def _tables(self) -> dict[tuple[object, ...], list[Claim]]:
        """Values that may be set against each other: one table, one row, one way of asking."""
        found: dict[tuple[object, ...], list[Claim]] = defaultdict(list)
        for claim in (claim for several in self._ledger.values() for claim in several):
            if not claim.source.startswith(_NO_LINK):
                found[_row(claim)].append(claim)
        return found

    def _wins(self, model: CatalogueModel) -> tuple[int, int]:
        """Return how many other models' values in the same rows of tables lie below its own, and of how many."""
        below = total = 0
        for claim in self._claims(model):
            others = [other for other in self._tables.get(_row(claim), ()) if other.model_key != claim.model_key]
            below += sum(other.value < claim.value for other in others)
            total += len(others)
        return below, total

    def _explained(self, model: CatalogueModel) -> RankedModel:
        about = self._claims(model)
        return RankedModel(
            model=model,
            reasons=tuple(self._reasons(model, about)),
            evidence=judge_claims(about, claims()) if about else (),
            unknown=tuple(self._unknown(model, about)),
        )

    def _reasons(self, model: CatalogueModel, about: Sequence[Claim]) -> Iterable[str]:
        if suited := self._suited(model):
            yield f"our summary of the family names {', '.join(suited)}"
        if preferred := sorted(self._job.prefers_kinds & set(kinds_of(model))):
            yield f"made for it: {', '.join(preferred)}"
        benchmarks = dict.fromkeys(claim.benchmark for claim in about)
        if benchmarks:
            yield f"published scores on {', '.join(benchmarks)}"
        below, total = self._wins(model)
        if total:
            yield f"above {below} of {total} values beside it in the same tables (nothing said of chance)"
        if weights := dict.fromkeys(place.hub for place in model.member.places if place.keeps_weights):
            yield f"weights at {', '.join(weights)}"

    def _unknown(self, model: CatalogueModel, about: Sequence[Claim]) -> Iterable[str]:
        if not about:
            yield "no published score in the ledger on a benchmark that says something about this job"
        if model.size.licence is None:
            yield "licence"
        if model.member.context_length is None:
            yield "context length"
        if model.family.languages is None:
            yield "languages"
        if model.size.parameters is None:
            yield "number of parameters"
        if self._job.needs.tool_use and model.family.tool_use is None:
            yield "whether it calls tools"


def _keys(model: CatalogueModel) -> list[str]:
    """Return the keys under which the ledger may hold a model."""
    return list(dict.fromkeys(model_key(name)[0] for name in (model.member.name, model.member.title)))


def _row(claim: Claim) -> tuple[object, ...]:
    asked = (claim.benchmark, claim.subset, claim.metric, claim.window, claim.unit, claim.protocol)
    return claim.collection, claim.source, *asked
