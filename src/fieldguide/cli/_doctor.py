"""`doctor`: check the installation, and a model on it."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Coroutine
from dataclasses import asdict
from typing import Any

from fieldguide.app.doctor import ModelCheck, examine, same_model
from fieldguide.app.probe import Comparison, Finding
from fieldguide.app.references import as_decimal
from fieldguide.cli._answer_view import shown
from fieldguide.cli._errors import FAILED
from fieldguide.cli._loop import run_to_end
from fieldguide.cli._options import model_options
from fieldguide.cli._output import house_of, print_json
from fieldguide.cli._progress import ProgressLine
from fieldguide.errors import UsageError
from fieldguide.evaluation import Stop

_MARKS = {"ok": "ok     ", "warning": "warning", "failed": "FAILED ", "could_not_tell": "unknown"}


def run(args: Namespace) -> int:
    """Print every finding; exit 1 if any check failed."""
    if args.prompt_tokens is not None and args.prompt_tokens < 100:
        raise UsageError(f"--prompt-tokens takes a number of at least 100, not {args.prompt_tokens}.")
    if args.same and len(args.models) != 2:
        raise UsageError("--same compares two endpoints.", hint="fieldguide doctor MODEL_A MODEL_B --same")
    house = house_of(args)
    with ProgressLine(quiet=args.quiet) as line:
        how = ModelCheck(
            longest_prompt_tokens=args.prompt_tokens,
            budget_usd=as_decimal(args.budget_usd, "--budget-usd"),
            tell=line.text,
            say=line.say,
        )

        def work(stop: Stop) -> Coroutine[Any, Any, list[Finding] | Comparison]:
            options = model_options(args, line, stopped=lambda: stop.requested)
            if args.same:
                return same_model(house, args.models[0], args.models[1], options, how)
            return examine(house, args.models, options, how)

        found: list[Finding] | Comparison = run_to_end(house, work, say=line.say, gentle=False)
    return _show_comparison(args, found) if isinstance(found, Comparison) else _show(args, found)


def _show(args: Namespace, findings: list[Finding]) -> int:
    if args.json:
        print_json({"findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            sure = " (likely)" if finding.certainty == "likely" else ""
            print(shown(sys.stdout, f"{_MARKS[finding.state]} {finding.check}: {finding.detail}{sure}"))
            if finding.hint:
                print(f"          next: {finding.hint}")
    return FAILED if any(finding.state == "failed" for finding in findings) else 0


def _show_comparison(args: Namespace, comparison: Comparison) -> int:
    first, second = args.models
    if args.json:
        print_json({"a": first, "b": second, **asdict(comparison)})
    else:
        verdicts = {"same": "have the same model", "different": "do NOT have the same model"}
        told = verdicts.get(comparison.verdict, "may or may not have the same model: cannot tell")
        print(f"{first} and {second} {told}")
        print(f"  {comparison.confidence}")
        for reason in comparison.reasons:
            print(f"  - {reason}")
    return FAILED if comparison.verdict == "different" else 0
