"""Checking models on this machine as long work: every byte is read and held against its hash."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from fieldguide.app.fetch_work import StoppedError, telling
from fieldguide.app.wiring import House
from fieldguide.app.works import Done, Tell, WorkState, error_json
from fieldguide.domain import JsonValue
from fieldguide.errors import FieldguideError
from fieldguide.evaluation import Stop
from fieldguide.store import Work, WorkEvent


def asked_json(name: str | None) -> dict[str, JsonValue]:
    """Return what is asked, as a work keeps it; None is every model."""
    return {"model": name}


async def do_work(house: House, work: Work, tell: Tell, stop: Stop) -> Done:
    """Check the model, or each; one that is damaged keeps no other from being checked.

    Raises:
        FieldguideError: What is here cannot be listed.
    """
    wanted = work.asked.get("model")
    names = [str(wanted)] if wanted else [model.name for model in house.models.list()]
    found: list[dict[str, Any]] = []
    told = telling(tell, stop)
    try:
        for name in names:
            tell("model", {"model": name, "place": len(found), "of": len(names)})
            found.append(await asyncio.to_thread(_checked, house, name, told))
            tell("checked", found[-1])
    except StoppedError:
        return Done(state=WorkState.STOPPED, reason="it was asked to stop", result={"checked": found})
    return Done(state=WorkState.FINISHED, result={"checked": found})


def _checked(house: House, name: str, told: Any) -> dict[str, Any]:
    try:
        model = house.models.verify(name, progress=told)
    except FieldguideError as error:
        return {"model": name, "intact": False, "warnings": [], "error": error_json(error)}
    return {"model": name, "intact": True, "warnings": list(model.warnings), "error": None}


def progress_of(asked: Mapping[str, Any], events: Sequence[WorkEvent]) -> list[dict[str, Any]]:
    """Return which model is being read and how far that is, and what was found so far."""
    at = [event.held for event in events if event.name == "model"]
    progress = [event.held for event in events if event.name == "progress"]
    return [
        {
            "block": "verify",
            "model": at[-1]["model"] if at else asked["model"],
            "place": at[-1]["place"] if at else None,
            "of": at[-1]["of"] if at else None,
            "progress": progress[-1] if progress else None,
            "checked": [event.held for event in events if event.name == "checked"],
        }
    ]
