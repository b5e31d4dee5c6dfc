"""`plan --job`: which models do a job and fit, with reasons, what they would cost to rent, and what is unknown."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from fieldguide.app.find import FindRequest
from fieldguide.app.fitting import Fitting, fitting_for, memory_amount
from fieldguide.app.hardware import HERE
from fieldguide.app.jobs import JobAnswer, find_for_job
from fieldguide.app.jobs_json import job_answer_json
from fieldguide.app.rent import Rented, cheapest_device, largest_within, rent_of
from fieldguide.app.wiring import House
from fieldguide.errors import UsageError
from fieldguide.planner import hours_per_month

_SHOWN = 10
_EVERYTHING = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendRequest:
    """What a person has and wants."""

    job: str
    memory: str | None = None
    on: str | None = None
    budget_usd: float | None = None
    """A month, for rented hardware."""
    context_tokens: int | None = None
    licence: str | None = None
    on_premises: bool = False
    most: int = _SHOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """Models in order, best known first, each with how it fits."""

    answer: JobAnswer
    fitting: Fitting
    rents: dict[str, Rented]
    """By member: the cheapest device that holds it; empty where the hardware is one's own."""
    over_budget: int
    """Left out because the cheapest known rent is above the budget, or none is known."""
    notes: tuple[str, ...]


def recommend(
    house: House, request: RecommendRequest, *, progress: Callable[[str], None] = lambda _: None
) -> Recommendation:
    """Return the models of the catalogue that do a job and fit, best known first.

    Raises:
        UsageError: Nothing says what they must fit, or a number is not possible.
        UnknownNameError: The text means no job, or there is no such hardware or licence.
    """
    fitting, notes = _fitting(house, request, progress)
    found = FindRequest(licence=request.licence, on_premises=request.on_premises, fits=fitting, most=_EVERYTHING)
    answer = find_for_job(house.settings.home, request.job, found)
    rents = {} if request.on is not None else _rents(answer)
    kept = answer.models
    if request.budget_usd is not None and request.on is None:
        kept = tuple(
            each
            for each in answer.models
            if (rent := rents.get(each.model.member.name)) is not None and rent.usd_per_month <= request.budget_usd
        )
    shown = kept[: request.most]
    whole = replace(answer.found, models=tuple(each.model for each in shown), total=len(kept))
    return Recommendation(
        answer=replace(answer, models=shown, found=whole),
        fitting=fitting,
        rents=rents,
        over_budget=len(answer.models) - len(kept),
        notes=tuple(notes),
    )


def recommendation_json(made: Recommendation) -> dict[str, Any]:
    """Return the recommendation as programs read it."""
    found = job_answer_json(made.answer)
    for shown in found["models"]:
        rent = made.rents.get(shown["name"])
        shown["rent"] = None if rent is None else _rent_json(rent)
    found["left_out"]["over_budget"] = made.over_budget
    fitting = made.fitting
    found["fits"] = {
        "what": fitting.name,
        "hardware": None if fitting.machine is None else fitting.machine.name,
        "memory_bytes": round(fitting.room.device_bytes * fitting.room.devices),
        "context_tokens": fitting.context_tokens,
        "engine": fitting.engine.name,
    }
    return found | {"notes": list(made.notes)}


def _rent_json(rent: Rented) -> dict[str, Any]:
    return {
        "hardware": rent.hardware.name,
        "usd_per_device_hour": rent.price.usd_per_device_hour,
        "usd_per_month": rent.usd_per_month,
        "vendor": rent.price.vendor,
        "as_of": rent.price.as_of.isoformat(),
    }


def _fitting(house: House, request: RecommendRequest, progress: Callable[[str], None]) -> tuple[Fitting, list[str]]:
    budget = request.budget_usd
    if budget is not None and not (math.isfinite(budget) and budget > 0):
        raise UsageError("--budget takes dollars a month above 0.", hint="Such as --budget 300.")
    if request.most < 1:
        raise UsageError(f"--limit takes a number above 0, not {request.most}.")
    if request.memory is not None and request.on is not None:
        raise UsageError("--memory and --on both say what a model must fit.", hint="Leave one of them out.")
    wanted = request.memory or request.on
    if wanted is None:
        return _within_budget(house, request)
    if request.memory is not None:
        memory_amount(request.memory)
    made = fitting_for(house, wanted, context_tokens=request.context_tokens, progress=progress, measure=True)
    return made, _budget_notes(request, made)


def _within_budget(house: House, request: RecommendRequest) -> tuple[Fitting, list[str]]:
    """Return what fits the largest device that the budget can rent."""
    if request.budget_usd is None:
        raise UsageError(
            "Nothing says what the model must fit.", hint="Add --memory 16GB, --on rtx4090, --on here or --budget 300."
        )
    rented = largest_within(request.budget_usd)
    if rented is None:
        raise UsageError(
            f"No device of the table can be rented for ${request.budget_usd:,.0f} a month.",
            hint="Raise --budget, or name hardware of your own with --on or --memory.",
        )
    made = fitting_for(house, rented.hardware.name, context_tokens=request.context_tokens)
    return made, [f"the largest within the budget was taken: {rented.hardware.name}; {rented.sentence}"]


def _budget_notes(request: RecommendRequest, fitting: Fitting) -> list[str]:
    budget, machine = request.budget_usd, fitting.machine
    if budget is None or machine is None:
        return []
    if (request.on or "").strip().lower() == HERE:
        return ["this machine is taken to be yours, so the budget leaves nothing out"]
    rent = rent_of(machine)
    if rent is None:
        return [f"no price of {machine.name} is known here, so the budget leaves nothing out"]
    month = rent.price.usd_per_device_hour * machine.count * hours_per_month()
    if month > budget:
        raise UsageError(
            f"Renting {machine.name} costs from ${month:,.0f} a month ({rent.price.vendor}, {rent.price.as_of}).",
            hint=f"That is above --budget {budget:g}: raise it, or name smaller hardware.",
        )
    return [f"renting {machine.name} costs from ${month:,.0f} a month ({rent.price.vendor}, {rent.price.as_of})"]


def _rents(answer: JobAnswer) -> dict[str, Rented]:
    found = {}
    for each in answer.models:
        fit = answer.found.fits[each.model.member.name]
        if fit.total_bytes is not None and (rent := cheapest_device(fit.total_bytes)) is not None:
            found[each.model.member.name] = rent
    return found
