"""Writes Amazon's binary event streams, and checks signatures as its servers do; botocore has no such parts."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import struct
import zlib
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote


def message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Return one message with its checksums; all headers are texts."""
    written = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value.encode())) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack(">II", 16 + len(written) + len(payload), len(written))
    body = prelude + struct.pack(">I", zlib.crc32(prelude)) + written + payload
    return body + struct.pack(">I", zlib.crc32(body))


def event(name: str, value: Any) -> bytes:
    """Return an event: JSON, or bytes as they are."""
    payload = value if isinstance(value, bytes) else json.dumps(value).encode()
    return message({":event-type": name, ":content-type": "application/json", ":message-type": "event"}, payload)


def exception(name: str, said: str) -> bytes:
    """Return an exception in the middle of a stream."""
    return message({":exception-type": name, ":message-type": "exception"}, json.dumps({"message": said}).encode())


async def in_pieces(data: bytes, size: int = 7) -> AsyncIterator[bytes]:
    """Yield bytes as a network would, in pieces that end anywhere."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


def signature_of(
    method: str, path: str, headers: Mapping[str, str], body: bytes, *, secret: str, authorization: str
) -> str:
    """Return the signature that a request ought to have, by what its `Authorization` says was signed.

    References:
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """
    scope = re.findall(r"Credential=[^/]+/([^,]+)", authorization)[0]
    names = re.findall(r"SignedHeaders=([^,]+)", authorization)[0].split(";")
    day, region, service, _ = scope.split("/")
    given = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    raw, _, query = path.partition("?")
    canonical = "\n".join(
        (
            method,
            quote(raw, safe="/-_.~"),
            "&".join(sorted(query.split("&"))) if query else "",
            *(f"{name}:{given[name]}" for name in names),
            "",
            ";".join(names),
            hashlib.sha256(body).hexdigest(),
        )
    )
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = "\n".join(("AWS4-HMAC-SHA256", given["x-amz-date"], scope, hashed))
    key = ("AWS4" + secret).encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
