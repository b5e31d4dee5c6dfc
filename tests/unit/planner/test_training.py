"""Arithmetic, hours, dollars and memory of training, and the words for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from fieldguide.domain import Architecture, Device, Figure, Hardware, Price
from fieldguide.planner import (
    Range,
    adapter_parameters,
    attention_flop,
    device_hours,
    training_cost_usd,
    training_flop,
    training_memory,
    training_notes,
    verdict,
)
from fieldguide.planner._scaling import BESIROGLU

LLAMA_2_7B = Architecture(
    scheme="llama", layers=32, hidden=4096, ffn=11008, heads=32, kv_heads=32, head_dim=128, vocabulary=32000,
    tied_head=False,
)  # fmt: skip


def hardware(*prices: float, peak: float = 1e15) -> Hardware:
    device = Device(name="card", kind="nvidia-datacenter", bf16_flops_per_s=(Figure(value=peak, source="test"),))
    sold = tuple(
        Price(usd_per_device_hour=price, vendor="v", as_of=date(2026, 1, 1), source="test") for price in prices
    )
    return Hardware(name="card", device=device, count=8, prices=sold)


def test_six_per_parameter_and_token() -> None:
    """2 forward and 4 backward; 8 where activations are computed again."""
    assert training_flop(7e9, 2e12) == 6 * 7e9 * 2e12
    assert training_flop(7e9, 2e12, recompute=True) == 8 * 7e9 * 2e12
    assert attention_flop(LLAMA_2_7B, sequence_tokens=4096, tokens=1) == 12 * 32 * 4096 * 2048


def test_hours_and_dollars_follow_utilisation_and_price() -> None:
    """The low end of the hours is the high end of the utilisation; dollars take the range of prices with it."""
    hours = device_hours(3.6e21, hardware(), Range(low=0.2, likely=0.4, high=0.5))
    assert hours is not None
    assert (hours.low, hours.likely, hours.high) == pytest.approx((2000, 2500, 5000))
    cost = training_cost_usd(hours, hardware(3.0, 2.0, 4.0))
    assert cost is not None
    assert (cost.low, cost.likely, cost.high) == pytest.approx((4000, 7500, 20000))
    assert training_cost_usd(hours, hardware()) is None
    stated = training_cost_usd(hours, hardware(), 10.0)
    assert stated is not None
    assert stated.likely == pytest.approx(25000)


def test_full_lora_and_qlora_memory() -> None:
    """16 bytes a parameter in full; adapters cost little beside the weights they stand on."""
    full, lora, qlora = (
        training_memory(6.74e9, method=method, architecture=LLAMA_2_7B) for method in ("full", "lora", "qlora")
    )
    assert full.total_bytes - (full.activations_bytes or 0) == pytest.approx(16 * 6.74e9)
    assert adapter_parameters(6.74e9, 16, LLAMA_2_7B) == 39_976_960  # as PEFT counts it for every linear layer
    assert lora.weights_bytes == pytest.approx(2 * 6.74e9 + 2 * 39_976_960)
    assert qlora.total_bytes < lora.total_bytes < full.total_bytes
    assert training_memory(6.74e9).activations_bytes is None


def test_checkpointing_keeps_less_and_longer_sequences_more() -> None:
    """Only the input of each layer is kept."""
    kept, whole, longer = (
        training_memory(6.74e9, architecture=LLAMA_2_7B, checkpointing=checkpointing, sequence_tokens=tokens)
        for checkpointing, tokens in ((True, 2048), (False, 2048), (True, 4096))
    )
    assert (kept.activations_bytes or 0) < 0.5 * (whole.activations_bytes or 0)
    assert longer.activations_bytes == pytest.approx(2 * (kept.activations_bytes or 0))


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [(5e8, "memorising"), (2e9, "under-trained"), (2.5e10, "balanced"), (1e12, "over-trained")],
)
def test_tokens_per_parameter_are_judged(tokens: float, expected: str) -> None:
    """A model of 1e9 parameters on too little, on enough, and on more text than is optimal."""
    assert verdict(1e9, tokens, BESIROGLU) == expected


def test_the_words_name_what_is_special() -> None:
    """Capacity, returns, repetition, experts and a teacher are each told where they apply, and only there."""
    plain = " ".join(training_notes(7e9, 2e12, BESIROGLU))
    special = " ".join(
        training_notes(37e9, 15e12, BESIROGLU, held_parameters=671e9, unique_tokens=1e12, distilled=True)
    )
    assert "beyond the optimum" in plain
    assert "Diminishing returns" in plain
    for word in ("Mixture of experts", "passes over the text", "Distilled"):
        assert word in special
        assert word not in plain


def test_a_law_of_other_runs_is_not_told_as_that_of_chinchilla() -> None:
    """What is known of Chinchilla's runs and of their three fits is said of those alone."""
    own = replace(BESIROGLU, name="fitted to runs.csv")
    said = " ".join(training_notes(7e9, 2e12, own))
    assert "your runs" in said
    assert "Chinchilla" not in said
    assert "Hoffmann" not in said
    assert "Hoffmann" in " ".join(training_notes(7e9, 2e12, BESIROGLU))
