"""Debian's `docker-registry` as a real registry for Ollama's protocol; `make setup-system` installs it."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

import pytest

_CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {root}}}}}
http: {{addr: 127.0.0.1:{port}}}
"""
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_KIND = "application/vnd.ollama.image."


@contextmanager
def docker_registry(folder: Path) -> Iterator[str]:
    """Run an empty registry and yield its address; skip the test where it is not installed."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("needs Debian's docker-registry (make setup-system)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = folder / "registry.yml"
    config.write_text(_CONFIG.format(root=folder / "registry", port=port))
    process = subprocess.Popen([program, "serve", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"{address}/v2/", timeout=1).close()
                break
            except (URLError, OSError):
                time.sleep(0.05)
        yield address
    finally:
        process.kill()
        process.wait()


def push(address: str, repository: str, tag: str, layers: Mapping[str, bytes]) -> str:
    """Push layers by their Ollama kind (`model`, `template`, ...) and return the manifest's digest."""
    described = [
        {"mediaType": f"{_KIND}{kind}", "digest": _blob(address, repository, content), "size": len(content)}
        for kind, content in layers.items()
    ]
    config = b'{"model_format":"gguf"}'
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {
                "mediaType": "application/vnd.docker.container.image.v1+json",
                "digest": _blob(address, repository, config),
                "size": len(config),
            },
            "layers": described,
        }
    ).encode()
    _send("PUT", f"{address}/v2/{repository}/manifests/{tag}", manifest, MANIFEST)
    return f"sha256:{hashlib.sha256(manifest).hexdigest()}"


def _blob(address: str, repository: str, content: bytes) -> str:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    place = _send("POST", f"{address}/v2/{repository}/blobs/uploads/", b"", "application/octet-stream")
    joined = "&" if "?" in place else "?"
    _send("PUT", f"{place}{joined}digest={digest}", content, "application/octet-stream")
    return digest


def _send(method: str, url: str, content: bytes, kind: str) -> str:
    request = urllib.request.Request(url, data=content, method=method, headers={"Content-Type": kind})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(answer.headers.get("Location") or "")
