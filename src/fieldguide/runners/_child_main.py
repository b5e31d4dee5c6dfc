"""The child process of an engine: loads once, then answers one job after another until stdin ends.

Run as a file (`python -I _child_main.py PART`), so that it imports nothing of the program but the engine. PART is the
file of one engine with a function `load(order)`, which returns what the engine says of itself and `answer(job, tell)`.
The order and each job are a line of JSON on stdin; whatever is told goes to stdout as a line of JSON (`bytes`: how many
follow it) and bytes. All that the engine writes goes to stderr.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

EXIT_NOT_LOADED = 3
EXIT_NO_ENGINE = 4
_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Load, then serve until stdin ends."""
    control = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def tell(head: dict[str, Any], body: bytes = b"") -> None:
        control.write(json.dumps({**head, "bytes": len(body)}).encode() + b"\n" + body)
        control.flush()

    order: dict[str, Any] = json.loads(sys.stdin.readline())
    _die_with_parent(order["parent"])
    with contextlib.suppress(ImportError):  # Windows
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.path.append(order["import_path"])
    load = _load_of(sys.argv[1])
    try:
        of_itself, answer = load(order)
    except ImportError as error:
        print(f"cannot import the engine: {error}", file=sys.stderr)
        sys.exit(EXIT_NO_ENGINE)
    except Exception as error:
        print(error, file=sys.stderr)
        sys.exit(EXIT_NOT_LOADED)
    tell(of_itself)
    for line in sys.stdin:
        try:
            answer(json.loads(line), tell)
        except Exception as error:
            tell({"error": str(error) or type(error).__name__})


def _load_of(path: str) -> Callable[[dict[str, Any]], tuple[dict[str, Any], Callable[..., None]]]:
    spec = importlib.util.spec_from_file_location("part", path)
    assert spec is not None
    assert spec.loader is not None
    part = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(part)
    load: Callable[[dict[str, Any]], tuple[dict[str, Any], Callable[..., None]]] = part.load
    return load


def _die_with_parent(parent: int) -> None:
    """Have the kernel end this process when the parent dies; leave at once if it is dead already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


if __name__ == "__main__":
    main()
