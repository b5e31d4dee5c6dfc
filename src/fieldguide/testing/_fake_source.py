"""A hub without a network: repositories come from a dictionary, their bytes from a server on loopback."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import quote, unquote, urlsplit

from fieldguide.errors import AccessDeniedError, NotFoundError, SourceError
from fieldguide.sources import Offer, OfferedFile, RefusalError, RemoteFile, SourceReference

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class FakeSource:
    """Offers repositories of files that are given; use it as a context manager.

    It keeps the paths that were asked of its server in `requests`.
    """

    def __init__(
        self,
        repositories: Mapping[str, Mapping[str, bytes]],
        *,
        name: str = "fake",
        licence: str | None = "mit",
        checksums: bool = True,
    ) -> None:
        """Take files by path, by repository; without `checksums` nothing is promised of their bytes."""
        self.repositories = repositories
        self.requests: list[str] = []
        self._name = name
        self._licence = licence
        self._checksums = checksums
        handler = type("Handler", (_Handler,), {"source": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> FakeSource:
        """Begin to serve."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End it."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def offer(self, reference: SourceReference) -> Offer:
        """Return the files of a repository, at a commit that is a hash of them."""
        files = self.repositories.get(reference.name)
        if files is None:
            raise NotFoundError(f"There is no repository {reference.name}.", hint="Check the name.")
        commit = hashlib.sha1(repr(sorted(files.items())).encode(), usedforsecurity=False).hexdigest()
        if reference.revision not in {None, commit}:
            raise NotFoundError(f"{reference.name} has no revision {reference.revision}.", hint="Leave it out.")
        return Offer(
            reference=SourceReference(source=self._name, name=reference.name, revision=commit, file=reference.file),
            files=tuple(self._offered(reference.name, path, content) for path, content in files.items()),
            licence=self._licence,
        )

    def refused(self, refusal: RefusalError, reference: SourceReference) -> SourceError:
        """Return what a refusal means."""
        if refusal.status in {401, 403}:
            return AccessDeniedError(f"{reference} is not for you.", hint="Ask its owner.")
        return SourceError(f"{reference} cannot be had: {refusal}.")

    def _offered(self, repository: str, path: str, content: bytes) -> OfferedFile:
        address = f"http://127.0.0.1:{self._server.server_port}/{quote(repository)}/-/{quote(path)}"
        sha256 = hashlib.sha256(content).hexdigest() if self._checksums else None
        return OfferedFile(path=path, remote=RemoteFile(url=address, name=path, size_bytes=len(content), sha256=sha256))


class _Handler(BaseHTTPRequestHandler):
    source: FakeSource
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with a file or a range of one."""
        path = unquote(urlsplit(self.path).path)
        self.source.requests.append(path)
        repository, _, file = path.removeprefix("/").partition("/-/")
        content = self.source.repositories.get(repository, {}).get(file)
        if content is None:
            self.send_error(404)
            return
        found = _RANGE.fullmatch(self.headers.get("Range", ""))
        start = int(found[1]) if found else 0
        end = min(int(found[2]) + 1, len(content)) if found and found[2] else len(content)
        self.send_response(206 if found else 200)
        self.send_header("Content-Length", str(end - start))
        if found:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(content)}")
        self.end_headers()
        self.wfile.write(content[start:end])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by its base class
        """Stay silent."""
