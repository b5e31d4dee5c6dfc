"""Bringing files over HTTP: parallel ranges, resumed after any interruption, checked, repaired and not restarted."""

from fieldguide.sources.transfer._download import Downloaded
from fieldguide.sources.transfer._exchange import RefusalError
from fieldguide.sources.transfer._pace import Pace
from fieldguide.sources.transfer._remote import RemoteFile, TransferSettings
from fieldguide.sources.transfer._transfer import Transfer

__all__ = ["Downloaded", "Pace", "RefusalError", "RemoteFile", "Transfer", "TransferSettings"]
