"""A model file loaded by the embedded llama.cpp in a process of its own, and what that process holds."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

_GGML_TYPES = {"F16": 1, "Q4_0": 2, "Q8_0": 8}
_LOAD = """
import json, os, sys
order = json.loads(sys.stdin.readline())
import xllamacpp
params = xllamacpp.CommonParams()
params.model.path = order["model"]
params.hostnames = [order["socket"]]
params.n_parallel = order["slots"]
params.n_ctx = order["context_tokens"] * order["slots"]
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
params.cache_type_k = params.cache_type_v = order["kv_type"]
params.n_threads_http = order["slots"] + 2
params.cache_ram_mib = 0
params.check_tensors = True
params.no_extra_bufts = True
params.ctx_shift = False
params.ui = False
server = xllamacpp.Server(params)
print("ready", flush=True)
sys.stdin.read()
os._exit(0)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Bytes of a process: shared pages divided among who shares them (PSS), and counted whole (RSS)."""

    pss_bytes: int
    rss_bytes: int


def measured(
    path: Path, *, context_tokens: int, slots: int = 1, kv_type: str = "F16", prompt_tokens: int
) -> tuple[Held, Held]:
    """Return what the process holds after loading, and after one long prompt in every slot."""
    pytest.importorskip("xllamacpp", reason="the extra `llama-cpp` is not installed")
    with tempfile.TemporaryDirectory(prefix="fg-", dir="/tmp") as folder:
        address = f"{folder}/s.sock"
        order = {"model": str(path), "socket": address, "slots": slots, "context_tokens": context_tokens}
        order["kv_type"] = _GGML_TYPES[kv_type]
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", _LOAD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={"LANG": "C.UTF-8", "PATH": os.defpath, "GOMP_SPINCOUNT": "1000"},
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.flush()
            while (line := process.stdout.readline()) != "ready\n":
                assert line, "the engine did not load the file"
            loaded = _held(process.pid)
            _prompt(address, slots, prompt_tokens)
            return loaded, _held(process.pid)
        finally:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()


def _held(pid: int) -> Held:
    """Return what a process holds, its model file counted whole: another process may have mapped the same file."""
    pss = rss = 0
    is_model = False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        key, _, value = line.partition(" ")
        if not key.endswith(":"):
            is_model = line.endswith(".gguf")
        elif key == "Rss:":
            rss += int(value.split()[0])
            pss += int(value.split()[0]) if is_model else 0
        elif key == "Pss:" and not is_model:
            pss += int(value.split()[0])
    return Held(pss_bytes=pss * 1024, rss_bytes=rss * 1024)


def _prompt(address: str, slots: int, tokens: int) -> None:
    """Fill every slot at once, each with another prompt."""
    statuses: list[bytes] = []
    threads = [threading.Thread(target=_ask, args=(address, slot, tokens, statuses)) for slot in range(slots)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [b"HTTP/1.1 200 OK"] * slots


def _ask(address: str, slot: int, tokens: int, statuses: list[bytes]) -> None:
    prompt = [300 + (place * 7 + slot) % 200 for place in range(tokens)]
    body = json.dumps({"prompt": prompt, "n_predict": 2, "ignore_eos": True, "id_slot": slot}).encode()
    head = f"POST /completion HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(240)
        link.connect(address)
        link.sendall(head.replace("Host:", "Content-Type: application/json\r\nHost:").encode() + body)
        answer = b""
        while piece := link.recv(65_536):
            answer += piece
    statuses.append(answer.partition(b"\r\n")[0])
