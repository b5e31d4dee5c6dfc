"""Watching long work: one reader of each work's log, however many watch, and server-sent events to every one of them.

What is sent is the markup of the blocks that have changed since, made once for all; a block replaces the one before it,
so that whoever comes back after a while gets the present state and has missed nothing.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from markupsafe import Markup

from fieldguide.app.wiring import House
from fieldguide.app.works import BEGAN, ENDED, LAUNCHED, progress_of
from fieldguide.store import Work, WorkEvent
from fieldguide.web._render import render

_LOG = logging.getLogger(__name__)
_LOOK_EVERY_S = 0.2
_ALIVE_EVERY_S = 1.0
_BREATHE_S = 15.0
_MOST_WAITING = 64
_OWN = (LAUNCHED, BEGAN, ENDED)


def live_blocks(work: Work, blocks: Sequence[dict[str, Any]], *, going_on: bool = True) -> list[Markup]:
    """Return the markup of each block of a work's progress."""
    around: dict[str, Any] = {"work": work, "going_on": going_on}
    template = f"live_{work.kind}.html.j2"
    made = (render(template, block=block, place=place, **around) for place, block in enumerate(blocks))
    return [Markup(block) for block in made]  # noqa: S704 - rendered by our templates, which escape


@dataclass(eq=False)
class _Watcher:
    """One page; it is let go where it cannot keep up, and comes back by itself."""

    events: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(_MOST_WAITING))

    def tell(self, event: bytes | None) -> None:
        """Put an event in its queue; None is the last."""
        if self.events.full():
            while not self.events.empty():
                self.events.get_nowait()
            event = None
        self.events.put_nowait(event)


class _Tail:
    """Reads what one work tells, as long as somebody watches."""

    def __init__(self, house: House, work: Work) -> None:
        self._works, self._work = house.works, work
        self.watchers: set[_Watcher] = set()
        self.place = 0
        self.blocks: list[Markup] = []
        self.ended = False
        self._events: list[WorkEvent] = []

    async def read(self) -> None:
        """Read what is new, and tell every watcher which blocks have changed."""
        if self._works.size(self._work.work_id) == self.place:
            return
        events, self.place = await asyncio.to_thread(self._works.told, self._work.work_id, self.place)
        self._events += [event for event in events if event.name not in _OWN]
        turns = [event.name for event in events if event.name in (LAUNCHED, ENDED)]
        made = await asyncio.to_thread(lambda: live_blocks(self._work, progress_of(self._work, self._events)))
        before, self.blocks = self.blocks, made
        changed = [block for place, block in enumerate(made) if place >= len(before) or before[place] != block]
        if changed:
            self._tell(b"".join(self.event("live", block) for block in changed))
        if turns and turns[-1] == ENDED:
            self._end()

    async def run(self) -> None:
        """Go on reading until the work has ended, its process is gone, or nobody watches any more."""
        looked_s = 0.0
        loop = asyncio.get_running_loop()
        while self.watchers and not self.ended:
            await self.read()
            if loop.time() - looked_s >= _ALIVE_EVERY_S:
                looked_s = loop.time()
                if not self._works.is_held(self._work.work_id):
                    await self.read()  # what it told last
                    self._end()
            await asyncio.sleep(_LOOK_EVERY_S)

    def event(self, name: str, text: str) -> bytes:
        """Return an event of the stream; its number is the place in the log."""
        return f"id: {self.place}\nevent: {name}\ndata: {json.dumps(text)}\n\n".encode()

    def _tell(self, event: bytes | None) -> None:
        for watcher in self.watchers:
            watcher.tell(event)

    def _end(self) -> None:
        if self.ended:
            return
        self.ended = True
        self._tell(self.event("ended", ""))
        self._tell(None)

    def close(self) -> None:
        """Let every watcher go; the work itself goes on."""
        self.ended = True
        self._tell(None)


class Watching:
    """Everything that is watched at this server."""

    def __init__(self, house: House) -> None:
        """Watch the work of one user."""
        self._house = house
        self._tails: dict[str, _Tail] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.server = secrets.token_hex(8)
        """Stands for this start of the server: a page of an earlier one has to be loaded again, for its forms."""

    async def watch(self, work: Work, since: int, response: web.StreamResponse) -> None:
        """Write events until the work has ended or the watcher is gone."""
        watcher = _Watcher()
        tail = self._join(work, watcher)
        try:
            await response.write(f"retry: 1000\nevent: hello\ndata: {json.dumps(self.server)}\n\n".encode())
            if since != tail.place:
                for block in tail.blocks:
                    await response.write(tail.event("live", block))
            await _pass_on(watcher, response)
        finally:
            tail.watchers.discard(watcher)

    def _join(self, work: Work, watcher: _Watcher) -> _Tail:
        """Return the one reader of a work, which tells the watcher from now on."""
        tail = self._tails.get(work.work_id)
        if tail is not None and not tail.ended:
            tail.watchers.add(watcher)
            return tail
        tail = self._tails[work.work_id] = _Tail(self._house, work)
        tail.watchers.add(watcher)
        task = asyncio.create_task(self._run(work.work_id, tail))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return tail

    async def _run(self, work_id: str, tail: _Tail) -> None:
        try:
            await tail.run()
        except Exception:
            _LOG.exception("unforeseen, while %s was watched", work_id)
        finally:
            tail.close()
            if self._tails.get(work_id) is tail:
                del self._tails[work_id]

    def close(self) -> None:
        """Let every watcher go, so that the server can end."""
        for tail in list(self._tails.values()):
            tail.close()


async def _pass_on(watcher: _Watcher, response: web.StreamResponse) -> None:
    """Write what the watcher is told, what has piled up in one piece."""
    while True:
        pieces: list[bytes | None] = []
        try:
            pieces.append(await asyncio.wait_for(watcher.events.get(), _BREATHE_S))
        except TimeoutError:
            pieces.append(b": still here\n\n")
        while not watcher.events.empty():
            pieces.append(watcher.events.get_nowait())
        await response.write(b"".join(piece for piece in pieces if piece))
        if None in pieces:
            return
