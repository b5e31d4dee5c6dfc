"""Fetching, checking, loading and removing models: small forms of an admin, each with our token."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from aiohttp import web

from fieldguide.errors import FieldguideError, UsageError
from fieldguide.web._comparing import started
from fieldguide.web._entry import VISITOR
from fieldguide.web._here import fetch_start, verify_start

if TYPE_CHECKING:
    from fieldguide.web._site import Site

_AT_ONCE_S = 1.0
"""How long a form waits for a model that loads quickly."""
Act = Callable[[dict[str, str]], Awaitable[str]]


class Memory:
    """The models that were loaded here by hand."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._loading: dict[str, asyncio.Task[None]] = {}
        self._notes: dict[str, str] = {}

    def states(self) -> dict[str, str]:
        """Return how each model stands that is in memory or on its way there."""
        found = dict.fromkeys(self._site.gateway.models.loaded, "loaded") if self._site.has_gateway else {}
        return found | self._notes

    async def load(self, name: str) -> None:
        """Begin to load a model, and wait a moment for it."""
        gateway = await self._site.begun_gateway()
        gateway.models.learn_stored()
        gateway.models.config(name)
        if name not in self._loading:
            self._notes[name] = "loading"
            self._loading[name] = asyncio.ensure_future(self._load(name))
        await asyncio.wait({self._loading[name]}, timeout=_AT_ONCE_S)

    async def _load(self, name: str) -> None:
        try:
            await self._site.gateway.models.load(name, note=lambda text: self._note(name, text))
            self._notes.pop(name, None)
        except FieldguideError as error:
            self._notes[name] = f"not loaded: {error.message}"
        finally:
            self._loading.pop(name, None)

    def _note(self, name: str, text: str) -> None:
        self._notes[name] = text

    async def unload(self, name: str) -> None:
        """Take a model out of memory.

        Raises:
            UsageError: Somebody is asking it.
        """
        self._notes.pop(name, None)
        if not self._site.has_gateway or name not in self._site.gateway.models.loaded:
            return
        if not await self._site.gateway.models.put_away(name):
            raise UsageError(f"{name} is being asked.", hint="Wait until its answer is whole.")

    async def close(self) -> None:
        """Let nothing load any longer."""
        for task in list(self._loading.values()):
            task.cancel()
        await asyncio.gather(*self._loading.values(), return_exceptions=True)


def add_here(site: Site, router: web.UrlDispatcher) -> None:
    """Add the forms."""

    async def fetch(form: dict[str, str]) -> str:
        wanted, accepted = form.get("model", ""), form.get("accept") or None
        work = await site.readers.read(
            lambda house: started(house, fetch_start(house, wanted, accepted=accepted)), slow=True
        )
        return f"/works/{work.work_id}"

    async def verify(form: dict[str, str]) -> str:
        name = form.get("model", "")
        work = await site.readers.read(lambda house: started(house, verify_start(house, name)), slow=True)
        return f"/works/{work.work_id}"

    async def remove(form: dict[str, str]) -> str:
        name = form.get("model", "")
        await site.memory.unload(name)
        await site.readers.read(lambda house: house.models.remove(name), slow=True)
        if site.has_gateway:
            site.gateway.models.learn_stored()
        return "/here?" + urlencode({"removed": name[:200]})

    async def load(form: dict[str, str]) -> str:
        await site.memory.load(form.get("model", ""))
        return "/here"

    async def unload(form: dict[str, str]) -> str:
        await site.memory.unload(form.get("model", ""))
        return "/here"

    for name, act in (("fetch", fetch), ("verify", verify), ("remove", remove), ("load", load), ("unload", unload)):
        router.add_post(f"/here/{name}", _form_of(site, act))


def _form_of(site: Site, act: Act) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        request[VISITOR].check_admin()
        return web.Response(status=303, headers={"Location": await act(await site.own_form(request))})

    return handle
