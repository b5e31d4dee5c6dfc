"""Who may call what, decided once, by the head of a request alone, before anything else is looked at."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from fieldguide.app.gateway import ANYONE, Gateway, GatewayConfig, Identity
from fieldguide.errors import ForbiddenError, InvalidKeyError, KeyLimitError
from fieldguide.server._errors import RequestError
from fieldguide.server._message import JSON, Head

_MOST_FAILURES_A_MINUTE = 1000
_MOST_PEERS = 10_000


class Guard:
    """Checks the Host, the Origin and the key."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._failures: OrderedDict[tuple[str, int], int] = OrderedDict()
        self.learn_port(gateway.config.port)

    def learn_port(self, port: int) -> None:
        """Say on which port the gateway listens, which the names of its hosts end in."""
        config = self._gateway.config
        self._hosts = _hosts(config, port)
        self._origins = frozenset(config.origins) | {f"http://{host}" for host in self._hosts}

    def check(self, head: Head, *, is_open: bool) -> Identity:
        """Return who asks; `is_open` routes want no key.

        Raises:
            RequestError: The request is not for this gateway, or comes from a page of another's.
            InvalidKeyError: A key is demanded, and there is no good one.
            KeyLimitError: There were too many bad keys from this address.
        """
        if not head.target.startswith("/"):
            raise RequestError("The target of the request is not a path.")
        host = head.headers.get("host")
        if not host or "host" in head.repeated:
            raise RequestError("The request names no host, or several.")
        if self._hosts and host.lower() not in self._hosts:
            raise RequestError("This gateway does not answer under this name.", status=421)
        self._check_origin(head)
        if is_open:
            return ANYONE
        return self._identity(head)

    def allowed_origin(self, headers: Mapping[str, str]) -> str | None:
        """Return the page of the operator's that calls; None where no page does."""
        origin = headers.get("origin")
        return origin if origin in self._gateway.config.origins else None

    def _check_origin(self, head: Head) -> None:
        origin = head.headers.get("origin")
        if origin is not None:
            if origin not in self._origins or "origin" in head.repeated:
                raise RequestError("This gateway does not answer to pages of others.", status=403)
        elif head.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
            raise RequestError("This gateway does not answer to pages of others.", status=403)

    def _identity(self, head: Head) -> Identity:
        try:
            if "authorization" in head.repeated or "x-api-key" in head.repeated:
                raise InvalidKeyError("This gateway wants one key, not several.")
            return self._gateway.identity(key_in(head.headers))
        except InvalidKeyError:
            self._count_failure(head.peer)
            raise

    def _count_failure(self, peer: str) -> None:
        now_s = self._gateway.clock()
        slot = (peer, int(now_s // 60))
        self._failures[slot] = count = self._failures.pop(slot, 0) + 1
        if len(self._failures) > _MOST_PEERS:
            self._failures.popitem(last=False)
        if count > _MOST_FAILURES_A_MINUTE:
            raise KeyLimitError("Too many bad keys came from this address.", retry_after_s=60.0 - now_s % 60.0)


def key_in(headers: Mapping[str, str]) -> str | None:
    """Return the key of a request, in whichever header its client sends it."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        return key.strip()
    return headers.get("x-api-key") or headers.get("api-key")


def check_role(identity: Identity, role: str) -> None:
    """Refuse what only an admin may.

    Raises:
        ForbiddenError: This is one.
    """
    if role == "admin" and identity.role != "admin":
        raise ForbiddenError("This key may not do this.", hint="It takes a key with the role `admin`.")


def check_content_type(head: Head, wanted: str) -> None:
    """Refuse a body of another kind than is read here: a page of another's can send plain text unasked.

    Raises:
        RequestError: It is.
    """
    given = head.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != wanted:
        raise RequestError(f"The body has to be {wanted}.", status=415)
    if wanted == JSON and head.headers.get("content-encoding", "identity").lower() not in {"identity", ""}:
        raise RequestError("The body has to come uncompressed.", status=415)


def _hosts(config: GatewayConfig, port: int) -> frozenset[str]:
    """Return the names under which the gateway answers; none where it answers under any.

    On loopback the names are fixed: a page that has its own name resolve to this machine must not get through.
    """
    if not config.loopback and not config.hosts:
        return frozenset()
    names = {"127.0.0.1", "localhost", "[::1]", *config.hosts}
    if config.loopback:
        names.add(f"[{config.host}]" if ":" in config.host and not config.host.startswith("[") else config.host)
    return frozenset(name.lower() for each in names for name in (each, f"{each}:{port}"))
