"""The program on records that are locked, damaged, read-only or misplaced: a sentence and the next step."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shlex
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.support.damage import overwrite, overwrite_page, pages_of
from tests.support.fake_server import chat, fake_server
from tests.support.program import Ran, fieldguide, finish, start
from tests.support.store_faults import child_that_says_ready, is_sound

EXAM = ("--benchmark", "ladder", "--limit", "60")


def always(text: str) -> Any:
    return lambda call: chat(text, input_tokens=100, output_tokens=2)


def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def records(tmp_path: Path) -> Path:
    return home(tmp_path) / "fieldguide.sqlite"


def is_told(ran: Ran, *words: str) -> None:
    """Check for exit code 1, one sentence with these words, and a next step."""
    assert ran.code == 1, ran.err
    assert ran.out == ""
    assert "Traceback" not in ran.err
    first, second = ran.err.strip().splitlines()[-2:]
    assert first.startswith("error: ")
    assert second.startswith("  next: ")
    for word in words:
        assert word in ran.err


async def test_damaged_records_are_recovered_by_the_command_that_the_message_names(tmp_path: Path) -> None:
    """Damage in the middle: `export` gives what is readable, the message names the command, and it saves the rest."""
    path = records(tmp_path)
    text = "7" + " " * 900
    async with fake_server(always(text)) as server:
        model = f"{server.url}#m"
        first = await fieldguide("evaluate", model, *EXAM, "--json", "--quiet")
        run_id = first.json["results"][0]["run_id"]
        leaves = pages_of(path, "calls")
        overwrite_page(path, leaves[len(leaves) // 2])
        is_told(await fieldguide("run", run_id), "The records are damaged", "runs --recover")
        exported = await fieldguide("export", run_id)
        assert exported.code == 1
        kept = [json.loads(line) for line in exported.out.splitlines()][1:]
        assert 40 <= len(kept) < 60
        assert {line["completion"] for line in kept} == {text}
        assert f"{60 - len(kept)} answers cannot be read" in exported.err
        out = tmp_path / "run.jsonl"
        written = await fieldguide("export", run_id, "--out", out, "--json")
        assert (written.json["answers"], written.json["unreadable"]) == (len(kept), 60 - len(kept))
        assert len(out.read_text().splitlines()) == 1 + len(kept)
        command = exported.err.strip().splitlines()[-1].rpartition(": ")[2]
        recovered = await fieldguide(*shlex.split(command)[1:], "--json")
        assert recovered.code == 0, recovered.err
        assert recovered.json["saved"] == {"runs": 1, "answers": len(kept), "scores": len(kept)}
        assert recovered.json["lost"]["calls"] == 60 - len(kept)
        assert all(Path(each).exists() for each in recovered.json["kept_aside"])
        assert is_sound(path)
        asked = len(server.calls)
        again = await fieldguide("evaluate", model, *EXAM, "--json", "--quiet")
        assert len(server.calls) - asked == 60 - len(kept)
    assert again.json["results"][0]["accuracy"] == first.json["results"][0]["accuracy"]
    whole = await fieldguide("runs", "--recover")
    assert (whole.code, "whole" in whole.out) == (0, True)


async def test_a_recovery_says_in_words_what_it_did(tmp_path: Path) -> None:
    """Counts of what was saved and lost, and where the damaged files are."""
    async with fake_server(always("7")) as server:
        await fieldguide("evaluate", f"{server.url}#m", "--benchmark", "ladder", "--limit", "5", "--quiet")
    overwrite(records(tmp_path), 0, b"garbage")
    is_told(await fieldguide("runs"), "The records are damaged", f"--home {home(tmp_path)}")
    ran = await fieldguide("runs", "--recover")
    assert ran.code == 0, ran.err
    assert "saved: 1 runs, 5 answers, 5 scores" in ran.out
    assert "kept aside: " in ran.out
    is_told(await fieldguide("runs", "--recover", "--home", tmp_path / "nowhere"), "no records")


async def test_records_in_use_are_not_recovered(tmp_path: Path) -> None:
    """While a run works on them, the recovery names its process and changes nothing."""
    async with fake_server(always("7"), delay_s=0.05) as server:
        process = await start("evaluate", f"{server.url}#m", *EXAM, "--concurrency", "1")
        await server.has_heard(2)
        ran = await fieldguide("runs", "--recover")
        process.kill()
        await finish(process)
    is_told(ran, f"process {process.pid}")


async def test_a_second_program_on_the_same_run_is_told_who_works(tmp_path: Path) -> None:
    """The pid is in the message; once that process is killed, the same command goes on."""
    async with fake_server(always("7"), delay_s=0.1) as server:
        arguments = ("evaluate", f"{server.url}#m", *EXAM, "--concurrency", "2")
        process = await start(*arguments)
        await server.has_heard(5)
        is_told(await fieldguide(*arguments), f"process {process.pid}", "kept either way")
        process.kill()
        await finish(process)
        ran = await fieldguide(*arguments, "--json")
    assert (ran.code, ran.json["results"][0]["attempts"]) == (0, 60)


_HOLDS = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("ready", flush=True)
sys.stdin.readline()
"""


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("held_s", [10, 75])
async def test_a_lock_of_ten_seconds_is_waited_for_and_one_of_more_than_a_minute_told(
    held_s: int, tmp_path: Path
) -> None:
    """Locked in the middle of a run: nothing is lost either way, and nothing asked twice but what was in flight."""
    async with fake_server(always("7"), delay_s=0.05) as server:
        arguments = ("evaluate", f"{server.url}#m", *EXAM, "--concurrency", "4")
        process = await start(*arguments, "--quiet")
        await server.has_heard(10)
        with child_that_says_ready(_HOLDS, records(tmp_path)):
            await asyncio.sleep(held_s)
        ran = await finish(process, within_s=100)
        if held_s > 60:
            is_told(ran, "locked", "run the same command again")
        else:
            assert ran.code == 0, ran.err
        again = await fieldguide(*arguments, "--json", "--quiet")
    assert again.json["results"][0]["attempts"] == 60
    assert len(server.calls) <= 60 + (4 if held_s > 60 else 0)


async def test_reading_waits_for_no_writer(tmp_path: Path) -> None:
    """`runs` answers while another program holds the records for writing."""
    async with fake_server(always("7")) as server:
        await fieldguide("evaluate", f"{server.url}#m", "--benchmark", "ladder", "--limit", "3", "--quiet")
    with child_that_says_ready(_HOLDS, records(tmp_path)):
        ran = await fieldguide("runs", "--json", within_s=30)
    assert len(ran.json["runs"]) == 1


@pytest.mark.parametrize("place", ["a folder for the records", "no such place to write"])
async def test_a_home_that_cannot_be_used_is_told(place: str, tmp_path: Path) -> None:
    """A home that holds a folder in the place of the records, or where nobody may write."""
    wrong = tmp_path / "wrong"
    if place == "a folder for the records":
        (wrong / "fieldguide.sqlite").mkdir(parents=True)
    else:
        wrong = Path("/proc/self/fieldguide")
    is_told(await fieldguide("runs", "--home", wrong), str(wrong), "--home DIR")
    is_told(await fieldguide("runs", "--recover", "--home", wrong))


async def test_a_home_that_is_a_file_is_told(tmp_path: Path) -> None:
    """It is wrong use: the flag names no folder."""
    (tmp_path / "wrong").write_text("")
    ran = await fieldguide("runs", "--home", tmp_path / "wrong", "--json")
    assert ran.code == 2
    assert str(tmp_path / "wrong") in ran.json["error"]["message"]


async def test_sqlite_that_calls_the_records_read_only_stops_before_anything_is_asked(tmp_path: Path) -> None:
    """Nobody pays for answers that have no place. A trigger stands for the file, since permissions do not bind root."""
    async with fake_server(always("7")) as server:
        arguments = ("evaluate", f"{server.url}#m", "--benchmark", "ladder", "--limit", "3")
        await fieldguide(*arguments, "--quiet")
        asked = len(server.calls)
        with contextlib.closing(sqlite3.connect(records(tmp_path))) as connection:
            connection.execute(
                "CREATE TRIGGER no_writing BEFORE INSERT ON calls BEGIN"
                " SELECT RAISE(FAIL, 'attempt to write a readonly database'); END"
            )
        is_told(await fieldguide(*arguments, "--fresh"), "Check the permissions")
        assert len(server.calls) == asked
