"""Small Python programs whose output is to be predicted: rungs 1 to 8, written from fixed shapes.

Each function writes a program and works out its output beside it; nothing is executed here. The tests run every
program and compare.
"""

from __future__ import annotations

from fieldguide.benchmarks.ladder._draw import Draw
from fieldguide.benchmarks.ladder._machines import nested_with_list, three_variables, two_variables
from fieldguide.benchmarks.ladder._problem import Problem, Rung

_WORDS = ("cat", "dog", "sun", "map", "red", "box", "tree", "fish", "moon", "book", "lamp", "star", "apple", "house")
_VARIABLES = ("x", "y", "n", "a", "b", "k", "total", "result")
_SYLLABLES = ("ab", "ha", "no", "xy", "la", "to", "me", "hi", "ok", "yo")


def _program(source: str, output: object) -> Problem:
    return Problem(question=source, target=str(output))


def _literal(draw: Draw) -> Problem:
    number, word, name = draw.between(1, 99), draw.pick(_WORDS), draw.pick(_VARIABLES)
    return draw.pick(
        (
            _program(f"print({number})", number),
            _program(f'print("{word}")', word),
            _program(f"{name} = {number}\nprint({name})", number),
            _program(f'{name} = "{word}"\nprint({name})', word),
        )
    )


def _one_of_several(draw: Draw) -> Problem:
    a, b = draw.between(1, 99), draw.between(1, 99)
    first, second = draw.distinct(_VARIABLES, 2)
    word, part = draw.pick(_WORDS), draw.pick(_SYLLABLES)
    return draw.pick(
        (
            _program(f"{first} = {a}\n{second} = {b}\nprint({second})", b),
            _program(f"{first} = {a}\n{second} = {b}\nprint({first})", a),
            _program(f'print("{word}" + "{part}")', word + part),
            _program(f"{first} = {a}\n{second} = {first}\nprint({second})", a),
        )
    )


def _one_sum(draw: Draw) -> Problem:
    a, b, small, name = draw.between(1, 9), draw.between(1, 9), draw.pick((1, 2, 10)), draw.pick(_VARIABLES)
    part = draw.pick(_SYLLABLES)
    return draw.pick(
        (
            _program(f"print({a} + {b})", a + b),
            _program(f"{name} = {a + b}\nprint({name} + {small})", a + b + small),
            _program(f'{name} = "{part}"\nprint({name} * 2)', part * 2),
        )
    )


def _reassign(draw: Draw) -> Problem:
    a, b, c, word = draw.between(2, 30), draw.between(2, 9), draw.between(2, 9), draw.pick(_WORDS)
    values = [draw.between(1, 50) for _ in range(4)]
    place = draw.below(4)
    return draw.pick(
        (
            _program(f"x = {a}\nx = x + {b}\nprint(x)", a + b),
            _program(f"x = {a}\ny = x + {b}\nprint(y * {c})", (a + b) * c),
            _program(f"values = {values}\nprint(values[{place}])", values[place]),
            _program(f'word = "{word}"\nprint(len(word) + {b})', len(word) + b),
            _program(f"values = {values}\nprint(max(values))", max(values)),
        )
    )


def _branch(draw: Draw) -> Problem:
    a, b, c, word = draw.between(2, 30), draw.between(2, 30), draw.between(2, 9), draw.pick(_WORDS)
    values = [draw.between(1, 20) for _ in range(4)]
    taken = a + c if a > b else b - c
    return draw.pick(
        (
            _program(f"a = {a}\nb = {b}\nif a > b:\n    print(a + {c})\nelse:\n    print(b - {c})", taken),
            _program(f"a = {a}\nb = {b}\na, b = b, a + {c}\nprint(a - b)", b - a - c),
            _program(f"values = {values}\nprint(sum(values))", sum(values)),
            _program(f'word = "{word}"\nprint(word[::-1])', word[::-1]),
            _program(f"values = {values}\nvalues.append({b})\nprint(sorted(values))", sorted([*values, b])),
        )
    )


def _short_loop(draw: Draw) -> Problem:
    start, times, step = draw.between(0, 20), draw.between(3, 6), draw.between(2, 9)
    values = [draw.between(1, 20) for _ in range(5)]
    bar = draw.between(5, 15)
    above = [value for value in values if value > bar]
    return draw.pick(
        (
            _program(
                f"total = {start}\nfor i in range({times}):\n    total += {step}\nprint(total)", start + times * step
            ),
            _program(
                f"total = {start}\nfor i in range({times}):\n    total += i * {step}\nprint(total)",
                start + step * times * (times - 1) // 2,
            ),
            _program(
                f"total = 0\nfor v in {values}:\n    if v > {bar}:\n        total += v\nprint(total)",
                sum(above),
            ),
            _program(f"values = {values}\nprint([v for v in values if v > {bar}])", above),
        )
    )


def _longer_loop(draw: Draw) -> Problem:
    a, b, times, factor = draw.between(1, 9), draw.between(1, 9), draw.between(4, 6), draw.between(2, 3)
    fold, pair = a, (a, b)
    for i in range(times):
        fold = fold * factor + i
        pair = (pair[1], pair[0] + pair[1])
    number, base = draw.between(200, 4000), draw.between(3, 9)
    left, digits = number, 0
    while left > 0:
        digits += left % base
        left //= base
    return draw.pick(
        (
            _program(f"x = {a}\nfor i in range({times}):\n    x = x * {factor} + i\nprint(x)", fold),
            _program(f"a, b = {a}, {b}\nfor _ in range({times}):\n    a, b = b, a + b\nprint(b)", pair[1]),
            _program(
                f"n = {number}\ntotal = 0\nwhile n > 0:\n    total += n % {base}\n    n //= {base}\nprint(total)",
                digits,
            ),
        )
    )


def _nested_or_called(draw: Draw) -> Problem:
    outer, inner, factor, bar = draw.between(3, 5), draw.between(3, 5), draw.between(2, 5), draw.between(2, 3)
    nested = sum(i * factor + j for i in range(outer) for j in range(inner) if (i + j) % bar == 0)
    a, b, times = draw.between(2, 12), draw.between(2, 12), draw.between(3, 4)
    called = a
    for _ in range(times):
        called = called * factor - b if called % 2 == 0 else called + b
    if draw.below(3) == 0:
        return two_variables(draw)
    return draw.pick(
        (
            _program(
                f"total = 0\nfor i in range({outer}):\n    for j in range({inner}):\n"
                f"        if (i + j) % {bar} == 0:\n            total += i * {factor} + j\nprint(total)",
                nested,
            ),
            _program(
                f"def f(n):\n    if n % 2 == 0:\n        return n * {factor} - {b}\n    return n + {b}\n\n"
                f"x = {a}\nfor _ in range({times}):\n    x = f(x)\nprint(x)",
                called,
            ),
        )
    )


RUNGS: tuple[Rung, ...] = (
    _literal,
    _one_of_several,
    _one_sum,
    _reassign,
    _branch,
    _short_loop,
    _longer_loop,
    _nested_or_called,
    three_variables,
    nested_with_list,
)
"""Rungs 1 to 10."""
