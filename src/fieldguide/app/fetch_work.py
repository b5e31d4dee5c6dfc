"""Fetching a model as long work: it goes on when its page is closed, can be stopped, and goes on from what had come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from fieldguide.app.pull import Consent, PullPreview, pull_model
from fieldguide.app.stored_json import stored_json
from fieldguide.app.wiring import House
from fieldguide.app.works import Done, Tell, WorkState
from fieldguide.domain import JsonValue
from fieldguide.evaluation import Stop
from fieldguide.sources import PullProgress
from fieldguide.store import Work, WorkEvent

SOONEST_S = 0.3
"""Between two tellings of how far it is."""


class StoppedError(Exception):
    """Somebody asked the work to stop."""


def asked_json(reference: str, accepted: Sequence[str]) -> dict[str, JsonValue]:
    """Return what is asked, as a work keeps it: what to fetch, and the licences whose terms were accepted."""
    return {"model": reference, "accepted": list(accepted)}


async def do_work(house: House, work: Work, tell: Tell, stop: Stop) -> Done:
    """Fetch the model.

    Raises:
        FieldguideError: It cannot be fetched; what was finished is kept.
    """
    consent = Consent(
        accepted=frozenset(str(each) for each in _texts(work.asked.get("accepted"))),
        yes=True,
        told=lambda preview: tell("preview", _preview_json(preview)),
        note=lambda text: tell("note", {"text": text}),
    )
    told = telling(tell, stop)
    try:
        stored = await asyncio.to_thread(pull_model, house, str(work.asked["model"]), consent, progress=told)
    except StoppedError:
        return Done(state=WorkState.STOPPED, reason="it was asked to stop; what had come is kept")
    whole = stored_json(stored)
    return Done(state=WorkState.FINISHED, result={"model": whole | {"pulled_at": stored.pulled_at.isoformat()}})


def telling(tell: Tell, stop: Stop) -> Any:
    """Return what tells progress, not too often, and ends what is being done once it is to stop."""
    last: dict[str, Any] = {"at_s": 0.0, "stage": None}

    def told(progress: PullProgress) -> None:
        if stop.requested:
            raise StoppedError
        now_s = time.monotonic()
        if now_s - last["at_s"] < SOONEST_S and progress.stage == last["stage"]:
            return
        last.update(at_s=now_s, stage=progress.stage)
        tell(
            "progress",
            {
                "stage": progress.stage,
                "done_bytes": progress.done_bytes,
                "total_bytes": progress.total_bytes,
                "bytes_per_s": progress.bytes_per_s,
                "left_s": progress.left_s,
                "note": progress.note,
            },
        )

    return told


def progress_of(asked: Mapping[str, Any], events: Sequence[WorkEvent]) -> list[dict[str, Any]]:
    """Return what is fetched and how far that is; null before it is known."""
    latest = {event.name: event.held for event in events}
    preview, progress = latest.get("preview"), latest.get("progress")
    notes = [event.held["text"] for event in events if event.name == "note"]
    return [{"block": "fetch", "model": asked["model"], "preview": preview, "progress": progress, "notes": notes}]


def _preview_json(preview: PullPreview) -> dict[str, Any]:
    whole = preview.as_json()
    return {key: whole[key] for key in ("name", "reference", "total_bytes", "missing_bytes", "free_bytes", "fit_note")}


def _texts(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
