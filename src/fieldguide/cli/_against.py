"""An API beside a machine: the part of `cost` that `--against` adds."""

from __future__ import annotations

from collections.abc import Callable

from fieldguide.app.break_even import Against
from fieldguide.cli._output import console, money, number, table
from fieldguide.planner import Range

_PAYS = {
    "yes": "One machine pays: it can answer more than break-even needs, even at its slowest.",
    "no": "One machine does not pay: break-even lies beyond what it can answer, or energy alone costs more.",
    "depends": "Whether one machine pays depends on how busy it is and on where in its range the speed lies.",
}


def show_against(against: Against) -> None:
    """Print the comparison as a table, a sentence and its notes."""
    result = against.result
    rows = table(f"against {against.hardware.name}", "low", "likely", "high", right=(1, 2, 3))
    rows.add_row("machine, a month", *_three(against.machine.fixed_usd_per_month, money))
    rows.add_row("machine, a request", *_three(result.machine_usd_per_request, money))
    rows.add_row("break-even (requests a month)", *_three(result.requests_per_month, number))
    rows.add_row("it can answer (requests a month)", *_three(result.capacity_per_month, number))
    console().print(rows)
    print(f"The API takes {money(result.api_usd_per_request)} a request. {_PAYS[result.pays]}")
    print(f"Formula: {result.formula}")
    for note in against.notes:
        print(f"- {note}")
    print("Sources: " + "; ".join(against.sources))


def _three(value: Range | None, show: Callable[[float], str]) -> tuple[str, str, str]:
    if value is None:
        return "never", "never", "never"
    low, likely, high = ("never" if end == float("inf") else show(end) for end in (value.low, value.likely, value.high))
    return low, likely, high
