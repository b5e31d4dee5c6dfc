"""How many answers a client asks for: budgets are held by it."""

from __future__ import annotations

from typing import Any

import pytest

from fieldguide.server._chat_read import forwarded
from fieldguide.server._errors import RequestError
from fieldguide.server._reading import Fields

NAMES = ("n", "best_of", "echo")


@pytest.mark.parametrize("name", ["n", "best_of"])
@pytest.mark.parametrize("value", [-5, 0, 1.5, "2", True, [2]])
def test_what_is_no_number_of_answers_goes_to_no_server(name: str, value: Any) -> None:
    """One below nothing would make a budget larger."""
    with pytest.raises(RequestError, match=name):
        forwarded(Fields({name: value}, "", []), True, NAMES)


def test_numbers_of_answers_go_to_servers_that_make_several() -> None:
    """Elsewhere one is one, and several are refused."""
    assert forwarded(Fields({"n": 2, "best_of": 3}, "", []), True, NAMES) == {"n": 2, "best_of": 3}
    assert forwarded(Fields({"n": 1, "best_of": 1}, "", []), False, NAMES) == {}
    with pytest.raises(RequestError):
        forwarded(Fields({"best_of": 2}, "", []), False, NAMES)


def test_what_an_endpoint_does_not_have_stays_unknown() -> None:
    """Chat has no `best_of`: it is listed as left out."""
    notes: list[str] = []
    fields = Fields({"best_of": 2}, "", notes)
    assert forwarded(fields, True, ("n",)) == {}
    fields.end()
    assert notes == ["best_of"]
