"""An API beside a machine: the part of `cost` that `--against` adds."""

from __future__ import annotations

import math
import re
from argparse import Namespace
from collections.abc import Callable
from decimal import Decimal

from fieldguide.app.break_even import Against, against_figure, against_json, usd_per_right_answer
from fieldguide.app.cost import Costs
from fieldguide.app.cost_against import AgainstOptions, cost_against
from fieldguide.app.cost_json import costs_json
from fieldguide.app.wiring import House
from fieldguide.cli._output import console, note, number, print_json, table
from fieldguide.errors import UsageError
from fieldguide.planner import Range, usual_utilisation

_SHARES = re.compile(r"(\d*\.?\d+)\s*%?(?:\s*-\s*(\d*\.?\d+)\s*%?)?")

_PAYS = {
    "yes": "One machine pays: it can answer more than break-even needs, even at its slowest.",
    "no": "One machine does not pay: break-even lies beyond what it can answer, or energy alone costs more.",
    "depends": "Whether one machine pays depends on how busy it is and on where in its range the speed lies.",
}


def run_against(args: Namespace, house: House, costs: Costs, show: Callable[[], None]) -> int:
    """Print prices and comparison, and write its page or picture."""
    options = AgainstOptions(
        on=args.against,
        own_model=args.own_model,
        engine=args.engine,
        at_once=args.concurrent,
        utilisation=_utilisation(args.utilisation),
        purchase_usd=args.purchase_usd,
        usd_per_kwh=args.usd_per_kwh,
        usd_per_device_hour=args.usd_per_hour,
        benchmark=args.benchmark,
    )
    made = cost_against(house, costs, options, progress=lambda text: note(args, text))
    _write(args, made)
    if args.json:
        print_json({**costs_json(costs), "against": against_json(made)})
        return 0
    show()
    show_against(made)
    return 0


def _write(args: Namespace, made: Against) -> None:
    from fieldguide.reporting import write_curves_html, write_curves_png

    figure = against_figure(made)
    if args.html is not None:
        write_curves_html(figure.title, (_PAYS[made.result.pays], *made.notes), (figure,), args.html)
        note(args, f"written to {args.html}")
    if args.png is not None:
        write_curves_png(figure, args.png)
        note(args, f"written to {args.png}")


def _utilisation(text: str | None) -> Range:
    """Return a share of the hours, or a range of shares."""
    if text is None:
        return usual_utilisation()
    found = _SHARES.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"--utilisation takes a share such as 0.3 or 0.2-0.6, not {text!r}.")
    ends = [float(end) / (100 if "%" in text else 1) for end in found.groups() if end is not None]
    low, high = ends[0], ends[-1]
    if not 0 < low <= high <= 1:
        raise UsageError("A share of the hours lies above 0 and is at most 1.", hint="Write 0.2-0.6 for 20 to 60 %.")
    return Range(low=low, likely=(low * high) ** 0.5, high=high)


def show_against(against: Against) -> None:
    """Print the comparison as a table, a sentence and its notes."""
    result = against.result
    rows = table(f"against {against.hardware.name}", "low", "likely", "high", right=(1, 2, 3))
    rows.add_row("machine, a month", *_three(against.machine.fixed_usd_per_month, _usd))
    rows.add_row("machine, a request", *_three(result.machine_usd_per_request, _usd))
    rows.add_row("break-even (requests a month)", *_three(result.requests_per_month, number))
    rows.add_row("it can answer (requests a month)", *_three(result.capacity_per_month, number))
    console().print(rows)
    print(f"The API takes {_usd(result.api_usd_per_request)} a request. {_PAYS[result.pays]}")
    print(f"Formula: {result.formula}")
    for who, usd in usd_per_right_answer(against).items():
        if usd is not None:
            print(f"Each right answer takes {_usd(usd)} from the {who}.")
    for text in against.notes:
        print(f"- {text}")
    print("Sources: " + "; ".join(against.sources))


def _usd(value: float | Decimal | None) -> str:
    """Return dollars, of a small amount three digits that count."""
    if value is None:
        return "n/a"
    amount = float(value)
    digits = 2 if amount == 0 or amount >= 1 else 2 - math.floor(math.log10(amount))
    return f"${amount:,.{min(digits, 12)}f}"


def _three(value: Range | None, show: Callable[[float], str]) -> tuple[str, str, str]:
    if value is None:
        return "never", "never", "never"
    low, likely, high = ("never" if end == float("inf") else show(end) for end in (value.low, value.likely, value.high))
    return low, likely, high
