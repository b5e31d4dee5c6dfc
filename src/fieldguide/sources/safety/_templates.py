"""Chat templates are programs: looked at, and tried out in a child process that may do nothing and has little time.

The child parses and renders; this process never runs a line of a template. What ends badly there would end badly in the
engine, which renders the same template with fewer guards.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from fieldguide.errors import SourceError, UnsafeFileError
from fieldguide.formats import shown

_CHILD = Path(__file__).with_name("_template_child.py")
_DEADLINE_S = 20.0
"""Of the wall; the child's own limit on processor time is far shorter."""
_LONGEST_CHARACTERS = 1 << 20
_MOST_TEMPLATES = 32


def check_templates(path: str, templates: Mapping[str, str]) -> tuple[str, ...]:
    """Return what should be known of the chat templates of a file.

    Raises:
        UnsafeFileError: One reaches for what lies outside, or does not end within bounds.
    """
    if len(templates) > _MOST_TEMPLATES:
        raise UnsafeFileError(shown(path, 120), f"has {len(templates):,} chat templates, and each takes time to try")
    warnings: list[str] = []
    for name, template in templates.items():
        if len(template) > _LONGEST_CHARACTERS:
            raise UnsafeFileError(shown(path, 120), f"has a chat template of {len(template):,} characters")
        verdict, reason = _tried(template)
        if verdict == "refuse":
            raise UnsafeFileError(shown(path, 120), f"has a chat template ({shown(name)}) that {shown(reason, 200)}")
        if verdict == "warn":
            warnings.append(f"the chat template ({shown(name)}) {shown(reason, 200)}")
    return tuple(warnings)


def _tried(template: str) -> tuple[str, str]:
    """Return `ok`, `warn` or `refuse`, and why."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(_CHILD), *_jinja_places()],
            input=template.encode("utf-8", "replace"),
            capture_output=True,
            timeout=_DEADLINE_S,
            env={},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "refuse", "does not end"
    try:
        verdict, reason = json.loads(done.stdout)
    except (ValueError, TypeError):
        if done.returncode > 0:  # It could not even begin: no verdict on the template.
            last = (done.stderr.decode(errors="replace").strip().splitlines() or ["no reason was given"])[-1]
            raise SourceError(f"Chat templates cannot be checked here: {last[:200]}.") from None
        return "refuse", "does not end within the memory and time that are given to it"
    return str(verdict), str(reason)


def _jinja_places() -> list[str]:
    """Return the folders that hold jinja2 and what it needs; the child's interpreter looks nowhere else."""
    import jinja2
    import markupsafe

    return list(dict.fromkeys(str(Path(str(module.__file__)).parents[1]) for module in (jinja2, markupsafe)))
