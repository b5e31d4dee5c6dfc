"""The server: takes requests apart, asks the page, and answers as HTML or as JSON."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Awaitable, Callable
from functools import cached_property, partial
from typing import Any, TypeVar

from aiohttp import web

from fieldguide.app.gateway import Gateway, GatewayConfig
from fieldguide.app.wiring import House
from fieldguide.errors import FieldguideError, InvalidKeyError, KeyLimitError, StoreError, UnknownNameError, UsageError
from fieldguide.web._ask_routes import STREAMED, add_asking
from fieldguide.web._asking import ASK
from fieldguide.web._assets import assets
from fieldguide.web._entry import VISITOR, Entry
from fieldguide.web._entry_routes import LOOK, LOOKS, OPEN, add_entry, sign_in_first
from fieldguide.web._errors import StaleFormError, error_json, status_of, unforeseen
from fieldguide.web._export import add_export
from fieldguide.web._guard import HEADERS, Guard, is_loopback
from fieldguide.web._here_routes import Memory, add_here
from fieldguide.web._page import Asked, Page, Shown
from fieldguide.web._pages import PAGES
from fieldguide.web._readers import Readers
from fieldguide.web._render import render
from fieldguide.web._works import WorkDesk

_LOG = logging.getLogger(__name__)
_MOST_BODY_BYTES = 48 * 1024 * 1024
_MOST_FORM_BYTES = 256 * 1024
_MOST_FIELD = 4000
_YEAR_S = 365 * 24 * 3600
_VISIT = web.RequestKey("visit", str)
T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """Pages over one user's house. Reading has threads of its own, so that a slow page never holds a stream up."""

    def __init__(
        self,
        open_house: Callable[[], House],
        *,
        host: str = "127.0.0.1",
        port: int = 8091,
        address: str | None = None,
        tls: bool = False,
        gateway: Gateway | None = None,
    ) -> None:
        """Answer under `host` and `port`; from elsewhere people sign in with a key of the gateway.

        Args:
            open_house: Opens the user's house, once for each thread.
            host: Where it listens.
            port: Its port.
            address: Where browsers find it, where that is another place, such as behind a server that speaks TLS.
            tls: Whether it speaks TLS itself.
            gateway: One that runs in this process already; None makes one when it is first needed.
        """
        self.house = open_house()
        self.readers = Readers(open_house)
        self._given = gateway
        self._shape: dict[str, Any] = {"host": host, "address": address, "tls": tls}
        self.host, self.port = host, port
        self.guard = Guard(port=port, **self._shape)
        asks_in = not is_loopback(host) or address is not None
        self.memory = Memory(self)
        self.entry = Entry(self.gateway if asks_in else None, secure=self.guard.secure)

    def learn_port(self, port: int) -> None:
        """Say on which port the site is served, which the names it answers to end in."""
        self.port = port
        self.guard = Guard(port=port, **self._shape)

    @cached_property
    def gateway(self) -> Gateway:
        """What has the keys, and the models that are asked.

        Raises:
            StoreError: Its records cannot be opened.
        """
        return self._given or Gateway(self.house, GatewayConfig(host=self.host))

    @property
    def has_gateway(self) -> bool:
        """Whether the gateway was needed already."""
        return "gateway" in self.__dict__

    async def begun_gateway(self) -> Gateway:
        """Return the gateway, committing what is used."""
        gateway = self.gateway
        if self._given is None and not gateway.running:
            await gateway.start()
        return gateway

    def application(self) -> web.Application:
        """Return the site as an application of aiohttp."""
        made = web.Application(middlewares=[self._guarded], client_max_size=_MOST_BODY_BYTES)
        for page in PAGES:
            shown, as_json = partial(self._page, page, False), partial(self._page, page, True)
            if page.path != "/":
                made.router.add_get(f"{page.path}.json", as_json)
            made.router.add_get(page.path, shown)
        made.router.add_get("/index.json", partial(self._page, PAGES[0], True))
        made.router.add_get("/assets/{hash}/{name}", self._asset)
        for add in (add_entry, add_export, add_asking, add_here):
            add(self, made.router)
        WorkDesk(self).add_to(made)
        made.on_cleanup.append(self._close)
        return made

    async def _close(self, _: web.Application) -> None:
        await self.memory.close()
        await self.readers.close()
        if self._given is None and self.has_gateway:
            with contextlib.suppress(StoreError):
                await self.gateway.close()
        await self.house.close()

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if (refused := self.guard.refusal(request)) is not None:
            status, reason = refused
            return web.Response(status=status, text=reason + "\n", headers=HEADERS)
        try:
            response = await self._let_in(request, handler)
        except web.HTTPException as error:
            if error.status < 400:
                for name, value in HEADERS.items():
                    error.headers.setdefault(name, value)
                raise
            response = self._http_fault(request, error)
        except FieldguideError as error:
            response = self.fault(request, error)
        except Exception as error:
            _LOG.exception("unforeseen, at %s", request.path)
            response = self.fault(request, unforeseen(error))
        if not response.prepared:
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
        return response

    async def _let_in(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        visitor = self.entry.bearer(request) or self.entry.visitor(request)
        if visitor is not None:
            request[VISITOR] = visitor
        elif not request.path.startswith(OPEN):
            if request.method == "GET" and not _wants_json(request):
                raise sign_in_first(request)
            raise InvalidKeyError("Sign in first; nothing was done.", hint="Then go back: what you typed is there.")
        return await handler(request)

    async def _page(self, page: Page, as_json: bool, request: web.Request) -> web.StreamResponse:
        as_json = as_json or request.query.get("format") == "json"
        query = {
            name: tuple(value[:_MOST_FIELD] for value in request.query.getall(name) if value.strip())
            for name in request.query
            if name != "format"
        }
        parts, around, visitor = dict(request.match_info), self.around(request), request[VISITOR]
        loaded = self.memory.states()

        def made(house: House) -> str:
            shown = page.make(Asked(house=house, visitor=visitor, parts=parts, query=query, loaded=loaded))
            if as_json:
                told = json.dumps(shown.context, ensure_ascii=False, indent=2, default=str)
                return told.encode("utf-8", "replace").decode()  # a lone surrogate cannot be sent
            whole = around | {"page": page, "title": shown.title}
            return render(page.template, **whole, **shown.context, **shown.drawn)

        try:
            text = await self.readers.read(made, slow=page.slow or not page.slow_fields.isdisjoint(query))
        except FieldguideError as error:
            return self.fault(request, error, as_json=as_json)
        if as_json:
            return web.Response(text=text, content_type="application/json")
        return self.html(request, text)

    async def in_reading(self, work: Callable[[House], T], *, slow: bool = False) -> T:
        """Return what `work` makes of the house in the thread of pages, or in one that may wait."""
        return await self.readers.read(work, slow=slow)

    async def shown(
        self, request: web.Request, page: Page, make: Callable[[House], Shown], *, status: int = 200, slow: bool = False
    ) -> web.Response:
        """Return a page that is the answer to a form."""
        made = await self.readers.read(make, slow=slow)
        whole = self.around(request) | {"page": page, "title": made.title}
        return self.html(request, render(page.template, **whole, **made.context, **made.drawn), status=status)

    def around(self, request: web.Request) -> dict[str, Any]:
        """Return what every page shows around what is its own."""
        look, visit = request.cookies.get(LOOK, "auto"), self.visit(request)
        return {
            "nav": [(each.path, each.nav) for each in PAGES if each.nav],
            "look": look if look in LOOKS else "auto",
            "looks": LOOKS,
            "here": request.path_qs,
            "token": self.guard.token(visit),
            "visitor": request.get(VISITOR),
        }

    def visit(self, request: web.Request) -> str:
        """Return what stands for the browser of a request, the same however often it is asked."""
        if _VISIT not in request:
            request[_VISIT] = self.guard.visit(request)
        return request[_VISIT]

    def html(self, request: web.Request, text: str, *, status: int = 200) -> web.Response:
        """Return a page; the browser is given what stands for it."""
        response = web.Response(text=text, content_type="text/html", status=status)
        visit = self.visit(request)
        if request.cookies.get(self.guard.cookie) != visit:
            response.set_cookie(
                self.guard.cookie, visit, httponly=True, samesite="Strict", path="/", secure=self.guard.secure
            )
        return response

    def fault(self, request: web.Request, error: FieldguideError, *, as_json: bool | None = None) -> web.Response:
        """Return what is said of an error, with its status."""
        told, status = error_json(error), status_of(error)
        if as_json if as_json is not None else _wants_json(request):
            text = json.dumps(told, ensure_ascii=False, indent=2)
            response = web.Response(text=text, status=status, content_type="application/json")
        else:
            shown = render(
                "error.html.j2",
                **self.around(request),
                page=None,
                title="Not found" if status == 404 else "Sign in first" if status == 401 else "This did not work",
                error=error,
                status=status,
                plain_hint=UsageError.default_hint,
                nearest=error.close_matches if isinstance(error, UnknownNameError) else (),
                kind=error.kind if isinstance(error, UnknownNameError) else "",
            )
            response = self.html(request, shown, status=status)
        if isinstance(error, KeyLimitError):
            response.headers["Retry-After"] = str(round(error.retry_after_s) or 1)
        return response

    def _http_fault(self, request: web.Request, error: web.HTTPException) -> web.Response:
        if error.status == 404:
            return self.fault(
                request, UnknownNameError("page", request.path, hint="The navigation above has every page.")
            )
        hint = None
        if error.status == 413:
            files = f"All files of a form together may have {_MOST_BODY_BYTES >> 20} MiB."
            short = f"A form without files may have {_MOST_FORM_BYTES >> 10} KiB."
            hint = files if request.path in (ASK.path, STREAMED) else short
        told = FieldguideError(f"The server answers {error.status}: {error.reason}.", hint=hint)
        response = self.fault(request, told)
        response.set_status(error.status)
        return response

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        held = assets().get(request.match_info["name"])
        if held is None:
            raise web.HTTPNotFound
        headers = {"Cache-Control": f"public, max-age={_YEAR_S}, immutable"}
        return web.Response(body=held[0], content_type=held[1], charset="utf-8", headers=headers)

    def check_own(self, request: web.Request, token: str) -> None:
        """Refuse a form that none of our own pages sent.

        Raises:
            StaleFormError: It comes from elsewhere, or from a page made before the server was started again.
        """
        if not self.guard.is_own_form(request, token):
            raise StaleFormError

    async def own_form(self, request: web.Request) -> dict[str, str]:
        """Return the fields of a form that one of our own pages sent.

        Raises:
            StaleFormError: As for `check_own`.
            HTTPRequestEntityTooLarge: It is longer than a form without files may be.
        """
        short = request.clone(client_max_size=_MOST_FORM_BYTES)  # some forms are taken from whoever comes along
        form = {name: value for name, value in (await short.post()).items() if isinstance(value, str)}
        self.check_own(request, form.get("token", ""))
        return form


def _wants_json(request: web.Request) -> bool:
    return request.path.endswith(".json") or request.path == STREAMED or request.query.get("format") == "json"
