"""Threads that make pages, each with a house of its own: the records of one belong to one thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from fieldguide.app.wiring import House

T = TypeVar("T")
_SLOW = 3


class Readers:
    """One thread for pages, which takes them in turn, and a few for those that may wait for something."""

    def __init__(self, open_house: Callable[[], House]) -> None:
        """`open_house` opens the user's house, once for each thread."""
        self._open_house = open_house
        self._local = threading.local()
        self._opened: list[House] = []
        self._quick = ThreadPoolExecutor(max_workers=1, thread_name_prefix="fieldguide-web")
        self._slow = ThreadPoolExecutor(max_workers=_SLOW, thread_name_prefix="fieldguide-web-slow")

    async def read(self, made: Callable[[House], T], *, slow: bool = False) -> T:
        """Return what is made with a house, in a thread that has one."""
        pool = self._slow if slow else self._quick
        return await asyncio.get_running_loop().run_in_executor(pool, lambda: made(self._house()))

    async def close(self) -> None:
        """Wait for what is being made, and close the records."""
        await asyncio.to_thread(self._slow.shutdown, cancel_futures=True)
        await asyncio.to_thread(self._quick.shutdown, cancel_futures=True)
        for house in self._opened:
            house.close_store()

    def _house(self) -> House:
        found: House | None = getattr(self._local, "house", None)
        if found is None:
            found = self._local.house = self._open_house()
            self._opened.append(found)
        return found
