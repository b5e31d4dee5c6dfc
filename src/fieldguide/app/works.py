"""Long work in a process of its own: it goes on when its page is closed and when the server is started again.

`KINDS` names the module of each kind of work. It has two functions:

    async def do_work(house, work, tell, stop) -> Done      does what `work.asked` says, tells how far it is by events,
                                                            and ends soon after `stop` was requested
    def progress_of(asked, events) -> list[dict]            what the events come to, in blocks that a page shows one by
                                                            one; each has its kind under the key `block`
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias

from fieldguide.app.wiring import House
from fieldguide.domain import JsonValue
from fieldguide.errors import FieldguideError, StoreError, UsageError
from fieldguide.evaluation import Stop
from fieldguide.store import Work, WorkEvent

KINDS: dict[str, str] = {
    "fetch": "fieldguide.app.fetch_work",
    "measure": "fieldguide.app.measure",
    "rescore": "fieldguide.app.rescore",
    "verify": "fieldguide.app.verify_work",
}
"""Module of each kind of work."""

LAUNCHED, BEGAN, ENDED = "launched", "began", "ended"
"""Events that every work has; all others are its kind's own."""


class WorkState(StrEnum):
    """Where a work stands."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    """It was asked to stop, or a limit was reached; it can go on."""
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    """Its process went away without a word: killed, or the machine was switched off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a work has ended."""

    state: WorkState
    result: dict[str, Any] = field(default_factory=dict)
    """JSON; what the kind's page shows."""
    reason: str | None = None
    """Why it ended before everything was done."""


Tell: TypeAlias = Callable[[str, dict[str, Any]], None]
"""Tells an event by its name; safe from any thread."""
DoWork: TypeAlias = Callable[[House, Work, Tell, Stop], Awaitable[Done]]
"""What the module of a kind of work has under the name `do_work`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkView:
    """A work with everything that it has told."""

    work: Work
    state: WorkState
    events: tuple[WorkEvent, ...]
    """Without `launched`, `began` and `ended`."""
    place: int
    """Bytes of its log that were read; what is told later stands behind."""
    stopping: bool
    result: Mapping[str, Any] | None
    reason: str | None
    error: Mapping[str, Any] | None
    """Type, message, hint, retryable; None where nothing went wrong."""
    last_words: str
    """Of a process that went away without telling its end."""

    @property
    def can_go_on(self) -> bool:
        """Whether it may be taken up where it ended."""
        return self.state not in {WorkState.RUNNING, WorkState.FINISHED}


def start_work(house: House, kind: str, title: str, asked: dict[str, JsonValue]) -> Work:
    """Record a work, start a process for it, and return at once.

    Raises:
        StoreError: It cannot be recorded, or no process be started.
    """
    if kind not in KINDS:
        raise UsageError(f"There is no work of the kind {kind!r}.")
    work = house.works.make(kind, title, asked | {"folder": str(Path.cwd())})
    _launch(house, work)
    return work


def resume_work(house: House, work_id: str) -> Work:
    """Take up a work that has stopped, failed or been interrupted; what it has finished is not done again.

    Raises:
        UnknownNameError: There is no such work.
        UsageError: It is going on, or was finished.
    """
    view = view_work(house, work_id)
    if view.state is WorkState.FINISHED:
        raise UsageError("It is finished.", hint="Start it anew from its form.")
    if view.state is WorkState.RUNNING:
        raise UsageError("It is going on already.", hint="Its page shows how far it is.")
    _launch(house, view.work)
    return view.work


def stop_work(house: House, work_id: str) -> Work:
    """Ask a work to stop, and return at once; what it has finished is kept.

    Raises:
        UnknownNameError: There is no such work.
    """
    work = house.works.work(work_id)
    house.works.ask_to_stop(work_id)
    return work


def view_work(house: House, work_id: str) -> WorkView:
    """Return a work, its state and what it has told.

    Raises:
        UnknownNameError: There is no such work.
        StoreError: Its record cannot be read.
    """
    works = house.works
    work = works.work(work_id)
    held = works.is_held(work_id)  # before the log is read: who tells the end, lets go afterwards
    events, place = works.told(work_id)
    turns = [event for event in events if event.name in (LAUNCHED, ENDED)]
    ended = turns[-1].held if turns and turns[-1].name == ENDED else None
    if ended is not None:
        state = WorkState(str(ended["state"]))
    else:
        state = WorkState.RUNNING if held else WorkState.INTERRUPTED
    told: Any = ended or {}
    return WorkView(
        work=work,
        state=state,
        events=tuple(event for event in events if event.name not in (LAUNCHED, BEGAN, ENDED)),
        place=place,
        stopping=state is WorkState.RUNNING and works.is_asked_to_stop(work_id),
        result=told.get("result") or None,
        reason=told.get("reason"),
        error=told.get("error"),
        last_words=works.last_words(work_id) if state is WorkState.INTERRUPTED else "",
    )


def view_json(view: WorkView) -> dict[str, Any]:
    """Return what all kinds of work have in common, as programs read it."""
    return {
        "work_id": view.work.work_id,
        "kind": view.work.kind,
        "title": view.work.title,
        "asked": view.work.asked,
        "created_at": view.work.created_at,
        "state": view.state.value,
        "stopping": view.stopping,
        "reason": view.reason,
        "error": None if view.error is None else dict(view.error),
        "last_words": view.last_words or None,
        "place": view.place,
    }


def progress_of(work: Work, events: Sequence[WorkEvent]) -> list[dict[str, Any]]:
    """Return how far a work is, as its kind tells it.

    Raises:
        UsageError: It is of a kind that this program does not know.
    """
    if work.kind not in KINDS:
        raise UsageError(f"This program does not know work of the kind {work.kind!r}.", hint="A newer one has made it.")
    blocks: list[dict[str, Any]] = importlib.import_module(KINDS[work.kind]).progress_of(work.asked, events)
    return blocks


def running_like(house: House, kind: str, asked: Mapping[str, JsonValue]) -> Work | None:
    """Return a work that is going on and was asked the very same, such as by a button pressed twice."""
    for work in house.works.every():
        same = work.kind == kind and {key: work.asked.get(key) for key in asked} == dict(asked)
        if same and view_work(house, work.work_id).state is WorkState.RUNNING:
            return work
    return None


def error_json(error: FieldguideError) -> dict[str, Any]:
    """Return an error as an event holds it."""
    return {
        "type": type(error).__name__,
        "message": error.message,
        "hint": error.hint,
        "retryable": error.retryable,
    }


def _launch(house: House, work: Work) -> None:
    """Start the process. It inherits the lock, which therefore is held from now until it is gone."""
    works, folder = house.works, house.works.folder(work.work_id)
    lock = works.claim(work.work_id)
    try:
        works.tell(work.work_id, LAUNCHED, {})
        # -P: files in the folder in which it was asked are no modules of ours
        command = [sys.executable, "-P", "-m", "fieldguide.app.work_process", work.work_id, str(lock)]
        data = house.settings.data
        command += [str(house.settings.home.absolute()), "" if data is None else str(data.absolute())]
        with (folder / "process.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(lock,),
                start_new_session=True,  # Ctrl-C at the server's terminal is not meant for it
                cwd=_folder(work),
                env=house.environment_of_process(),
            )
    except OSError as error:
        raise StoreError(f"No process can be started: {error.strerror or error}.", hint="Make room first.") from error
    finally:
        os.close(lock)
    threading.Thread(target=process.wait, name=f"fieldguide-{work.work_id}", daemon=True).start()


def _folder(work: Work) -> str | None:
    """Return the folder in which it was asked, to which relative names of files belong; None where that is gone."""
    folder = work.asked.get("folder")
    return folder if isinstance(folder, str) and Path(folder).is_dir() else None
