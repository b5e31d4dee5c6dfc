"""Addresses as they may be told and written down: a query may sign a request, and a name may have a password."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

_LOGIN = re.compile(r"(https?://)[^/?#\s@'\"]*@", re.IGNORECASE)
_QUERY = re.compile(r"(https?://[^\s?'\"]+)\?[^\s'\"]*", re.IGNORECASE)


def plain_url(url: str) -> str:
    """Return an address without its query and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.partition("?")[0]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))


def without_secrets(text: str) -> str:
    """Return a message in which no address has a login or a query."""
    return _QUERY.sub(r"\1?...", _LOGIN.sub(r"\1", text))
