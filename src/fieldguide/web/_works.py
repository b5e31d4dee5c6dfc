"""Long work in the browser: its page, starting, stopping and taking it up again, and the stream of how far it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from aiohttp import web

from fieldguide.app.measure import REPORT
from fieldguide.app.report_json import report_from
from fieldguide.app.wiring import House
from fieldguide.app.works import ENDED, WorkState, progress_of, resume_work, stop_work, view_json, view_work
from fieldguide.errors import FieldguideError, UnknownNameError
from fieldguide.reporting import report_parts
from fieldguide.store import Works
from fieldguide.web._comparing import (
    COMPARE,
    MODELS,
    Start,
    check_room,
    compare_page,
    read_measurement,
    read_rescoring,
    started,
)
from fieldguide.web._entry import VISITOR, Visitor
from fieldguide.web._errors import status_of
from fieldguide.web._guard import HEADERS
from fieldguide.web._page import Asked, Page, Shown
from fieldguide.web._watching import Watching, live_blocks

if TYPE_CHECKING:
    from fieldguide.web._site import Site

_REPORTS_AT_ONCE = 4
_OF_THIS_MACHINE = frozenset({"folder", "owner"})


def _work(asked: Asked) -> Shown:
    view = view_work(asked.house, asked.parts["work"])
    running = view.state is WorkState.RUNNING
    progress, result = progress_of(view.work, view.events), dict(view.result or {})
    whole = view_json(view) | {"can_go_on": view.can_go_on}
    if not asked.visitor.is_admin:  # folders of this machine and what a process wrote are nobody's business elsewhere
        whole["asked"] = {key: held for key, held in view.work.asked.items() if key not in _OF_THIS_MACHINE}
        whole["last_words"] = None
    return Shown(
        title=view.work.title,
        context={
            "work": whole,
            "progress": progress,
            "result": result or None,
        },
        drawn={
            "live": live_blocks(view.work, progress, going_on=running),
            "running": running,
            "report_shown": _drawn(asked.house.works, view.work.work_id, view.place) if "shown" in result else None,
        },
    )


@lru_cache(_REPORTS_AT_ONCE)
def _drawn(works: Works, work_id: str, place: int) -> dict[str, Any]:
    """Return verdicts, charts and tables of what was measured up to a place in the log, which never changes there."""
    events = [event for event in works.told(work_id)[0] if event.ends_at <= place and event.name == ENDED]
    result: Any = events[-1].held["result"]
    return report_parts(report_from(result["shown"]))


class WorkDesk:
    """Takes forms that start, stop and take up work, and lets pages watch it."""

    def __init__(self, site: Site) -> None:
        """Serve the work of a site's user."""
        self._site = site
        self.watching = Watching(site.house)

    def add_to(self, application: web.Application) -> None:
        """Add what it answers to."""
        router = application.router
        router.add_post("/compare", self._measure)
        router.add_post("/runs/{run:[^/]+}/rescore", self._rescore)
        router.add_post("/works/{work}/stop", partial(self._change, stop_work))
        router.add_post("/works/{work}/resume", partial(self._change, _taken_up))
        router.add_get("/works/{work}/events", self._events)
        router.add_get(f"/works/{{work}}/{REPORT}", self._report)
        application.on_shutdown.append(self._shut_down)

    async def _measure(self, request: web.Request) -> web.StreamResponse:
        form, visitor = await self._site.own_form(request), request[VISITOR]
        try:
            work = await self._site.in_reading(lambda house: started(house, self._measurement(house, form, visitor)))
        except FieldguideError as error:
            made = partial(compare_page, form=form, fault=error, visitor=visitor)
            return await self._site.shown(request, COMPARE, made, status=status_of(error))
        raise self._see(work.work_id)

    def _measurement(self, house: House, form: dict[str, str], visitor: Visitor) -> Start:
        """Return what a form asks to have measured, under the key of whoever sends it."""
        if visitor.owner is not None:  # before names are looked up: nobody learns by them what files are here
            for name in (form.get(field, "").strip() for field in MODELS):
                if name:
                    self._site.gateway.lendable(visitor.identity, name, anything=visitor.is_admin)
        return _owned(read_measurement(house, form), visitor)

    async def _rescore(self, request: web.Request) -> web.StreamResponse:
        form, run_id, visitor = await self._site.own_form(request), request.match_info["run"], request[VISITOR]
        work = await self._site.in_reading(
            lambda house: started(house, _owned(read_rescoring(house, form, run_id), visitor))
        )
        raise self._see(work.work_id)

    async def _change(self, change: Callable[[House, str], Any], request: web.Request) -> web.StreamResponse:
        await self._site.own_form(request)
        work_id, visitor = request.match_info["work"], request[VISITOR]
        asked = await self._site.in_reading(lambda house: house.works.work(work_id).asked)
        if asked.get("owner") != visitor.owner:
            visitor.check_admin()
        await self._site.in_reading(lambda house: change(house, work_id), slow=True)
        raise self._see(work_id)

    @staticmethod
    def _see(work_id: str) -> web.HTTPSeeOther:
        return web.HTTPSeeOther(f"/works/{work_id}", headers=HEADERS)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        view = await self._site.in_reading(lambda house: house.works.work(request.match_info["work"]))
        since = request.headers.get("Last-Event-ID") or request.query.get("since", "")
        response = web.StreamResponse(headers=HEADERS | {"Content-Type": "text/event-stream; charset=utf-8"})
        try:
            await response.prepare(request)
            await self.watching.watch(view, int(since) if since.isdecimal() and len(since) < 16 else -1, response)
            await response.write_eof()
        except ConnectionError:
            pass  # the watcher has gone away; the work goes on
        return response

    async def _report(self, request: web.Request) -> web.StreamResponse:
        work_id = request.match_info["work"]
        path = self._site.house.works.folder(work_id) / REPORT
        if not await asyncio.to_thread(path.is_file):
            raise UnknownNameError("report", work_id, hint="It is written when something was measured.")
        told = {"Content-Disposition": f'attachment; filename="{work_id}.html"', "Content-Type": "text/html"}
        return web.FileResponse(path, headers=HEADERS | told)

    async def _shut_down(self, _: web.Application) -> None:
        self.watching.close()


def _taken_up(house: House, work_id: str) -> None:
    check_room(house, house.works.work(work_id).asked.get("owner"))
    resume_work(house, work_id)


def _owned(start: Start, visitor: Visitor) -> Start:
    """Return a work that whoever has begun it may stop and take up again."""
    return start if visitor.owner is None else replace(start, asked=start.asked | {"owner": visitor.owner})


WORK = Page(
    name="work",
    path="/works/{work:[^/]+}",
    template="work.html.j2",
    about="Long work, such as a comparison: how far it is, watched live; what came of it; to be stopped and taken up.",
    make=_work,
    keys={
        "work": "what was asked, its state (`running`, `finished`, `stopped`, `failed`, `interrupted`), why it ended",
        "progress": "how far it is, in blocks; of a measurement the whole and then each exam",
        "result": "what came of it; of a measurement what `compare --json` gives; null before the end",
    },
)
