"""A small Hugging Face hub of the tests' own: what `huggingface_hub` asks to list one model, and its files.

The fields are those that the hub's client reads; `olah` and the recorded exchanges are the real counterparts.
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
from urllib.parse import unquote, urlsplit

COMMIT = "a" * 40


class HubServer(BaseHTTPRequestHandler):
    """One model, `owner/model`; large files have a sha256, the small ones git's object id, as on the hub."""

    protocol_version = "HTTP/1.1"
    files: ClassVar[dict[str, bytes]] = {}
    card: ClassVar[dict[str, Any]] = {}
    gated: ClassVar[Any] = False
    token: ClassVar[str | None] = None
    asked: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        given = self.headers.get("Authorization")
        self.asked.append((path, given))
        about = re.fullmatch(r"/api/models/owner/model(?:/revision/(.+))?", path)
        file = re.fullmatch(r"/owner/model/resolve/([^/]+)/(.+)", path)
        if about and about[1] not in {None, "main", COMMIT}:
            self._refuse(404, "RevisionNotFound", "Invalid rev id")
        elif about and self.gated == "closed" and given is None:
            self._refuse(401, "GatedRepo", "Access to model owner/model is restricted.")
        elif about:
            self._json(200, self._about())
        elif file and file[1] == COMMIT and file[2] in self.files:
            if self.token is not None and given != f"Bearer {self.token}":
                self._refuse(401, "GatedRepo", "Access to model owner/model is restricted.")
            else:
                self._file(self.files[file[2]])
        else:
            self._refuse(404 if file else 401, "RepoNotFound" if not file else "EntryNotFound", "Not found")

    def _about(self) -> dict[str, Any]:
        siblings: list[dict[str, Any]] = []
        for path, content in self.files.items():
            object_id = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            entry: dict[str, Any] = {"rfilename": path, "size": len(content), "blobId": object_id}
            if path.endswith((".gguf", ".safetensors")):
                sha256 = hashlib.sha256(content).hexdigest()
                entry["lfs"] = {"sha256": sha256, "size": len(content), "pointerSize": 134}
            siblings.append(entry)
        return {
            "_id": "1",
            "id": "owner/model",
            "sha": COMMIT,
            "private": False,
            "gated": self.gated if self.gated != "closed" else "auto",
            "tags": [f"license:{self.card.get('license', 'mit')}"],
            "cardData": self.card,
            "siblings": siblings,
        }

    def _refuse(self, status: int, code: str, message: str) -> None:
        self._json(status, {"error": message}, [("X-Error-Code", code), ("X-Error-Message", message)])

    def _file(self, content: bytes) -> None:
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        start, end = (int(found[1]), min(int(found[2]) + 1, len(content))) if found else (0, len(content))
        self.send_response(206 if found else 200)
        self.send_header("Content-Length", str(end - start))
        if found:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(content)}")
        self.end_headers()
        self.wfile.write(content[start:end])

    def _json(self, status: int, value: Any, headers: list[tuple[str, str]] | None = None) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        for name, field in headers or []:
            self.send_header(name, field)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Stay silent."""


@contextmanager
def served_hub(files: dict[str, bytes], **said: Any) -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    """Serve one model; yields the address, and what was asked with which authorization."""
    asked: list[tuple[str, str | None]] = []
    handler = type("Served", (HubServer,), {"files": files, "asked": asked, **said})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
