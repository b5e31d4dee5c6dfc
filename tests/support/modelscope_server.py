"""A small ModelScope of the tests' own: no server of the real one can be had.

It answers the paths that the official client `modelscope-hub` asks for, with the fields that client reads. That the
real hub answers likewise is not shown by it.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

COMMIT = "5" * 40
OLDER = "4" * 40


class ModelScopeServer(BaseHTTPRequestHandler):
    """One model, `owner/model`, with the files of the class; a private one where `token` is set."""

    protocol_version = "HTTP/1.1"
    files: ClassVar[dict[str, bytes]] = {}
    token: ClassVar[str | None] = None
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.asked.append(self.path)
        if self.token is not None and self.headers.get("Authorization") != f"Bearer {self.token}":
            self._json(401, {"Code": 10010205001, "Message": "unauthorized", "Success": False})
        elif parts.path == "/api/v1/models/owner/model/repo/files":
            if query.get("Revision") not in {"master", COMMIT}:
                self._json(404, {"Code": 10010205001, "Message": "revision not found", "Success": False})
                return
            self._json(200, {"Code": 200, "Success": True, "Data": {"Files": self._entries()}})
        elif parts.path == "/api/v1/models/owner/model/repo" and query.get("Revision") == COMMIT:
            self._file(self.files[query["FilePath"]])
        elif parts.path.endswith("/models/owner/model"):
            about = {"id": "owner/model", "license": "apache-2.0", "gated": False, "tags": []}
            self._json(200, {"success": True, "data": about, "Data": about})
        else:
            self._json(404, {"Code": 10010205001, "Message": "not found", "Success": False})

    def _entries(self) -> list[dict[str, Any]]:
        return [
            {
                "Name": path.rpartition("/")[2],
                "Path": path,
                "Type": "blob",
                "Size": len(content),
                "Sha256": hashlib.sha256(content).hexdigest(),
                "Revision": COMMIT if number == 0 else OLDER,
                "CommittedDate": 1_700_000_000 - number,
            }
            for number, (path, content) in enumerate(self.files.items())
        ]

    def _file(self, content: bytes) -> None:
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        start, end = (int(found[1]), min(int(found[2]) + 1, len(content))) if found else (0, len(content))
        self.send_response(206 if found else 200)
        self.send_header("Content-Length", str(end - start))
        if found:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(content)}")
        self.end_headers()
        self.wfile.write(content[start:end])

    def _json(self, status: int, value: Any) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Stay silent."""


@contextmanager
def served_modelscope(files: dict[str, bytes], *, token: str | None = None) -> Iterator[tuple[str, list[str]]]:
    """Serve one model; yields the address and the list of what was asked."""
    asked: list[str] = []
    handler = type("Served", (ModelScopeServer,), {"files": files, "token": token, "asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
