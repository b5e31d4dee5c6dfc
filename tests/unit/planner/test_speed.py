"""Speed of generation and of reading prompts, from bytes and arithmetic."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.domain import Device, DeviceKind, EngineMeasurement, Figure, Hardware, MatrixCost
from fieldguide.planner import DecodeLoad, MatrixLoad, constants_of, decode_speed, layer_cost_of, prefill_speed
from fieldguide.planner._speed_measured import cost_of

KINDS: tuple[DeviceKind, ...] = ("nvidia-datacenter", "nvidia-rtx", "nvidia-old", "unified", "apple", "amd", "cpu")
EIGHT_B = DecodeLoad(weights_bytes=15e9, active_parameters=7.5e9, kv_bytes=1e8, layers=32)


def machine(
    kind: DeviceKind = "nvidia-rtx", *, gb_per_s: float | None = 1000.0, peak: float | None = 1e14, count: int = 1
) -> Hardware:
    rate = () if gb_per_s is None else (Figure(value=gb_per_s * 1e9, source="test"),)
    flops = () if peak is None else (Figure(value=peak, source="test"),)
    device = Device(name="card", kind=kind, bandwidth_bytes_per_s=rate, bf16_flops_per_s=flops)
    return Hardware(name="card", device=device, count=count)


@given(
    st.sampled_from(KINDS),
    st.sampled_from(["llama.cpp", "vllm", "transformers", "mlx", "unheard-of"]),
    st.floats(1e7, 1e12),
    st.floats(2, 16),
    st.floats(0, 1e10),
    st.floats(10, 1e4),
    st.integers(1, 8),
)
def test_no_range_is_wider_than_two_and_a_half(
    kind: DeviceKind, engine: str, parameters: float, bits: float, kv: float, rate: float, count: int
) -> None:
    """Whatever the model, hardware and engine: a sum's ends lie no further apart than those of its terms."""
    load = DecodeLoad(weights_bytes=parameters * bits / 8, active_parameters=parameters, kv_bytes=kv)
    speed = decode_speed(load, machine(kind, gb_per_s=rate, count=count), engine=engine)
    assert speed is not None
    assert 0 < speed.tokens_per_s.low <= speed.tokens_per_s.likely <= speed.tokens_per_s.high
    assert speed.tokens_per_s.high <= 2.5 * speed.tokens_per_s.low * (1 + 1e-9)


@given(st.integers(1, 255))
def test_more_sequences_never_lower_the_total(sequences: int) -> None:
    """Weights are read once for all, so together they are faster, and each is slower."""
    few = decode_speed(EIGHT_B, machine(), engine="vllm", sequences=sequences)
    more = decode_speed(EIGHT_B, machine(), engine="vllm", sequences=sequences + 1)
    assert few is not None
    assert more is not None
    assert more.total_tokens_per_s.likely >= few.total_tokens_per_s.likely
    assert more.tokens_per_s.likely <= few.tokens_per_s.likely


def test_a_large_batch_is_bound_by_arithmetic() -> None:
    """Throughput grows until the multiplying takes longer than the reading, and then no more."""
    load = DecodeLoad(weights_bytes=15e9, active_parameters=7.5e9, layers=32)
    one, many, more = (decode_speed(load, machine(), engine="vllm", sequences=n) for n in (1, 1000, 4000))
    assert one is not None
    assert many is not None
    assert more is not None
    assert one.bound == "bandwidth"
    assert more.bound == "arithmetic"
    assert more.total_tokens_per_s.likely < 1.1 * many.total_tokens_per_s.likely
    assert more.total_tokens_per_s.likely < 1e14 / (2 * 7.5e9)


def test_layers_take_turns_and_tensors_are_shared() -> None:
    """Four cards are no faster than one with llama.cpp, and 2.9 times as fast with vLLM where bytes bound."""
    load = DecodeLoad(weights_bytes=140e9, active_parameters=70e9, layers=80)

    def gain(engine: str) -> float:
        one, four = (decode_speed(load, machine(count=n), engine=engine) for n in (1, 4))
        assert one is not None
        assert four is not None
        return four.tokens_per_s.likely / one.tokens_per_s.likely

    assert 0.9 < gain("llama.cpp") < 1
    assert 2.6 < gain("vllm") < 3.3


def test_a_small_model_is_bound_by_fixed_cost() -> None:
    """135 million parameters stream in a tenth of a millisecond; thirty layers take twenty times as long."""
    small = DecodeLoad(weights_bytes=1e8, active_parameters=1.35e8, layers=30)
    speed = decode_speed(small, machine())
    assert speed is not None
    assert speed.bound == "fixed cost"


def test_a_layer_of_many_kernels_costs_more() -> None:
    """Gemma's layers have more norms than a llama's, on the table's hardware and on a measured machine alike."""
    llama = DecodeLoad(weights_bytes=1e8, active_parameters=1.35e8, layers=30)
    gemma = replace(llama, layer_cost=layer_cost_of("gemma3"))
    one, other = decode_speed(llama, machine()), decode_speed(gemma, machine())
    assert one is not None
    assert other is not None
    assert layer_cost_of("llama") == 1.0
    assert 1.3 < one.tokens_per_s.likely / other.tokens_per_s.likely < layer_cost_of("gemma3")


def test_experts_awake_grow_with_sequences_up_to_all() -> None:
    """One token wakes 8 of 128; a thousand sequences wake all, and no more bytes are read than there are."""
    load = DecodeLoad(
        weights_bytes=3e9, active_parameters=3e9, expert_bytes=2e9, experts=128, experts_per_token=8, layers=48
    )
    assert load.streamed_bytes(1) == pytest.approx(3e9)
    assert 3e9 < load.streamed_bytes(4) < 3e9 + 3 * 2e9
    assert load.streamed_bytes(10_000) == pytest.approx(1e9 + 2e9 * 16)


def test_unknown_bandwidth_and_peak_give_unknown_speeds() -> None:
    """None is printed as n/a, never as 0."""
    assert decode_speed(EIGHT_B, machine(gb_per_s=None)) is None
    assert prefill_speed(7.5e9, machine(peak=None)) is None


def test_engines_share_constants_and_versions_are_no_part_of_a_name() -> None:
    """Ollama runs llama.cpp."""
    assert constants_of("ollama", "apple") == constants_of("llama.cpp@b6918", "apple")
    assert constants_of("vllm@0.6.3", "nvidia-rtx") != constants_of("llama.cpp", "nvidia-rtx")


def test_prompts_are_read_at_a_share_of_the_peak() -> None:
    """2 FLOP per parameter, and attention makes long prompts slower."""
    short = prefill_speed(7.5e9, machine(), hidden=4096, layers=32, prompt_tokens=128)
    long = prefill_speed(7.5e9, machine(), hidden=4096, layers=32, prompt_tokens=32768)
    assert short is not None
    assert long is not None
    assert 1e14 / 1.5e10 * 0.3 < short.likely < 1e14 / 1.5e10
    assert long.likely < 0.8 * short.likely


def test_a_measured_machine_is_believed() -> None:
    """Where the engine was timed here, its own figures replace the table's, for that engine alone."""
    measured = EngineMeasurement(
        engine="llama.cpp",
        version="1",
        decode=(
            MatrixCost(type="Q4_1", weight_s=1e-11, row_s=2e-9),
            MatrixCost(type="Q8_0", weight_s=2e-11, row_s=3e-9),
            MatrixCost(type="IQ4_XS", weight_s=5e-11, row_s=3e-9),
        ),
        prefill=(MatrixCost(type="Q4_1", weight_s=4e-12, row_s=1e-9),),
        logit_s=1e-8,
        decode_attention_s=1e-10,
        prefill_attention_s=5e-11,
        read_bytes_per_s=1e13,
        copy_bytes_per_s=1e10,
        copy_one_core_bytes_per_s=8e9,
        cores=2,
        measured_on=date(2026, 11, 25),
    )
    plain = machine("cpu", gb_per_s=10.0)
    here = Hardware(name="here", device=plain.device, measured=measured)
    load = DecodeLoad(
        weights_bytes=1e8,
        active_parameters=1.3e8,
        kv_bytes=5e6,
        matrices=(
            MatrixLoad(type="Q4_1", bits=5.0, weights=1e8, rows=1e5),
            MatrixLoad(type="Q8_0", bits=8.5, weights=3e7, rows=5e4, in_prompts=False),
        ),
        attended_numbers=1e7,
    )
    speed = decode_speed(load, here)
    assert speed is not None
    inner, head, attention, reading = 1e8 * 1e-11 + 1e5 * 2e-9, 3e7 * 2e-11 + 5e4 * 1e-8, 1e7 * 1e-10, 5e6 / 5e9
    assert speed.tokens_per_s.likely == pytest.approx(1 / (inner + head + attention + reading))
    prompt = prefill_speed(1e8, here, prompt_tokens=100, matrices=load.matrices, attended_numbers=2e6)
    assert prompt is not None
    assert prompt.likely == pytest.approx(1 / (1e8 * 4e-12 + 1e5 * 1e-9 + 2e6 * 5e-11 + head / 100))
    assert decode_speed(load, here, engine="vllm") == decode_speed(load, plain, engine="vllm")

    longer = decode_speed(replace(load, kv_bytes=5e7, attended_numbers=1e8), here)
    assert longer is not None
    assert 1 / longer.tokens_per_s.likely == pytest.approx(inner + head + 10 * (attention + reading))
    slow_memory = replace(here, measured=replace(measured, read_bytes_per_s=1e9))
    bound = decode_speed(replace(load, kv_bytes=0.0, attended_numbers=0.0), slow_memory)
    assert bound is not None
    assert bound.tokens_per_s.likely == pytest.approx(1 / (1e8 * 5 / 8e9 + 3e7 * 8.5 / 8e9 + 5e4 * 1e-8))


@pytest.mark.parametrize(
    ("kind", "bits", "nearest"),
    [
        ("Q4_1", 5.0, "Q4_1"),
        ("Q5_1", 6.0, "Q4_1"),
        ("BF16", 16.0, "Q8_0"),
        ("IQ2_XS", 2.3, "IQ4_XS"),
        ("", 8.0, "Q8_0"),
    ],
)
def test_a_type_that_was_not_timed_costs_what_the_nearest_does(kind: str, bits: float, nearest: str) -> None:
    """By bits, and types with tables among themselves."""
    costs = [MatrixCost(type=name, weight_s=1e-11, row_s=0.0) for name in ("Q4_1", "Q8_0", "IQ4_XS")]
    assert cost_of(MatrixLoad(type=kind, bits=bits, weights=1.0, rows=1.0), costs).type == nearest
