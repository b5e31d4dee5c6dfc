"""From the head of a request to its reply: guard, route, handler, and errors in the client's own form."""

from __future__ import annotations

import secrets
import traceback
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from fieldguide.app.gateway import Gateway, Identity
from fieldguide.errors import FieldguideError, OverloadedError
from fieldguide.server._connection import Traffic
from fieldguide.server._errors import RequestError, Shape, Told, error_body, error_reply, redacted, told
from fieldguide.server._guard import Guard, check_content_type, check_role
from fieldguide.server._message import AnyReply, Call, Head, Reply
from fieldguide.server._routes import ROUTES, Route

_CALLS = {400: "bad_request", 408: "timeout", 413: "request_too_large", 431: "head_too_large", 503: "overloaded"}


class Site:
    """Everything behind the connections."""

    def __init__(
        self, gateway: Gateway, *, say: Callable[[str], None] = lambda line: None, traffic: Traffic | None = None
    ) -> None:
        """`say` writes a line of the log; `traffic` is what goes on at the connections."""
        self.gateway = gateway
        self._traffic = traffic or Traffic()
        self.guard = Guard(gateway)
        self.draining = False
        self._say = say
        self._run, self._count = f"req_{secrets.token_hex(6)}", 0
        """What the ids of this run's requests begin with, and how many there were."""

    def admit(self, head: Head) -> Reply | Callable[[bytes], Awaitable[AnyReply]]:
        """Decide on a request by its head: the one decision on who may do what, made before routes are looked at."""
        self._count += 1
        request_id = f"{self._run}{self._count:x}"
        shape = _shape_of(head.path)
        try:
            methods = _methods(head.path)
            is_open = methods is not None and all(route.role == "open" for route in methods.values())
            if head.method == "OPTIONS" and self.guard.allowed_origin(head.headers):
                self.guard.check(head, is_open=True)
                return self._preflight(head)
            identity = self.guard.check(head, is_open=is_open)
            route = _route(methods, head)
            check_role(identity, route.role)
            if route.body is not None:
                check_content_type(head, route.body)
                if self._traffic.answering >= self.gateway.config.most_at_once:
                    raise OverloadedError("The gateway answers as many requests as it takes.", retry_after_s=1.0)
        except Exception as error:
            return self._refusal(error, shape, request_id, head)
        return self._answer(route, head, identity, request_id)

    def refused(self, status: int, message: str) -> Reply:
        """Return the reply to what is no proper request."""
        self.gateway.metrics.refused(status)
        how = Told(
            status=status, code=_CALLS.get(status, "bad_request"), message=message, param=None, wait_s=None, retry=False
        )
        return Reply(status=status, body=error_body(how, "openai", ""), close=True)

    def note(self, error: BaseException, request_id: str) -> None:
        """Write an error to the log, without what was asked or answered, and without secrets."""
        if isinstance(error, FieldguideError):
            how = told(error)
            self.gateway.metrics.refused(how.status)
            if how.status >= 500:
                self._say(f"{request_id} {type(error).__name__}: {redacted(error.message)}")
            return
        self.gateway.metrics.refused(500)
        frames = traceback.extract_tb(error.__traceback__)
        where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
        self._say(f"{request_id} unforeseen {type(error).__name__}{where}; please report it")

    def _answer(
        self, route: Route, head: Head, identity: Identity, request_id: str
    ) -> Callable[[bytes], Awaitable[AnyReply]]:
        async def answer(body: bytes) -> AnyReply:
            call = Call(head=head, identity=identity, body=body, request_id=request_id)
            try:
                reply = await route.handler(self, call)
            except Exception as error:
                reply = self._refusal(error, route.shape, request_id, head)
            if self.gateway.config.log_requests:
                status = reply.status if isinstance(reply, Reply) else 200
                self._say(f"{request_id} {identity.name} {head.method} {head.path} {status}")
            return self._with_origin(reply, head)

        return answer

    def _refusal(self, error: Exception, shape: Shape, request_id: str, head: Head) -> Reply:
        self.note(error, request_id)
        reply = error_reply(error, shape, request_id)
        if head.method == "HEAD":
            reply.body = b""  # a client reads none, and would take one for the beginning of the next answer
        self._with_origin(reply, head)
        return reply

    def _with_origin(self, reply: AnyReply, head: Head) -> AnyReply:
        if "origin" in head.headers and (origin := self.guard.allowed_origin(head.headers)):
            reply.headers = {**reply.headers, "access-control-allow-origin": origin, "vary": "origin"}
        return reply

    def _preflight(self, head: Head) -> Reply:
        headers = {
            "access-control-allow-methods": "GET, POST",
            "access-control-allow-headers": "authorization, content-type, x-api-key, anthropic-version, anthropic-beta",
            "access-control-max-age": "600",
        }
        reply = Reply(status=204, headers=headers)
        self._with_origin(reply, head)
        return reply


_PREFIXES = tuple(path for path in ROUTES if path.endswith("/"))


def _methods(path: str) -> Mapping[str, Route] | None:
    if path in _PREFIXES:
        return None  # nothing follows
    found = ROUTES.get(path)
    if found is None:
        found = next((ROUTES[prefix] for prefix in _PREFIXES if path.startswith(prefix)), None)
    return found


def _route(methods: Mapping[str, Route] | None, head: Head) -> Route:
    if methods is None:
        raise RequestError("There is nothing under this path.", status=404)
    route = methods.get("GET" if head.method == "HEAD" else head.method)
    if route is None or head.method == "HEAD":
        takes = ", ".join(sorted(methods))
        raise RequestError(f"This path takes {takes}.", status=405, allow=takes)
    return route


def _shape_of(path: str) -> Shape:
    if path.startswith("/v1/messages"):
        return "anthropic"
    return "ollama" if path.startswith("/api/") else "openai"
