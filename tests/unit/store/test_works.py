"""Records of long work: who is at it, what it told, and what a kill in the middle of a line leaves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fieldguide.errors import StoreError, UnknownNameError, UsageError
from fieldguide.store import Works


def test_a_work_is_what_was_asked(tmp_path: Path) -> None:
    """It is read back whole, the newest first, by any process."""
    works = Works(tmp_path / "works")
    assert works.every() == []
    first = works.make("measure", "one", {"models": ["a"], "limit": None})
    second = works.make("rescore", "two", {"run": "x"})
    assert Works(tmp_path / "works").work(first.work_id) == first
    assert {work.work_id for work in works.every()} == {first.work_id, second.work_id}
    assert works.every()[0].created_at >= works.every()[1].created_at


@pytest.mark.parametrize("name", ["../../etc/passwd", "measure-0000000000", "", "measure-00", "MEASURE-0123456789"])
def test_another_name_is_no_work(tmp_path: Path, name: str) -> None:
    """Whatever it is, no file outside the folder is looked at."""
    with pytest.raises(UnknownNameError):
        Works(tmp_path / "works").work(name)


def test_a_record_that_is_damaged_is_told_and_does_not_hide_the_others(tmp_path: Path) -> None:
    """It says which file, and the list goes on without it."""
    works = Works(tmp_path)
    whole, damaged = works.make("measure", "whole", {}), works.make("measure", "damaged", {})
    (works.folder(damaged.work_id) / "asked.json").write_text("{")
    with pytest.raises(StoreError, match=damaged.work_id):
        works.work(damaged.work_id)
    assert works.every() == [whole]


def test_what_was_told_is_read_from_any_place(tmp_path: Path) -> None:
    """Each event knows where it ends; reading on from there gives the next ones and never one twice."""
    works = Works(tmp_path)
    work_id = works.make("measure", "x", {}).work_id
    for number in range(5):
        works.tell(work_id, "progress", {"number": number, "text": "line\nbreak \u2028"})
    events, place = works.told(work_id)
    assert [event.held["number"] for event in events] == [0, 1, 2, 3, 4]
    assert place == works.size(work_id) == events[-1].ends_at
    later, same = works.told(work_id, events[2].ends_at)
    assert [event.held["number"] for event in later] == [3, 4]
    assert same == place
    assert works.told(work_id, place) == ([], place)


@pytest.mark.parametrize("place", [3, 10**9, -1])
def test_a_place_that_is_none_gives_no_nonsense(tmp_path: Path, place: int) -> None:
    """In the middle of a line the rest of it is passed over; behind the end everything is read."""
    works = Works(tmp_path)
    work_id = works.make("measure", "x", {}).work_id
    works.tell(work_id, "a", {})
    works.tell(work_id, "b", {})
    events, end = works.told(work_id, max(place, 0))
    assert [event.name for event in events] == (["b"] if place == 3 else ["a", "b"])
    assert end == works.size(work_id)


def test_a_line_that_was_cut_by_a_kill_is_passed_over(tmp_path: Path) -> None:
    """The next event begins on a line of its own."""
    works = Works(tmp_path)
    work_id = works.make("measure", "x", {}).work_id
    works.tell(work_id, "a", {})
    log = works.folder(work_id) / "told.jsonl"
    with log.open("ab") as file:
        file.write(b'{"event": "cut", "nu')
    assert [event.name for event in works.told(work_id)[0]] == ["a"]
    works.tell(work_id, "b", {})
    assert [event.name for event in works.told(work_id)[0]] == ["a", "b"]


def test_the_lock_lives_as_long_as_the_process_that_inherited_it(tmp_path: Path) -> None:
    """Held from the claim on without a gap, by one alone, and free the moment the process is gone."""
    works = Works(tmp_path)
    work_id = works.make("measure", "x", {}).work_id
    assert not works.is_held(work_id)
    lock = works.claim(work_id)
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=(lock,)) as process:
        os.close(lock)
        assert works.is_held(work_id)
        with pytest.raises(UsageError, match="going on"):
            works.claim(work_id)
        with pytest.raises(UsageError, match="going on"):
            works.remove(work_id)
        process.kill()
        process.wait()
    assert not works.is_held(work_id)
    works.remove(work_id)
    with pytest.raises(UnknownNameError):
        works.work(work_id)


def test_a_claim_takes_an_old_wish_to_stop_away(tmp_path: Path) -> None:
    """What was asked of the process before is not meant for the next one."""
    works = Works(tmp_path)
    work_id = works.make("measure", "x", {}).work_id
    works.ask_to_stop(work_id)
    works.ask_to_stop(work_id)
    assert works.is_asked_to_stop(work_id)
    os.close(works.claim(work_id))
    assert not works.is_asked_to_stop(work_id)


def test_looking_does_not_keep_anybody_from_claiming(tmp_path: Path) -> None:
    """Pages look all the time; a claim that meets a look waits a moment and succeeds."""
    import threading

    works = Works(tmp_path)
    work_id = works.make("measure", "x", {}).work_id
    os.close(works.claim(work_id))
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            works.is_held(work_id)

    lookers = [threading.Thread(target=look) for _ in range(4)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(20):
            os.close(works.claim(work_id))
    finally:
        ended.set()
        for looker in lookers:
            looker.join()
