"""The processes that run math-verify and may be killed at any moment: JSON lines in, JSON lines out.

The first process imports the libraries, once, and forks a child that answers; killed, the child is replaced in
milliseconds. SIGUSR1 tells the first process to kill its child. No timer runs inside: the parent keeps the time. Should
the parent die first, end of input ends an idle child, and a limit on processor seconds, set anew for each request, a
busy one; the first process ends with a child that ended of itself. (The kernel's parent-death signal is of no use
here: it fires when the *thread* that started the process ends.)
"""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

_CPU_MARGIN_S = 2
_EXAMPLE = (r"$\frac{x+1}{2}$", r"$\frac{x}{2} + \frac{1}{2}$")


def main() -> None:
    """Serve until the input ends; the arguments are the memory bound (bytes) and the deadline (seconds)."""
    memory_bytes, deadline_s = int(sys.argv[1]), float(sys.argv[2])
    replies = _private_output()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.disable(logging.CRITICAL)
    try:
        from fieldguide.scoring._symbolic import equivalent
    except ImportError as error:
        _reply(replies, {"missing": error.name or "math_verify"})
        return
    equivalent(*_EXAMPLE)  # Fills the parser's tables, which every child then has.
    child = 0

    def kill_child(*_: object) -> None:
        with suppress(ProcessLookupError):
            if child:
                os.kill(child, signal.SIGKILL)

    signal.signal(signal.SIGUSR1, kill_child)
    while True:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGUSR1, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
            _serve(replies, equivalent, deadline_s)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) == 0:
            return


def _serve(replies: int, equivalent: Callable[[str, str], bool], deadline_s: float) -> None:
    _reply(replies, {"ready": os.getpid()})
    for line in sys.stdin.buffer:
        _allow_cpu(deadline_s + _CPU_MARGIN_S)
        request = json.loads(line)
        _reply(replies, {"id": request["id"], **_judged(equivalent, request)})


def _judged(equivalent: Callable[[str, str], bool], request: dict[str, Any]) -> dict[str, object]:
    try:
        return {"equal": equivalent(request["gold"], request["predicted"])}
    except MemoryError:
        return {"fault": "memory"}
    except Exception as error:  # What math-verify cannot compare is not equal; only a process that dies says nothing.
        return {"equal": False, "error": type(error).__name__}


def _private_output() -> int:
    """Return the pipe to the parent and point standard output elsewhere: libraries print to it."""
    pipe = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return pipe


def _reply(replies: int, reply: dict[str, object]) -> None:
    """Write one short line at once, so that a kill never leaves half of it."""
    try:
        os.write(replies, json.dumps(reply).encode() + b"\n")
    except BrokenPipeError:
        os._exit(0)


def _allow_cpu(seconds: float) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
