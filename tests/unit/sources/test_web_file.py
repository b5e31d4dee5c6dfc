"""Files at an address of their own, over real HTTP on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fieldguide.errors import FormatError, NotFoundError, OfflineError, SourceError, UsageError
from fieldguide.http_client import new_session
from fieldguide.sources import ModelStore, TransferSettings, check_file
from tests.support.range_server import NONE, Fault, RangeServer

NOBODY: frozenset[str] = frozenset()
WHOLE = b"GGUF" + b"w" * 200_000


@pytest.fixture
def server() -> Iterator[RangeServer]:
    files = {
        "/m/a%20b.gguf": WHOLE,
        "/m/big-00001-of-00002.gguf": b"GGUF1",
        "/m/big-00002-of-00002.gguf": b"GGUF2",
        "/m/cut-00001-of-00002.gguf": b"GGUF1",
    }
    with RangeServer(files) as running:
        yield running


def test_an_address_is_planned_and_pulled(home: Path, server: RangeServer) -> None:
    """The size is known beforehand; the name is the file's, and what came is written down."""
    models, address = ModelStore(home), f"{server.origin}/m/a%20b.gguf"
    plan = models.plan(address)
    assert (plan.name, plan.missing_bytes, plan.files[0].path) == ("a-b", len(WHOLE), "a b.gguf")
    stored = models.pull(address, accepted_licences=NOBODY)
    assert (stored.path.read_bytes(), stored.reference, stored.pinned) == (WHOLE, address, False)
    assert models.find(address) == stored
    assert models.remove(address) == len(WHOLE)


def test_a_second_pull_of_an_address_brings_nothing(home: Path, server: RangeServer) -> None:
    """Unless its size has changed."""
    models, address = ModelStore(home), f"{server.origin}/m/a%20b.gguf"
    models.pull(address, accepted_licences=NOBODY)
    before = server.sent_bytes
    models.pull(address, accepted_licences=NOBODY)
    assert server.sent_bytes == before
    server.files["/m/a%20b.gguf"] = WHOLE + b"more"
    assert models.pull(address, accepted_licences=NOBODY).size_bytes == len(WHOLE) + 4


def test_the_parts_of_a_split_file_come_together(home: Path, server: RangeServer) -> None:
    """Whichever part was named; one that is missing is said before a byte is brought."""
    stored = ModelStore(home).pull(f"{server.origin}/m/big-00002-of-00002.gguf", accepted_licences=NOBODY)
    assert stored.path.name == "big-00001-of-00002.gguf"
    assert [file.size_bytes for file in stored.files] == [5, 5]
    with pytest.raises(NotFoundError, match="cut-00002"):
        ModelStore(home).pull(f"{server.origin}/m/cut-00001-of-00002.gguf", accepted_licences=NOBODY)


@pytest.mark.parametrize(
    ("path", "error", "says"),
    [
        ("/none.gguf", NotFoundError, "no file at"),
        ("/m/", UsageError, "does not end in"),
        ("/m/model.bin", UsageError, "does not end in"),
        ("/m/..%2fevil.gguf", SourceError, "no path inside"),
        ("/m/a%00b.gguf", SourceError, "no path inside"),
    ],
)
def test_what_is_no_model_file_is_refused(
    home: Path, server: RangeServer, path: str, error: type[Exception], says: str
) -> None:
    """With a sentence, and nothing is left behind."""
    with pytest.raises(error, match=says):
        ModelStore(home).pull(f"{server.origin}{path}", accepted_licences=NOBODY)
    assert not home.exists()
    assert [asked.path for asked in server.asked] in ([], ["/none.gguf"])


def test_an_address_with_a_password_is_refused(home: Path) -> None:
    """It would be written down."""
    with pytest.raises(UsageError, match="password"):
        ModelStore(home).plan("https://me:secret@example.org/m.gguf")


def test_a_server_that_is_down_is_said_to_be(home: Path, server: RangeServer) -> None:
    """Trying again may help."""
    server.fault = lambda asked: Fault("status", status=503)
    with pytest.raises(OfflineError, match="503"):
        ModelStore(home).plan(f"{server.origin}/m/a%20b.gguf")


def test_a_signed_address_is_written_nowhere(home: Path, server: RangeServer) -> None:
    """What stands in its query opens the file to whoever reads it: not in a manifest, a journal, or an error."""
    models, plain = ModelStore(home), f"{server.origin}/m/a%20b.gguf"
    server.files["/m/a%20b.gguf?sig=SECRET"] = WHOLE
    stored = models.pull(f"{plain}?sig=SECRET", accepted_licences=NOBODY)
    assert stored.reference == plain
    assert models.find(f"{plain}?sig=OTHER") == stored
    with pytest.raises(NotFoundError) as missing:
        models.pull(f"{server.origin}/m/none.gguf?sig=SECRET", accepted_licences=NOBODY)
    assert "SECRET" not in f"{missing.value.message}{missing.value.hint}"
    assert not [path for path in home.rglob("*") if path.is_file() and b"SECRET" in path.read_bytes()]


def test_a_part_that_is_whole_is_not_sent_again_after_another_broke_off(home: Path, server: RangeServer) -> None:
    """Though nothing promises what its bytes are: its journal stays until the model is stored."""
    transfer = TransferSettings(new_session=new_session, connections=1, first_wait_s=0.001, most_faults=2)
    models, address = ModelStore(home, transfer=transfer), f"{server.origin}/m/big-00001-of-00002.gguf"
    server.fault = lambda asked: Fault("refuse") if "00002-of" in asked.path and asked.start is not None else NONE
    with pytest.raises(OfflineError):
        models.pull(address, accepted_licences=NOBODY)
    before = server.sent_bytes
    server.fault = lambda asked: NONE
    stored = models.pull(address, accepted_licences=NOBODY)
    assert (stored.size_bytes, server.sent_bytes - before) == (10, 5)
    assert not list((home / "downloads" / "blobs").iterdir())


def test_a_file_that_is_damaged_is_told_by_its_own_name(home: Path, server: RangeServer) -> None:
    """Where it lay on its way is gone by then and says nothing to anybody."""
    server.files["/m/odd.gguf"] = b"<html>"
    with pytest.raises(FormatError, match=r"^odd\.gguf: byte 0"):
        ModelStore(home, check=check_file).pull(f"{server.origin}/m/odd.gguf", accepted_licences=NOBODY)
    assert not [path for path in home.rglob("*") if path.is_file() and path.suffix != ".lock"]
