"""Write docs/providers.md: what of the recorded exchanges with providers replays. Needs the shared recordings."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.replay import Outcome, Replay, Row, all_replays, exchanges, replay, rows_of  # noqa: E402

OUT = ROOT / "docs" / "providers.md"
_HEAD = """# Providers: what replays

Written by `tools/write_provider_table.py`; do not edit. `tests/reference/test_replay.py` holds what it says.

Real exchanges between other programs and these services were recorded by open-source projects for their own tests. Of
each, the recorded request is read into our request value and written again by our wire: the two bodies have to be equal
but for the differences listed below, and ours valid by the vendor's schema where there is one. The recorded response is
parsed by us and by the vendor's own library: all that the library exposes has to be found in our value, and of an error
the provider's words. An exchange counts in each of its features.
"""


def provider_table() -> str:
    """Return the page."""
    results = [(how, _outcomes(how)) for how in all_replays()]
    lines = [_HEAD, "## In short", "", "| runner | recordings | tried | passed | skipped |", "|---|---|--:|--:|--:|"]
    for how, outcomes in results:
        row = rows_of(outcomes)["all"]
        names = ", ".join(f"`{name}`" for name in how.recordings)
        lines.append(f"| {how.provider} | {names} | {row.tried} | {row.passed} | {row.skipped.total()} |")
    for how, outcomes in results:
        lines += ["", f"## {how.provider}: {', '.join(how.recordings)}", "", *_section(how, outcomes)]
    return "\n".join(lines) + "\n"


def _outcomes(how: Replay) -> list[Outcome]:
    return [replay(how, exchange) for name in how.recordings for exchange in exchanges(name)]


def _section(how: Replay, outcomes: list[Outcome]) -> list[str]:
    rows = rows_of(outcomes)
    lines = ["| feature | tried | passed | skipped, and why |", "|---|--:|--:|---|"]
    lines += [_line(feature, row) for feature, row in sorted(rows.items(), key=lambda pair: pair[0] != "all")]
    if how.allowed:
        lines += ["", "Differences that change nothing:", "", *(f"- {allowed.reason}" for allowed in how.allowed)]
    failed = [outcome for outcome in outcomes if outcome.faults]
    if failed:
        lines += ["", "Not passed:", ""]
        lines += [f"- `{outcome.exchange.id}`: {outcome.faults[0][:160].replace('|', ' ')}" for outcome in failed]
    return lines


def _line(feature: str, row: Row) -> str:
    why = "; ".join(f"{count}: {reason}" for reason, count in sorted(row.skipped.items()))
    return f"| {feature} | {row.tried} | {row.passed} | {why} |"


if __name__ == "__main__":
    OUT.write_text(provider_table(), encoding="utf-8")
