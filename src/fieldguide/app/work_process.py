"""The process of one long work, started by `app.works`: does it, tells it, and stops when it is asked to."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, cast

from fieldguide.app.wiring import House, open_house
from fieldguide.app.works import BEGAN, ENDED, KINDS, Done, DoWork, Tell, WorkState, error_json
from fieldguide.errors import FieldguideError
from fieldguide.evaluation import Stop
from fieldguide.store import Work

_LOOK_EVERY_S = 0.2
_PATIENCE_S = 30.0
"""How long a work may take to stop before it is ended where it stands."""


def main(arguments: list[str]) -> None:
    """Do the work whose id, lock, home and folder of data these are."""
    work_id, lock, home, data = arguments
    os.set_inheritable(int(lock), False)  # processes of ours must not hold it longer than we do
    house = open_house({"home": home, "data": Path(data) if data else None})
    asyncio.run(_done(house, house.works.work(work_id)))


async def _done(house: House, work: Work) -> None:
    told = threading.Lock()

    def tell(name: str, held: dict[str, Any]) -> None:
        with told, contextlib.suppress(OSError):  # a full disk: what is measured counts, not what is told of it
            house.works.tell(work.work_id, name, held)

    tell(BEGAN, {"process": os.getpid()})
    try:
        ended = await tried(house, work, tell)
    finally:
        await house.close()
    tell(ENDED, ended)


async def tried(house: House, work: Work, tell: Tell) -> dict[str, Any]:
    """Return how it ended, whatever happened."""
    try:
        done = await _until_stopped(house, work, tell)
    except asyncio.CancelledError:
        return {"state": WorkState.STOPPED, "reason": "it was asked to stop"}
    except FieldguideError as error:
        return {"state": WorkState.FAILED, "error": error_json(error)}
    except Exception as error:
        traceback.print_exc()
        return {"state": WorkState.FAILED, "error": error_json(_unforeseen(error))}
    return {"state": done.state, "reason": done.reason, "result": done.result}


def _unforeseen(error: Exception) -> FieldguideError:
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return FieldguideError(
        f"Something unforeseen went wrong ({type(error).__name__}{where}).",
        hint="This is a fault of Fieldguide; please report it. What was committed is kept.",
    )


async def _until_stopped(house: House, work: Work, tell: Tell) -> Done:
    do_work = cast(DoWork, importlib.import_module(KINDS[work.kind]).do_work)
    stop = Stop()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.request)
    doing = asyncio.ensure_future(do_work(house, work, tell, stop))
    watching = asyncio.create_task(_watch(house, work, stop, doing))
    try:
        return await doing
    finally:
        watching.cancel()


async def _watch(house: House, work: Work, stop: Stop, doing: asyncio.Future[Done]) -> None:
    """Pass on that somebody has asked it to stop, and end what does not stop."""
    while not stop.requested:
        if house.works.is_asked_to_stop(work.work_id):
            stop.request()
        else:
            await asyncio.sleep(_LOOK_EVERY_S)
    await asyncio.sleep(_PATIENCE_S)
    doing.cancel()


if __name__ == "__main__":
    main(sys.argv[1:])
