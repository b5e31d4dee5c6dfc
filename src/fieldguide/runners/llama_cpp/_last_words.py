"""What the engine wrote before it gave up, as a sentence for people."""

from __future__ import annotations

import re
from collections.abc import Sequence

_PREFIX = re.compile(
    r"^(?:[\d.]+ [EW] )?(?:\w+ +)?(?:[\w:]+: )?(?:init: )?(?:error loading model: |error: |/\S*/)?"
    r"(?:chat template parsing error: )?(?:Unable to generate parser .* failed: )?(?:Error: )*"
)
_ERROR = re.compile(r"^[\d.]+ E |GGML_ASSERT|GGML_ABORT|what\(\):|ggml_validate|^error: ", re.I)
_SAYS_NOTHING = re.compile(
    r"failed to load model|exiting due to|fit params to free|please consider|for example: --no-jinja|std::exception"
)
_VAGUE = re.compile(r"failed to (?:read (?:header|key-value pairs|tensor info|tensor data)|initialize chat template)")
_NAN = re.compile(r"found (nan|inf) value")
_MOST = 300


def load_failure(lines: Sequence[str], *, killed_by: str | None, at_template: bool) -> str:
    """Return why a model was not loaded.

    Args:
        lines: Last lines that the engine wrote.
        killed_by: Name of the signal that ended the engine, or None where it ended by itself.
        at_template: Whether the weights were loaded and the chat template was being read.
    """
    reason = _reason(lines)
    if killed_by is None and at_template:
        return f"llama.cpp cannot use its chat template: {reason or 'it gives no reason'}."
    if killed_by is None:
        return f"llama.cpp will not load it: {reason or 'it gives no reason'}."
    where = "reading its chat template" if at_template else "loading it"
    return f"llama.cpp died by {killed_by} while {where}" + (f": {reason}." if reason else ".")


def _reason(lines: Sequence[str]) -> str | None:
    """Return the most telling line, without the engine's prefixes and without control characters."""
    for line in lines:
        if found := _NAN.search(line):
            return f"its weights hold a value that is not a number ({found[1]})"
    errors = [(index, line) for index, line in enumerate(lines) if _ERROR.search(line)]
    telling = [(index, line) for index, line in errors if not _SAYS_NOTHING.search(line)]
    if not telling:
        return None
    index, best = next(((index, line) for index, line in telling if not _VAGUE.search(line)), telling[0])
    if best.rstrip().endswith(":"):  # the reason proper follows in the next lines
        best = f"{best.rstrip()} {_detail(lines[index + 1 :])}"
    return _plain(_PREFIX.sub("", best)).rstrip(".")


def _detail(lines: Sequence[str]) -> str:
    return next((line for line in lines[:6] if line.startswith("Error:")), "")


def _plain(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:_MOST]
