"""Style sheets and scripts, all our own; their addresses change with their content, so that browsers may keep them."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib import resources

from fieldguide.reporting import style_sheet

_TYPES = {"css": "text/css", "js": "text/javascript"}
_COLOURS = re.compile(r":root \{\n(?P<rules>.*?)\n *\}", re.DOTALL)


@cache
def assets() -> dict[str, tuple[bytes, str]]:
    """Return bytes and media type of each file, by its name."""
    folder = resources.files("fieldguide.web").joinpath("assets")
    found = {item.name: item.read_bytes() for item in folder.iterdir() if item.name.endswith((".css", ".js"))}
    found["look.css"] = (style_sheet() + _looks()).encode()
    return {name: (held, _TYPES[name.rpartition(".")[2]]) for name, held in found.items()}


@cache
def address_of(name: str) -> str:
    """Return the address of a file of ours."""
    return f"/assets/{hashlib.sha256(assets()[name][0]).hexdigest()[:12]}/{name}"


def _looks() -> str:
    """Return the reports' two sets of colours once more, for those who choose one and do not follow their system."""
    light, dark = (found["rules"] for found in _COLOURS.finditer(style_sheet()))
    light = light.replace("color-scheme: light dark", "color-scheme: light")
    return f"\n:root[data-look=light] {{\n{light}\n}}\n:root[data-look=dark] {{ color-scheme: dark;\n{dark}\n}}\n"
