"""What the sizes of a family mean, and what more parameters buy: counts, published scores and prices side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fieldguide import catalogue
from fieldguide.app.find import compiled_folder
from fieldguide.app.show import Page, SizePrice, price_of
from fieldguide.app.size_needs import SizeNeed, memory_by_size, needs_json, size_needs
from fieldguide.catalogue import Member, Size
from fieldguide.catalogue.claims import Claim, claims, model_key
from fieldguide.comparison import SizePoint, SizeSeries, SizeStep, series_sentence, size_series
from fieldguide.domain import embedding_parameters

if TYPE_CHECKING:
    from fieldguide.reporting import SizeChart, SizeMark, SizeMeaning, SizeNeedShown

_CORE = ("gpqa", "math500", "math", "aime", "livecodebench", "ifeval")
"""Benchmarks to show first."""
_NO_LINK = "no link"
"""How the source of an imported row begins whose catalogue names none: such rows form no table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a label such as `7B` stands for. Counts of weights; None means unknown."""

    label: str
    parameters: int | None
    exact: bool
    embedding: int | None
    """In the table of the vocabulary, and in the output layer where it is another."""
    active: int | None
    """That take part in one token."""
    price: SizePrice | None

    @property
    def embedding_share(self) -> float | None:
        """Part of the weights that are embedding (fraction)."""
        return None if self.embedding is None or not self.parameters else self.embedding / self.parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The sizes of a family explained."""

    meanings: tuple[Meaning, ...]
    series: tuple[SizeSeries, ...]
    """Most telling first: tuned models before base models, many sizes, read at the source."""
    prices: dict[str, SizePrice]
    """By member."""
    needs: tuple[SizeNeed, ...]
    """Memory and speed, size by size."""


def explain_sizes(page: Page, home: Path) -> Sizes:
    """Return what the sizes on a page mean, with the rows of tables that hold several of them.

    Raises:
        CatalogueError: A file of the catalogue is malformed.
    """
    catalogue.hardware_table(compiled_folder(home))  # By way of its fast copy, for all that follows.
    sizes = {id(size): size for size, _ in page.members}
    prices = {member.name: price for _, member in page.members if (price := price_of(home, member)) is not None}
    series = size_series(_points(home, page.members)) if page.is_family and len(sizes) > 1 else ()
    return Sizes(
        meanings=tuple(_meaning(size, prices) for size in sizes.values()),
        series=tuple(sorted(series, key=_rank)),
        prices=prices,
        needs=size_needs(page),
    )


def write_sizes_html(page: Page, sizes: Sizes, path: Path, *, command: str) -> None:
    """Write one self-contained page with the sizes drawn.

    Raises:
        UsageError: The file cannot be written.
    """
    from fieldguide.reporting import SizePage, write_size_page

    note = page.family.note_on_sizes
    write_size_page(
        SizePage(
            title=f"{page.family.title}: what its sizes buy",
            created=datetime.now(UTC),
            command=command,
            note=None if note is None else f"{note.value} ({note.source})",
            meanings=tuple(_meaning_shown(each) for each in sizes.meanings),
            charts=tuple(size_chart(series, sizes) for series in sizes.series),
            needs=tuple(_need_shown(each) for each in sizes.needs),
            memory=memory_by_size(page),
        ),
        path,
    )


def sizes_json(sizes: Sizes) -> dict[str, Any]:
    """Return the explanation as programs read it; values are percent as published, differences fractions."""
    return {
        "meanings": [
            {
                "size": each.label,
                "parameters": each.parameters,
                "exact": each.exact,
                "embedding_parameters": each.embedding,
                "embedding_share": each.embedding_share,
                "active_parameters": each.active,
                "price": _price_json(each.price),
            }
            for each in sizes.meanings
        ],
        "memory": needs_json(sizes.needs),
        "series": [_series_json(series, sizes) for series in sizes.series],
    }


def series_title(series: SizeSeries) -> str:
    """Return what a series shows: benchmark, tuning, table."""
    claim = series.claim
    name = claim.benchmark if claim.subset is None else f"{claim.benchmark}@{claim.subset}"
    name = name if claim.window is None else f"{name} {claim.window}"
    name = name if claim.metric in (None, "pass@1") else f"{name} {claim.metric}"
    return f"{name}, {series.tuning or 'tuning not stated'} ({claim.collection})"


def _rank(series: SizeSeries) -> tuple[bool, int, bool, int, bool]:
    claim = series.claim
    core = _CORE.index(claim.benchmark) if claim.benchmark in _CORE else len(_CORE)
    return series.tuning == "base", -len(series.points), claim.kind != "published", core, claim.n is None


def _meaning(size: Size, prices: dict[str, SizePrice]) -> Meaning:
    total = size.parameters.value if size.parameters else None
    return Meaning(
        label=size.size or size.members[0].name,
        parameters=total,
        exact=size.parameters_exact,
        embedding=embedding_parameters(size.architecture.value) if size.architecture and total else None,
        active=size.active_parameters.value if size.active_parameters else None,
        price=next((prices[member.name] for member in size.members if member.name in prices), None),
    )


def _points(home: Path, members: Iterable[tuple[Size, Member]]) -> Iterable[SizePoint]:
    known: dict[str, list[Claim]] = {}
    for claim in claims(compiled_folder(home)):
        if claim.kind in ("published", "imported") and not claim.source.startswith(_NO_LINK):
            known.setdefault(claim.model_key, []).append(claim)
    for size, member in members:
        count = size.parameters.value if size.parameters else size.label_parameters
        if count is None:
            continue
        snapshot = model_key(member.name)[1]
        keys = dict.fromkeys((model_key(member.title)[0], model_key(member.name)[0]))
        for claim in dict.fromkeys(claim for key in keys for claim in known.get(key, ())):
            if snapshot is None or claim.snapshot in (None, snapshot):
                yield SizePoint(
                    label=size.size or member.name,
                    parameters=round(count),
                    active=size.active_parameters.value if size.active_parameters else None,
                    member=member.name,
                    tuning=member.tuning,
                    claim=claim,
                )


def size_chart(series: SizeSeries, sizes: Sizes) -> SizeChart:
    """Return one row of a table as it is drawn."""
    from fieldguide.reporting import SizeChart

    claim = series.claim
    n = "not stated" if claim.n is None else f"{claim.n}{' (inferred)' if 'n' in claim.inferred else ''}"
    return SizeChart(
        title=series_title(series),
        sentence=series_sentence(series),
        source=f"{claim.source}; questions: {n}; asked: {claim.protocol or 'not stated'}",
        marks=tuple(_mark(point, series, sizes) for point in series.points),
    )


def _mark(point: SizePoint, series: SizeSeries, sizes: Sizes) -> SizeMark:
    from fieldguide.reporting import SizeMark

    low, high = point.interval or (None, None)
    step = next((step for step in series.steps if step.large is point), None)
    price = sizes.prices.get(point.member)
    return SizeMark(
        label=point.label,
        parameters=point.parameters,
        value=point.share,
        printed=str(point.claim.value),
        low=low,
        high=high,
        step=None if step is None else step.difference,
        step_low=None if step is None else step.ci_low,
        step_high=None if step is None else step.ci_high,
        per_doubling=None if step is None else step.per_doubling,
        supported=None if step is None else step.supported,
        output_usd_per_mtok=None if price is None else price.output_usd_per_mtok,
    )


def _meaning_shown(each: Meaning) -> SizeMeaning:
    from fieldguide.reporting import SizeMeaning

    return SizeMeaning(
        label=each.label,
        parameters=each.parameters,
        exact=each.exact,
        embedding_share=each.embedding_share,
        active=each.active,
        input_usd_per_mtok=None if each.price is None else each.price.input_usd_per_mtok,
        output_usd_per_mtok=None if each.price is None else each.price.output_usd_per_mtok,
    )


def _need_shown(each: SizeNeed) -> SizeNeedShown:
    from fieldguide.reporting import SizeNeedShown

    return SizeNeedShown(
        label=each.label,
        gigabytes=tuple(
            None if (size := each.total_bytes.get(name)) is None else size / 1e9 for name in ("BF16", "Q8_0", "Q4_K_M")
        ),
        context_tokens=each.context_tokens,
        smallest=each.smallest,
        low=None if each.decode is None else each.decode.low,
        high=None if each.decode is None else each.decode.high,
    )


def _series_json(series: SizeSeries, sizes: Sizes) -> dict[str, Any]:
    claim = series.claim
    return {
        "benchmark": claim.benchmark,
        "subset": claim.subset,
        "window": claim.window,
        "metric": claim.metric,
        "protocol": claim.protocol,
        "collection": claim.collection,
        "source": claim.source,
        "n": claim.n,
        "inferred": list(claim.inferred),
        "tuning": series.tuning,
        "points": [
            {
                "size": point.label,
                "model": point.member,
                "parameters": point.parameters,
                "value": float(point.claim.value),
                "ci_low": point.interval and point.interval[0],
                "ci_high": point.interval and point.interval[1],
                "price": _price_json(sizes.prices.get(point.member)),
            }
            for point in series.points
        ],
        "steps": [_step_json(step) for step in series.steps],
        "flat_from": series.flat_from and series.flat_from.label,
        "sentence": series_sentence(series),
    }


def _step_json(step: SizeStep) -> dict[str, Any]:
    return {
        "from": step.small.label,
        "to": step.large.label,
        "ratio": step.ratio,
        "difference": step.difference,
        "ci_low": step.ci_low,
        "ci_high": step.ci_high,
        "per_doubling": step.per_doubling,
        "p_value": step.p_value,
        "supported": step.supported,
    }


def _price_json(price: SizePrice | None) -> dict[str, Any] | None:
    if price is None:
        return None
    return {
        "input_usd_per_mtok": float(price.input_usd_per_mtok),
        "output_usd_per_mtok": float(price.output_usd_per_mtok),
        "provider": price.provider,
        "source": price.source,
    }
