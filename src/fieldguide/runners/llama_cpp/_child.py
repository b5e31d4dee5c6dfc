"""The child process: loads one model file and serves it on a UNIX socket until its parent leaves.

Run as a file (`python -I _child.py`), so that it imports nothing of the program but the engine. It is told what to do
by one line of JSON on stdin, says `ready` on stdout, and goes when stdin ends. All that the engine writes goes to
stderr, where the parent listens.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import shutil
import signal
import sys
from typing import Any, NoReturn

EXIT_NOT_LOADED = 3
EXIT_NO_ENGINE = 4
_PR_SET_PDEATHSIG = 1
_CACHE_MIB = 256


def main() -> None:
    """Load, serve, and leave when the parent does."""
    control = os.dup(1)
    os.dup2(2, 1)
    order: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    # The engine holds the interpreter lock while it loads, so until then only the kernel can end this process.
    _die_with_parent(signal.SIGKILL, order["parent"])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if order["data_limit_bytes"]:
        resource.setrlimit(resource.RLIMIT_DATA, (order["data_limit_bytes"], order["data_limit_bytes"]))
    server = _serve(order)
    signal.signal(signal.SIGTERM, lambda *_: _leave(order["folder"]))
    _die_with_parent(signal.SIGTERM, order["parent"])
    os.write(control, b"ready\n")
    while os.read(0, 4096):
        pass
    del server
    _leave(order["folder"])


def _die_with_parent(number: int, parent: int) -> None:
    """Have the kernel send this signal when the parent dies; leave at once if it is dead already."""
    if hasattr(ctypes, "CDLL") and sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def _leave(folder: str) -> NoReturn:
    """End without the engine's destructors, which would wait for requests in flight."""
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def _serve(order: dict[str, Any]) -> Any:
    """Return the engine's server, which answers from its own threads."""
    sys.path.append(order["import_path"])
    try:
        import xllamacpp
    except ImportError as error:
        print(f"cannot import xllamacpp: {error}", file=sys.stderr)
        sys.exit(EXIT_NO_ENGINE)
    try:
        return xllamacpp.Server(_params(xllamacpp, order))
    except RuntimeError:  # says nothing; the reason is on stderr already
        sys.exit(EXIT_NOT_LOADED)


def _params(xllamacpp: Any, order: dict[str, Any]) -> Any:
    params = xllamacpp.CommonParams()
    params.model.path = order["model"]
    params.model_alias = {order["alias"]}
    params.hostnames = [order["socket"]]
    params.n_parallel = order["slots"]
    params.n_ctx = order["context_tokens"] * order["slots"]
    params.cpuparams.n_threads = order["threads"]
    params.cpuparams_batch.n_threads = order["threads"]
    params.n_threads_http = order["slots"] + 4
    params.cache_ram_mib = _CACHE_MIB
    params.ctx_shift = False
    params.check_tensors = True
    params.no_extra_bufts = not order["repack"]
    if order["mmproj"] is not None:
        params.mmproj.path = order["mmproj"]
        params.image_max_tokens = order["image_max_tokens"]
    params.ui = False
    params.endpoint_slots = False
    params.endpoint_props = False
    params.endpoint_metrics = False
    return params


if __name__ == "__main__":
    main()
