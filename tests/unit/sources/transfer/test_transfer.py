"""Files over real HTTP on loopback, from a server that does what it is told to."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fieldguide.errors import DiskSpaceError, IntegrityError, OfflineError
from fieldguide.http_client import new_session
from fieldguide.sources.transfer import RefusalError, RemoteFile, Transfer, TransferSettings
from tests.support.range_server import NONE, Asked, Fault, RangeServer

CHUNK = 64 << 10
CONTENT = random.Random(1).randbytes(CHUNK * 12 + 1234)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def settings(**fields: object) -> TransferSettings:
    plain = TransferSettings(
        new_session=new_session,
        chunk_bytes=CHUNK,
        first_wait_s=0.001,
        longest_wait_s=0.01,
        idle_timeout_s=0.3,
    )
    return replace(plain, **fields)  # type: ignore[arg-type]


def remote(server: RangeServer, **fields: object) -> RemoteFile:
    plain = RemoteFile(url=f"{server.origin}/f", name="f", size_bytes=len(CONTENT), sha256=SHA256)
    return replace(plain, **fields)  # type: ignore[arg-type]


def serving(fault: Callable[[Asked], Fault] = lambda asked: NONE) -> RangeServer:
    return RangeServer({"/f": CONTENT}, fault=fault)


def nth(number: int, fault: Fault) -> Callable[[Asked], Fault]:
    return lambda asked: fault if asked.number == number else NONE


def test_a_file_comes_in_ranges_over_several_connections(tmp_path: Path) -> None:
    """Every byte is asked for once, the sum of the whole is known at the end, and no journal stays."""
    with serving() as server:
        done = Transfer(settings()).fetch(remote(server), tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert (done.sha256, done.size_bytes, done.received_bytes) == (SHA256, len(CONTENT), len(CONTENT))
    assert server.sent_bytes == len(CONTENT)
    assert len(server.asked) == 13
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_nothing_need_be_known_beforehand(tmp_path: Path) -> None:
    """Without size and checksum the server's word on the size is taken, and the checksum is what came."""
    with serving() as server:
        done = Transfer(settings()).fetch(remote(server, size_bytes=None, sha256=None), tmp_path / "f")
    assert done.sha256 == SHA256


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1])
@pytest.mark.parametrize("known", [True, False])
def test_sizes_around_a_chunk(tmp_path: Path, size: int, known: bool) -> None:
    """Empty files and files at the edge of a chunk are no exception."""
    content = CONTENT[:size]
    with RangeServer({"/f": content}) as server:
        file = RemoteFile(
            url=f"{server.origin}/f",
            name="f",
            size_bytes=size if known else None,
            sha256=hashlib.sha256(content).hexdigest(),
        )
        Transfer(settings()).fetch(file, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == content


@pytest.mark.parametrize("number", [1, 4])
@pytest.mark.parametrize(
    "fault",
    [
        Fault("drop", after=1000),
        Fault("drop"),
        Fault("reset", after=1000),
        Fault("stall", after=1000),
        Fault("status", status=503),
        Fault("status", status=429, headers=(("Retry-After", "0"),)),
        Fault("wrong-bytes"),
        Fault("other-range"),
        Fault("whole"),
        Fault("short"),
        Fault("long"),
        Fault("gzip"),
        Fault("refuse"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.after}-{fault.status}",
)
def test_one_fault_costs_at_most_what_it_touched(tmp_path: Path, fault: Fault, number: int) -> None:
    """The file is right; what came before the fault is not asked for again, a wrong byte included."""
    with serving(nth(number, fault)) as server:
        done = Transfer(settings()).fetch(remote(server), tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert done.sha256 == SHA256
    again = server.sent_bytes - len(CONTENT)
    most = {"wrong-bytes": len(CONTENT), "whole": len(CONTENT) + 5 * CHUNK}.get(fault.kind, CHUNK + 65536)
    assert again <= most


def test_a_server_that_ignores_ranges_is_read_as_a_stream(tmp_path: Path) -> None:
    """Its file comes over one connection, once."""
    with serving(lambda asked: Fault("whole")) as server:
        Transfer(settings()).fetch(remote(server), tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert server.sent_bytes == len(CONTENT)


def test_a_stream_that_breaks_off_keeps_its_chunks(tmp_path: Path) -> None:
    """A server without ranges sends the whole again; what is here is not written twice."""
    calls: list[int] = []

    def fault(asked: Asked) -> Fault:
        calls.append(asked.number)
        return Fault("whole")

    with serving(fault) as server:
        server.fault = lambda asked: Fault("drop", after=CHUNK * 5) if asked.number == 1 else Fault("whole")
        server.files["/f"] = CONTENT
        Transfer(settings()).fetch(remote(server), tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_a_length_that_is_not_told_is_read_to_the_end(tmp_path: Path) -> None:
    """Without Content-Length the end of the connection is the end of the file, and the checksum decides."""
    with serving(lambda asked: Fault("whole")) as server:
        server.sends_length = False
        done = Transfer(settings()).fetch(remote(server, size_bytes=None), tmp_path / "f")
    assert done.sha256 == SHA256


@pytest.mark.parametrize(("promised", "known"), [(SHA256[::-1], True), (SHA256[::-1], False)])
def test_wrong_bytes_are_never_kept(tmp_path: Path, promised: str, known: bool) -> None:
    """A file that is not what was promised is gone afterwards, journal and all."""
    with serving() as server, pytest.raises(IntegrityError):
        file = remote(server, sha256=promised, size_bytes=len(CONTENT) if known else None)
        Transfer(settings()).fetch(file, tmp_path / "f")
    assert list(tmp_path.iterdir()) == []


def test_another_size_is_refused_before_its_bytes(tmp_path: Path) -> None:
    """A server whose file has another length than promised sends one chunk at most."""
    with serving() as server, pytest.raises(IntegrityError, match="bytes"):
        Transfer(settings()).fetch(remote(server, size_bytes=len(CONTENT) + 1), tmp_path / "f")
    assert server.sent_bytes <= CHUNK
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_transfer_goes_on(tmp_path: Path) -> None:
    """What was finished before an exception of the progress display is not asked for again."""

    class StopError(Exception):
        pass

    def stop(done: int, total: int | None) -> None:
        if done > CHUNK * 6:
            raise StopError

    with serving() as server:
        server.pause_s = 0.02
        with pytest.raises(StopError):
            Transfer(settings()).fetch(remote(server), tmp_path / "f", told=stop)
        server.pause_s = 0
        before = sum(path.name.endswith(".journal") for path in tmp_path.iterdir())
        done = Transfer(settings()).fetch(remote(server), tmp_path / "f")
    assert before == 1
    assert done.received_bytes <= len(CONTENT) - 3 * CHUNK
    assert (tmp_path / "f").read_bytes() == CONTENT


def _half(server: RangeServer, path: Path, **fields: object) -> None:
    """Bring part of the file: the server goes away after six chunks."""
    gone = server.fault
    server.fault = lambda asked: Fault("refuse") if asked.number > 6 else NONE
    with pytest.raises(OfflineError):
        Transfer(settings()).fetch(remote(server, **fields), path)
    server.fault = gone


def test_damage_to_an_unfinished_file_costs_its_chunk_alone(tmp_path: Path) -> None:
    """A byte that changed on disk between two processes is found by the journal, and only its chunk comes again."""
    with serving() as server:
        _half(server, tmp_path / "f")
        with (tmp_path / "f").open("r+b") as file:
            file.seek(CHUNK + 5)
            file.write(bytes([CONTENT[CHUNK + 5] ^ 1]))
        done = Transfer(settings()).fetch(remote(server), tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert done.received_bytes <= len(CONTENT) - 5 * CHUNK


@pytest.mark.parametrize("damage", ["", "{", "x\n1 2\n", '{"format": 99}\n', "[]\n"])
def test_a_damaged_journal_starts_anew(tmp_path: Path, damage: str) -> None:
    """Whatever a journal holds, the file is right in the end."""
    with serving() as server:
        _half(server, tmp_path / "f")
        (tmp_path / "f.journal").write_text(damage)
        Transfer(settings()).fetch(remote(server), tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_a_torn_line_of_the_journal_costs_its_chunk(tmp_path: Path) -> None:
    """A line that a kill has cut is passed over."""
    with serving() as server:
        _half(server, tmp_path / "f")
        journal = tmp_path / "f.journal"
        journal.write_bytes(journal.read_bytes()[:-3])
        done = Transfer(settings()).fetch(remote(server), tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert done.received_bytes <= len(CONTENT) - 5 * CHUNK


def test_another_file_at_the_same_address_starts_anew(tmp_path: Path) -> None:
    """Without a checksum the entity tag tells that the server has another file now."""
    other = CONTENT[::-1]
    with serving() as server:
        _half(server, tmp_path / "f", sha256=None)
        server.files["/f"] = other
        done = Transfer(settings()).fetch(remote(server, sha256=None), tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == other
    assert done.sha256 == hashlib.sha256(other).hexdigest()


def test_a_file_that_changes_midway_is_never_a_mixture(tmp_path: Path) -> None:
    """Half of one file and half of another is not a file."""
    other = CONTENT[::-1]

    def change(asked: Asked) -> Fault:
        if asked.number == 5:
            server.files["/f"] = other
        return NONE

    with serving(change) as server:
        Transfer(settings()).fetch(remote(server, sha256=None), tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == other


def test_a_file_that_never_stays_the_same_is_an_error(tmp_path: Path) -> None:
    """Nobody waits for ever for a file that changes with every request."""

    def change(asked: Asked) -> Fault:
        server.files["/f"] = random.Random(asked.number).randbytes(len(CONTENT))
        return NONE

    with serving(change) as server, pytest.raises(IntegrityError, match="changes"):
        Transfer(settings()).fetch(remote(server, sha256=None), tmp_path / "f")


def test_a_token_goes_to_its_origin_alone(tmp_path: Path) -> None:
    """After a redirect to another host the header stays behind (as CVE-2025-51471 did not)."""
    with serving() as far, RangeServer({}, redirect={"/f": f"{far.origin}/f"}) as near:
        file = RemoteFile(
            url=f"{near.origin}/f", name="f", sha256=SHA256, headers={"Authorization": "Bearer hf_secret"}
        )
        Transfer(settings()).fetch(file, tmp_path / "f")
    assert all("authorization" in asked.headers for asked in near.asked)
    assert not any("authorization" in asked.headers for asked in far.asked)
    assert len(near.asked) < len(far.asked)  # Where it leads is remembered.


def test_a_redirect_that_expires_is_asked_for_again(tmp_path: Path) -> None:
    """Signed addresses last minutes; a refusal there sends back to the start, once."""
    with RangeServer({"/signed-1": CONTENT, "/signed-2": CONTENT}, redirect={"/f": "/signed-1"}) as server:

        def expire(asked: Asked) -> Fault:
            if asked.path == "/signed-1" and asked.number > 6:
                server.redirect["/f"] = "/signed-2"
                return Fault("status", status=403)
            return NONE

        server.fault = expire
        Transfer(settings()).fetch(remote(server), tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_a_refusal_is_told_at_once(tmp_path: Path, status: int) -> None:
    """What asking again cannot mend is asked once; the answer is there for whoever knows the source."""
    with serving(lambda asked: Fault("status", status=status)) as server, pytest.raises(RefusalError) as caught:
        Transfer(settings()).fetch(remote(server), tmp_path / "f")
    assert caught.value.status == status
    assert caught.value.body == "fault"
    assert len(server.asked) == 1


def test_a_server_that_is_gone_ends_in_offline(tmp_path: Path) -> None:
    """After the faults that are allowed in a row the transfer ends, and what is here stays."""
    with serving() as server:
        _half(server, tmp_path / "f")
        assert (tmp_path / "f.journal").exists()


def test_a_full_disk_is_known_before_the_first_byte(tmp_path: Path) -> None:
    """Room for the whole file is asked for first."""
    with serving() as server, pytest.raises(DiskSpaceError):
        Transfer(settings(), free_bytes=lambda path: 1000).fetch(remote(server), tmp_path / "f")
    assert server.sent_bytes <= CHUNK


def test_several_files_share_the_connections(tmp_path: Path) -> None:
    """Small files come side by side; progress adds them up and ends at the total."""
    names = [f"/{number}" for number in range(20)]
    seen: list[tuple[int, int | None]] = []
    with RangeServer(dict.fromkeys(names, CONTENT[:1000])) as server:
        files = [
            (RemoteFile(url=server.origin + name, name=name, size_bytes=1000), tmp_path / name[1:]) for name in names
        ]
        done = Transfer(settings()).fetch_all(files, told=lambda *seen_now: seen.append(seen_now))
    assert [each.size_bytes for each in done] == [1000] * 20
    assert seen[-1] == (20_000, 20_000)


def test_a_git_object_is_checked(tmp_path: Path) -> None:
    """A small file that git keeps itself is known by its object id."""
    right = hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT).hexdigest()
    with serving() as server:
        Transfer(settings()).fetch(remote(server, sha256=None, git_sha1=right), tmp_path / "f")
        with pytest.raises(IntegrityError):
            Transfer(settings()).fetch(remote(server, sha256=None, git_sha1=right[::-1]), tmp_path / "g")
    # The journal alone says that a file without a sha256 is whole: it stays until its caller has put the file in place.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f", "f.journal"]


def test_a_speed_limit_holds(tmp_path: Path) -> None:
    """Half a second's worth of bytes takes about half a second (compared with the limit, not with a clock alone)."""
    import time

    rate = len(CONTENT) / 0.5
    with serving() as server:
        started = time.monotonic()
        Transfer(settings(limit_bytes_per_s=rate, idle_timeout_s=5.0)).fetch(remote(server), tmp_path / "f")
        took = time.monotonic() - started
    assert took >= 0.3


def test_a_finished_file_is_not_brought_again(tmp_path: Path) -> None:
    """A kill between the last byte and whatever its caller does with the file costs nothing."""
    with serving() as server:
        Transfer(settings()).fetch(remote(server), tmp_path / "f")
        again = Transfer(settings()).fetch(remote(server, size_bytes=None), tmp_path / "f")
    assert (again.received_bytes, again.sha256) == (0, SHA256)
    assert server.sent_bytes == len(CONTENT)
