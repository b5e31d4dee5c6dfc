"""Live progress on standard error: one line that moves on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

from fieldguide.cli._output import gigabytes, money, number, percent, seconds, span

if TYPE_CHECKING:
    from fieldguide.evaluation import Forecast, Progress
    from fieldguide.sources import PullProgress

_EVERY_S = 5.0
_WORTH_FORESEEING_S = 10.0


class ProgressLine:
    """Shows one thing at a time. Use it as a context manager; the line is cleared at the end."""

    def __init__(self, *, quiet: bool) -> None:
        """Show nothing at all if `quiet`."""
        self._quiet = quiet
        self._live = sys.stderr.isatty()
        self._said_s = 0.0
        self._shown = False
        self._last: Progress | None = None
        self._foreseen = False

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()

    def run(self, progress: Progress) -> None:
        """Show where a run stands."""
        changed = self._last is None or (self._last.model, self._last.benchmark) != (progress.model, progress.benchmark)
        self._last = progress
        self._foreseen = self._foreseen and not changed
        if progress.forecast is not None and not self._foreseen and not progress.finished:
            self._foreseen = True
            if progress.forecast.seconds.high >= _WORTH_FORESEEING_S or progress.forecast.cost_usd is not None:
                self.say(forecast_line(progress, progress.forecast))
        self._show(run_line(progress), at_once=progress.finished or changed)
        if progress.finished and self._shown and self._live:
            self._end_line()

    def text(self, text: str) -> None:
        """Show a sentence about something slow."""
        self._show(text, at_once=False)

    def say(self, text: str) -> None:
        """Print a line that stays."""
        if not self._quiet:
            self.clear()
            print(text, file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Remove the moving line."""
        if self._shown and self._live:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
            self._shown = False

    def _show(self, text: str, *, at_once: bool) -> None:
        if self._quiet:
            return
        moment = time.monotonic()
        if self._live:
            sys.stderr.write(f"\r\x1b[2K{text[: _columns() - 1]}")
            self._shown = True
        elif at_once or moment - self._said_s >= _EVERY_S:
            self._said_s = moment
            sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def _end_line(self) -> None:
        sys.stderr.write("\n")
        sys.stderr.flush()
        self._shown = False


def run_line(progress: Progress) -> str:
    """Return one line: items done, accuracy so far, tokens per second, time left, money."""
    parts = [
        f"{progress.model} on {progress.benchmark}",
        f"{progress.answered + progress.failed}/{progress.total}",
        f"{percent(progress.accuracy)} right",
    ]
    if progress.tokens_per_s is not None:
        parts.append(f"{progress.tokens_per_s:.0f} tokens/s")
    if progress.spent_usd:
        parts.append(_bill(progress))
    if progress.failed:
        parts.append(f"{progress.failed} failed")
    if progress.finished:
        parts.append(f"done in {seconds(progress.elapsed_s)}")
    elif progress.answered + progress.failed >= progress.total:
        parts.append(f"judging {progress.judged}/{progress.answered}")
    else:
        parts.append(_time_left(progress))
    if progress.waiting:
        parts.append(progress.waiting)
    return " · ".join(parts)


def _bill(progress: Progress) -> str:
    """Return what was spent, and what it will come to."""
    foreseen = None if progress.forecast is None else progress.forecast.cost_usd
    if foreseen is None or progress.finished:
        return money(progress.spent_usd)
    return f"{money(progress.spent_usd)} of {span(foreseen.low, foreseen.high, money)}"


def _time_left(progress: Progress) -> str:
    if progress.forecast is None:
        return f"{seconds(progress.left_s)} left" if progress.left_s is not None else "starting"
    foreseen, elapsed_s = progress.forecast.seconds, progress.elapsed_s
    return f"{span(max(foreseen.low - elapsed_s, 0.0), max(foreseen.high - elapsed_s, 0.0), seconds)} left"


def forecast_line(progress: Progress, forecast: Forecast) -> str:
    """Return what the first answers let expect of the whole, and how far the budget will go."""
    parts = [f"forecast after {forecast.answers} of {forecast.requests} answers: {_duration(forecast)}"]
    if forecast.output_tokens is not None:
        parts.append(f"{span(forecast.output_tokens.low, forecast.output_tokens.high, number)} output tokens")
    if forecast.cost_usd is not None and forecast.cost_usd.high > 0:
        parts.append(f"{span(forecast.cost_usd.low, forecast.cost_usd.high, money)}")
        if progress.budget_usd is not None and forecast.cost_usd.likely > progress.budget_usd:
            covered = int(forecast.requests * float(progress.budget_usd) / forecast.cost_usd.likely)
            parts.append(f"the budget of {money(progress.budget_usd)} covers about {covered:,} of them")
    return ", ".join(parts)


def _duration(forecast: Forecast) -> str:
    return span(forecast.seconds.low, forecast.seconds.high, seconds)


def _columns() -> int:
    import shutil

    return shutil.get_terminal_size().columns


def pull_line(progress: PullProgress) -> str:
    """Return one line about a download."""
    text = progress.note or progress.stage
    if progress.total_bytes:
        share = progress.done_bytes / progress.total_bytes
        text += f" · {gigabytes(progress.done_bytes)} of {gigabytes(progress.total_bytes)} ({100 * share:.0f} %)"
    if progress.bytes_per_s:
        text += f" · {gigabytes(round(progress.bytes_per_s))}/s"
    if progress.left_s is not None:
        text += f" · {seconds(progress.left_s)} left"
    return text
