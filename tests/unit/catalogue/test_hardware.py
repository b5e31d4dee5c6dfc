"""Hardware by loose names, and the table behind it."""

from __future__ import annotations

import pytest

from fieldguide.catalogue import find_hardware, hardware_table
from fieldguide.errors import UnknownNameError, UsageError


@pytest.mark.parametrize(
    ("name", "device", "count"),
    [
        ("rtx4090", "NVIDIA GeForce RTX 4090", 1),
        ("RTX 4090", "NVIDIA GeForce RTX 4090", 1),
        ("NVIDIA GeForce RTX 4090", "NVIDIA GeForce RTX 4090", 1),
        ("3070", "NVIDIA GeForce RTX 3070", 1),
        ("3070 ti", "NVIDIA GeForce RTX 3070 Ti", 1),
        ("2xh100-80gb", "NVIDIA H100 SXM 80GB", 2),
        ("8 x H200", "NVIDIA H200 SXM", 8),
        ("m3-max", "Apple M3 Max", 1),
        ("a100", "NVIDIA A100 SXM 80GB", 1),
        ("a100-40gb", "NVIDIA A100 SXM 40GB", 1),
        ("h100 pcie", "NVIDIA H100 PCIe 80GB", 1),
        ("l4", "NVIDIA L4", 1),
        ("Tesla T4", "NVIDIA T4", 1),
        ("7900xtx", "AMD Radeon RX 7900 XTX", 1),
        ("aws:g5.xlarge", "NVIDIA A10G", 1),
        ("AWS:p5.48xlarge", "NVIDIA H100 SXM 80GB", 8),
        ("azure:nc24ads_a100_v4", "NVIDIA A100 PCIe 80GB", 1),
    ],
)
def test_loose_names_mean_one_device(name: str, device: str, count: int) -> None:
    """Capitals, dashes, spaces and the maker's name do not matter."""
    found = find_hardware(name)
    assert (found.device.name, found.count) == (device, count)


def test_a_usual_variant_is_taken_and_the_others_are_named() -> None:
    """`a100` is the one with 80 GB on a board of its own, and it says what else it could be."""
    assert set(find_hardware("a100").also) == {"NVIDIA A100 PCIe 80GB", "NVIDIA A100 SXM 40GB"}
    assert find_hardware("rtx 4090").also == ()


def test_memory_of_a_chip_with_several_sizes_is_stated_or_unknown() -> None:
    """Unknown is None; what is typed is believed, only where the table has none."""
    assert find_hardware("m3-max").memory_bytes is None
    assert find_hardware("m3-max-64gb").memory_bytes == 64 * 2**30
    assert find_hardware("2xh100-80gb").memory_bytes == 2 * 80 * 2**30
    with pytest.raises(UnknownNameError):
        find_hardware("rtx4090-48gb")


def test_what_fits_several_is_listed() -> None:
    """80 GB have five."""
    with pytest.raises(UsageError, match="NVIDIA H100 SXM 80GB") as caught:
        find_hardware("80gb")
    assert not isinstance(caught.value, UnknownNameError)


@pytest.mark.parametrize("name", ["rtx409", "aws:g9.xlarge", "", "warp drive", "0xh100", "x" * 5000, "1x", "::"])
def test_what_is_unknown_is_refused_with_the_next_step(name: str) -> None:
    """With the nearest names where there are any."""
    with pytest.raises(UsageError) as caught:
        find_hardware(name)
    assert caught.value.hint


@pytest.mark.parametrize("name", ["99999999xh100", "-1xh100", "9" * 5000 + "xh100", "0 x h100"])
def test_a_count_that_no_plan_is_for_is_named(name: str) -> None:
    """It is the count that is wrong, not the name of the hardware."""
    with pytest.raises(UsageError, match="devices, and a plan is for 1 to") as caught:
        find_hardware(name)
    assert len(str(caught.value)) < 6000


def test_every_price_is_dated_and_the_newest_comes_first() -> None:
    """A spot price is no list price, and an old price is not mixed with a new one."""
    table = hardware_table()
    for prices in table.prices.values():
        days = [price.as_of for price in prices]
        assert days == sorted(days, reverse=True)
    listed = find_hardware("h100").list_prices
    assert listed
    assert not any(price.spot for price in listed)
    assert (listed[0].as_of - listed[-1].as_of).days <= 366


def test_sources_that_disagree_stand_side_by_side() -> None:
    """Of a B200's bandwidth there are two figures, each with its source."""
    table = hardware_table()
    b200 = next(device for device in table.devices if device.name == "NVIDIA B200 SXM")
    assert [figure.value for figure in b200.bandwidth_bytes_per_s] == [8.0e12, 7.7e12]
    assert all(figure.source in table.sources for figure in b200.bandwidth_bytes_per_s)


def test_the_table_covers_the_kinds() -> None:
    """GPUs of both makers, Apple, servers' processors and accelerators."""
    kinds = {device.kind for device in hardware_table().devices}
    assert kinds >= {"nvidia-datacenter", "nvidia-rtx", "nvidia-old", "apple", "amd", "cpu", "unified", "accelerator"}
