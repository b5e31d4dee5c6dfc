"""Brings files over HTTP: resumed after any interruption, checked as they come, repaired and not restarted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fieldguide.sources.transfer._pace import Pace
from fieldguide.sources.transfer._refusals import RefusalError
from fieldguide.sources.transfer._remote import RemoteFile, TransferSettings
from fieldguide.sources.transfer._secrets import plain_url, without_secrets

if TYPE_CHECKING:
    from fieldguide.sources.transfer._download import Downloaded
    from fieldguide.sources.transfer._transfer import Transfer

__all__ = [
    "Downloaded",
    "Pace",
    "RefusalError",
    "RemoteFile",
    "Transfer",
    "TransferSettings",
    "plain_url",
    "without_secrets",
]


def __getattr__(name: str) -> Any:
    """Return what needs asyncio, which takes time to load and only a pull uses."""
    if name not in __all__:
        raise AttributeError(name)
    from fieldguide.sources.transfer import _transfer

    return getattr(_transfer, name)
