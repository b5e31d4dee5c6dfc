"""The picture of a plan: memory against context."""

from __future__ import annotations

from fieldguide.app.plan_page import memory_lines
from fieldguide.domain import Architecture, network_of
from fieldguide.planner import Adapter, Projector, Workload, engine_named, memory_plan

SHAPE = Architecture(
    scheme="llama", layers=4, hidden=512, ffn=1024, heads=8, kv_heads=2, head_dim=64, vocabulary=1000, tied_head=False,
)  # fmt: skip


def test_every_line_holds_all_that_is_planned() -> None:
    """Adapter and projector are in the line of the plan, which goes through its total, and in the others too."""
    network = network_of(SHAPE, name="m", source="test", context_tokens=8192)
    engine, work = engine_named("llama.cpp"), Workload(context_tokens=2048)
    bare = memory_plan(network, "Q4_K_M", engine, work)
    beside = Projector(file_bytes=10**8)
    whole = memory_plan(network, "Q4_K_M", engine, work, adapter=Adapter(rank=8), projector=beside)
    lines = {line.name: line for line in memory_lines(whole, [1024.0, 2048.0])}
    assert lines["Q4_K_M"].points[1] == (2048.0, whole.total_bytes / 1e9)
    assert lines["Q4_K_M"].band[1][1:] == (whole.total_low_bytes / 1e9, whole.total_high_bytes / 1e9)
    larger = {line.name: line for line in memory_lines(bare, [2048.0])}["Q8_0"].points[0][1]
    added = (whole.total_bytes - bare.total_bytes) / 1e9
    assert abs(lines["Q8_0"].points[1][1] - larger - added) < 1e-9
