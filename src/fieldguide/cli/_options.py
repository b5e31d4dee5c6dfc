"""Flags that several commands share, to values."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable

from fieldguide import registry
from fieldguide.app.references import ModelOptions
from fieldguide.cli._progress import ProgressLine, pull_line
from fieldguide.errors import UnknownNameError, UsageError
from fieldguide.sources import PullProgress


def model_options(args: Namespace, line: ProgressLine, *, stopped: Callable[[], bool]) -> ModelOptions:
    """Return how the flags ask a model to be opened.

    Raises:
        UsageError: A number is not above 0.
    """

    def pulled(progress: PullProgress) -> None:
        if stopped():
            raise KeyboardInterrupt
        line.text(pull_line(progress))

    names = {"threads": "threads", "slots": "slots", "context": "context_tokens"}
    options: dict[str, str] = {}
    for flag, name in names.items():
        value = getattr(args, flag)
        if value is not None:
            if value <= 0:
                raise UsageError(f"--{flag} takes a number above 0, not {value}.")
            options[name] = str(value)
    if args.endpoint:
        options["endpoint"] = args.endpoint
    return ModelOptions(
        accept_licences=frozenset(args.accept_licence),
        api_key_env=args.api_key_env,
        concurrency=getattr(args, "concurrency", None),
        runner_options=options,
        given_options=_given(args.option),
        note=line.text,
        pulled=pulled,
    )


def _given(texts: list[str]) -> dict[str, str]:
    """Return options by their names, which may have a provider's before them.

    Raises:
        UsageError: One has no name or no value, a provider is none, or a name stands twice.
    """
    given: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        provider, colon, inner = name.partition(":")
        if not (name and equals and value) or (colon and not inner):
            raise UsageError(f"--option {text!r} is not NAME=VALUE.", hint="Write it as --option region=us-east-1.")
        if colon and provider not in registry.names("runners"):
            raise UnknownNameError("runner", provider, registry.nearest(provider, registry.names("runners")))
        if name in given:
            raise UsageError(f"--option {name} stands twice.", hint="Give each option once.")
        given[name] = value
    return given
