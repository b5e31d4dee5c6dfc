"""Texts of a file that are no fault of its form and yet can hurt whoever trusts them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_TAG = re.compile(
    r"<(?:[a-zA-Z!/?][^<>]{0,200}[\s=/][^<>]{0,200}|/?(?:script|style|img|svg|iframe|body|html|a|b|i|p))>"
)
_DRIVE = re.compile(r"^[A-Za-z]:")
_LONGEST_SHOWN = 80

_BLOCK = re.compile(r"\{%[-+]?\s*(\w+)\s*(\w*)")
_DUNDER = re.compile(r"__\w{1,64}__")
_RANGE = re.compile(r"\brange\s*\(([^()]{0,200})\)")
_LONG_NUMBER = re.compile(r"\d{5,}")
_REPEATED = re.compile(r"['\"]\s*\*\s*\d{4,}|\b\d{4,}\s*\*\s*['\"]")
_POWER = re.compile(r"\d\s*\*\*[\s(]*\d")
_REACHING = re.compile(
    r"\b(?:popen|subprocess|os\.system|builtins|mro|func_globals|importlib)\b|\b(?:eval|exec|open)\s*\("
)
_PAIRED = {"if", "for", "macro", "filter", "call", "raw", "generation", "block"}
_LONGEST_TEMPLATE = 128 << 10
"""Characters; the longest that real models carry is a fifth of it."""
_MOST_MACROS = 64
"""That are looked into, so that the time stays linear in the template's length."""


def shown(text: str, longest: int = _LONGEST_SHOWN) -> str:
    """Return a text from a file for a terminal: nothing but printable characters, and not too many."""
    escaped = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", "backslashreplace").decode()
        for letter in text[: longest + 1]
    )
    return escaped if len(escaped) <= longest else escaped[:longest] + "..."


def has_controls(text: str) -> bool:
    """Return whether a text holds characters that a terminal would act on rather than show."""
    return any(not letter.isprintable() for letter in text)


def path_like(name: str) -> bool:
    """Return whether a tensor's name would lead somewhere as the name of a file."""
    return "/" in name or "\\" in name or name.startswith("~") or bool(_DRIVE.match(name))


def has_markup(text: str) -> bool:
    """Return whether a web page that does not escape this text would run or show something else."""
    return bool(_TAG.search(text[:4096]))


def name_warnings(kind: str, names: Iterable[str]) -> list[str]:
    """Return what is odd about names of keys or tensors, one sentence for each oddity and not one per name."""
    controls, paths, markup = [], [], []
    for name in names:
        if has_controls(name):
            controls.append(name)
        if kind == "tensor" and path_like(name):
            paths.append(name)
        if has_markup(name):
            markup.append(name)
    return [
        *_told(kind, controls, "control characters"),
        *_told(kind, paths, "the form of a path; write no file by such a name"),
        *_told(kind, markup, "markup; a web page must escape it"),
    ]


def _told(kind: str, names: Sequence[str], what: str) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - 1} more have" if len(names) > 1 else " has"
    return [f"the {kind} name `{shown(names[0])}`{more} {what}"]


def template_warnings(template: str) -> list[str]:
    """Return what is odd about a chat template: it is a program, and whoever renders it runs it.

    Nothing is run or parsed here; these are signs and no proof. A template without a warning is still to be rendered
    in a sandbox, with a bound on time and output.
    """
    if len(template) > _LONGEST_TEMPLATE:
        return [f"the chat template is {len(template)} characters long"]
    found = []
    if _DUNDER.search(template) or _REACHING.search(template):
        found.append("the chat template reaches for the inside of Python, as code injection does")
    if any(_LONG_NUMBER.search(inside) for inside in _RANGE.findall(template)):
        found.append("the chat template counts to a very large number and may never end")
    if _REPEATED.search(template) or _POWER.search(template):
        found.append("the chat template builds a very large value")
    blocks = [(match[1], match[2], match.end(2)) for match in _BLOCK.finditer(template)]
    found += _recursion(template, blocks)
    if not _balanced(template, [word for word, _, _ in blocks]):
        found.append("the chat template is no well-formed Jinja: its blocks or braces do not close")
    return found


def _recursion(template: str, blocks: Sequence[tuple[str, str, int]]) -> list[str]:
    macros = [(name, start) for word, name, start in blocks if word == "macro" and name]
    for name, start in macros[:_MOST_MACROS]:
        end = template.find("endmacro", start)
        body = template[start : end if end >= 0 else len(template)]
        if re.search(rf"\{{[{{%][^{{}}]{{0,2000}}\b{re.escape(name)}\s*\(", body):
            return ["the chat template has a macro that calls itself and may never end"]
    return []


def _balanced(template: str, words: Sequence[str]) -> bool:
    """Return whether braces and blocks close; comments may hold anything."""
    code = _without_comments(template)
    if code is None or code.count("{%") != code.count("%}") or code.count("{{") > code.count("}}"):
        return False
    return all(words.count(word) == words.count(f"end{word}") for word in _PAIRED)


def _without_comments(template: str) -> str | None:
    """Return the template without `{# ... #}`, or None where one does not close."""
    kept, at = [], 0
    while (start := template.find("{#", at)) >= 0:
        end = template.find("#}", start + 2)
        if end < 0:
            return None
        kept.append(template[at:start])
        at = end + 2
    return "".join(kept) + template[at:]
