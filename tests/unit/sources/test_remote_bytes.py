"""Headers read from afar, over real HTTP on loopback."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide.errors import FormatError, SourceError
from fieldguide.http_client import new_session
from fieldguide.sources import ModelStore, RemoteFile, SourceSettings
from fieldguide.sources._remote_bytes import RemoteBytes
from tests.support.model_files import gguf_bytes, llama_facts
from tests.support.range_server import Fault, RangeServer

CONTENT = gguf_bytes(llama_facts(), [("token_embd.weight", (256, 4096), 0)])
SETTINGS = SourceSettings(new_session=new_session)


def remote(server: RangeServer) -> RemoteBytes:
    return RemoteBytes(RemoteFile(url=f"{server.origin}/m.gguf", name="m.gguf", size_bytes=len(CONTENT)), SETTINGS)


def test_a_header_costs_kilobytes(home: Path) -> None:
    """Of a file of four megabytes; nothing is written."""
    with RangeServer({"/m.gguf": CONTENT}) as server:
        facts = ModelStore(home).remote(f"{server.origin}/m.gguf").facts()
        assert server.sent_bytes <= 256 << 10
    assert (facts.format, facts.file_bytes, facts.parameters) == ("gguf", len(CONTENT), 256 * 4096)
    assert not home.exists()


def test_ranges_are_the_bytes_of_the_file() -> None:
    """At its beginning, its end, and nowhere."""
    with RangeServer({"/m.gguf": CONTENT}) as server:
        source = remote(server)
        assert source.read(0, 4) == b"GGUF"
        assert source.read(len(CONTENT) - 3, 3) == CONTENT[-3:]
        assert source.read(5, 0) == b""
        assert source.read_bytes == 7


def test_a_server_without_ranges_gives_its_beginning_and_no_more() -> None:
    """The rest is not read; further in, the next step is told."""
    with RangeServer({"/m.gguf": CONTENT}) as server:
        server.fault = lambda asked: Fault("whole")
        assert remote(server).read(0, 100) == CONTENT[:100]
        with pytest.raises(SourceError, match="answers no ranges"):
            remote(server).read(100, 100)


def test_a_file_that_changes_while_it_is_read_is_an_error() -> None:
    """Two halves of two files are no header."""
    with RangeServer({"/m.gguf": CONTENT}) as server:
        source = remote(server)
        source.read(0, 100)
        server.files["/m.gguf"] = CONTENT[::-1]
        with pytest.raises(SourceError, match="changed"):
            source.read(100, 100)


def test_a_damaged_header_is_refused_from_afar(home: Path) -> None:
    """By the same reader as on disk."""
    with RangeServer({"/m.gguf": CONTENT[:5000]}) as server, pytest.raises(FormatError):
        ModelStore(home).remote(f"{server.origin}/m.gguf").facts()
