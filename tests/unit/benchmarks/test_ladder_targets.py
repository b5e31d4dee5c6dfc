"""Every target of the ladder, worked out a second time by other means."""

from __future__ import annotations

import ast
import contextlib
import io
import itertools
import operator
import re
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

import pytest

from fieldguide.benchmarks.ladder._draw import Draw
from fieldguide.benchmarks.ladder._items import SKILLS
from fieldguide.benchmarks.ladder._problem import Problem
from fieldguide.benchmarks.ladder._prompts import FORMS

PER_RUNG = 60
ALL_RUNGS = range(1, 11)


def problems(skill: str, rung: int) -> Iterator[Problem]:
    for number in range(PER_RUNG):
        yield SKILLS[skill][rung - 1](Draw(f"test/{skill}/{rung}/{number}"))


# Arithmetic: Python's own parser, walked by hand.

OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Mod: operator.mod,
}


def evaluated(node: ast.expr) -> int:
    if isinstance(node, ast.Constant):
        assert isinstance(node.value, int)
        return node.value
    assert isinstance(node, ast.BinOp)
    return OPERATORS[type(node.op)](evaluated(node.left), evaluated(node.right))


@pytest.mark.parametrize("rung", ALL_RUNGS)
def test_arithmetic_targets_agree_with_a_parser(rung: int) -> None:
    """Each expression, read by `ast`, has the value that was generated with it."""
    for problem in problems("arithmetic", rung):
        parsed = ast.parse(problem.question.replace("mod", "%"), mode="eval")
        assert str(evaluated(parsed.body)) == problem.target


# Programs: really run.


def printed(source: str) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(source, "program", "exec"), {})
    return out.getvalue().removesuffix("\n")


@pytest.mark.parametrize("rung", ALL_RUNGS)
def test_programs_print_their_targets(rung: int) -> None:
    """Each program, executed, prints what was worked out beside it."""
    for problem in problems("programs", rung):
        assert printed(problem.question) == problem.target


def test_worked_examples_of_programs_are_right() -> None:
    """What we show as correct is correct."""
    assert all(printed(shot.question) == shot.target for shot in FORMS["programs"].examples)
    assert all(
        str(evaluated(ast.parse(s.question, mode="eval").body)) == s.target for s in FORMS["arithmetic"].examples
    )


@pytest.mark.parametrize(("rung", "turns"), [(9, 12), (10, 24)])
def test_high_rungs_loop_long(rung: int, turns: int) -> None:
    """The programs of the top rungs cannot be followed in a few steps."""
    for problem in problems("programs", rung):
        product = 1
        for bound in re.findall(r"range\((\d+)\)", problem.question):
            product *= int(bound)
        assert product >= turns


# Sequences: every simple rule that fits what is shown must give the target.


def from_differences(shown: Sequence[int], order: int) -> int | None:
    rows = [list(shown)]
    for _ in range(order):
        rows.append([b - a for a, b in zip(rows[-1], rows[-1][1:])])
    if len(rows[-1]) < 3 or len(set(rows[-1])) > 1:
        return None
    return sum(row[-1] for row in rows)


def from_affine(shown: Sequence[int]) -> Fraction | None:
    x, y, z = shown[:3]
    if x == y:
        return None
    factor = Fraction(z - y, y - x)
    addend = y - factor * x
    return factor * shown[-1] + addend if all(factor * a + addend == b for a, b in itertools.pairwise(shown)) else None


def from_second_order(shown: Sequence[int]) -> Fraction | None:
    w, x, y, z = shown[:4]
    determinant = x * x - w * y
    if determinant == 0:
        return None
    a, b = Fraction(x * y - w * z, determinant), Fraction(x * z - y * y, determinant)
    fits = all(a * q + b * p == r for p, q, r in zip(shown, shown[1:], shown[2:]))
    return a * shown[-1] + b * shown[-2] if fits else None


def from_interleaved(shown: Sequence[int]) -> int | None:
    halves = shown[::2], shown[1::2]
    if any(len(half) < 3 or from_differences(half, 1) is None for half in halves if len(half) > 3):
        return None
    if any(len(half) < 4 for half in halves):
        return None
    return from_differences(halves[len(shown) % 2], 1)


def continuations(shown: Sequence[int]) -> set[Fraction]:
    found = [from_differences(shown, order) for order in (1, 2, 3)]
    guesses = [*found, from_affine(shown), from_second_order(shown), from_interleaved(shown)]
    return {Fraction(guess) for guess in guesses if guess is not None}


def terms(problem: Problem) -> list[int]:
    return [int(line.removeprefix("Term: ")) for line in problem.question.split("\n")]


@pytest.mark.parametrize("rung", range(1, 9))
def test_every_simple_rule_that_fits_gives_the_target(rung: int) -> None:
    """At least one rule fits, and no two that fit disagree: the sequence is not ambiguous."""
    for problem in problems("sequences", rung):
        assert continuations(terms(problem)) == {Fraction(problem.target)}


def by_remainders(shown: Sequence[int]) -> set[int]:
    rules = [(a, b, m) for m in range(max(shown) + 1, 61) for a in (1, 2, 3) for b in (1, 2, 3)]
    fitting = [
        (a, b, m)
        for a, b, m in rules
        if all((a * shown[i - 1] + b * shown[i - 2]) % m == shown[i] for i in range(2, len(shown)))
    ]
    return {(a * shown[-1] + b * shown[-2]) % m for a, b, m in fitting}


def test_remainder_sequences_have_one_continuation() -> None:
    """All rules of the family that fit agree, and no simpler rule fits."""
    for problem in problems("sequences", 9):
        assert by_remainders(terms(problem)) == {int(problem.target)}
        assert continuations(terms(problem)) <= {Fraction(problem.target)}


def test_interleaved_remainder_sequences_have_one_continuation() -> None:
    """The half that is to be continued settles it alone."""
    for problem in problems("sequences", 10):
        assert by_remainders(terms(problem)[1::2]) == {int(problem.target)}


# Stories: read sentence by sentence, knowing nothing of the generator.

Holdings = dict[str, Fraction]
PARTS = {"half": 2, "a third": 3, "a quarter": 4}
DISTRACTIONS = (
    r"It is \d+ degrees outside",
    r"\w+ is \d+ years old",
    r"\w+ also has \d+ (?:cousins|hats|pets|shirts|umbrellas)",
)


def has(held: Holdings, who: str, count: str) -> None:
    held[who] = Fraction(count)


def has_times(held: Holdings, who: str, factor: str, other: str) -> None:
    held[who] = held[other] * int(factor)


def has_more(held: Holdings, who: str, more: str, other: str) -> None:
    held[who] = held[other] + int(more)


def gains(held: Holdings, who: str, count: str) -> None:
    held[who] += int(count)


def loses(held: Holdings, who: str, count: str) -> None:
    held[who] -= int(count)


def gives(held: Holdings, giver: str, count: str, taker: str) -> None:
    held[giver] -= int(count)
    held[taker] += int(count)


def bags(held: Holdings, who: str, number: str, each: str) -> None:
    held[who] += int(number) * int(each)


def days(held: Holdings, number: str, who: str, each: str) -> None:
    held[who] += int(number) * int(each)


def part(held: Holdings, giver: str, word: str, owner: str, taker: str) -> None:
    assert giver == owner
    moved = held[giver] / PARTS[word]
    held[giver] -= moved
    held[taker] += moved


def matches(held: Holdings, who: str, other: str) -> None:
    held[who] += held[other]


def swaps(held: Holdings, first: str, second: str) -> None:
    held[first], held[second] = held[second], held[first]


def shares(held: Holdings, first: str, second: str) -> None:
    held[first] = held[second] = (held[first] + held[second]) / 2


EVENTS: tuple[tuple[str, Callable[..., None]], ...] = (
    (r"(\w+) has (\d+) \w+", has),
    (r"(\w+) has (\d+) times as many \w+ as (\w+)", has_times),
    (r"(\w+) has (\d+) more \w+ than (\w+)", has_more),
    (r"(\w+) (?:buys|finds) (\d+) more \w+", gains),
    (r"(\w+) (?:loses|sells) (\d+) \w+", loses),
    (r"(\w+) gives (\d+) \w+ to (\w+)", gives),
    (r"(\w+) buys (\d+) bags with (\d+) \w+ in each bag", bags),
    (r"On each of the next (\d+) days, (\w+) collects (\d+) \w+", days),
    (r"(\w+) gives (half|a third|a quarter) of (\w+)'s \w+ to (\w+)", part),
    (r"(\w+) buys as many \w+ as (\w+) has", matches),
    (r"(\w+) and (\w+) swap all their \w+", swaps),
    (r"(\w+) and (\w+) put their \w+ together and share them equally", shares),
)


def happen(held: Holdings, sentence: str) -> None:
    if any(re.fullmatch(pattern, sentence) for pattern in DISTRACTIONS):
        return
    matching = [(event, m) for pattern, event in EVENTS if (m := re.fullmatch(pattern, sentence))]
    assert len(matching) == 1, sentence
    event, match = matching[0]
    event(held, *match.groups())
    assert all(count >= 0 and count.denominator == 1 for count in held.values()), sentence


def answered(held: Holdings, question: str) -> Fraction:
    if match := re.fullmatch(r"How many \w+ does (\w+) have now\?", question):
        return held[match[1]]
    if match := re.fullmatch(r"How many \w+ do (\w+) and (\w+) have together\?", question):
        return held[match[1]] + held[match[2]]
    if match := re.fullmatch(r"How many more \w+ does (\w+) have than (\w+)\?", question):
        return held[match[1]] - held[match[2]]
    match = re.fullmatch(r"(\w+) sells all of \1's \w+ for (\d+) dollars each\. How many dollars is that\?", question)
    assert match, question
    return held[match[1]] * int(match[2])


def solved(story: str) -> Fraction:
    match = re.fullmatch(r"(.*?\.) ((?:\w+ sells all of .*|How many .*)\?)", story)
    assert match, story
    held: Holdings = {}
    for sentence in match[1].removesuffix(".").split(". "):
        happen(held, sentence)
    return answered(held, match[2])


@pytest.mark.parametrize("rung", ALL_RUNGS)
def test_stories_solved_sentence_by_sentence_give_the_target(rung: int) -> None:
    """A reader of the text alone comes to the same number, and nobody ever holds less than nothing or a fraction."""
    for problem in problems("stories", rung):
        assert solved(problem.question) == Fraction(problem.target)
        assert int(problem.target) >= 0


@pytest.mark.parametrize("rung", ALL_RUNGS)
def test_stories_never_contradict_themselves(rung: int) -> None:
    """Nobody has two ages, nor the day two temperatures."""
    for problem in problems("stories", rung):
        facts = re.findall(r"It is|\w+ is (?=\d+ years)|\w+ also has", problem.question)
        assert len(facts) == len(set(facts))
