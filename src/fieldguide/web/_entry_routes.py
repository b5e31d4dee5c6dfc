"""Signing in and out, and the choice of colours: small forms, each with our token."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from aiohttp import web

from fieldguide.errors import AccessError, InvalidKeyError, KeyLimitError
from fieldguide.web._entry import VISITOR
from fieldguide.web._errors import status_of
from fieldguide.web._render import render

if TYPE_CHECKING:
    from fieldguide.web._site import Site

LOOK = "fieldguide_look"
LOOKS = {"auto": "As the system", "light": "Light", "dark": "Dark"}
OPEN = ("/sign-in", "/assets/", "/look")
"""Beginnings of paths that are shown to those who have not signed in."""
_YEAR_S = 365 * 24 * 3600


def sign_in_first(request: web.Request) -> web.HTTPSeeOther:
    """Return the way to the form, and from there back."""
    back = request.path_qs if request.path != "/" or request.query else ""
    return web.HTTPSeeOther("/sign-in" + (f"?{urlencode({'back': back})}" if back else ""))


def add_entry(site: Site, router: web.UrlDispatcher) -> None:
    """Add the forms."""

    def shown(request: web.Request, back: str, error: AccessError | None = None) -> web.Response:
        text = render(
            "sign_in.html.j2",
            **(site.around(request) | {"here": "/sign-in"}),
            page=None,
            title="Sign in",
            back=back,
            error=error,
            secure=site.guard.secure,
        )
        response = site.html(request, text, status=200 if error is None else status_of(error))
        if isinstance(error, KeyLimitError):
            response.headers["Retry-After"] = str(round(error.retry_after_s) or 1)
        return response

    async def ask_who(request: web.Request) -> web.StreamResponse:
        back = own_path(request.query.get("back", "/"))
        if request.get(VISITOR) is not None:
            raise web.HTTPSeeOther(back)
        return shown(request, back)

    async def sign_in(request: web.Request) -> web.StreamResponse:
        form = await site.own_form(request)
        back = own_path(form.get("back", "/"))
        response = web.Response(status=303, headers={"Location": back})
        try:
            site.entry.sign_in(request, form.get("key", ""), response)
        except (InvalidKeyError, KeyLimitError) as error:
            return shown(request, back, error)
        response.del_cookie(site.guard.cookie, path="/", secure=site.guard.secure)  # forms from before are stale now
        return response

    async def sign_out(request: web.Request) -> web.StreamResponse:
        await site.own_form(request)
        response = web.Response(status=303, headers={"Location": "/sign-in" if site.entry.demanded else "/"})
        site.entry.sign_out(request, response)
        return response

    async def choose_look(request: web.Request) -> web.StreamResponse:
        form = await site.own_form(request)
        response = web.Response(status=303, headers={"Location": own_path(form.get("back", "/"))})
        if form.get("look") in LOOKS:
            secure = site.guard.secure
            response.set_cookie(
                LOOK, form["look"], max_age=_YEAR_S, httponly=True, samesite="Strict", path="/", secure=secure
            )
        return response

    router.add_get("/sign-in", ask_who)
    router.add_post("/sign-in", sign_in)
    router.add_post("/sign-out", sign_out)
    router.add_post("/look", choose_look)


def own_path(text: str) -> str:
    """Return a path of this server, and never another address."""
    return text if re.fullmatch(r"/(?![/\\])[^\\\x00-\x20]*", text) else "/"
