"""What was heard of a recording before an interruption: one file for each, a line for each window that was finished."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fieldguide.domain import Heard, Reached, Segment, SpokenLanguage, Word


class HeardSoFar:
    """Keeps events up to the last point that was reached; what came after it is heard again."""

    def __init__(self, home: Path, key: str) -> None:
        """Use the file of this key; it is made when the first window is finished."""
        self._path = home / "transcripts" / f"{key}.jsonl"
        self._window: list[Heard] = []

    def read(self) -> list[Heard]:
        """Return the events that were kept; a line that is cut or damaged ends them."""
        events: list[Heard] = []
        whole: list[str] = []
        try:
            lines = self._path.read_text(encoding="utf-8").splitlines(keepends=True)
        except (OSError, UnicodeDecodeError):
            return []
        for line in lines:
            try:
                events += [_event(each) for each in json.loads(line)]
            except (ValueError, TypeError, KeyError):
                break
            whole.append(line)
        if len(whole) < len(lines):
            self._path.write_text("".join(whole), encoding="utf-8")
        return events

    def add(self, event: Heard) -> None:
        """Keep an event; it is written with all of its window."""
        self._window.append(event)
        if not isinstance(event, Reached) or event.last:
            return
        line = json.dumps([{"kind": type(each).__name__, **asdict(each)} for each in self._window])
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._window.clear()

    def forget(self) -> None:
        """Remove the file: the recording is finished."""
        self._path.unlink(missing_ok=True)


def _event(value: dict[str, Any]) -> Heard:
    kind = value.pop("kind")
    if kind == "Segment":
        return Segment(**{**value, "words": tuple(Word(**word) for word in value["words"])})
    if kind == "SpokenLanguage":
        return SpokenLanguage(**value)
    speech = value["speech"]
    return Reached(**{**value, "speech": None if speech is None else tuple((a, b) for a, b in speech)})
