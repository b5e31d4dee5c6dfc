"""What a model runs on: one device, or several alike. Figures come with their source; None means unknown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

DeviceKind: TypeAlias = Literal[
    "nvidia-datacenter", "nvidia-rtx", "nvidia-old", "unified", "apple", "amd", "intel-gpu", "accelerator", "cpu"
]
"""Devices that engines use alike: `nvidia-rtx` is every NVIDIA card with tensor cores and GDDR memory, `nvidia-old`
those before them, `unified` a GPU on the processor's memory other than Apple's, `accelerator` what no engine of ours
was measured on."""

_PRICE_LIFE_DAYS = 366


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure as one source gives it."""

    value: float
    source: str
    """Key into the table of sources."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What hardware cost to rent at one place on one day."""

    usd_per_device_hour: float
    vendor: str
    as_of: date
    source: str
    """Key into the table of sources, or an address."""
    instance: str | None = None
    """The vendor's name of the whole machine."""
    devices: int | None = None
    """Devices in that machine."""
    region: str | None = None
    spot: bool = False
    """Whether the vendor may take it back at any time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One GPU, one Apple chip or one server's processors. Several figures are several sources, the used one first."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by pydantic

    name: str
    kind: DeviceKind
    aliases: tuple[str, ...] = ()
    memory_bytes: tuple[Figure, ...] = ()
    """Empty for a chip that is sold with several sizes of memory."""
    bandwidth_bytes_per_s: tuple[Figure, ...] = ()
    bf16_flops_per_s: tuple[Figure, ...] = ()
    """Dense peak with products accumulated in 32 bits."""
    fp8_flops_per_s: tuple[Figure, ...] = ()
    int8_ops_per_s: tuple[Figure, ...] = ()
    fp4_flops_per_s: tuple[Figure, ...] = ()
    measured_bf16_flops_per_s: tuple[Figure, ...] = ()
    """The most that matrix products were measured to reach."""
    tdp_watts: tuple[Figure, ...] = ()
    link_bytes_per_s: tuple[Figure, ...] = ()
    """Between the devices of one machine, each way."""
    purchase_usd: tuple[Figure, ...] = ()
    """Price at release; what it costs today is another matter."""
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixCost:
    """What multiplying one token by matrices of one type takes on a machine."""

    type: str
    """Of numbers, such as `Q4_K`."""
    weight_s: float
    """For each weight (seconds)."""
    row_s: float
    """For each row beside its weights: ending a sum, and what layers cost besides, which grows with rows (seconds)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineMeasurement:
    """How an engine was seen to run on one machine."""

    engine: str
    version: str
    decode: tuple[MatrixCost, ...]
    """While an answer is generated, token by token."""
    prefill: tuple[MatrixCost, ...]
    """Of each token of a prompt."""
    logit_s: float
    """For each row of the output layer in one step beside its weights: mostly choosing the token (seconds)."""
    decode_attention_s: float
    """For each number of a key or value that a query head looks at, while an answer is generated (seconds)."""
    prefill_attention_s: float
    """The same within a prompt (seconds)."""
    read_bytes_per_s: float
    """At most, at which weights are read that no cache holds."""
    copy_bytes_per_s: float
    """Bytes read plus bytes written while all cores copy memory."""
    copy_one_core_bytes_per_s: float
    cores: int
    measured_on: date
    quiet: bool = True
    """Whether the engine had its cores to itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """One or several devices alike, as `--on` names them."""

    name: str
    device: Device
    count: int = 1
    prices: tuple[Price, ...] = ()
    """Of one device for an hour; newest first."""
    measured: EngineMeasurement | None = None
    """Where it is this machine and was measured."""
    also: tuple[str, ...] = ()
    """What else the name may have meant."""

    @property
    def memory_bytes(self) -> float | None:
        """Memory of all devices together (bytes)."""
        one = first(self.device.memory_bytes)
        return None if one is None else one * self.count

    @property
    def bandwidth_bytes_per_s(self) -> float | None:
        """Memory bandwidth of one device."""
        return first(self.device.bandwidth_bytes_per_s)

    @property
    def bf16_flops_per_s(self) -> float | None:
        """Dense peak of one device."""
        return first(self.device.bf16_flops_per_s)

    @property
    def list_prices(self) -> tuple[Price, ...]:
        """What a device cost without being taken back, within a year of the newest price; newest first."""
        listed = [price for price in self.prices if not price.spot]
        return tuple(price for price in listed if (listed[0].as_of - price.as_of).days <= _PRICE_LIFE_DAYS)


def first(figures: tuple[Figure, ...]) -> float | None:
    """Return the figure that is used, None where there is none."""
    return figures[0].value if figures else None
