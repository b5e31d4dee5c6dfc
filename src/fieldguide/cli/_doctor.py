"""`doctor`: check the installation, and a model on it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Coroutine
from dataclasses import asdict
from typing import Any

from fieldguide.app.doctor import Finding, examine
from fieldguide.cli._errors import FAILED
from fieldguide.cli._loop import run_to_end
from fieldguide.cli._options import model_options
from fieldguide.cli._output import house_of, print_json
from fieldguide.cli._progress import ProgressLine
from fieldguide.evaluation import Stop

_MARKS = {"ok": "ok     ", "warning": "warning", "failed": "FAILED "}


def run(args: Namespace) -> int:
    """Print every finding; exit 1 if any check failed."""
    house = house_of(args)
    with ProgressLine(quiet=args.quiet) as line:

        def work(stop: Stop) -> Coroutine[Any, Any, list[Finding]]:
            return examine(house, args.model, model_options(args, line, stopped=lambda: stop.requested))

        findings: list[Finding] = run_to_end(house, work, say=line.say, gentle=False)
    if args.json:
        print_json({"findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            print(f"{_MARKS[finding.state]} {finding.check}: {finding.detail}")
            if finding.hint:
                print(f"          next: {finding.hint}")
    return FAILED if any(finding.state == "failed" for finding in findings) else 0
