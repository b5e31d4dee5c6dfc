"""A file server on loopback that answers ranges, and breaks them in every way it is told to.

Raw TCP in threads: an HTTP library would refuse to send half of what bad servers send. `python -m
tests.support.range_server FILE` serves one file and prints its address; a fault is a function of the number of the
request and of the range asked for.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "none",
    "drop",  # closes in the middle
    "reset",  # resets in the middle
    "stall",  # falls silent in the middle
    "status",  # answers with `status`
    "wrong-bytes",  # right length, one byte changed
    "other-range",  # sends and names another range
    "whole",  # ignores Range: 200 and the whole file
    "short",  # announces and sends less than was asked for
    "long",  # sends more than it announces
    "gzip",  # claims an encoding
    "refuse",  # closes before a word
]


@dataclass(frozen=True)
class Fault:
    """What is done to one request."""

    kind: Kind = "none"
    status: int = 503
    headers: tuple[tuple[str, str], ...] = ()
    after: int = 0
    """Bytes of the body that are sent before."""


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    number: int
    path: str
    headers: dict[str, str]
    start: int | None
    end: int | None
    """Exclusive."""


NONE = Fault()


@dataclass
class RangeServer:
    """Serves `files` (path -> bytes) until closed."""

    files: dict[str, bytes]
    fault: Callable[[Asked], Fault] = lambda asked: NONE
    etag: Callable[[str], str | None] | None = None
    redirect: dict[str, str] = field(default_factory=dict)
    sends_length: bool = True
    pause_s: float = 0.0
    """Between two pieces of 64 KiB."""
    asked: list[Asked] = field(default_factory=list)
    sent_bytes: int = 0
    """Of bodies with status 200 and 206."""

    def __enter__(self) -> RangeServer:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._lock = threading.Lock()
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # Wakes the thread that accepts.
        self._socket.close()

    @property
    def origin(self) -> str:
        """Return `http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def tag(self, path: str) -> str | None:
        """Return the entity tag of a file."""
        return f'"{hashlib.md5(self.files[path]).hexdigest()}"' if self.etag is None else self.etag(path)

    def _accept(self) -> None:
        while not self._closed:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            buffered = b""
            while not self._closed:
                while b"\r\n\r\n" not in buffered:
                    more = connection.recv(65536)
                    if not more:
                        return
                    buffered += more
                head, _, buffered = buffered.partition(b"\r\n\r\n")
                if not self._answer(connection, head.decode("latin-1")):
                    return

    def _answer(self, connection: socket.socket, head: str) -> bool:
        """Answer one request; return whether the connection stays open."""
        first, *lines = head.split("\r\n")
        method, path = first.split(" ")[:2]
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("range", ""))
        start = int(wanted[1]) if wanted else None
        end = int(wanted[2]) + 1 if wanted and wanted[2] else None
        with self._lock:
            asked = Asked(number=len(self.asked) + 1, path=path, headers=headers, start=start, end=end)
            self.asked.append(asked)
        if method == "HEAD":
            fault = self.fault(asked)
            status = fault.status if fault.kind == "status" else 200 if path in self.files else 404
            length = len(self.files.get(path, b"")) if status == 200 else 0
            connection.sendall(_head(status, [("Content-Length", str(length))]))
            return True
        if path in self.redirect:
            connection.sendall(_head(302, [("Location", self.redirect[path]), ("Content-Length", "0")]))
            return True
        if path not in self.files:
            connection.sendall(_head(404, [("Content-Length", "9")]) + b"not found")
            return True
        return self._send(connection, asked, self.files[path], self.fault(asked))

    def _send(self, connection: socket.socket, asked: Asked, content: bytes, fault: Fault) -> bool:
        if fault.kind == "refuse":
            return False
        if fault.kind == "status":
            connection.sendall(_head(fault.status, [("Content-Length", "5"), *fault.headers]) + b"fault")
            return True
        tag = self.tag(asked.path)
        condition = asked.headers.get("if-range")
        whole = asked.start is None or fault.kind == "whole" or (condition is not None and condition != tag)
        start, end = (0, len(content)) if whole else (asked.start or 0, min(asked.end or len(content), len(content)))
        if not whole and start >= len(content):
            connection.sendall(_head(416, [("Content-Range", f"bytes */{len(content)}"), ("Content-Length", "0")]))
            return True
        if fault.kind == "other-range":
            start, end = max(0, start - 1), end - 1
        if fault.kind == "short":
            end = max(start + 1, end - max(1, (end - start) // 2))
        body = content[start:end]
        if fault.kind == "wrong-bytes" and body:
            at = len(body) // 2
            body = body[:at] + bytes([body[at] ^ 0x55]) + body[at + 1 :]
        fields = [] if tag is None else [("ETag", tag)]
        if self.sends_length:
            fields.append(("Content-Length", str(len(body))))
        if not whole:
            fields.append(("Content-Range", f"bytes {start}-{end - 1}/{len(content)}"))
        if fault.kind == "gzip":
            fields.append(("Content-Encoding", "gzip"))
        if not self.sends_length:
            fields.append(("Connection", "close"))
        connection.sendall(_head(200 if whole else 206, fields))
        cut = fault.after if fault.kind in {"drop", "reset", "stall"} else len(body)
        self._pour(connection, body[:cut])
        if fault.kind == "long":
            connection.sendall(b"x" * 1000)
            return False
        if fault.kind == "stall":
            time.sleep(5)
            return False
        if fault.kind == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return fault.kind not in {"drop", "reset"} and self.sends_length

    def _pour(self, connection: socket.socket, body: bytes) -> None:
        for at in range(0, len(body), 65536):
            piece = body[at : at + 65536]
            connection.sendall(piece)
            with self._lock:
                self.sent_bytes += len(piece)
            if self.pause_s:
                time.sleep(self.pause_s)


def _head(status: int, fields: list[tuple[str, str]]) -> bytes:
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in fields)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
