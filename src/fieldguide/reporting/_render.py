"""A report as one file of HTML that loads nothing and runs nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fieldguide.domain import JsonValue, Outcome
from fieldguide.errors import UsageError
from fieldguide.reporting import _numbers
from fieldguide.reporting._drawings import Studio
from fieldguide.reporting._items import MAX_TEXT_CHARACTERS, choose
from fieldguide.reporting._palette import OUTCOME_MEANINGS, model_role, model_shape
from fieldguide.reporting._sections import sections
from fieldguide.reporting._text import cut, one_line, visible
from fieldguide.reporting._unknowns import unknown_reasons
from fieldguide.reporting._values import Report

_FIGURES = (
    *("count", "decimals", "dollars", "duration", "level", "moment", "percent", "percent_interval"),
    *("percent_range", "points_interval", "probability", "reversed_points", "signed"),
)
"""Names in `_numbers` that templates use as filters."""


def render_html(report: Report) -> str:
    """Return the page. The same report gives the same text.

    Nothing in it comes from another address and there is no script; a content security policy forbids both. Text from
    models, data sets and users is escaped, and characters that hide or that turn the writing round are shown as signs.
    """
    shown = choose(report.items)
    return page_of("report.html.j2", shown=shown, text_limit=MAX_TEXT_CHARACTERS, **report_parts(report))


def report_parts(report: Report) -> dict[str, Any]:
    """Return what the templates of verdicts and exams show, charts drawn, for pages that hold them within."""
    studio = Studio()
    made = sections(report, studio)
    return {
        "report": report,
        "sections": made,
        "unknown_reasons": unknown_reasons,
        "charts_missing": studio.missing_because,
        "places": {model.name: place for place, model in enumerate(report.models)},
        "outcomes": list(Outcome),
        "meanings": OUTCOME_MEANINGS,
    }


def style_sheet() -> str:
    """Return the style sheet of our pages; its first two rules are the colours, light and dark."""
    return resources.files("fieldguide.reporting").joinpath("templates/report.css").read_text("utf-8")


def page_of(template: str, **context: Any) -> str:
    """Return a page of ours with its style sheet inside it."""
    css = style_sheet()
    return (
        template_environment()
        .get_template(template)
        .render(
            css=Markup(css),  # noqa: S704 - our own file
            css_hash=base64.b64encode(hashlib.sha256(css.encode()).digest()).decode(),
            **context,
        )
    )


def write_html(report: Report, path: Path) -> None:
    """Write the page to `path`, whole or not at all.

    Raises:
        UsageError: The folder does not exist or cannot be written to, or `path` is a folder.
    """
    write_bytes(render_html(report).encode("utf-8"), path)


def write_bytes(page: bytes, path: Path) -> None:
    """Write a page or a picture, whole or not at all.

    Raises:
        UsageError: The folder does not exist or cannot be written to, or `path` is a folder.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder.", hint="Name a file in it, such as report.html.")
    if not path.parent.is_dir():
        raise UsageError(f"The folder {path.parent} does not exist.", hint="Make it first, or choose another.")
    try:
        _replace(path, page)
    except OSError as error:
        raise UsageError(
            f"The report cannot be written to {path}: {error.strerror or error}.",
            hint="Choose a folder that you may write to and that has room; nothing was changed.",
        ) from error


def _replace(path: Path, page: bytes) -> None:
    temporary = path.with_name(f".fieldguide-report-{secrets.token_hex(8)}.part")
    try:
        with temporary.open("xb") as file:
            file.write(page)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def template_environment(package: str | None = None) -> Environment:
    """Return what renders our templates: everything is escaped, and hiding characters are shown.

    Args:
        package: A package with `templates/` of its own, which are looked for first.
    """
    names = ("fieldguide.reporting",) if package is None else (package, "fieldguide.reporting")
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(name) for name in names]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update({name: getattr(_numbers, name) for name in _FIGURES})
    environment.filters.update(
        fact=_fact,
        cut=lambda text, limit: cut(visible(text), limit=limit),
        one_line=lambda text, limit: one_line(text, limit=limit),
        model_role=lambda place: model_role(place).name,
        model_shape=model_shape,
    )
    return environment


def _finalized(value: Any) -> Any:
    """Return `value` as it may be printed: what is not our own markup loses its hiding characters first."""
    return value if isinstance(value, Markup) else visible(str(value))


def _fact(value: JsonValue) -> str:
    if value is None:
        return _numbers.NOT_AVAILABLE
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=dict)
