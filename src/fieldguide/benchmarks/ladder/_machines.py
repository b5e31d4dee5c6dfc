"""Programs of rungs 8 to 10: loops over random statements, with several variables and a list as state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fieldguide.benchmarks.ladder._draw import Draw
from fieldguide.benchmarks.ladder._problem import Problem


@dataclass(slots=True)
class _State:
    """What a running program holds."""

    numbers: dict[str, int]
    cells: list[int] = field(default_factory=list)
    i: int = 0
    j: int = 0


@dataclass(frozen=True, slots=True)
class _Statement:
    """One line (or an `if` with one line) of a loop's body, and what it does."""

    source: str
    run: Callable[[_State], None]


def _mix(draw: Draw, names: tuple[str, ...]) -> _Statement:
    """x = (x * k + y) % m."""
    x, y = draw.distinct(names, 2)
    factor, modulus = draw.between(2, 7), draw.pick((11, 13, 17, 19, 23, 29, 31))

    def run(state: _State) -> None:
        state.numbers[x] = (state.numbers[x] * factor + state.numbers[y]) % modulus

    return _Statement(f"{x} = ({x} * {factor} + {y}) % {modulus}", run)


def _step(draw: Draw, names: tuple[str, ...]) -> _Statement:
    """x += i * k."""
    x, factor = draw.pick(names), draw.between(1, 4)

    def run(state: _State) -> None:
        state.numbers[x] += state.i * factor

    return _Statement(f"{x} += i * {factor}", run)


def _compare(draw: Draw, names: tuple[str, ...]) -> _Statement:
    """if x > y: x -= k."""
    x, y = draw.distinct(names, 2)
    less = draw.between(2, 9)

    def run(state: _State) -> None:
        if state.numbers[x] > state.numbers[y]:
            state.numbers[x] -= less

    return _Statement(f"if {x} > {y}:\n    {x} -= {less}", run)


def _divide(draw: Draw, names: tuple[str, ...]) -> _Statement:
    """if x % k == 0: x, y = y, x // k."""
    x, y = draw.distinct(names, 2)
    divisor = draw.between(2, 3)

    def run(state: _State) -> None:
        if state.numbers[x] % divisor == 0:
            state.numbers[x], state.numbers[y] = state.numbers[y], state.numbers[x] // divisor

    return _Statement(f"if {x} % {divisor} == 0:\n    {x}, {y} = {y}, {x} // {divisor}", run)


def _store(draw: Draw, names: tuple[str, ...]) -> _Statement:
    """cells[(i + x) % size] += y."""
    x, y = draw.distinct(names, 2)

    def run(state: _State) -> None:
        state.cells[(state.i + state.numbers[x]) % len(state.cells)] += state.numbers[y]

    return _Statement(f"cells[(i + {x}) % len(cells)] += {y}", run)


def _fetch(draw: Draw, names: tuple[str, ...]) -> _Statement:
    """x = (x + cells[(i * k + y) % size]) % m."""
    x, y = draw.distinct(names, 2)
    factor, modulus = draw.between(2, 5), draw.pick((37, 41, 43, 47, 53))

    def run(state: _State) -> None:
        cell = state.cells[(state.j * factor + state.numbers[y]) % len(state.cells)]
        state.numbers[x] = (state.numbers[x] + cell) % modulus

    return _Statement(f"{x} = ({x} + cells[(j * {factor} + {y}) % len(cells)]) % {modulus}", run)


def _rotate(draw: Draw, names: tuple[str, ...]) -> _Statement:
    """if x % 2: cells = cells[k:] + cells[:k]."""
    x, by = draw.pick(names), draw.between(1, 2)

    def run(state: _State) -> None:
        if state.numbers[x] % 2:
            state.cells = state.cells[by:] + state.cells[:by]

    return _Statement(f"if {x} % 2:\n    cells = cells[{by}:] + cells[:{by}]", run)


def _indented(statements: list[_Statement], depth: int) -> str:
    pad = "    " * depth
    return "\n".join(pad + line for statement in statements for line in statement.source.split("\n"))


def _numbers(draw: Draw, names: tuple[str, ...]) -> dict[str, int]:
    return {name: draw.between(1, 12) for name in names}


def _assignments(state: _State) -> str:
    lines = [f"{name} = {value}" for name, value in state.numbers.items()]
    if state.cells:
        lines.append(f"cells = {state.cells}")
    return "\n".join(lines)


def _problem(source: str, output: object) -> Problem:
    return Problem(question=source, target=str(output))


def two_variables(draw: Draw) -> Problem:
    """Return a loop of 5 to 7 turns over two variables and three statements (rung 8)."""
    names = ("a", "b")
    state = _State(_numbers(draw, names))
    body = [_mix(draw, names), *(make(draw, names) for make in draw.distinct((_step, _compare, _divide), 2))]
    turns = draw.between(5, 7)
    source = f"{_assignments(state)}\nfor i in range({turns}):\n{_indented(body, 1)}\nprint(a + b)"
    for state.i in range(turns):
        for statement in body:
            statement.run(state)
    return _problem(source, state.numbers["a"] + state.numbers["b"])


def three_variables(draw: Draw) -> Problem:
    """Return a loop of 12 to 16 turns over three variables and four statements (rung 9)."""
    names = ("a", "b", "c")
    state = _State(_numbers(draw, names))
    body = [_mix(draw, names), _mix(draw, names), *(make(draw, names) for make in (_step, _compare, _divide))]
    body = draw.distinct(body, 4)
    turns = draw.between(12, 16)
    source = f"{_assignments(state)}\nfor i in range({turns}):\n{_indented(body, 1)}\nprint(a * b + c)"
    for state.i in range(turns):
        for statement in body:
            statement.run(state)
    numbers = state.numbers
    return _problem(source, numbers["a"] * numbers["b"] + numbers["c"])


def nested_with_list(draw: Draw) -> Problem:
    """Return nested loops of 24 to 36 turns over two variables and a list that is changed (rung 10)."""
    names = ("a", "b")
    state = _State(_numbers(draw, names), cells=[draw.between(1, 9) for _ in range(5)])
    body = draw.shuffled([_mix(draw, names), _store(draw, names), _fetch(draw, names), _rotate(draw, names)])
    outer, inner = draw.between(4, 6), 6
    source = (
        f"{_assignments(state)}\nfor i in range({outer}):\n    for j in range({inner}):\n{_indented(body, 2)}\n"
        f"print(sum(cells) + a * b)"
    )
    for state.i in range(outer):
        for state.j in range(inner):
            for statement in body:
                statement.run(state)
    return _problem(source, sum(state.cells) + state.numbers["a"] * state.numbers["b"])
