"""Hugging Face and ModelScope on loopback, as far as searching for models goes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

# The fields of huggingface.co/api/models with expand[], and of modelscope.cn/openapi/v1/models.
HF_ROWS = [
    {
        "_id": "66e81cefef9f1cd1c1a3ac62",
        "id": "Qwen/Qwen2.5-7B-Instruct-GGUF",
        "downloads": 51234,
        "gated": False,
        "lastModified": "2024-09-20T06:38:34.000Z",
        "pipeline_tag": "text-generation",
        "tags": ["gguf", "chat", "text-generation", "en", "license:apache-2.0", "region:us"],
    },
    {
        "_id": "66e6d1c5f2a1",
        "id": "someone/Llama-3.1-8B-Instruct-abliterated",
        "downloads": 12,
        "gated": "auto",
        "lastModified": "2025-01-02T00:00:00.000Z",
        "tags": ["license:llama3.1"],
    },
]
MS_ROWS = [
    {
        "id": "Qwen/Qwen2.5-7B-Instruct",
        "display_name": "Qwen2.5-7B-Instruct",
        "downloads": 900,
        "likes": 3,
        "license": "apache-2.0",
        "tasks": ["text-generation"],
        "tags": ["license:apache-2.0"],
        "last_modified": "2025-02-03T04:05:06Z",
        "private": False,
        "gated": False,
    }
]


class FakeHub(BaseHTTPRequestHandler):
    """Answers `GET /api/models` and `GET .../models` with the rows above."""

    asked: ClassVar[list[dict[str, list[str]]]] = []
    wait_s: ClassVar[float] = 0.0
    status: ClassVar[int] = 200
    rows: ClassVar[list[dict[str, Any]]] = HF_ROWS

    def do_GET(self) -> None:
        time.sleep(self.wait_s)
        parts = urlsplit(self.path)
        self.asked.append(parse_qs(parts.query))
        if parts.path == "/api/models":
            body: Any = self.rows
        elif parts.path.endswith("/models"):
            page = {"models": MS_ROWS, "total_count": 1, "page_number": 1, "page_size": 5}
            body = {"success": True, "request_id": "r", "data": page}
        else:
            self.send_error(404)
            return
        content = json.dumps(body if self.status == 200 else {"error": "no"}).encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Stay silent."""


@contextmanager
def served_hubs() -> Iterator[tuple[str, type[FakeHub]]]:
    """Serve both hubs at one address; the class tells what was asked and can be told to misbehave."""
    handler = type("Served", (FakeHub,), {"asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    thread.join()
    server.server_close()
