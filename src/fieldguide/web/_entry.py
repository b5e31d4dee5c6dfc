"""Who is let in: on this machine whoever reaches it, from elsewhere whoever signs in with a key of the gateway."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from fieldguide import registry
from fieldguide.app.gateway import ANYONE, Gateway, Identity, digest_of
from fieldguide.errors import ForbiddenError, InvalidKeyError
from fieldguide.web._sessions import LONGEST_S, Sessions, Throttle

_PLAIN = re.compile(r"\w[\w.+ -]{0,199}(?:/\w[\w.+ -]{0,199})?(?::[\w.+-]{1,100})?", re.ASCII)
"""Names of the catalogue and of hubs, with a tag or a quantization: no path of this machine, no address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who asks for a page."""

    identity: Identity
    signed_in: bool = False

    @property
    def owner(self) -> str | None:
        """Id of the key, under which conversations and work are kept; None on this machine."""
        return self.identity.key_id

    @property
    def is_admin(self) -> bool:
        """Whether it may do what changes this machine: fetch, remove and load models, name files and addresses."""
        return self.identity.role == "admin"

    def check_admin(self) -> None:
        """Refuse what only an admin may do.

        Raises:
            ForbiddenError: This is none.
        """
        if not self.is_admin:
            raise ForbiddenError("This key may not do this.", hint="It takes a key with the role `admin`.")

    def check_name(self, text: str) -> None:
        """Refuse a model named by a file of this machine, an address or a place, unless an admin names it.

        Raises:
            ForbiddenError: It is so named: from elsewhere nobody may look around on this machine or call from it.
        """
        if self.is_admin:
            return
        place = text.partition(":")[0]
        known = {*registry.names("runners"), *registry.names("sources")}
        if not _PLAIN.fullmatch(text) or place in known or Path(text).expanduser().exists():
            raise ForbiddenError(
                "This key may name models of the guide only, no files and addresses.",
                hint="It takes a key with the role `admin`.",
            )


VISITOR = web.RequestKey("visitor", Visitor)
"""Who asks, of a request that was let in."""
HERE = Visitor(identity=ANYONE)
"""Whoever reaches a site that only this machine can reach."""


class Entry:
    """Tells who asks, and signs people in and out."""

    def __init__(self, gateway: Gateway | None, *, secure: bool, clock: Callable[[], float] = time.monotonic) -> None:
        """`gateway` has the keys; None lets everybody in. `secure` says that browsers come by TLS."""
        self._gateway, self._secure = gateway, secure
        self.sessions, self._throttle = Sessions(clock), Throttle(clock)
        self.cookie = "__Host-fieldguide_session" if secure else "fieldguide_session"

    @property
    def demanded(self) -> bool:
        """Whether people have to sign in."""
        return self._gateway is not None

    def visitor(self, request: web.Request) -> Visitor | None:
        """Return who asks; None where somebody has to sign in first."""
        if self._gateway is None:
            return HERE
        token = request.cookies.get(self.cookie)
        digest = None if token is None else self.sessions.key_digest(token)
        if digest is None:
            return None
        try:
            return Visitor(identity=self._gateway.owner_of(digest), signed_in=True)
        except InvalidKeyError:
            self.sessions.end(token or "")
            return None

    def bearer(self, request: web.Request) -> Visitor | None:
        """Return the program that asks with a key in its head, for what is only read; None where it sent none.

        Raises:
            InvalidKeyError: The key is no good.
            KeyLimitError: Too many were tried.
        """
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if self._gateway is None or scheme.lower() != "bearer" or request.method not in {"GET", "HEAD"}:
            return None
        return Visitor(identity=self._tried(request, key.strip()))

    def sign_in(self, request: web.Request, key: str, response: web.Response) -> None:
        """Begin a session in place of one that there was.

        Raises:
            InvalidKeyError: The key is no good.
            KeyLimitError: Too many were tried.
        """
        key = key.strip()
        self._tried(request, key)
        self.sessions.end(request.cookies.get(self.cookie, ""))
        response.set_cookie(
            self.cookie,
            self.sessions.begin(digest_of(key)),
            max_age=round(LONGEST_S),
            httponly=True,
            samesite="Strict",
            secure=self._secure,
            path="/",
        )

    def sign_out(self, request: web.Request, response: web.Response) -> None:
        """End the session of this browser."""
        self.sessions.end(request.cookies.get(self.cookie, ""))
        response.del_cookie(self.cookie, path="/", secure=self._secure, httponly=True, samesite="Strict")

    def _tried(self, request: web.Request, key: str) -> Identity:
        if self._gateway is None:
            return ANYONE
        self._throttle.check(request.remote)
        try:
            return self._gateway.owner_of(digest_of(key))
        except InvalidKeyError:
            self._throttle.failed(request.remote)
            raise InvalidKeyError("This key is no good.") from None
