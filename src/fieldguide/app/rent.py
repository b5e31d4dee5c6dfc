"""What it takes to rent a machine that holds a model: the smallest, and the cheapest, of the hardware table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from fieldguide import catalogue
from fieldguide.app.fit import room_on
from fieldguide.domain import Hardware, Price
from fieldguide.planner import hours_per_month

_TOLD_KINDS = frozenset({"nvidia-datacenter", "nvidia-rtx", "amd", "intel-gpu", "unified"})
"""Kinds of single devices that are named as a place to run a model on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rented:
    """One device and the lowest list price of it within a year of the newest."""

    hardware: Hardware
    price: Price

    @property
    def usd_per_month(self) -> float:
        """Dollars for all hours of a month."""
        return self.price.usd_per_device_hour * hours_per_month()

    @property
    def sentence(self) -> str:
        """What it is and costs, in words."""
        price = self.price
        return (
            f"cheapest to rent: {self.hardware.name} at {price.vendor}, ${price.usd_per_device_hour:.2f} an hour or "
            f"${self.usd_per_month:,.0f} a month ({price.as_of})"
        )


def smallest_device(need_bytes: int) -> Hardware | None:
    """Return the single device with the least memory that surely holds so much, the faster of two alike."""
    able = [each for each in _devices() if _free(each) >= need_bytes and each.bandwidth_bytes_per_s is not None]
    return min(able, key=lambda each: (each.memory_bytes, -(each.bandwidth_bytes_per_s or 0)), default=None)


def cheapest_device(need_bytes: int) -> Rented | None:
    """Return the single device that is cheapest to rent of those that surely hold so much."""
    able = [each for each in _rented() if _free(each.hardware) >= need_bytes]
    return min(able, key=lambda each: each.usd_per_month, default=None)


def largest_within(usd_per_month: float) -> Rented | None:
    """Return the single device with the most memory that can be rented for so much a month; the cheaper of two."""
    able = [each for each in _rented() if each.usd_per_month <= usd_per_month]
    return max(able, key=lambda each: (_free(each.hardware), -each.usd_per_month), default=None)


def rent_of(hardware: Hardware) -> Rented | None:
    """Return the lowest list price of hardware; None where none is known."""
    price = min(hardware.list_prices, key=lambda each: each.usd_per_device_hour, default=None)
    return None if price is None else Rented(hardware=hardware, price=price)


@cache
def _devices() -> tuple[Hardware, ...]:
    table = catalogue.hardware_table()
    return tuple(
        Hardware(name=device.name, device=device, prices=table.prices.get(device.name, ()))
        for device in table.devices
        if device.memory_bytes and device.kind in _TOLD_KINDS
    )


@cache
def _rented() -> tuple[Rented, ...]:
    return tuple(found for each in _devices() if (found := rent_of(each)) is not None)


def _free(hardware: Hardware) -> float:
    room = room_on(hardware, "llama.cpp")
    return 0.0 if room is None else room.low_bytes
