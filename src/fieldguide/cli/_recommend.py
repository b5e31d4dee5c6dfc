"""`plan --job`: models that do a job and fit."""

from __future__ import annotations

from argparse import Namespace

from fieldguide.app.recommend import RecommendRequest, recommend, recommendation_json
from fieldguide.cli._find import fitting_text, show_fitted
from fieldguide.cli._jobs import show_models
from fieldguide.cli._output import house_of, note, print_json
from fieldguide.errors import UsageError


def run(args: Namespace) -> int:
    """Print them, best known first."""
    if args.model is not None:
        raise UsageError("Name a model or give --job.", hint="Leave one of them out.")
    if args.html is not None or args.png is not None:
        raise UsageError("Charts are drawn of one model.", hint="Such as `plan qwen2.5-7b-instruct --html plan.html`.")
    request = RecommendRequest(
        job=args.job,
        memory=args.memory,
        on=args.on,
        budget_usd=_budget(args.budget),
        context_tokens=args.context,
        licence=args.licence,
        on_premises=args.on_premises,
        most=10 if args.limit is None else args.limit,
    )
    made = recommend(house_of(args), request, progress=lambda text: note(args, text))
    if args.json:
        print_json(recommendation_json(made))
        return 0
    first, *others = made.answer.candidates
    print(f"{first.job.title} ({first.job.name}), read from: {', '.join(first.because)}")
    if others:
        print(f"It may also be {', '.join(match.job.name for match in others)}: choose with --job NAME.")
    print(f"Fitted into {fitting_text(made.fitting)}\n")
    show_models(made.answer, {name: rent.sentence for name, rent in made.rents.items()})
    for reason, number in made.answer.left_out.items():
        note(args, f"{number} left out: {reason}")
    show_fitted(args, made.answer.found)
    if made.over_budget:
        note(args, f"{made.over_budget} left out: no device that holds them can be rented within the budget")
    if made.answer.found.unknown_licence:
        note(args, f"{made.answer.found.unknown_licence} left out whose terms of commercial use are not known here")
    for text in made.notes:
        note(args, text)
    return 0


def _budget(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return float(text.lstrip("$"))
    except ValueError as error:
        raise UsageError(f"--budget takes dollars a month, not {text!r}.", hint="Such as --budget 300.") from error
