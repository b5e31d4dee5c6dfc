"""Amazon's event streams: whole, damaged, cut, and with exceptions in their middle."""

from __future__ import annotations

import struct

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.errors import (
    ContextLengthExceededError,
    InvalidRequestError,
    ProviderFaultError,
    RateLimitError,
    ResponseFormatError,
    RunnerError,
    RunnerTimeoutError,
    RunnerUnavailableError,
)
from fieldguide.runners.aws import StreamMessage, events_of, messages
from tests.support.event_stream import event, exception, in_pieces, message


async def all_of(data: bytes, size: int = 7) -> list[StreamMessage]:
    return [each async for each in events_of(in_pieces(data, size))]


@given(
    names=st.lists(st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=20), max_size=4),
    value=st.text(max_size=40),
    payload=st.binary(max_size=200),
    size=st.integers(1, 60),
)
async def test_it_reads_what_botocore_reads(names: list[str], value: str, payload: bytes, size: int) -> None:
    """Whatever the pieces: the same headers, the same payloads."""
    data = message(dict.fromkeys(names, value), payload) + event("second", {"a": 1})
    theirs = EventStreamBuffer()
    theirs.add_data(data)
    ours = [each async for each in messages(in_pieces(data, size))]
    assert [(dict(each.headers), each.payload) for each in ours] == [(each.headers, each.payload) for each in theirs]


async def test_every_type_of_header_is_read() -> None:
    """Truth, numbers of four sizes, bytes, text, time and identifier."""
    headers = (
        b"\x01a\x00\x01b\x01\x01c\x02\xff\x01d\x03\x00\x02\x01e\x04\x00\x00\x00\x03\x01f\x05"
        + struct.pack(">q", -4)
        + b"\x01g\x06\x00\x02xy\x01h\x07\x00\x01z\x01i\x08"
        + struct.pack(">q", 5)
        + b"\x01j\x09"
        + bytes(range(16))
    )
    whole = _of_headers(headers)
    (found,) = [each async for each in messages(in_pieces(whole))]
    theirs = EventStreamBuffer()
    theirs.add_data(whole)
    (expected,) = list(theirs)
    assert {name: value for name, value in found.headers.items() if name != "j"} == {
        name: value for name, value in expected.headers.items() if name != "j"
    }
    assert found.headers["j"] == bytes(range(16))


def _of_headers(headers: bytes) -> bytes:
    import zlib

    prelude = struct.pack(">II", 16 + len(headers), len(headers))
    body = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers
    return body + struct.pack(">I", zlib.crc32(body))


@pytest.mark.parametrize(
    "headers", [b"\x05ab", b"\x01a\x0b", b"\x01a\x07\x00\x09x", b"\x01a\x05\x00", b"\x01\xff\x00", b"\x01a"]
)
async def test_headers_that_cannot_be_read_are_an_error(headers: bytes) -> None:
    """With checksums that are right: cut names, unknown types, cut values, names that are no text."""
    with pytest.raises(ResponseFormatError):
        await all_of(_of_headers(headers))


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
async def test_one_wrong_bit_is_never_read_as_an_event(place: int, bit: int) -> None:
    """Wherever it is, a checksum or the size tells; what came before the damage was right."""
    good = event("contentBlockDelta", {"delta": {"text": "hello"}})
    data = bytearray(good + good)
    data[place % len(data)] ^= 1 << bit
    with pytest.raises(ResponseFormatError):
        await all_of(bytes(data))


@pytest.mark.parametrize("kept", [1, 11, 12, 40, -1])
async def test_a_stream_that_was_cut_is_an_error(kept: int) -> None:
    """Also within the prelude, and one byte before the end."""
    with pytest.raises(ResponseFormatError, match="broke off"):
        await all_of(event("messageStart", {"role": "assistant"})[:kept])


async def test_a_size_beyond_all_bounds_is_not_waited_for() -> None:
    """Nobody's memory is filled."""
    import zlib

    prelude = struct.pack(">II", 2**31, 0)
    with pytest.raises(ResponseFormatError, match="bytes"):
        await all_of(prelude + struct.pack(">I", zlib.crc32(prelude)))


async def test_text_in_place_of_a_stream_is_an_error() -> None:
    """As of a proxy's page."""
    with pytest.raises(ResponseFormatError):
        await all_of(b"<html>Bad gateway, as proxies say it</html>")


@pytest.mark.parametrize(
    ("name", "said", "kind"),
    [
        ("throttlingException", "Too many requests, please wait.", RateLimitError),
        ("modelStreamErrorException", "The model stumbled.", ProviderFaultError),
        ("internalServerException", "Oh.", ProviderFaultError),
        ("serviceUnavailableException", "Busy.", RunnerUnavailableError),
        ("modelTimeoutException", "Late.", RunnerTimeoutError),
        ("validationException", "Malformed input request.", InvalidRequestError),
        ("validationException", "Input is too long for requested model.", ContextLengthExceededError),
        ("anotherException", "Something new.", RunnerError),
    ],
)
async def test_an_exception_in_the_middle_is_our_error(name: str, said: str, kind: type[RunnerError]) -> None:
    """What came before it was yielded; nothing comes behind it."""
    seen = []
    with pytest.raises(kind, match=said[:12]) as caught:
        async for each in events_of(in_pieces(event("a", {}) + exception(name, said) + event("b", {}))):
            seen.append(each.name)
    assert seen == ["a"]
    assert caught.value.hint is not None or kind is not RateLimitError


async def test_an_error_message_is_our_error_too() -> None:
    """Errors that the service did not model come in headers."""
    headers = {":message-type": "error", ":error-code": "InternalFailure", ":error-message": "Broken."}
    with pytest.raises(ProviderFaultError, match="Broken"):
        await all_of(message(headers, b""))
