"""Recorded answers in forms that nobody recorded: the same meaning reads the same, and nonsense ends in our errors."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any, TypeAlias

import pytest

from fieldguide.errors import FieldguideError
from tests.support.replay import Exchange, Replay, all_replays, exchanges, replay, response_faults

Json: TypeAlias = Any
CASES = [(how, name) for how in all_replays() for name in how.recordings]
EXCHANGES = 6
NONSENSE_OF_EACH = 20
NONSENSE: tuple[Json, ...] = (
    None, "", [], {}, 0, -1, 1.5, True, "x", [None], [1], [{}], {"type": "new"}, 10**30, "\ud83d", "{bad", "\u0000",
)  # fmt: skip


def _id(case: object) -> str:
    return case.provider if isinstance(case, Replay) else str(case)


@cache
def _text_exchanges(how: Replay, name: str) -> list[Exchange]:
    """Return some exchanges that replay and whose answer is text, the same at every run."""
    found = [each for each in exchanges(name) if each.response[:1] in b"{[" or b"data:" in each.response[:300]]
    random.Random(name).shuffle(found)
    return [each for each in found[:EXCHANGES] if replay(how, each).passed]


@pytest.mark.parametrize(("how", "name"), CASES, ids=_id)
def test_what_means_the_same_reads_the_same(how: Replay, name: str) -> None:
    """Fields in another order, lines that end otherwise, comments and heartbeats in a stream."""
    chance = random.Random(name)
    for exchange in _text_exchanges(how, name):
        for same in (_reordered(exchange.text, chance), *_other_lines(exchange.text)):
            assert not response_faults(how, replace(exchange, response=same.encode("utf-8", "surrogatepass")))


@pytest.mark.parametrize(("how", "name"), CASES, ids=_id)
def test_nonsense_in_an_answer_is_passed_over_or_is_one_of_our_errors(how: Replay, name: str) -> None:
    """A field that is missing, or holds something else, anywhere."""
    chance = random.Random(name)
    for exchange in _text_exchanges(how, name):
        for _ in range(NONSENSE_OF_EACH):
            spoilt = _changed(exchange.text, lambda value: _spoilt(value, chance), only=chance)
            try:
                how.parse(replace(exchange, response=spoilt.encode("utf-8", "surrogatepass")))
            except FieldguideError:
                continue


def _other_lines(text: str) -> Iterator[str]:
    if text.lstrip().startswith(("data:", "event:", "id:", ":")):
        yield text.replace("\r\n", "\n").replace("\n", "\r\n")
        yield text.replace("data:", ": ping\nretry: 10\ndata:")


def _reordered(text: str, chance: random.Random) -> str:
    def shuffled(value: Json) -> Json:
        if isinstance(value, dict):
            names = list(value)
            chance.shuffle(names)
            return {name: shuffled(value[name]) for name in names}
        return [shuffled(each) for each in value] if isinstance(value, list) else value

    return _changed(text, shuffled)


def _changed(text: str, change: Callable[[Json], Json], *, only: random.Random | None = None) -> str:
    """Return a body with its JSON changed; of a stream each line, or only one that chance chooses."""
    try:
        return json.dumps(change(json.loads(text)))
    except ValueError:
        lines = text.split("\n")
    places = [place for place, line in enumerate(lines) if line.removeprefix("data:").strip().startswith("{")]
    for place in [only.choice(places)] if only and places else places:
        start = "data: " if lines[place].startswith("data:") else ""
        lines[place] = start + json.dumps(change(json.loads(lines[place].removeprefix("data:"))))
    return "\n".join(lines)


def _spoilt(value: Json, chance: random.Random) -> Json:
    """Return JSON with one value in it taken away or replaced."""
    if isinstance(value, dict | list) and value and chance.random() < 0.8:
        place = chance.choice(list(value) if isinstance(value, dict) else range(len(value)))
        changed = dict(value) if isinstance(value, dict) else list(value)
        if chance.random() < 0.2:
            del changed[place]
        else:
            changed[place] = _spoilt(value[place], chance)
        return changed
    return chance.choice(NONSENSE)
