"""Who may ask: the names this server answers to, the pages that may post to it, and what its own pages may do.

A page of somebody else's in the same browser must not reach this server: not by having its own name resolve to this
machine (the Host is checked: CVE-2024-28224 was that in a server of models), not by posting a form (the Origin is
checked, and every form carries a token that only our own pages can read).
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets

from aiohttp import web

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
VISIT = "fieldguide_visit"
"""Cookie that stands for one browser."""
_OWN = frozenset({"none", "same-origin"})


def is_loopback(host: str) -> bool:
    """Return whether an address is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Guard:
    """Checks each request by its head alone."""

    def __init__(self, *, host: str, port: int, address: str | None = None, tls: bool = False) -> None:
        """Answer under the names of this machine, or, where others reach it, under `address` or any name.

        Args:
            host: Where the site listens.
            port: Its port.
            address: Where browsers find it, such as `https://guide.example.org`; None: wherever it listens.
            tls: Whether it speaks TLS itself.
        """
        self.secure = tls or (address or "").startswith("https://")
        self._scheme = "https://" if self.secure else "http://"
        self._hosts: frozenset[str] | None = None
        if is_loopback(host) or address is not None:
            own = f"[{host}]" if ":" in host and not host.startswith("[") else host
            names = {"127.0.0.1", "localhost", "[::1]", own.lower()}
            given = {address.partition("://")[2].rstrip("/").lower()} if address is not None else set()
            self._hosts = frozenset(f"{name}:{port}" for name in names) | (names if port == 80 else set()) | given
        self._secret = secrets.token_bytes(32)
        self.cookie = f"__Host-{VISIT}" if self.secure else VISIT

    def refusal(self, request: web.Request) -> tuple[int, str] | None:
        """Return status and reason why a request is turned away; None where it may go on."""
        hosts = request.headers.getall("Host", [])
        if len(hosts) != 1 or not hosts[0] or (self._hosts is not None and hosts[0].lower() not in self._hosts):
            return 421, "This server does not answer under this name."
        origin = request.headers.get("Origin")
        if origin is not None and not self._is_own(origin.lower(), hosts[0].lower()):
            return 403, "This server does not answer to pages of others."
        fetched = request.headers.get("Sec-Fetch-Site", "none")
        followed = request.method in {"GET", "HEAD"} and request.headers.get("Sec-Fetch-Mode") == "navigate"
        if fetched not in _OWN and not followed:
            return 403, "This server does not answer to pages of others."
        if request.method not in {"GET", "HEAD", "POST"}:
            return 405, "This server is only asked by GET and POST."
        return None

    def _is_own(self, origin: str, host: str) -> bool:
        """Whether a page is one of ours: of a name that we answer under, or of the name that it asks under."""
        if not origin.startswith(self._scheme):
            return False
        name = origin.removeprefix(self._scheme)
        return name in self._hosts if self._hosts is not None else name == host

    def visit(self, request: web.Request) -> str:
        """Return what stands for this browser: its cookie, or a new one."""
        kept = request.cookies.get(self.cookie, "")
        return kept if len(kept) == 43 and kept.isascii() else secrets.token_urlsafe(32)

    def token(self, visit: str) -> str:
        """Return what a form of this browser carries."""
        return hmac.new(self._secret, visit.encode(), hashlib.sha256).hexdigest()

    def is_own_form(self, request: web.Request, token: str) -> bool:
        """Return whether a form was made here for this browser."""
        kept = request.cookies.get(self.cookie)
        return kept is not None and hmac.compare_digest(self.token(kept).encode(), token.encode())
