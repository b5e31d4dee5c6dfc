"""Times the embedded engine on models of random weights, and the memory it reads them from."""

from __future__ import annotations

import asyncio
import ctypes
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
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

_PROMPT_TOKENS, _LONG_PROMPT_TOKENS = 128, 1280
_TRIALS, _LONG_TRIALS = 5, 3
_COPY_BYTES, _COPY_ROUNDS = 64 * 2**20, 4
_LEAST_WEIGHT_S, _LEAST_NUMBER_S = 1e-14, 1e-15
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


_TALL = ProbeShape(hidden=256, ffn=256, layers=1, vocabulary=131072, type=Q8_0)
"""Hardly anything but a head: what choosing among many tokens costs."""


async def measure_engine(machine: Machine, progress: Callable[[str], None]) -> EngineMeasurement:
    """Return what llama.cpp makes of this machine; takes about a minute where nothing else runs.

    Raises:
        MissingDependencyError: The engine is not installed.
        ModelLoadError: It does not load what it should; then this machine is out of memory or of disk.
    """
    probe = _Probe(machine=machine, import_path=engine_folder())
    progress("Measuring this machine (once): memory")
    one = await asyncio.to_thread(copy_bytes_per_s, 1)
    every = await asyncio.to_thread(copy_bytes_per_s, machine.cores)
    progress("Measuring this machine (once): llama.cpp on a long prompt")
    decode_attention_s, prefill_attention_s = await _attention(probe)
    decode, prefill = [], []
    for kind in _TYPES:
        progress(f"Measuring this machine (once): llama.cpp on {kind.name} weights")
        shapes = _wide(kind), _thin(kind)
        timings = [await probe.timed(shape) for shape in shapes]
        steps = [
            each.step_s - shape.attended_numbers * _PROMPT_TOKENS * decode_attention_s
            for shape, each in zip(shapes, timings, strict=True)
        ]
        prompts = [
            each.prompt_token_s - shape.attended_numbers * _PROMPT_TOKENS / 2 * prefill_attention_s
            for shape, each in zip(shapes, timings, strict=True)
        ]
        decode.append(_cost(kind, [(shape.parameters, shape.rows) for shape in shapes], steps))
        prefill.append(_cost(kind, [_inner(shape) for shape in shapes], prompts))
    progress("Measuring this machine (once): llama.cpp on a large vocabulary")
    tall = await probe.timed(_TALL)
    head = _TALL.parameters * decode[0].weight_s + _TALL.rows * decode[0].row_s
    return EngineMeasurement(
        engine="llama.cpp",
        version=engine_version(),
        decode=tuple(decode),
        prefill=tuple(prefill),
        logit_s=max(0.0, tall.step_s - head) / _TALL.vocabulary,
        decode_attention_s=decode_attention_s,
        prefill_attention_s=prefill_attention_s,
        copy_bytes_per_s=every,
        copy_one_core_bytes_per_s=one,
        cores=machine.cores,
        measured_on=date.today(),
        quiet=probe.quiet,
    )


async def _attention(probe: _Probe) -> tuple[float, float]:
    """Return seconds for each number that a head looks at: in a step of an answer, and for a token of a prompt."""
    shape = _thin(Q8_0)
    short = await probe.timed(shape)
    long = await probe.timed(shape, prompt_tokens=_LONG_PROMPT_TOKENS, trials=_LONG_TRIALS)
    more = shape.attended_numbers * (_LONG_PROMPT_TOKENS - _PROMPT_TOKENS)
    decode_s = (long.step_s - short.step_s) / more
    prefill_s = (long.prompt_token_s - short.prompt_token_s) / (more / 2)
    return max(_LEAST_NUMBER_S, decode_s), max(_LEAST_NUMBER_S, prefill_s)


def _inner(shape: ProbeShape) -> tuple[int, int]:
    """Return the weights and rows that every token of a prompt passes: not the head's."""
    return shape.parameters - shape.hidden * shape.vocabulary, shape.rows - shape.vocabulary


def _cost(kind: BlockType, sizes: list[tuple[int, int]], seconds: list[float]) -> MatrixCost:
    """Return seconds per weight and per row from those of two models of unlike (weights, rows); neither below 0."""
    (wide_weights, wide_rows), (thin_weights, thin_rows) = sizes
    wide_s, thin_s = seconds
    row_s = (thin_s * wide_weights - wide_s * thin_weights) / (thin_rows * wide_weights - wide_rows * thin_weights)
    row_s = min(max(row_s, 0.0), thin_s / thin_rows)
    weight_s = max(_LEAST_WEIGHT_S, (wide_s - wide_rows * row_s) / wide_weights)
    return MatrixCost(type=kind.name, weight_s=weight_s, row_s=row_s)


@dataclass(slots=True, kw_only=True)
class _Probe:
    """Times models of random weights, each in a process of its own."""

    machine: Machine
    import_path: str
    quiet: bool = True
    """Whether all that was timed so far had its cores to itself."""

    async def timed(self, shape: ProbeShape, *, prompt_tokens: int = _PROMPT_TOKENS, trials: int = _TRIALS) -> Timing:
        with tempfile.TemporaryDirectory(prefix="fieldguide-probe-") as folder:
            path = Path(folder) / "probe.gguf"
            await asyncio.to_thread(write_probe_model, path, shape)
            found = await timed(
                path,
                self.machine,
                self.import_path,
                vocabulary=shape.vocabulary,
                prompt_tokens=prompt_tokens,
                trials=trials,
                repack=shape.type in _REPACKED,
            )
        self.quiet = self.quiet and found.quiet
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
