"""Hardware by name: this machine as `here`, everything else from the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fieldguide import catalogue
from fieldguide.app.wiring import House
from fieldguide.domain import Hardware, Price

HERE = "here"


def hardware(
    name: str, house: House, *, progress: Callable[[str], None] = lambda _: None, measure: bool = True
) -> Hardware:
    """Return the hardware that a name means; `here` is this machine.

    Args:
        name: As `--on` takes it.
        house: Whose user folder keeps what was measured here.
        progress: Told what is being measured, which happens once.
        measure: Whether `here` may be measured where nothing is kept; without, its speeds stay unknown.

    Raises:
        UsageError: The name fits several devices.
        UnknownNameError: Nothing fits.
        RunnerError: This machine cannot be measured.
    """
    if name.strip().lower() == HERE:
        from fieldguide.app.here import this_hardware

        return this_hardware(house, progress=progress, measure=measure)
    return catalogue.find_hardware(name)


def price_dates(prices: Sequence[Price]) -> str:
    """Return from when to when prices are, or the day where it is one."""
    days = (min(price.as_of for price in prices), max(price.as_of for price in prices))
    return " to ".join(dict.fromkeys(map(str, days)))


def sources_of(found: Hardware) -> list[str]:
    """Return where the figures of hardware come from, in words, and what else its name may have meant."""
    table = catalogue.hardware_table().sources
    device = found.device
    groups = (device.memory_bytes, device.bandwidth_bytes_per_s, device.bf16_flops_per_s)
    keys = [figure.source for figures in groups for figure in figures[:1]]
    told = [table.get(key, key) for key in dict.fromkeys(keys)]
    for label, figures in (("bandwidth", device.bandwidth_bytes_per_s), ("memory", device.memory_bytes)):
        if len(figures) > 1:
            other = ", ".join(f"{figure.value / 1e9:.4g} GB ({figure.source})" for figure in figures)
            told.append(f"sources disagree on {label}: {other}; the first is used")
    if found.also:
        told.append(f"taken as {device.name}; the name also fits {', '.join(found.also)}")
    return told
