"""The ladder's exam: the same bytes everywhere, balanced at every length."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from itertools import islice

import pytest

from fieldguide.benchmarks._interface import ExamRequest
from fieldguide.benchmarks.ladder import Ladder
from fieldguide.benchmarks.ladder._items import BLOCK_ITEMS, SKILLS, block_order, items
from fieldguide.benchmarks.ladder._prompts import FORMS
from fieldguide.domain import Exam, content_sha256, request_for
from fieldguide.errors import UnknownNameError, UsageError

FIRST_BLOCK_SHA256 = "16a9fab5edd31f40eb084411380295782c1ae7392edaecbab2c35ac7f2ffef29"
DEFAULT_EXAM_ID = "ladder-c6062368c87421e3e7d64f5c73e317c6"


def exam(
    *, selector: str | None = None, seed: int | None = None, limit: int | None = None, protocol: str | None = None
) -> Exam:
    return Ladder().exam(ExamRequest(selector=selector, seed=seed, limit=limit, protocol=protocol))


def test_the_first_forty_items_are_pinned() -> None:
    """Any change of any byte must raise `VERSION`, or scores of different exams would be taken for comparable."""
    assert content_sha256([item.as_json(with_target=True) for item in exam(limit=40).items]) == FIRST_BLOCK_SHA256


def test_the_default_exam_id_is_pinned() -> None:
    """The content address of `ladder`, as everyone who runs it gets it."""
    assert exam().exam_id == DEFAULT_EXAM_ID


@pytest.mark.parametrize("hash_seed", ["0", "4242"])
def test_another_process_builds_the_same_exam(hash_seed: str) -> None:
    """The order in which Python walks through sets and dictionaries has no part in it."""
    program = (
        "from fieldguide.benchmarks.ladder import Ladder\n"
        "from fieldguide.benchmarks._interface import ExamRequest\n"
        "print(Ladder().exam(ExamRequest(limit=120)).exam_id)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment, timeout=60
    )
    assert run.stdout.strip() == exam(limit=120).exam_id


def test_two_hundred_items_by_default_and_no_end() -> None:
    """Without a limit there are 200 items; the benchmark itself could go on for ever."""
    assert len(exam().items) == 200
    assert exam().available_items is None
    assert len(exam(limit=1234).items) == 1234


@pytest.mark.parametrize("limit", [1, 7, 40, 150, 333])
def test_a_limit_takes_a_prefix_of_one_fixed_order(limit: int) -> None:
    """No item depends on how many are asked for."""
    assert exam(limit=limit).items == exam(limit=400).items[:limit]


@pytest.mark.parametrize("seed", [0, 1, 99])
def test_every_block_of_forty_holds_each_skill_and_rung_once(seed: int) -> None:
    """Forty items weigh four skills and ten rungs alike."""
    places = [(item.metadata["skill"], item.metadata["rung"]) for item in exam(seed=seed, limit=200).items]
    for start in range(0, 200, BLOCK_ITEMS):
        assert Counter(places[start : start + BLOCK_ITEMS]) == Counter((s, r) for s in SKILLS for r in range(1, 11))


@pytest.mark.parametrize("seed", [0, 1, 99])
def test_every_four_items_hold_the_four_skills_and_spread_rungs(seed: int) -> None:
    """Even a prefix of four is neither all easy nor all hard."""
    for block in range(10):
        order = block_order(seed, block)
        for row in range(0, BLOCK_ITEMS, 4):
            assert {skill for skill, _ in order[row : row + 4]} == set(SKILLS)
            assert 4.5 <= sum(rung for _, rung in order[row : row + 4]) / 4 <= 6.5


def test_ids_and_questions_are_all_different() -> None:
    """Among the first 2,000 items nothing is asked twice, and no worked example is asked."""
    first = exam(limit=2000).items
    assert len({item.item for item in first}) == 2000
    assert len({item.prompt for item in first}) == 2000
    worked = {form.prompt(example.question) for form in FORMS.values() for example in form.examples}
    assert not worked & {item.prompt for item in first}


def test_low_rungs_repeat_questions_only_in_very_long_exams() -> None:
    """An exam of 5,600 items is still built, although the easiest cells run out of new questions."""
    assert sum(1 for _ in islice(items(5), 5_600)) == 5_600


def test_an_id_names_seed_skill_rung_and_number() -> None:
    """Ids of two seeds never meet, since their items differ."""
    first = exam(seed=7, limit=40).items
    assert {item.item for item in first} == {f"ladder/7/{s}-{r:02d}-0000" for s in SKILLS for r in range(1, 11)}
    assert [item.metadata["line"] for item in first] == list(range(40))


def test_seeds_give_different_exams() -> None:
    """Another seed, other questions and another content address."""
    assert exam(seed=1).exam_id != exam(seed=2).exam_id
    assert len({item.prompt for seed in (1, 2) for item in exam(seed=seed, limit=40).items}) > 70


@pytest.mark.parametrize(
    ("selector", "seed", "name"),
    [(None, None, "ladder"), ("0", None, "ladder"), (None, 0, "ladder"), ("7", None, "ladder@7"), ("7", 7, "ladder@7")],
)
def test_selector_and_seed_mean_the_same(selector: str | None, seed: int | None, name: str) -> None:
    """`ladder@7` is `ladder --seed 7`; the default seed is left out of the name."""
    built = exam(selector=selector, seed=seed, limit=4)
    assert built.benchmark == name
    assert built.exam_id == exam(seed=built.seed, limit=4).exam_id


@pytest.mark.parametrize("selector", ["", "-1", "seven", "1.5", " 7", "٧", "7e3", "9" * 19, "1" * 5000])
def test_a_selector_that_is_no_seed_is_refused_with_a_hint(selector: str) -> None:
    """Anything but a whole number from 0 is wrong use."""
    with pytest.raises(UsageError) as caught:
        exam(selector=selector)
    assert caught.value.hint


def test_two_different_seeds_in_one_request_are_refused() -> None:
    """Which of the two was meant cannot be known."""
    with pytest.raises(UsageError, match="two different seeds"):
        exam(selector="7", seed=8)


def test_a_negative_seed_and_an_empty_exam_are_refused() -> None:
    """Neither is a mistake to pass over in silence."""
    with pytest.raises(UsageError):
        exam(seed=-1)
    with pytest.raises(UsageError):
        exam(limit=0)


def test_a_foreign_protocol_is_refused() -> None:
    """The ladder has one protocol, ours."""
    assert exam(protocol="fieldguide").protocol == "fieldguide"
    with pytest.raises(UnknownNameError):
        exam(protocol="lm-eval")
    with pytest.raises(UnknownNameError):
        Ladder().scorer("lm-eval")


def test_prompts_begin_alike_within_a_skill_and_end_without_a_space() -> None:
    """The first so that engines can cache it, the second for the sake of tokenizers."""
    for item in exam(limit=200).items:
        assert item.prompt is not None
        assert item.prompt.startswith(FORMS[str(item.metadata["skill"])].prefix)
        assert item.prompt == item.prompt.rstrip()
        assert item.prompt.isascii()
        assert len(item.prompt) < 2500


def test_targets_are_one_short_line() -> None:
    """32 tokens hold every target, even where each character is a token."""
    for item in exam(limit=2000).items:
        assert item.target == item.target.strip()
        assert "\n" not in item.target
        assert 0 < len(item.target) <= 30


def test_a_chat_model_gets_the_same_bytes_as_one_user_message() -> None:
    """And more room, since it may think before it answers."""
    built = exam(limit=1)
    asked = request_for(built.items[0], built.decoding, attempt=0, text=False, chat=True)
    assert asked.messages is not None
    assert [message.text for message in asked.messages] == [built.items[0].prompt]
    assert asked.max_output_tokens == 2048
    assert asked.stop == ()


def test_the_exam_survives_json() -> None:
    """Items and header are plain JSON."""
    built = exam(limit=40)
    lines = [json.dumps(built.header_json()), *(json.dumps(item.as_json(with_target=True)) for item in built.items)]
    assert all(json.loads(line) for line in lines)
