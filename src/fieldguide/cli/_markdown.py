"""Markdown as it streams: what is whole is printed for good, and only the paragraph being written is drawn anew."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_EVERY_S = 0.08
"""Least time between two drawings: often enough to flow, seldom enough not to flicker."""
_FENCE = re.compile(r"^ {0,3}(```+|~~~+)")


class MarkdownStream:
    """Prints a growing Markdown text to a terminal."""

    def __init__(self, console: Console) -> None:
        """Nothing is printed before there is text."""
        from rich.live import Live

        self._console = console
        self._rest = ""
        self._drawn_s = 0.0
        self._live = Live(console=console, auto_refresh=False, transient=True, vertical_overflow="crop")
        self._started = False

    def feed(self, text: str) -> None:
        """Take the next piece."""
        self._rest += text
        whole, self._rest = split_whole(self._rest)
        if whole.strip():
            self._clear()
            self._console.print(_rendered(whole))
        if time.monotonic() - self._drawn_s >= _EVERY_S:
            self._draw()

    def close(self) -> None:
        """Print what is left; a later piece begins anew."""
        self._clear()
        if self._rest.strip():
            self._console.print(_rendered(self._rest))
        self._rest = ""

    def _draw(self) -> None:
        if not self._rest.strip():
            return
        if not self._started:
            self._live.start()
            self._started = True
        # A paragraph taller than the terminal could not be drawn over: only its end is shown until it is whole.
        lines = self._rest.splitlines()[-max(self._console.height - 4, 4) :]
        self._live.update(_rendered("\n".join(lines)), refresh=True)
        self._drawn_s = time.monotonic()

    def _clear(self) -> None:
        if self._started:
            from rich.text import Text

            self._live.update(Text(""), refresh=True)
            self._live.stop()
            self._started = False


def split_whole(text: str) -> tuple[str, str]:
    """Return the blocks that nothing further can change, and the rest; a blank line outside a code fence ends one."""
    fence: str | None = None
    end = place = 0
    for line in text.splitlines(keepends=True):
        place += len(line)
        if found := _FENCE.match(line):
            if fence is None:
                fence = found[1]
            elif found[1].startswith(fence):
                fence = None
        if fence is None and not line.strip() and line.endswith("\n"):
            end = place
    return text[:end], text[end:]


def _rendered(text: str) -> RenderableType:
    from rich.markdown import Markdown

    return Markdown(text, hyperlinks=False)
