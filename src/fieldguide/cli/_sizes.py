"""The sizes of a family in the terminal: what the labels mean, and scores against size with their intervals."""

from __future__ import annotations

from fieldguide.app.size_needs import SHOWN, encoder_sentence
from fieldguide.app.sizes import Meaning, Sizes, series_title
from fieldguide.cli._find import size_text
from fieldguide.cli._output import console, gigabytes, number, span, table
from fieldguide.comparison import SizePoint, SizeSeries, in_points, series_sentence

_WIDTH = 50
"""Columns for 0 to 100 %: two points each."""
_SERIES_SHOWN = 5


def show_meanings(sizes: Sizes) -> None:
    """Print what the labels stand for."""
    priced = any(each.price for each in sizes.meanings)
    if any(each.parameters for each in sizes.meanings):
        print(
            "What a size means: the number of weights, all of which memory must hold. The embedding turns tokens into"
        )
        print("numbers and back; of a mixture of experts only the active weights are computed with for one token.")
    else:
        print("How many parameters these models have is not published." + ("" if priced else "\n"))
    if not (priced or any(each.parameters for each in sizes.meanings)):
        return
    columns = (
        "size",
        "weights",
        "of them embedding",
        "active for a token",
        *(("$ in / out per M", "at") if priced else ()),
    )
    rows = table(*columns, right=(1, 2, 3))
    for each in sizes.meanings:
        rows.add_row(*_meaning(each), *(_price(each) if priced else ()))
    console().print(rows)
    if priced:
        print(
            "Lowest price at a place of its own, else at anyone. All of them: fieldguide cost MODEL --input-tokens N\n"
        )


def show_needs(sizes: Sizes) -> None:
    """Print what the sizes need, and the smallest device that holds each."""
    if not any(each.total_bytes for each in sizes.needs):
        return
    print(
        "What a size needs: weights, cache and the engine's own for one sequence (llama.cpp, or transformers for what"
    )
    print(
        "that does not run); the smallest device of our table that surely holds it in the last quantization told, and"
    )
    print("its speed there (tokens/s). Every term: fieldguide plan MODEL --on HARDWARE.")
    rows = table("size", *SHOWN, "context", "smallest device", "speed there", right=(1, 2, 3, 4))
    for each in sizes.needs:
        bytes_of = [gigabytes(each.total_bytes.get(name)) for name in SHOWN]
        speed = "n/a" if each.decode is None else span(each.decode.low, each.decode.high, number)
        there = "n/a" if each.smallest is None else f"{each.smallest} ({gigabytes(each.smallest_bytes)})"
        rows.add_row(each.label, *bytes_of, f"{each.context_tokens:,}", there, speed)
    console().print(rows)
    for each in sizes.needs:
        if (said := encoder_sentence(each)) is not None:
            print(said)
    if any(each.encoders or each.picture for each in sizes.needs):
        print()


def show_series(sizes: Sizes) -> None:
    """Print scores against size, row by row of the tables that hold several sizes."""
    for series in sizes.series[:_SERIES_SHOWN]:
        _show_one(series)
    more = len(sizes.series) - _SERIES_SHOWN
    if more > 0:
        print(f"{more} more rows of tables hold several sizes: --html FILE.html draws them, --json holds them.\n")
    if sizes.series:
        print("Intervals: Wilson's 95 % for the questions asked; steps are looked at one by one.\n")


def _show_one(series: SizeSeries) -> None:
    n = series.claim.n
    asked = "number of questions not stated" if n is None else f"{n} questions"
    print(f"Score against size: {series_title(series)}, {asked}")
    label = max(len(point.label) for point in series.points)
    scale = "".join(f"{mark:>{_WIDTH // 4}}" for mark in (25, 50, 75))
    print(f"  {'':>{label}}         0{scale}{'100 %':>{_WIDTH // 4 + 3}}")
    for place, point in enumerate(series.points):
        step = "" if place == 0 else _step(series, place - 1)
        print(f"  {point.label:>{label}}  {point.claim.value!s:>5} |{_bar(point)}| {step}".rstrip())
    print(f"  {series_sentence(series)}\n")


def _bar(point: SizePoint) -> str:
    """Return a line with a dot at the value and its interval around it."""
    cells = [" "] * (_WIDTH + 1)
    if point.interval is not None:
        low, high = (round(end * _WIDTH) for end in point.interval)
        cells[low : high + 1] = "-" * (high + 1 - low)
    cells[round(point.share * _WIDTH)] = "o"
    return "".join(cells)


def _step(series: SizeSeries, place: int) -> str:
    step = series.steps[place]
    sign = {True: "", False: ", not supported", None: ""}[step.supported]
    doubling = "" if step.per_doubling is None else f", {in_points(step.per_doubling)} a doubling"
    return f"{in_points(step.difference)}{doubling}{sign}"


def _meaning(each: Meaning) -> tuple[str, ...]:
    share = "n/a" if each.embedding_share is None else f"{100 * each.embedding_share:.1f} %"
    dense = each.embedding is not None  # its architecture is known
    active = size_text(each.active) if each.active is not None else "all" if dense else "n/a"
    return each.label, _count(each), share, active


def _count(each: Meaning) -> str:
    if each.parameters is None:
        return "n/a"
    return f"{each.parameters:,}" if each.exact else f"about {size_text(each.parameters)}"


def _price(each: Meaning) -> tuple[str, str]:
    if each.price is None:
        return "n/a", ""
    return f"{each.price.input_usd_per_mtok:f} / {each.price.output_usd_per_mtok:f}", each.price.provider
