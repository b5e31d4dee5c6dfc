"""Models of random weights load, have the bytes that they should, and give times that add up."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide.runners.llama_cpp import _probe
from fieldguide.runners.llama_cpp._file_facts import read_file_facts
from fieldguide.runners.llama_cpp._machine import this_machine
from fieldguide.runners.llama_cpp._open import engine_folder
from fieldguide.runners.llama_cpp._probe_model import Q4_K, BlockType, ProbeShape, write_probe_model
from fieldguide.runners.llama_cpp._probe_timing import Timing, _chosen_s, _Trial, timed


@pytest.mark.parametrize("kind", _probe._TYPES, ids=lambda kind: kind.name)
def test_the_file_has_the_bytes_of_its_shape(kind: BlockType, tmp_path: Path) -> None:
    """Matrices at the block rate, the embedding beside what is read, and a header that we can read."""
    shape = ProbeShape(hidden=256, ffn=512, layers=3, vocabulary=1024, type=kind)
    path = tmp_path / "probe.gguf"
    write_probe_model(path, shape)
    embedding = shape.hidden * shape.vocabulary * kind.bits / 8
    assert path.stat().st_size == pytest.approx(shape.weights_bytes + embedding, rel=0.1)
    assert path.stat().st_size > shape.weights_bytes + embedding
    assert read_file_facts(path).architecture == "llama"
    before = path.read_bytes()
    write_probe_model(path, shape)
    assert path.read_bytes() == before


@pytest.mark.parametrize("kind", _probe._TYPES, ids=lambda kind: kind.name)
async def test_the_engine_runs_it(kind: BlockType, tmp_path: Path) -> None:
    """Every type loads and answers; a token of a prompt takes less than one of an answer."""
    pytest.importorskip("xllamacpp", reason="the extra `llama-cpp` is not installed")
    shape = ProbeShape(hidden=256, ffn=512, layers=2, vocabulary=1024, type=kind)
    path = tmp_path / "probe.gguf"
    write_probe_model(path, shape)
    timing = await timed(path, this_machine(), engine_folder(), vocabulary=1024, prompt_tokens=64, trials=1, most_s=5)
    assert 0 < timing.prompt_token_s < timing.step_s


@pytest.mark.parametrize(("weight_s", "row_s"), [(1e-11, 2e-8), (5e-11, 0.0), (1e-12, 5e-8)])
def test_rows_and_weights_are_told_apart(weight_s: float, row_s: float) -> None:
    """Two models of unlike shape give both costs exactly, in prompts and in answers."""
    for counted in (_probe._all, _probe._inner):
        sizes = counted(_probe._wide(Q4_K)), counted(_probe._thin(Q4_K))
        seconds = [weights * weight_s + rows * row_s for weights, rows in sizes]
        cost = _probe._cost(Q4_K, counted, (seconds[0], seconds[1]))
        assert (cost.weight_s, cost.row_s) == pytest.approx((weight_s, row_s), rel=1e-6, abs=1e-15)


@pytest.mark.parametrize(("decode_s", "kept_s"), [(1e-10, 1e-10), (-1e-9, 5e-11)])
async def test_what_a_long_prompt_adds_is_attention(
    decode_s: float, kept_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over the whole context in an answer, over half of it in a prompt, whose cost bounds one that noise hid."""

    async def timed(_: object, shape: ProbeShape, *, prompt_tokens: int = _probe._PROMPT_TOKENS) -> Timing:
        seen = shape.attended_numbers * prompt_tokens
        return Timing(prompt_token_s=1e-3 + seen / 2 * 5e-11, step_s=1.0 + seen * decode_s, quiet=True)

    monkeypatch.setattr(_probe._Probe, "timed", timed)
    found = await _probe._attention(_probe._Probe(machine=this_machine(), import_path=""))
    assert found == pytest.approx((kept_s, 5e-11))


async def test_all_trials_together_end_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine so busy that each model takes ten seconds those that are left are tried once, and no longer."""
    clock, given = [0.0], []

    async def slow(*_: object, most_s: float, **__: object) -> Timing:
        given.append(most_s)
        clock[0] += 10.0
        return Timing(prompt_token_s=1.0, step_s=2.0, quiet=False)

    monkeypatch.setattr(_probe, "timed", slow)
    monkeypatch.setattr(_probe, "write_probe_model", lambda path, shape: None)
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    probe = _probe._Probe(machine=this_machine(), import_path="")
    for _ in range(probe.left):
        await probe.timed(_probe._LONG)
    assert (probe.left, probe.left_s, probe.quiet) == (0, 0.0, False)
    assert given[0] == pytest.approx(_probe._MOST_ALL_S / len(given))
    assert max(given) <= _probe._MOST_S
    assert given[10:] == [0.0] * (len(given) - 10)


def test_one_disturbed_type_does_not_spoil_what_a_row_costs() -> None:
    """The median of all types counts for each; the others keep their weights' cost exactly."""
    true_s = [1e-11 * (1 + place) for place in range(len(_probe._TYPES))]
    steps = []
    for kind, weight_s in zip(_probe._TYPES, true_s, strict=True):
        wide, thin = (
            weights * weight_s + rows * 2e-8
            for weights, rows in (_probe._all(_probe._wide(kind)), _probe._all(_probe._thin(kind)))
        )
        steps.append((wide, thin))
    steps[3] = (steps[3][0], 3 * steps[3][1])
    costs = _probe._step_costs(steps)
    for place, (cost, weight_s) in enumerate(zip(costs, true_s, strict=True)):
        assert cost.row_s == pytest.approx(2e-8)
        if place != 3:
            assert cost.weight_s == pytest.approx(weight_s)


def test_a_trial_that_others_disturbed_counts_only_where_there_is_no_other() -> None:
    """Then the processor's time stands for the clock's, and the least of it counts."""
    calm, calmer = _Trial(seconds=2.0, share=0.95), _Trial(seconds=3.0, share=0.99)
    held_up, more = _Trial(seconds=30.0, share=0.5), _Trial(seconds=60.0, share=0.4)
    assert _chosen_s([held_up, calm, more, calmer, calm]) == 2.0
    assert _chosen_s([held_up, more]) == 15.0


def test_memory_is_copied_at_some_rate() -> None:
    """More than a disk, less than any memory that exists."""
    assert 1e8 < _probe.copy_bytes_per_s(1) < 1e13
