"""Write docs/commands.md from what the program declares; a test fails when the two differ."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from fieldguide.cli._parser import build_parser

OUT = Path(__file__).parents[1] / "docs" / "commands.md"
_EVERYWHERE = "everywhere"


def command_reference() -> str:
    """Return the page: every command with its arguments and options."""
    parser = build_parser()
    lines = [
        "# Commands",
        "",
        "Written by `tools/write_command_reference.py`; do not edit.",
        "",
        *_fenced(parser.epilog),
    ]
    commands = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    everywhere = next(iter(commands.choices.values()))
    lines += ["## Options of every command", "", *_table(everywhere, only=_EVERYWHERE), ""]
    for name, command in commands.choices.items():
        lines += [
            f"## fieldguide {name}",
            "",
            f"{_sentence(command.description)}",
            "",
            *_table(command, but=_EVERYWHERE),
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"


def _fenced(text: str | None) -> list[str]:
    return ["```text", (text or "").rstrip(), "```", ""]


def _sentence(text: str | None) -> str:
    return f"{(text or '')[:1].upper()}{(text or '')[1:]}."


def _table(parser: argparse.ArgumentParser, *, only: str | None = None, but: str | None = None) -> list[str]:
    rows = list(_rows(parser, only, but))
    return ["| argument | what |", "|---|---|", *rows] if rows else []


def _rows(parser: argparse.ArgumentParser, only: str | None, but: str | None) -> Iterator[str]:
    for group in parser._action_groups:
        if (only is not None and group.title != only) or (but is not None and group.title == but):
            continue
        for action in group._group_actions:
            if not isinstance(action, argparse._HelpAction):
                yield f"| {_name(action)} | {action.help or ''} |"


def _name(action: argparse.Action) -> str:
    value = f" {action.metavar}" if action.metavar and action.option_strings else ""
    names = ", ".join(f"`{option}{value}`" for option in action.option_strings) or f"`{action.metavar}`"
    return names.replace("|", r"\|")


if __name__ == "__main__":
    OUT.write_text(command_reference(), encoding="utf-8")
