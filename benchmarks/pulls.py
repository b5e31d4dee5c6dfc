"""Fetching on loopback: our pull against curl and the hub's own client, memory for a large file, and a long list.

    python benchmarks/pulls.py [--megabytes 1000] [--repetitions 3] [--memory-gigabytes 4] [--json]

One server process on loopback plays a Hugging Face hub with one generated GGUF file, from a sparse file on disk, by
`sendfile`. The arms run in alternation on the same file; curl does not hash, ours does. A time is that of the whole
process. The machine's page cache holds the file, so that the network stack and the client are what is measured.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

COMMIT = "a" * 40
PROGRAM = Path(sys.executable).with_name("fieldguide")
HF = Path(sys.executable).with_name("hf")


def header() -> bytes:
    """Return the smallest GGUF file: one tensor follows it, of which the size is patched in."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.support.model_files import gguf_bytes, llama_facts

    return gguf_bytes(llama_facts(), [])


def make_file(path: Path, size: int) -> str:
    """Write a file of `size` bytes that is a valid, empty GGUF with padding behind, and return its sha256."""
    digest, block = hashlib.sha256(), os.urandom(1 << 20)
    with path.open("wb") as file:
        piece = header()
        while size > 0:
            piece = piece[:size]
            file.write(piece)
            digest.update(piece)
            size -= len(piece)
            piece = block
    return digest.hexdigest()


class Hub:
    """A hub that answers what the clients ask of one model, with sendfile."""

    def __init__(self, path: Path, sha256: str) -> None:
        self.path, self.sha256, self.size = path, sha256, path.stat().st_size
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    def run(self) -> None:
        while True:
            connection, _ = self.socket.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        buffered = b""
        with connection:
            while True:
                while b"\r\n\r\n" not in buffered:
                    try:
                        more = connection.recv(65536)
                    except OSError:
                        return
                    if not more:
                        return
                    buffered += more
                head, _, buffered = buffered.partition(b"\r\n\r\n")
                try:
                    self.answer(connection, head.decode("latin-1"))
                except OSError:
                    return

    def answer(self, connection: socket.socket, head: str) -> None:
        method, target = head.split(" ")[:2]
        if "/resolve/" in target:
            found = re.search(r"(?im)^range: bytes=(\d+)-(\d*)", head)
            start = int(found[1]) if found else 0
            end = min(int(found[2]) + 1, self.size) if found and found[2] else self.size
            fields = [
                f"HTTP/1.1 {206 if found else 200} X",
                f"Content-Length: {end - start}",
                f'ETag: "{self.sha256}"',
                f'X-Linked-Etag: "{self.sha256}"',
                f"X-Linked-Size: {self.size}",
                f"X-Repo-Commit: {COMMIT}",
                "Accept-Ranges: bytes",
            ]
            if found:
                fields.append(f"Content-Range: bytes {start}-{end - 1}/{self.size}")
            connection.sendall("\r\n".join([*fields, "", ""]).encode())
            if method == "GET":
                with self.path.open("rb") as file:
                    connection.sendfile(file, start, end - start)
            return
        about = {
            "_id": "1", "id": "owner/model", "sha": COMMIT, "private": False, "gated": False, "tags": ["license:mit"],
            "siblings": [
                {"rfilename": "m.gguf", "size": self.size, "blobId": "b" * 40,
                 "lfs": {"sha256": self.sha256, "size": self.size, "pointerSize": 134}}
            ],
        }  # fmt: skip
        known = "/api/models/owner/model" in target
        tree = [{"type": "file", "path": "m.gguf", "size": self.size, "oid": "b" * 40}]
        body = json.dumps(tree if "/tree/" in target else about if known else {"error": "no"}).encode()
        status = 200 if known else 404
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)


def run(command: list[str], folder: Path, address: str) -> tuple[float, float, int]:
    """Return wall seconds, processor seconds and peak bytes of one command."""
    environment = {
        **os.environ, "HF_ENDPOINT": address, "HF_HOME": str(folder / "hf"), "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HOME": str(folder),
        "FIELDGUIDE_HOME": str(folder / "home"),
    }  # fmt: skip
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    error = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    if status != 0:
        raise SystemExit(f"{command[0]} failed: {error.decode(errors='replace')[-400:]}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def throughput(folder: Path, size: int, repetitions: int) -> dict[str, list[tuple[float, float, int]]]:
    source = folder / "source.gguf"
    hub = Hub(source, make_file(source, size))
    server = os.fork()
    if server == 0:
        hub.run()
    address = f"{hub.address}/owner/model/resolve/{COMMIT}/m.gguf"
    arms = {
        "fieldguide": [str(PROGRAM), "pull", "hf:owner/model", "--yes", "--quiet"],
        "curl": ["curl", "-sS", "-o", "OUT", address],
        "curl and sha256sum": [
            "sh",
            "-c",
            f"curl -sS -o OUT {hub.address}/owner/model/resolve/x/m.gguf; sha256sum OUT",
        ],
        "hf download": [str(HF), "download", "owner/model", "m.gguf", "--quiet"],
    }
    results: dict[str, list[tuple[float, float, int]]] = {name: [] for name in arms}
    try:
        for _ in range(repetitions):
            for name, command in arms.items():
                place = Path(tempfile.mkdtemp(dir=folder))
                ready = [part.replace("OUT", str(place / "out")) for part in command]
                results[name].append(run(ready, place, hub.address))
                shutil.rmtree(place)
    finally:
        os.kill(server, 9)
        os.waitpid(server, 0)
        source.unlink()
    return results


def long_list(folder: Path, repetitions: int) -> list[float]:
    home = folder / "home"
    for part in ("blobs", "manifests"):
        (home / "models" / part).mkdir(parents=True)
    for number in range(1000):
        sha256 = hashlib.sha256(str(number).encode()).hexdigest()
        (home / f"models/blobs/sha256-{sha256}.gguf").write_bytes(b"GGUF")
        manifest = {
            "name": f"model-{number:04d}", "reference": f"hf:owner/model-{number}@{COMMIT}#m.gguf", "file": "m.gguf",
            "size_bytes": 4, "sha256": sha256, "pinned": True, "licence_id": "mit", "acceptance": None,
            "pulled_at": datetime.now(UTC).isoformat(), "kind": "gguf", "warnings": [], "format": 2,
            "files": [{"path": "m.gguf", "size_bytes": 4, "sha256": sha256, "elsewhere": None}],
        }  # fmt: skip
        (home / f"models/manifests/model-{number:04d}.json").write_text(json.dumps(manifest))
    command = [str(PROGRAM), "list"]
    run(command, folder, "http://127.0.0.1:9")
    return [run(command, folder, "http://127.0.0.1:9")[0] for _ in range(repetitions)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--memory-gigabytes", type=float, default=4.0, help="0 leaves the large file out")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found: dict[str, object] = {"megabytes": options.megabytes, "load": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        results = throughput(folder, options.megabytes * 1_000_000, options.repetitions)
        found["arms"] = {
            name: {
                "wall_s": statistics.median(each[0] for each in runs),
                "cpu_s": statistics.median(each[1] for each in runs),
                "peak_mb": max(each[2] for each in runs) / 1e6,
                "mb_per_s": options.megabytes / statistics.median(each[0] for each in runs),
            }
            for name, runs in results.items()
        }
        ours = [each[0] for each in results["fieldguide"]]
        found["times_ours"] = {
            name: statistics.median(other[0] / own for other, own in zip(runs, ours, strict=True))
            for name, runs in results.items()
        }
        if options.memory_gigabytes:
            large = throughput_of_one(folder, round(options.memory_gigabytes * 1e9))
            found["large"] = {"gigabytes": options.memory_gigabytes, "wall_s": large[0], "peak_mb": large[2] / 1e6}
        found["list_of_1000_s"] = statistics.median(long_list(folder, 5))
    print(json.dumps(found, indent=2))


def throughput_of_one(folder: Path, size: int) -> tuple[float, float, int]:
    source = folder / "large.gguf"
    hub = Hub(source, make_file(source, size))
    server = os.fork()
    if server == 0:
        hub.run()
    place = Path(tempfile.mkdtemp(dir=folder))
    try:
        return run([str(PROGRAM), "pull", "hf:owner/model", "--yes", "--quiet"], place, hub.address)
    finally:
        os.kill(server, 9)
        os.waitpid(server, 0)
        shutil.rmtree(place)
        source.unlink()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
