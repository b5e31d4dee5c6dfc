"""Charts drawn at two widths, of which the page shows the one that fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from fieldguide.errors import MissingDependencyError
from fieldguide.reporting._charts import Spec
from fieldguide.reporting._layout import NARROW, WIDE, Layout
from fieldguide.reporting._svg import draw, rebuilt
from fieldguide.reporting._text import visible


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """One chart, ready for the page."""

    anchor: str
    title: str
    wide: Markup
    narrow: Markup


class Studio:
    """Draws the charts of one report. Where it cannot, it draws none and says why in `missing_because`."""

    def __init__(self) -> None:
        self.missing_because: str | None = None

    def draw(self, spec_for: Callable[[Layout], Spec], *, anchor: str, title: str, description: str) -> Drawing | None:
        """Return the chart at both widths, or None where it cannot be drawn; its table stands beside it either way."""
        if self.missing_because is not None:
            return None
        try:
            wide, narrow = draw(spec_for(WIDE)), draw(spec_for(NARROW))
        except MissingDependencyError as error:
            self.missing_because = f"{error.message} {error.hint}"
            return None
        except ValueError as error:
            self.missing_because = f"The chart engine refused a drawing: {str(error).splitlines()[0][:200]}"
            return None
        title, description = visible(title), visible(description)
        return Drawing(
            anchor=anchor,
            title=title,
            wide=rebuilt(wide, title=title, description=description, id_prefix=f"{anchor}-wide"),
            narrow=rebuilt(narrow, title=title, description=description, id_prefix=f"{anchor}-narrow"),
        )
