"""Specifications drawn offline, and the drawings taken apart and rebuilt from known parts only."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from markupsafe import Markup, escape

from fieldguide.errors import MissingDependencyError
from fieldguide.reporting._palette import NAME_OF_HEX

_ELEMENTS = frozenset({"svg", "g", "path", "line", "rect", "text"})
_SHAPE_ATTRIBUTES = {"d", "x", "y", "x1", "x2", "y1", "y2", "width", "height", "transform"}
_STYLE_ATTRIBUTES = {"fill", "stroke", "stroke-width", "opacity", "text-anchor", "font-size", "font-weight"}
_ATTRIBUTES = _SHAPE_ATTRIBUTES | _STYLE_ATTRIBUTES
_PLAIN_VALUE = re.compile(r"[\w .,()#%+-]*", re.ASCII)


def draw(spec: dict[str, Any]) -> str:
    """Return the SVG of a Vega-Lite specification as Vega writes it, without touching the network.

    Raises:
        MissingDependencyError: The extra `charts` is not installed.
        ValueError: Vega refuses the specification.
    """
    try:
        import vl_convert
    except ImportError as error:
        raise MissingDependencyError("Drawing charts", extra="charts") from error
    return str(vl_convert.vegalite_to_svg(spec, vl_version="5.20", allowed_base_urls=[]))


def rebuilt(svg: str, *, title: str, description: str, id_prefix: str) -> Markup:
    """Return a drawing made of the shapes and texts of `svg` and of nothing else.

    Elements and attributes that are not on our list are left out, with what they hold; every text is escaped anew;
    colours also become classes, so that a style sheet can change them.

    Args:
        svg: A drawing as Vega writes it.
        title: Short name, for those who cannot see it.
        description: What it shows, in a sentence.
        id_prefix: Unlike that of every other drawing on the page.
    """
    parser = _Rebuilder()
    parser.feed(svg)
    parser.close()
    names = Markup('<title id="{0}-title">{1}</title><desc id="{0}-desc">{2}</desc>').format(
        id_prefix, title, description
    )
    width, height = parser.size
    return Markup(
        '<svg class="drawing" role="img" aria-labelledby="{0}-title" aria-describedby="{0}-desc" '
        'viewBox="0 0 {1:g} {2:g}" width="{1:g}" height="{2:g}">{3}{4}</svg>'
    ).format(id_prefix, width, height, names, Markup("").join(parser.parts))


class _Rebuilder(HTMLParser):
    """Keeps what is on the list."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[Markup] = []
        self.size = (0.0, 0.0)
        self._dropped_depth = 0
        self._in_text = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._dropped_depth or tag not in _ELEMENTS:
            self._dropped_depth += 1
        elif tag == "svg":
            values = dict(attrs)
            self.size = (float(values.get("width") or 0), float(values.get("height") or 0))
        else:
            self._in_text = tag == "text"
            self.parts.append(Markup("<{}{}>").format(tag, _kept(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self._dropped_depth and tag in _ELEMENTS and not _invisible(attrs):
            self.parts.append(Markup("<{}{}/>").format(tag, _kept(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if self._dropped_depth:
            self._dropped_depth -= 1
        elif tag in _ELEMENTS and tag != "svg":
            self._in_text = False
            self.parts.append(Markup("</{}>").format(tag))

    def handle_data(self, data: str) -> None:
        if self._in_text and not self._dropped_depth:
            self.parts.append(escape(data))


def _invisible(attrs: list[tuple[str, str | None]]) -> bool:
    values = dict(attrs)
    return values.get("display") == "none" or not {"fill", "stroke"} & values.keys()


def _kept(attrs: list[tuple[str, str | None]]) -> Markup:
    kept = [(name, value or "") for name, value in attrs if name in _ATTRIBUTES and _PLAIN_VALUE.fullmatch(value or "")]
    classes = [
        f"{'f' if name == 'fill' else 's'}-{NAME_OF_HEX[value]}"
        for name, value in kept
        if name in {"fill", "stroke"} and value in NAME_OF_HEX
    ]
    if classes:
        kept.append(("class", " ".join(classes)))
    return Markup("").join(Markup(' {}="{}"').format(name, value) for name, value in kept)
