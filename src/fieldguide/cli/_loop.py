"""Runs a use case: the first Ctrl-C asks it to stop, the second ends it."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from fieldguide.app.wiring import House
from fieldguide.evaluation import Stop

T = TypeVar("T")


def run_to_end(
    house: House, work: Callable[[Stop], Awaitable[T]], *, say: Callable[[str], None], gentle: bool = True
) -> T:
    """Run `work` and close the house.

    Args:
        house: Closed at the end, whatever happens.
        work: Given a `Stop` that SIGINT and SIGTERM trigger.
        say: Prints a line for the person who pressed Ctrl-C.
        gentle: Whether the work knows how to stop; otherwise the first Ctrl-C ends it.

    Raises:
        KeyboardInterrupt: Asked twice, or once where nothing is to be stopped gently.
    """
    return asyncio.run(_run(house, work, say, gentle=gentle))


async def _run(house: House, work: Callable[[Stop], Awaitable[T]], say: Callable[[str], None], *, gentle: bool) -> T:
    stop = Stop()
    task = asyncio.ensure_future(_as_coroutine(work(stop)))

    def asked() -> None:
        again = stop.requested
        stop.request()
        if again or not gentle:
            task.cancel()
        else:
            say("stopping: requests in flight get a moment to arrive; Ctrl-C again ends at once")

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked)
    try:
        return await task
    except asyncio.CancelledError:
        sys.stderr.flush()
        raise KeyboardInterrupt from None
    finally:
        await house.close()


def _as_coroutine(awaitable: Awaitable[T]) -> Coroutine[Any, Any, T]:
    async def waited() -> T:
        return await awaitable

    return waited()
