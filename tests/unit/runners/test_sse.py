"""Server-sent events survive every way of cutting them into pieces."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.errors import ResponseFormatError
from fieldguide.runners._sse import events

STREAM = (
    ': OPENROUTER PROCESSING\r\n\r\ndata: {"text": "größe 數"}\n\n'
    "event: x\ndata: one\ndata: two\r\n\r\nid: 7\rdata: [DONE]\r\r"
)
EVENTS = ['{"text": "größe 數"}', "one\ntwo", "[DONE]"]


async def pieces(data: bytes, cuts: list[int]) -> AsyncIterator[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, end in pairwise(edges):
        yield data[start:end]


async def collect(data: bytes, cuts: list[int]) -> list[str]:
    return [event async for event in events(pieces(data, cuts))]


async def test_a_stream_cut_at_any_byte_gives_the_same_events() -> None:
    """Characters, line ends and fields may be split between pieces at every offset."""
    data = (STREAM + "\n").encode()
    for cut in range(len(data) + 1):
        assert await collect(data, [cut]) == EVENTS


@given(st.lists(st.integers(0, 10_000), max_size=40))
async def test_a_stream_cut_at_many_bytes_gives_the_same_events(cuts: list[int]) -> None:
    """The number of pieces does not matter either."""
    assert await collect((STREAM + "\n").encode(), cuts) == EVENTS


async def test_data_without_their_closing_line_are_no_event() -> None:
    """A stream that was cut does not deliver its last, unfinished event."""
    assert await collect(b"data: one\n\ndata: tw", []) == ["one"]
    assert await collect(b"data: one\n\ndata: two\n", []) == ["one"]


async def test_bytes_that_are_no_text_are_an_error() -> None:
    """A stream that is not UTF-8 is malformed and not guessed at."""
    with pytest.raises(ResponseFormatError, match="UTF-8"):
        await collect(b"data: \xff\xfe\n\n", [])


async def test_an_endless_event_is_refused() -> None:
    """An event that grows past 16 MiB ends in an error instead of the machine's memory."""

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 1024 * 1024

    with pytest.raises(ResponseFormatError, match="16 MiB"):
        _ = [event async for event in events(endless())]
