"""What is kept of a recording through an interruption."""

from __future__ import annotations

from pathlib import Path

from fieldguide.app.heard_so_far import HeardSoFar
from fieldguide.domain import Heard, Reached, Segment, SpokenLanguage, Word

WINDOW: list[Heard] = [
    SpokenLanguage(code="en", probability=0.9),
    Segment(start_s=0.0, end_s=1.0, text=" Hi", words=(Word(start_s=0.0, end_s=1.0, text=" Hi"),)),
    Reached(until_s=300.0, speech=((0.0, 1.5),)),
]


def test_finished_windows_come_back_and_a_begun_one_does_not(tmp_path: Path) -> None:
    """A window counts when its end was reached; what came after it is heard again."""
    kept = HeardSoFar(tmp_path, "k")
    for event in [*WINDOW, Segment(start_s=301.0, end_s=302.0, text=" lost")]:
        kept.add(event)
    assert HeardSoFar(tmp_path, "k").read() == WINDOW


def test_a_cut_line_is_left_out_for_good(tmp_path: Path) -> None:
    """After a kill in the middle of a write, the whole windows stay and new ones follow them."""
    kept = HeardSoFar(tmp_path, "k")
    for event in WINDOW:
        kept.add(event)
    file = tmp_path / "transcripts" / "k.jsonl"
    file.write_text(file.read_text() + '[{"kind": "Segm')
    assert HeardSoFar(tmp_path, "k").read() == WINDOW
    again = HeardSoFar(tmp_path, "k")
    again.add(Reached(until_s=600.0, speech=None))
    assert HeardSoFar(tmp_path, "k").read() == [*WINDOW, Reached(until_s=600.0, speech=None)]


def test_a_finished_recording_leaves_nothing(tmp_path: Path) -> None:
    """Forgetting removes the file; twice does no harm."""
    kept = HeardSoFar(tmp_path, "k")
    for event in WINDOW:
        kept.add(event)
    kept.forget()
    kept.forget()
    assert list((tmp_path / "transcripts").iterdir()) == []
