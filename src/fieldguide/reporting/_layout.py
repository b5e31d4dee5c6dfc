"""Where things stand in a drawing, in pixels, at each of the two widths."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from fieldguide.reporting._text import one_line

_LINE_PX = 16
_DOT_GAP_PX = 15
_MARK_PX = 22
"""Height of a lone mark or bar."""
_BETWEEN_ROWS_PX = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One of the two sizes. Labels stand left of the plot, or above their row where `left` has no room for them."""

    width: int
    left: int
    right: int
    font_px: int

    @property
    def plot_px(self) -> int:
        """Width between the ends of the axis."""
        return self.width - self.left - self.right

    @property
    def labels_above(self) -> bool:
        """Whether a row's label stands above it."""
        return self.left < 100

    def label(self, text: str, *, figure: str = "") -> str:
        """Return `text` cut to the room that a label has; beside it, above a row, a figure may stand."""
        room = self.plot_px - _text_px(figure, self.font_px) - 12 if self.labels_above else self.left - 20
        limit = 60
        while (line := one_line(text, limit=limit)) and _text_px(line, self.font_px) > room and limit > 4:
            limit -= 1
        return line


WIDE = Layout(width=880, left=256, right=80, font_px=13)
NARROW = Layout(width=360, left=14, right=14, font_px=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows of one height: room for `lines` of label and for `marks` marks one below another."""

    layout: Layout
    number: int
    lines: int = 1
    marks: int = 1

    @property
    def height_px(self) -> int:
        """Height of all rows."""
        return self.number * self._row_px

    def middle(self, place: int) -> float:
        """Return the height, from the top, at which the marks of a row are centred."""
        if self.layout.labels_above:
            return place * self._row_px + self.lines * _LINE_PX + _BETWEEN_ROWS_PX / 2 + self._marks_px / 2
        return (place + 0.5) * self._row_px

    def mark(self, place: int, number: int, of: int) -> float:
        """Return the height of one of the `of` marks in a row."""
        return self.middle(place) + (number - (of - 1) / 2) * _DOT_GAP_PX

    def line(self, place: int, number: int, of: int) -> float:
        """Return the height of the middle of one of the `of` lines of a row's label."""
        if self.layout.labels_above:
            return place * self._row_px + _BETWEEN_ROWS_PX / 2 + (number + 0.5) * _LINE_PX
        return self.middle(place) + 1 + (number - (of - 1) / 2) * _LINE_PX

    @property
    def _marks_px(self) -> int:
        return _MARK_PX + (self.marks - 1) * _DOT_GAP_PX

    @property
    def _row_px(self) -> int:
        label_px = self.lines * _LINE_PX
        if self.layout.labels_above:
            return label_px + self._marks_px + _BETWEEN_ROWS_PX
        return max(label_px, self._marks_px) + _BETWEEN_ROWS_PX


def _text_px(text: str, font_px: int) -> float:
    """Return about how wide a text is in a wide sans-serif face; too wide rather than too narrow."""
    return sum(_em(character) for character in text) * font_px


def _em(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF" or character in "WM@%mw…":
        return 0.95
    if character in "ijltfrI.,:;|!'()[] -":
        return 0.4
    return 0.68 if character.isupper() else 0.62
