"""Model files at an address of their own: `https://HOST/PATH/model.gguf`.

Nothing promises what the bytes must be: the size is asked for beforehand, and what came is written down. The other
parts of a split file are looked for beside the first, under their names.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from fieldguide.errors import AccessDeniedError, NotFoundError, OfflineError, SourceError, UsageError
from fieldguide.sources._ask import Answer, ask
from fieldguide.sources._offer import Offer, OfferedFile, SourceSettings, checked_path
from fieldguide.sources._reference import SourceReference
from fieldguide.sources._select import part_names
from fieldguide.sources.transfer import RefusalError, RemoteFile, plain_url

_MODEL = (".gguf", ".safetensors")
_CONTENT_RANGE = re.compile(r"bytes \d+-\d+/(\d+)")


class WebFileSource:
    """Asks a web server for one file, or for the parts of one."""

    def __init__(self, settings: SourceSettings) -> None:
        """Take settings."""
        self._settings = settings

    def offer(self, reference: SourceReference) -> Offer:
        """Return the file, or all its parts; see `OfferingSource.offer`."""
        url = f"{reference.source}:{reference.name}"
        name = _name(url)
        files = tuple(self._offered(_beside(url, each), each) for each in part_names(name))
        told = plain_url(url).removeprefix(f"{reference.source}:")  # The query may be signed: it is written nowhere.
        return Offer(reference=SourceReference(source=reference.source, name=told), files=files)

    def refused(self, refusal: RefusalError, reference: SourceReference) -> SourceError:
        """Return what a refusal during the transfer means."""
        return _refusal(plain_url(str(reference)), refusal.status)

    def _offered(self, url: str, name: str) -> OfferedFile:
        return OfferedFile(path=name, remote=RemoteFile(url=url, name=name, size_bytes=self._asked_size(url)))

    def _asked_size(self, url: str) -> int | None:
        """Ask for the head of a file; where HEAD is not answered, for its first byte."""
        answer = ask(self._settings, url, method="HEAD")
        if answer.status in {403, 405, 501}:  # Signed addresses often allow GET alone.
            answer = ask(self._settings, url, headers={"Range": "bytes=0-0"}, head_only=True)
        if answer.status not in {200, 206}:
            raise _refusal(plain_url(url), answer.status)
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind in {"text/html", "application/xhtml+xml"}:
            raise SourceError(
                f"{plain_url(url)} is a web page and no model file.", hint="Give the address of the file itself."
            )
        return _size(answer)


def _size(answer: Answer) -> int | None:
    if answer.status == 206:
        found = _CONTENT_RANGE.fullmatch(answer.headers.get("content-range", "").strip())
        return int(found[1]) if found else None
    length = answer.headers.get("content-length", "")
    return int(length) if length.isdigit() and "content-encoding" not in answer.headers else None


def _name(url: str) -> str:
    """Return the file's name, which is the last part of the path."""
    parts = urlsplit(url)
    try:
        host, odd = parts.hostname, parts.username is not None or parts.port == 0
    except ValueError as error:
        raise UsageError(
            f"{plain_url(url)[:200]!r} is not an address.", hint="Write `https://HOST/PATH/model.gguf`."
        ) from error
    if not host or odd:
        raise UsageError(
            f"{parts.scheme}:// needs a host, and no name or password before it.",
            hint="Write `https://HOST/PATH/model.gguf`.",
        )
    name = unquote(PurePosixPath(parts.path).name)
    if not name.lower().endswith(_MODEL):
        raise UsageError(
            f"{plain_url(url)[:200]} does not end in .gguf or .safetensors, the formats that are loaded.",
            hint="Give the address of the file itself, or `hf:OWNER/NAME` for a repository.",
        )
    checked_path(name)
    return name


def _beside(url: str, name: str) -> str:
    """Return the address of a file in the same folder; the first file keeps its own spelling."""
    parts = urlsplit(url)
    folder, _, own = parts.path.rpartition("/")
    if unquote(own) == name:
        return url
    return urlunsplit((parts.scheme, parts.netloc, f"{folder}/{quote(name)}", parts.query, ""))


def _refusal(url: str, status: int | None) -> SourceError:
    if status in {401, 403}:
        return AccessDeniedError(f"The server does not give {url} ({status}).", hint="It may need a login.")
    if status in {404, 410}:
        return NotFoundError(f"There is no file at {url}.", hint="Check the address.")
    if status is not None and (status == 429 or status >= 500):
        return OfflineError(f"The server of {url} answered {status}.")
    answered = "refuses" if status is None else f"answered {status}"
    return SourceError(f"The server of {url} {answered}.", hint="Check the address.")
