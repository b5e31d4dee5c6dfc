"""Whether a plan fits hardware: by its range, per device, and what would make it fit."""

from __future__ import annotations

import pytest

from fieldguide.app.fit import fit_of, needs
from fieldguide.catalogue import find_hardware
from fieldguide.domain import Architecture, Device, Figure, Hardware, Network, network_of
from fieldguide.planner import MemoryPlan, Projector, Workload, engine_named, memory_plan

SHAPE = Architecture(
    scheme="llama", layers=33, hidden=4096, ffn=14336, heads=32, kv_heads=8, head_dim=128, vocabulary=128256,
    tied_head=False,
)  # fmt: skip


def plan_of(
    quantization: str = "BF16", *, devices: int = 1, engine: str = "llama.cpp", context: int = 8192
) -> MemoryPlan:
    network: Network = network_of(SHAPE, name="m", source="test", context_tokens=131_072)
    work = Workload(context_tokens=context, devices=devices)
    return memory_plan(network, quantization, engine_named(engine), work)


def card(gigabytes: float) -> Hardware:
    device = Device(name="card", kind="nvidia-rtx", memory_bytes=(Figure(value=gigabytes * 1e9, source="test"),))
    return Hardware(name="card", device=device)


def test_the_verdict_follows_the_range() -> None:
    """Yes where the high end fits the least that is free, no where the low end exceeds the most, else borderline."""
    plan = plan_of()
    verdicts = [
        fit.verdict for size in (10, (plan.total_bytes + 0.5 * 2**30) / 1e9, 40) if (fit := fit_of(plan, card(size)))
    ]
    assert verdicts == ["no", "borderline", "yes"]


def test_what_to_give_up_saves_what_it_says() -> None:
    """Each change alone: its bytes, its total, and whether it fits; the largest that fits is told beforehand."""
    plan = plan_of()
    fit = fit_of(plan, card(12))
    assert fit is not None
    assert fit.changes
    for change in fit.changes:
        assert change.saves_bytes == plan.total_bytes - change.total_bytes > 0
    by_name = {change.what: change for change in fit.changes}
    assert fit.largest_quantization == "Q8_0"
    assert by_name["weights in Q8_0"].fits == "yes"
    assert plan_of("Q8_0").total_bytes == by_name["weights in Q8_0"].total_bytes
    assert fit.largest_context is None
    assert fit.offload is not None
    assert "not modelled" in fit.offload


def test_the_largest_context_fits_and_the_next_does_not() -> None:
    """To the step of 256 tokens."""
    hardware = card(12)
    fit = fit_of(plan_of("Q8_0"), hardware)
    assert fit is not None
    assert fit.largest_context is not None
    assert 8192 <= fit.largest_context < 131_072
    for context, fits in ((fit.largest_context, True), (fit.largest_context + 256, False)):
        found = fit_of(plan_of("Q8_0", context=context), hardware)
        assert found is not None
        assert (found.verdict == "yes") is fits


def test_whole_layers_fill_the_first_devices_more() -> None:
    """33 layers on two devices: 17 on one; an engine that splits tensors shares alike."""
    by_layers, by_tensors = plan_of(devices=2), plan_of(devices=2, engine="vllm")
    assert needs(by_layers, "nvidia-rtx")[1] == pytest.approx(by_layers.total_bytes * 17 / 33, abs=1)
    assert needs(by_tensors, "nvidia-rtx")[1] == pytest.approx(by_tensors.total_bytes / 2, abs=1)


def test_hardware_without_known_memory_gives_no_answer() -> None:
    """A chip that is sold with several sizes, until its size is written."""
    assert fit_of(plan_of(), find_hardware("m3-max")) is None
    assert fit_of(plan_of("Q4_K_M"), find_hardware("m3-max-64gb")) is not None


def test_a_projector_counts_in_all_that_would_fit() -> None:
    """The file that makes tokens of pictures stays whatever else is given up, so it shortens the context that fits."""
    bare, eyes = plan_of("Q4_K_M"), Projector(file_bytes=12 * 10**8)
    looking = memory_plan(bare.network, "Q4_K_M", bare.engine, bare.work, projector=eyes)
    without, with_it = fit_of(bare, card(8)), fit_of(looking, card(8))
    assert without is not None
    assert with_it is not None
    assert (without.verdict, with_it.verdict) == ("yes", "borderline")
    assert (without.largest_context or 0) > (with_it.largest_context or 0)
    saved = {change.what: change.saves_bytes for change in with_it.changes}
    assert saved["weights in Q3_K_M"] == bare.total_bytes - plan_of("Q3_K_M").total_bytes


def test_no_context_is_offered_that_the_pictures_would_fill() -> None:
    """What they take of the prompt cannot be given up by a shorter context."""
    plan = plan_of("BF16", context=8192)
    free, filled = fit_of(plan, card(12)), fit_of(plan, card(12), taken_tokens=4000)
    assert free is not None
    assert filled is not None
    offered = [[change.what for change in fit.changes if "context" in change.what] for fit in (free, filled)]
    assert offered[0] == ["a context of 4,096 tokens", "a context of 2,048 tokens", "a context of 1,024 tokens"]
    assert offered[1] == ["a context of 4,096 tokens"]
    small = fit_of(plan_of("Q8_0"), card(11.5))
    assert small is not None
    assert small.largest_context is not None
    full = fit_of(plan_of("Q8_0"), card(11.5), taken_tokens=small.largest_context)
    assert full is not None
    assert full.largest_context is None
