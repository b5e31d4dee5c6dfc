"""The bytes of a file on a server, a range at a time: enough to read a header before anything is fetched."""

from __future__ import annotations

import re

from fieldguide.errors import NotFoundError, SourceError
from fieldguide.sources._ask import ask
from fieldguide.sources._offer import SourceSettings
from fieldguide.sources.transfer import RefusalError, RemoteFile

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class RemoteBytes:
    """A `ByteSource` over HTTP ranges."""

    def __init__(self, file: RemoteFile, settings: SourceSettings) -> None:
        """Take a file whose size is known.

        Raises:
            SourceError: It is not known.
        """
        if file.size_bytes is None:
            raise SourceError(f"The size of {file.name} is not known, so it cannot be read from afar.", hint="Pull it.")
        self.name = file.name
        self.size_bytes = file.size_bytes
        self.read_bytes = 0
        """Bytes that were asked for so far."""
        self._file = file
        self._settings = settings
        self._etag: str | None = None

    def read(self, offset: int, length: int) -> bytes:
        """Return the bytes of one range.

        Raises:
            RefusalError: The server refuses; its source knows what that means.
            OfflineError: It cannot be reached.
            SourceError: It answers no ranges, or the file has changed.
        """
        if length == 0:
            return b""
        headers = {
            **self._file.headers,
            "Accept-Encoding": "identity",
            "Range": f"bytes={offset}-{offset + length - 1}",
        }
        answer = ask(self._settings, self._file.url, headers=headers, most_bytes=length, cut=True)
        if answer.status == 404:
            raise NotFoundError(f"{self.name} is no longer there.", hint="Name it at its present revision.")
        if answer.status not in {200, 206}:
            raise RefusalError(f"{self.name}: HTTP {answer.status}", status=answer.status, headers=answer.headers)
        start = 0
        if answer.status == 206:
            said = _CONTENT_RANGE.fullmatch(answer.headers.get("content-range", "").strip())
            start = int(said[1]) if said else -1
            if said and said[3] not in {"*", str(self.size_bytes)}:
                raise SourceError(f"{self.name} has changed on its server.", hint="Run the same command again.")
        etag = answer.headers.get("etag")
        if self._etag is not None and etag not in (None, self._etag):
            raise SourceError(f"{self.name} changed on its server while it was read.", hint="Run the command again.")
        if start != offset:
            raise SourceError(
                f"The server of {self.name} answers no ranges, so its header cannot be read from afar.",
                hint="Pull the model, then inspect it here.",
            )
        self._etag = etag or self._etag
        self.read_bytes += len(answer.body)
        return answer.body
