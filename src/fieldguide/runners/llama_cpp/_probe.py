"""Times the embedded engine on models of random weights, and the memory it reads them from."""

from __future__ import annotations

import asyncio
import ctypes
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from fieldguide.domain import EngineMeasurement, MatrixCost
from fieldguide.runners.llama_cpp._machine import Machine
from fieldguide.runners.llama_cpp._open import engine_folder, engine_version
from fieldguide.runners.llama_cpp._probe_model import (
    F16,
    IQ4_XS,
    Q3_K,
    Q4_0,
    Q4_1,
    Q4_K,
    Q5_0,
    Q5_K,
    Q6_K,
    Q8_0,
    BlockType,
    ProbeShape,
    write_probe_model,
)
from fieldguide.runners.llama_cpp._probe_timing import Timing, timed

_PROMPT_TOKENS, _LONG_PROMPT_TOKENS = 128, 2048
_TRIALS = 5
_MOST_S, _MOST_ALL_S = 5.0, 90.0
"""For the trials of one model, and about all of them: then each model left is tried once."""
_COPY_BYTES, _COPY_ROUNDS = 64 * 2**20, 4
_LEAST_WEIGHT_S, _LEAST_NUMBER_S, _LEAST_SHARE = 1e-14, 1e-15, 0.1
_TYPES = (Q8_0, Q6_K, Q5_K, Q5_0, Q4_K, Q4_1, Q4_0, Q3_K, IQ4_XS, F16)
"""Those that most files are made of. Types of equal size differ by factors, so each is timed by itself."""
_REPACKED = {Q4_0}
"""The runner lets the engine lay these out anew."""
_HEADLESS = 2048


def _wide(kind: BlockType) -> ProbeShape:
    """Return few layers of long rows, more than caches hold: what a weight costs."""
    return ProbeShape(hidden=1024, ffn=2816, layers=8, vocabulary=_HEADLESS, type=kind)


def _thin(kind: BlockType) -> ProbeShape:
    """Return many layers of short rows: what rows and layers cost beside their weights."""
    return ProbeShape(hidden=256, ffn=768, layers=40, vocabulary=_HEADLESS, type=kind)


_LONG = ProbeShape(hidden=256, ffn=256, layers=40, vocabulary=_HEADLESS, type=Q8_0)
"""Few weights and many heads: what looking at a long prompt costs."""
_TALL = ProbeShape(hidden=256, ffn=256, layers=1, vocabulary=131072, type=Q8_0)
"""Hardly anything but a head: what choosing among many tokens costs."""


async def measure_engine(machine: Machine, progress: Callable[[str], None]) -> EngineMeasurement:
    """Return what llama.cpp makes of this machine; takes about a minute, and under load not much above two.

    Raises:
        MissingDependencyError: The engine is not installed.
        ModelLoadError: It does not load what it should; then this machine is out of memory or of disk.
    """
    probe = _Probe(machine=machine, import_path=engine_folder())
    progress("Measuring this machine (once): memory")
    one = await asyncio.to_thread(copy_bytes_per_s, 1)
    every = await asyncio.to_thread(copy_bytes_per_s, machine.cores)
    progress("Measuring this machine (once): llama.cpp on a long prompt")
    attention = await _attention(probe)
    steps: list[tuple[float, float]] = []
    prefill: list[MatrixCost] = []
    read = 0.0
    for kind in _TYPES:
        progress(f"Measuring this machine (once): llama.cpp on {kind.name} weights")
        wide = _bare(_wide(kind), await probe.timed(_wide(kind)), attention)
        thin = _bare(_thin(kind), await probe.timed(_thin(kind)), attention)
        steps.append((wide.step_s, thin.step_s))
        prefill.append(_cost(kind, _inner, (wide.prompt_token_s, thin.prompt_token_s)))
        read = max(read, _wide(kind).weights_bytes / wide.step_s)
    decode = _step_costs(steps)
    progress("Measuring this machine (once): llama.cpp on a large vocabulary")
    tall = _bare(_TALL, await probe.timed(_TALL), attention)
    return EngineMeasurement(
        engine="llama.cpp",
        version=engine_version(),
        decode=decode,
        prefill=tuple(prefill),
        logit_s=_logit_s(tall.step_s, decode[0]),
        decode_attention_s=attention[0],
        prefill_attention_s=attention[1],
        read_bytes_per_s=read,
        copy_bytes_per_s=every,
        copy_one_core_bytes_per_s=one,
        cores=machine.cores,
        measured_on=date.today(),
        quiet=probe.quiet,
    )


async def _attention(probe: _Probe) -> tuple[float, float]:
    """Return seconds for each number that a head looks at: in a step of an answer, and for a token of a prompt."""
    short = await probe.timed(_LONG)
    long = await probe.timed(_LONG, prompt_tokens=_LONG_PROMPT_TOKENS)
    more = _LONG.attended_numbers * (_LONG_PROMPT_TOKENS - _PROMPT_TOKENS)
    prefill_s = max(_LEAST_NUMBER_S, (long.prompt_token_s - short.prompt_token_s) / (more / 2))
    # Keys and values that are read for many tokens at once cannot cost more than those read for one.
    return max(prefill_s, (long.step_s - short.step_s) / more), prefill_s


def _bare(shape: ProbeShape, timing: Timing, attention: tuple[float, float]) -> Timing:
    """Return a timing without what attention took of it."""
    decode_s, prefill_s = (shape.attended_numbers * _PROMPT_TOKENS * each for each in attention)
    return replace(
        timing,
        step_s=max(_LEAST_SHARE * timing.step_s, timing.step_s - decode_s),
        prompt_token_s=max(_LEAST_SHARE * timing.prompt_token_s, timing.prompt_token_s - prefill_s / 2),
    )


def _all(shape: ProbeShape) -> tuple[int, int]:
    """Return the weights and rows that a token of an answer passes."""
    return shape.parameters, shape.rows


def _inner(shape: ProbeShape) -> tuple[int, int]:
    """Return those that every token of a prompt passes: not the head's."""
    return shape.parameters - shape.hidden * shape.vocabulary, shape.rows - shape.vocabulary


def _cost(
    kind: BlockType, counted: Callable[[ProbeShape], tuple[int, int]], seconds: tuple[float, float]
) -> MatrixCost:
    """Return seconds per weight and per row from those of the wide and of the thin model; neither is below 0."""
    (wide_weights, wide_rows), (thin_weights, thin_rows) = counted(_wide(kind)), counted(_thin(kind))
    wide_s, thin_s = seconds
    row_s = (thin_s * wide_weights - wide_s * thin_weights) / (thin_rows * wide_weights - wide_rows * thin_weights)
    row_s = min(max(row_s, 0.0), thin_s / thin_rows)
    weight_s = max(_LEAST_WEIGHT_S, (wide_s - wide_rows * row_s) / wide_weights)
    return MatrixCost(type=kind.name, weight_s=weight_s, row_s=row_s)


def _step_costs(steps: Sequence[tuple[float, float]]) -> tuple[MatrixCost, ...]:
    """Return the costs of every type in a step of an answer, from the steps of its wide and its thin model.

    A row then costs about the same with every type, for threads that wait for each other make most of it: the median
    counts for all. What it leaves of both models' time is their weights'.
    """
    row_s = statistics.median(_cost(kind, _all, each).row_s for kind, each in zip(_TYPES, steps, strict=True))
    costs = []
    for kind, each in zip(_TYPES, steps, strict=True):
        (wide_weights, wide_rows), (thin_weights, thin_rows) = _all(_wide(kind)), _all(_thin(kind))
        left_s = sum(each) - (wide_rows + thin_rows) * row_s
        weight_s = max(_LEAST_WEIGHT_S, left_s / (wide_weights + thin_weights))
        costs.append(MatrixCost(type=kind.name, weight_s=weight_s, row_s=row_s))
    return tuple(costs)


def _logit_s(step_s: float, cost: MatrixCost) -> float:
    """Return what a row of the head takes beside its weights, from a step of hardly more than a head."""
    layers = (_TALL.rows - _TALL.vocabulary) * cost.row_s
    return max(0.0, step_s - layers - _TALL.parameters * cost.weight_s) / _TALL.vocabulary


@dataclass(slots=True, kw_only=True)
class _Probe:
    """Times models of random weights, each in a process of its own."""

    machine: Machine
    import_path: str
    quiet: bool = True
    """Whether all that was timed so far had its cores to itself."""
    left_s: float = _MOST_ALL_S
    left: int = 3 + 2 * len(_TYPES)
    """Models that are still to be timed."""

    async def timed(self, shape: ProbeShape, *, prompt_tokens: int = _PROMPT_TOKENS) -> Timing:
        began_s = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="fieldguide-probe-") as folder:
            path = Path(folder) / "probe.gguf"
            await asyncio.to_thread(write_probe_model, path, shape)
            found = await timed(
                path,
                self.machine,
                self.import_path,
                vocabulary=shape.vocabulary,
                prompt_tokens=prompt_tokens,
                trials=_TRIALS,
                most_s=min(_MOST_S, self.left_s / max(1, self.left)),
                repack=shape.type in _REPACKED,
            )
        self.quiet = self.quiet and found.quiet
        self.left -= 1
        self.left_s = max(0.0, self.left_s - (time.monotonic() - began_s))
        return found


def copy_bytes_per_s(threads: int) -> float:
    """Return the bytes read plus written per second while `threads` copy memory; the fastest of a few rounds."""
    pairs = [
        (ctypes.create_string_buffer(_COPY_BYTES), ctypes.create_string_buffer(_COPY_BYTES)) for _ in range(threads)
    ]
    best = 0.0
    for _ in range(_COPY_ROUNDS):
        workers = [threading.Thread(target=ctypes.memmove, args=(to, of, _COPY_BYTES)) for to, of in pairs]
        began_s = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        best = max(best, 2 * threads * _COPY_BYTES / (time.perf_counter() - began_s))
    return best
