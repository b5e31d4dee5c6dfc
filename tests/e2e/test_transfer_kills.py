"""A transfer that is killed again and again, and one whose server breaks every rule: the file is right every time."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fieldguide.http_client import new_session
from fieldguide.sources.transfer import RemoteFile, Transfer, TransferSettings
from tests.support.range_server import NONE, Asked, Fault, RangeServer

CHUNK = 256 << 10
CONNECTIONS = 4
CONTENT = random.Random(5).randbytes(CHUNK * 40 + 777)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
_PROGRAM = """
import json, sys
from pathlib import Path
from fieldguide.http_client import new_session
from fieldguide.sources.transfer import RemoteFile, Transfer, TransferSettings
url, sha256, path, chunk, connections = json.loads(sys.argv[1])
settings = TransferSettings(new_session=new_session, chunk_bytes=chunk, connections=connections, first_wait_s=0.001)
print("begun", flush=True)
Transfer(settings).fetch(RemoteFile(url=url, name="f", sha256=sha256), Path(path))
"""


def _kill_until_done(folder: Path, kills: int, seed: int) -> tuple[int, int]:
    """Bring the file while killing the program at random; return the bytes sent and the kills that met it alive."""
    chance = random.Random(seed)
    met = 0
    with RangeServer({"/f": CONTENT}) as server:
        server.pause_s = 0.0005
        arguments = json.dumps([f"{server.origin}/f", SHA256, str(folder / "f"), CHUNK, CONNECTIONS])
        for _ in range(kills):
            process = subprocess.Popen([sys.executable, "-c", _PROGRAM, arguments], stdout=subprocess.PIPE)
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(chance.uniform(0.02, 0.5))
            met += process.poll() is None
            process.kill()
            process.wait()
            process.stdout.close()
            if (folder / "f").exists() and not (folder / "f.journal").exists():
                break
        server.pause_s = 0
        subprocess.run([sys.executable, "-c", _PROGRAM, arguments], check=True, capture_output=True)
        return server.sent_bytes, met


def _check_kills(folder: Path, kills: int, seed: int) -> int:
    sent, met = _kill_until_done(folder, kills, seed)
    assert hashlib.sha256((folder / "f").read_bytes()).hexdigest() == SHA256
    # What a server has sent and a killed client never read lies in the buffers of the system: count it as sent.
    assert sent - len(CONTENT) <= (met + 1) * CONNECTIONS * (CHUNK + (64 << 10))
    return met


def test_a_killed_transfer_goes_on_where_it_was(tmp_path: Path) -> None:
    """After every kill at most one chunk for each connection is sent again."""
    _check_kills(tmp_path, 6, seed=1)


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_two_hundred_kills(tmp_path: Path) -> None:
    """Two hundred kills over as many files as they take: every file is right."""
    met = number = 0
    while met < 200:
        number += 1
        folder = tmp_path / str(number)
        folder.mkdir()
        met += _check_kills(folder, 12, seed=number)


def _faulty(seed: int, ranges: bool) -> RangeServer:
    chance = random.Random(seed)
    kinds = ["drop", "reset", "status", "wrong-bytes", "other-range", "short", "long", "gzip", "refuse", "none", "none"]

    def fault(asked: Asked) -> Fault:
        if asked.number > 60:
            return NONE
        kind = chance.choice(kinds if ranges else ["drop", "reset", "status", "refuse", "whole", "whole"])
        return Fault(kind, after=chance.randrange(CHUNK), status=chance.choice([429, 500, 502, 503]))  # type: ignore[arg-type]

    return RangeServer({"/f": CONTENT}, fault=fault)


def _survives(folder: Path, seed: int) -> None:
    settings = TransferSettings(
        new_session=new_session, chunk_bytes=CHUNK, first_wait_s=0.001, longest_wait_s=0.01, most_faults=100
    )
    with _faulty(seed, ranges=seed % 4 != 0) as server:
        Transfer(settings).fetch(RemoteFile(url=f"{server.origin}/f", name="f", sha256=SHA256), folder / str(seed))
    assert hashlib.sha256((folder / str(seed)).read_bytes()).hexdigest() == SHA256


@pytest.mark.parametrize("seed", range(6))
def test_a_server_that_breaks_every_rule(tmp_path: Path, seed: int) -> None:
    """Drops, resets, wrong bytes, wrong ranges, lies about length, errors: the file is right in the end."""
    _survives(tmp_path, seed)


@pytest.mark.long
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("seed", range(6, 106))
def test_a_hundred_servers_that_break_every_rule(tmp_path: Path, seed: int) -> None:
    """The same a hundred times."""
    _survives(tmp_path, seed)
