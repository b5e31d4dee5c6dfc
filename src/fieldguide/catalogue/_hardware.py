"""Hardware by loose names: `rtx4090`, `2xh100-80gb`, `m3-max-64gb`, `aws:g5.xlarge`."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from fieldguide.catalogue._compiled import compiled
from fieldguide.catalogue._read import read_yaml, validated
from fieldguide.domain import Device, Figure, Hardware, Price
from fieldguide.errors import CatalogueError, UnknownNameError, UsageError
from fieldguide.registry import nearest

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_STATED = "stated"
_FREE = {"nvidia", "geforce", "amd", "radeon", "rx", "instinct", "intel", "apple", "google", "huawei", "tesla", "gpu"}
"""Words that may be left out of a name or put into it."""
_COUNTED = re.compile(r"(-?\d+)\s*[x×*]\s*(.+)")
_MOST_DEVICES, _MOST_DIGITS = 10**6, 12
_WITH_MEMORY = re.compile(r"(.+?)[\s_-]*(\d{1,4})\s*gi?b")
_PLACED = re.compile(r"([^:]+):(.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Devices:
    devices: tuple[Device, ...]
    sources: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _PriceRow(Price):
    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prices:
    prices: tuple[_PriceRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HardwareTable:
    """Every device and price of the catalogue."""

    devices: tuple[Device, ...]
    prices: dict[str, tuple[Price, ...]]
    """By device, newest first."""
    sources: dict[str, str]
    """Where figures come from, with licence and date."""


_READ: list[HardwareTable] = []
"""The table, once it was read."""


def hardware_table(copies: Path | None = None) -> HardwareTable:
    """Return the shipped table, read once.

    Args:
        copies: Folder where a fast copy may be kept; None reads the YAML files.

    Raises:
        CatalogueError: A file is malformed, or names a device or a source that is not there.
    """
    if not _READ:
        folder = files("fieldguide.catalogue").joinpath("hardware")
        items = [folder.joinpath("devices.yaml"), folder.joinpath("prices.yaml")]
        _READ.append(compiled(copies, "hardware", items, HardwareTable, lambda: _from_yaml(folder)))
    return _READ[0]


def _from_yaml(folder: Traversable) -> HardwareTable:
    facts: _Devices = validated("devices.yaml", read_yaml(folder.joinpath("devices.yaml")), _Devices)
    rows: _Prices = validated("prices.yaml", read_yaml(folder.joinpath("prices.yaml")), _Prices)
    _check(facts, rows)
    prices: dict[str, list[Price]] = {}
    for row in sorted(rows.prices, key=lambda row: row.as_of, reverse=True):
        prices.setdefault(row.device, []).append(_plain(row))
    return HardwareTable(
        devices=facts.devices,
        prices={name: tuple(found) for name, found in prices.items()},
        sources=facts.sources,
    )


def find_hardware(name: str) -> Hardware:
    """Return the hardware that a loose name means; what else it may mean stands in `also`.

    `COUNTxNAME` is several alike, `NAME-64gb` states the memory of a chip that is sold with several sizes,
    `VENDOR:INSTANCE` is a machine of a cloud.

    Raises:
        UsageError: The name fits several devices of which none is the usual one; they are listed.
        UnknownNameError: There is none; the nearest names are given.
    """
    text = name.strip().lower()
    if placed := _PLACED.fullmatch(text):
        return _instance(name, placed[1], placed[2])
    count = 1
    if (counted := _COUNTED.fullmatch(text)) and not _best(text):  # 7900xtx is not 7900 of anything
        if len(counted[1]) > _MOST_DIGITS or not 0 < int(counted[1]) <= _MOST_DEVICES:
            raise UsageError(
                f"{name!r} names {counted[1][:_MOST_DIGITS]} devices, and a plan is for 1 to {_MOST_DEVICES:,}.",
                hint="Write how many, such as 2xh100-80gb.",
            )
        count, text = int(counted[1]), counted[2]
    device, also = _device(name, text)
    prices = hardware_table().prices.get(device.name, ())
    shown = device.name if count == 1 else f"{count} x {device.name}"
    return Hardware(name=shown, device=device, count=count, prices=prices, also=also)


def _device(asked: str, text: str) -> tuple[Device, tuple[str, ...]]:
    """Return the device of a name, and the others that it may mean."""
    if found := _best(text):
        return found
    if (sized := _WITH_MEMORY.fullmatch(text)) and (found := _best(sized[1])) and not found[0].memory_bytes:
        memory = (Figure(value=int(sized[2]) * 2.0**30, source=_STATED),)
        return dataclasses.replace(found[0], memory_bytes=memory), ()
    fitting = [device.name for device in hardware_table().devices if _fits(text, device)]
    if fitting:
        raise UsageError(
            f"{asked!r} fits {len(fitting)} devices: {', '.join(fitting[:12])}.", hint="Write more of the name."
        )
    known = {_compact(known): device.name for device in hardware_table().devices for known in _names(device)}
    close = dict.fromkeys(known[match] for match in nearest(_compact(text), sorted(known)))
    raise UnknownNameError(
        "hardware", asked, tuple(close), hint=None if close else "Try rtx4090, h100, m3-max or here."
    )


def _best(text: str) -> tuple[Device, tuple[str, ...]] | None:
    """Return the device whose name or alias this is, or the one that it fits and whose name every other adds to."""
    words = _words(text)
    fitting = [device for device in hardware_table().devices if _fits(text, device)]
    exact = [device for device in fitting if any(_words(known) == words for known in _names(device))]
    chosen = exact or [
        each for each in fitting if all(_within(_words(each.name), _words(other.name)) for other in fitting)
    ]
    if len(chosen) != 1:
        return None
    others = [] if _words(chosen[0].name) == words else fitting
    return chosen[0], tuple(each.name for each in others if each is not chosen[0] and _same_chip(chosen[0], each))


def _same_chip(one: Device, other: Device) -> bool:
    """Return whether two names begin with the same words, as those of one chip on several boards do."""
    return _in_order(one.name)[:2] == _in_order(other.name)[:2] and one.kind == other.kind


def _fits(text: str, device: Device) -> bool:
    words = _words(text)
    return bool(words) and any(_within(words, _words(known)) for known in _names(device))


def _within(words: list[str], of: list[str]) -> bool:
    return all(words.count(word) <= of.count(word) for word in words)


def _names(device: Device) -> Iterable[str]:
    return (device.name, *device.aliases)


def _words(text: str) -> list[str]:
    """Return runs of letters and of digits, in alphabetical order, without the words that may be left out."""
    return sorted(_in_order(text))


def _in_order(text: str) -> list[str]:
    return [word for word in re.findall(r"[a-z]+|\d+", text.lower()) if word not in _FREE]


def _compact(text: str) -> str:
    return "".join(_in_order(text))


def _instance(asked: str, vendor: str, instance: str) -> Hardware:
    """Return a cloud's machine, with what it cost, newest first."""
    table = hardware_table()
    every = [(name, price) for name, prices in table.prices.items() for price in prices if price.instance]
    here = [(name, price) for name, price in every if _compact(price.vendor) == _compact(vendor)]
    found = [(name, price) for name, price in here if _plate(price.instance) == _plate(instance) and price.devices]
    if not found:
        names = sorted({f"{price.vendor.lower()}:{price.instance}" for _, price in here or every})
        raise UnknownNameError("cloud machine", asked, nearest(asked.strip().lower(), names))
    device = next(device for device in table.devices if device.name == found[0][0])
    count = found[0][1].devices or 1
    return Hardware(
        name=f"{found[0][1].vendor} {found[0][1].instance} ({count} x {device.name})",
        device=device,
        count=count,
        prices=tuple(price for name, price in found if name == device.name),
    )


def _plate(instance: str | None) -> str:
    return re.sub(r"[^a-z0-9.]|standard", "", (instance or "").lower())


def _plain(row: _PriceRow) -> Price:
    return Price(**{field.name: getattr(row, field.name) for field in dataclasses.fields(Price)})


def _check(facts: _Devices, rows: _Prices) -> None:
    names = [device.name for device in facts.devices]
    if twice := {name for name in names if names.count(name) > 1}:
        raise CatalogueError("devices.yaml", sorted(twice)[0], "given twice")
    for device in facts.devices:
        for field in dataclasses.fields(device):
            value = getattr(device, field.name)
            for figure in value if isinstance(value, tuple) else ():
                if isinstance(figure, Figure) and (figure.source not in facts.sources or figure.value <= 0):
                    raise CatalogueError(
                        "devices.yaml", f"{device.name}.{field.name}", "no such source, or not above 0"
                    )
    for row in rows.prices:
        if row.device not in names or row.source not in facts.sources or row.usd_per_device_hour <= 0:
            raise CatalogueError("prices.yaml", row.device, "no such device or source, or not above 0")
