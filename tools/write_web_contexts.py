"""Write docs/web-contexts.md from what the pages declare; a test fails when the two differ."""

from __future__ import annotations

import re
from pathlib import Path

from fieldguide.web import PAGES

OUT = Path(__file__).parents[1] / "docs" / "web-contexts.md"


def web_contexts() -> str:
    """Return the page: every page of the site, what it can be asked, and what its JSON twin holds."""
    lines = [
        "# Pages and their JSON",
        "",
        "Written by `tools/write_web_contexts.py`; do not edit.",
        "",
        "Each page of `fieldguide web` is a context shown by a template. The same context as JSON is at the same path",
        "with `.json` behind it (`/index.json` for the first page), or with `format=json` among the fields. Unknown",
        'values are `null`. An error is `{"error": {"type", "message", "hint", "retryable"}}` with its status; of an',
        "unknown name it also has `kind` and `nearest`.",
        "",
    ]
    for page in PAGES:
        path = re.sub(r"\{(\w+)[^}]*\}", lambda part: part[1].upper(), page.path)
        lines += [f"## `{path}`", "", page.about, ""]
        if page.fields:
            lines += [
                "| field | what it asks |",
                "|---|---|",
                *(f"| `{k}` | {v} |" for k, v in page.fields.items()),
                "",
            ]
        lines += [
            "| key | what it holds |",
            "|---|---|",
            *(f"| `{key}` | {what} |" for key, what in page.keys.items()),
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    OUT.write_text(web_contexts(), encoding="utf-8")
