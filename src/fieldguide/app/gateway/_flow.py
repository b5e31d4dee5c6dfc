"""Answers other than words that are passed on while they come: sound, above all."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncGenerator, Callable
from typing import TypeVar

from fieldguide.app.gateway._gateway import Gateway, _passes_on
from fieldguide.app.gateway._models import Open
from fieldguide.app.gateway._visit import Ask
from fieldguide.domain import Latency, Usage
from fieldguide.errors import FieldguideError, ResponseFormatError

T = TypeVar("T")
Act = Callable[[Open, T], AsyncGenerator[bytes, None]]
"""Yields what a model gives; nothing at all is a fault."""


async def flow(
    gateway: Gateway, ask: Ask, request_for: Callable[[Open], T], act: Act[T]
) -> AsyncGenerator[Open | bytes, None]:
    """Yield the model that answers, then what it gives, piece by piece.

    Raises:
        FieldguideError: It could not be done, or broke off; before the first piece, others were tried.
    """
    candidates = list(gateway._candidates(ask))
    for place, config in enumerate(candidates):
        begun = False
        try:
            async with gateway.models.used(config) as model:
                request = request_for(model)
                visit = await gateway._begin(ask, model, Usage(input_tokens=ask.body_bytes, output_tokens=0))
                began_s = time.perf_counter()
                try:
                    while True:
                        try:
                            async with contextlib.aclosing(act(model, request)) as pieces:
                                async for piece in pieces:
                                    if not begun:
                                        ttft_s, begun = time.perf_counter() - began_s, True
                                        yield model
                                    yield piece
                            if not begun:
                                raise ResponseFormatError("The model gave nothing.")
                            visit.answered(Usage(output_tokens=0), Latency(ttft_s=ttft_s))
                            return
                        except FieldguideError as error:
                            if begun or not await gateway._again(error, visit):
                                raise
                except BaseException as error:
                    visit.broke_off(error)
                    raise
        except FieldguideError as error:
            if begun or place + 1 == len(candidates) or not _passes_on(error):
                raise
