"""Computer algebra for models: runs in the sandbox like a tool of the user's, and needs sympy there."""

from __future__ import annotations

from typing import Annotated, Any, Literal

Operation = Literal[
    "simplify", "expand", "factor", "solve", "differentiate", "integrate", "limit", "series", "evaluate"
]
_LONGEST = 2000


def algebra(
    operation: Operation,
    expression: Annotated[
        str, "such as x**2 - 4, sin(x)/x or, to solve, x**2 = 4; several equations are separated by ;"
    ],
    variable: Annotated[str, "the variable, several separated by commas; the only one where it is left out"] = "",
    lower: Annotated[str, "lower bound of a definite integral"] = "",
    upper: Annotated[str, "upper bound of a definite integral"] = "",
    point: Annotated[str, "where a limit or a series is taken, such as 0 or oo"] = "0",
    direction: Annotated[Literal["+", "-", "+-"], "side from which a limit is approached"] = "+-",
    order: Annotated[int, "order of a derivative, or of the terms of a series"] = 0,
) -> str:
    """Do exact computer algebra: simplify, expand, factor, solve, differentiate, integrate, limit, series, evaluate."""
    import sympy

    if len(expression) > _LONGEST:
        raise ValueError(f"the expression is longer than {_LONGEST} characters")
    if operation == "solve":
        return _solved(expression, variable)
    parsed = _parsed(expression)
    if operation in {"simplify", "expand", "factor"}:
        return str(getattr(sympy, operation)(parsed))
    if operation == "evaluate":
        return f"{sympy.simplify(parsed)} ~ {sympy.N(parsed, 30)}"
    name = _symbols(parsed, variable)[0]
    if operation == "differentiate":
        return str(sympy.diff(parsed, name, order or 1))
    if operation == "integrate":
        if bool(lower) != bool(upper):
            raise ValueError("give both bounds or none")
        over = (name, _parsed(lower), _parsed(upper)) if lower else name
        return str(sympy.simplify(sympy.integrate(parsed, over)))
    if operation == "limit":
        return str(sympy.limit(parsed, name, _parsed(point), direction))
    return str(sympy.series(parsed, name, _parsed(point), order or 6))


def _solved(text: str, variable: str) -> str:
    import sympy

    equations = [_equation(part) for part in text.split(";") if part.strip()]
    unknown = _symbols(sympy.Tuple(*equations), variable)
    if len(equations) == 1 and len(unknown) == 1:
        return str(sympy.solveset(equations[0], unknown[0]))
    return str(sympy.solve(equations, unknown, dict=True))


def _equation(text: str) -> Any:
    import sympy

    if any(sign in text for sign in ("<", ">", "==", "!=")):
        return _parsed(text)
    left, equals, right = text.partition("=")
    return sympy.Eq(_parsed(left), _parsed(right), evaluate=False) if equals else _parsed(left)


def _symbols(parsed: Any, names: str) -> list[Any]:
    import sympy

    if names.strip():
        return [sympy.Symbol(name.strip()) for name in names.split(",")]
    free = sorted(parsed.free_symbols, key=str)
    if not free:
        raise ValueError("there is no variable in it")
    return free


def _parsed(text: str) -> Any:
    import re

    from sympy.parsing import sympy_parser

    if re.search(r"""__|['"\\`@]|\.\s*[A-Za-z_]|\blambda\b""", text):  # sympy's parser would run it as Python
        raise ValueError("this is not mathematics")
    rules = (
        *sympy_parser.standard_transformations,
        sympy_parser.implicit_multiplication_application,
        sympy_parser.convert_xor,
    )
    return sympy_parser.parse_expr(text, transformations=rules)
