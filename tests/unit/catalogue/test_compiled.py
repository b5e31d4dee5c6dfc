"""Fast copies: the same value comes back, and nothing that was cut or changed is believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest

from fieldguide.catalogue import Fact, Families, families
from fieldguide.catalogue._compiled import compiled
from fieldguide.catalogue.claims import Collection, collections


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    """A part."""

    day: date | None
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    """Every form that the catalogue's classes have."""

    name: str
    which: Literal["a", "b"] | None = None
    count: Fact[int] | None = None
    several: frozenset[str] = frozenset()
    inner: tuple[Inner, ...] = ()
    mixed: Mapping[str, str | Inner]


_VALUE = Outer(
    name="é",
    which="b",
    count=Fact(value=7, source="here", as_of=date(2026, 1, 2)),
    several=frozenset({"x", "y"}),
    inner=(Inner(day=None, price=Decimal("1.50")), Inner(day=date(2026, 1, 3), price=Decimal(2))),
    mixed={"plain": "text", "whole": Inner(day=None, price=Decimal(0))},
)


def _never() -> Outer:
    raise AssertionError("the copy was not used")


def test_a_copy_gives_the_same_value(tmp_path: Path) -> None:
    """Days, decimals, sets, facts and unions come back as what they were."""
    assert compiled(tmp_path, "toy", [], Outer, lambda: _VALUE) is _VALUE
    assert compiled(tmp_path, "toy", [], Outer, _never) == _VALUE


@pytest.mark.parametrize("spoil", [lambda text: text[:-9], lambda text: text.replace(b"1.50", b"1.51"), lambda _: b""])
def test_a_spoiled_copy_is_made_again(tmp_path: Path, spoil: object) -> None:
    """One that was cut, one whose value was changed, an empty one."""
    assert callable(spoil)
    compiled(tmp_path, "toy", [], Outer, lambda: _VALUE)
    (copy,) = tmp_path.iterdir()
    whole = copy.read_bytes()
    copy.write_bytes(spoil(whole))
    assert compiled(tmp_path, "toy", [], Outer, lambda: _VALUE) == _VALUE
    assert copy.read_bytes() == whole


def _comes_back(folder: Path, schema: object, value: object) -> bool:
    compiled(folder, "shipped", [], schema, lambda: value)
    restored: object = compiled(folder, "shipped", [], schema, _never)
    return restored == value


def test_what_is_shipped_comes_back_whole(tmp_path: Path) -> None:
    """Every family, licence, rule and alias, and every table of claims."""
    assert _comes_back(tmp_path / "families", Families, families())
    assert _comes_back(tmp_path / "tables", tuple[Collection, ...], collections())
