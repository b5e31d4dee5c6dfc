"""Models that know the ladder as well as they are told to, behind a server of OpenAI's language in a thread."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fieldguide.app.exams import build_exam
from tests.support.fake_server import Call, FakeServer, chat, fake_server

ITEMS = 48
RIGHT = {"good": 5, "poor": 2, "like-poor": 2}
"""Of six items so many are answered right."""


@dataclass
class Scripted:
    """Where it listens, what it was asked, and whether it answers yet."""

    server: FakeServer
    pace_s: float
    """How long each answer takes while they are held back."""
    held_back: bool = True

    @property
    def url(self) -> str:
        """Its address, to which `#good` or `#poor` is added."""
        return self.server.url

    @property
    def calls(self) -> list[Call]:
        """Everything it was asked."""
        return self.server.calls

    def answer_all(self) -> None:
        """Answer from now on at once."""
        self.held_back = False

    def hold_back(self, pace_s: float | None = None) -> None:
        """Take time for every answer from now on."""
        self.pace_s = self.pace_s if pace_s is None else pace_s
        self.held_back = True


@contextmanager
def scripted_models(*, text: str = "The answer is {}", pace_s: float = 0.5) -> Iterator[Scripted]:
    """Serve the models of `RIGHT`; `text` is what they say, and `pace_s` how long each answer takes while held back."""
    exam, scorer = build_exam("ladder", data=None, limit=4 * ITEMS)
    scorer.close()
    known = {str(item.prompt or (item.messages or ())[-1].text): (k, item.target) for k, item in enumerate(exam.items)}
    ready, ended = threading.Event(), threading.Event()
    made: list[Scripted] = []

    def respond(call: Call) -> dict[str, object]:
        place, target = known[call.prompt]
        right = place % 6 < RIGHT[call.body["model"]]
        return chat(text.format(target if right else 99991), input_tokens=40, output_tokens=8)

    async def serve() -> None:
        async def waited() -> None:
            until_s = time.monotonic() + made[0].pace_s
            while made[0].held_back and time.monotonic() < until_s:  # noqa: ASYNC110 - set from another thread
                await asyncio.sleep(0.02)

        async with fake_server(respond, before=waited) as server:
            made.append(Scripted(server, pace_s))
            ready.set()
            await asyncio.to_thread(ended.wait)

    worker = threading.Thread(target=lambda: asyncio.run(serve()))
    worker.start()
    assert ready.wait(20)
    try:
        yield made[0]
    finally:
        ended.set()
        worker.join()
