"""Times the embedded engine on models of random weights, and the memory it reads them from."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from fieldguide.domain import EngineMeasurement
from fieldguide.errors import RunnerError
from fieldguide.runners.llama_cpp._engine_process import EngineConfig, EngineProcess
from fieldguide.runners.llama_cpp._machine import Machine
from fieldguide.runners.llama_cpp._open import engine_folder, engine_version
from fieldguide.runners.llama_cpp._probe_model import Q4_1, Q4_K, Q5_0, Q8_0, ProbeShape, write_probe_model
from fieldguide.runners.llama_cpp._supervisor import Connection

_FIRST_PLAIN_TOKEN = 259
_PROMPT_TOKENS, _DECODED_TOKENS = 256, 12
_TRIALS = 6
_COPY_BYTES, _COPY_ROUNDS = 64 * 2**20, 4
_LOAD_DEADLINE_S = 60.0
_KEPT_FROM_WORK = 0.85
"""Share of its threads' time below which the engine was kept from working by others, or by waiting."""
_WIDE = {
    Q4_K: ProbeShape(hidden=1024, ffn=2816, layers=10, vocabulary=8192, type=Q4_K),
    Q4_1: ProbeShape(hidden=1024, ffn=2816, layers=10, vocabulary=8192, type=Q4_1),
    Q5_0: ProbeShape(hidden=1024, ffn=2816, layers=9, vocabulary=8192, type=Q5_0),
    Q8_0: ProbeShape(hidden=1024, ffn=2816, layers=12, vocabulary=8192, type=Q8_0),
}
"""Few layers of many weights, more than caches hold: what a weight costs. Types of equal size differ, and these are
those that small and large files are made of."""
_THIN = ProbeShape(hidden=256, ffn=768, layers=40, vocabulary=2048, type=Q8_0)
"""Many layers of few weights: what a layer costs."""
_TALL = ProbeShape(hidden=256, ffn=256, layers=1, vocabulary=131072, type=Q8_0)
"""Hardly anything but a head: what choosing among many tokens costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Tokens per second: the median of several trials.

    Where other work keeps the engine from its cores the processor time that it used counts in place of the clock's,
    spread over its threads: what it would take were it alone, waiting of threads for each other left out.
    """

    decode_tokens_per_s: float
    prefill_tokens_per_s: float


async def measure_engine(machine: Machine, progress: Callable[[str], None]) -> EngineMeasurement:
    """Return what llama.cpp makes of this machine; takes about half a minute where nothing else runs.

    Raises:
        MissingDependencyError: The engine is not installed.
        ModelLoadError: It does not load what it should; then this machine is out of memory or of disk.
    """
    import_path = engine_folder()
    progress("Measuring this machine (once): memory")
    one = await asyncio.to_thread(copy_bytes_per_s, 1)
    every = await asyncio.to_thread(copy_bytes_per_s, machine.cores)
    wide: dict[float, Timing] = {}
    with tempfile.TemporaryDirectory(prefix="fieldguide-probe-") as folder:
        for kind, shape in _WIDE.items():
            progress(f"Measuring this machine (once): llama.cpp on {kind.name} weights")
            wide[kind.bits] = await _timed_shape(shape, Path(folder), machine, import_path)
        progress("Measuring this machine (once): llama.cpp on many thin layers")
        thin = await _timed_shape(_THIN, Path(folder), machine, import_path)
        progress("Measuring this machine (once): llama.cpp on a large vocabulary")
        tall = await _timed_shape(_TALL, Path(folder), machine, import_path)
    layer_s, eight_bits = _solved(1 / wide[Q8_0.bits].decode_tokens_per_s, 1 / thin.decode_tokens_per_s)
    weights = {
        kind.bits: max(1e-13, (1 / wide[kind.bits].decode_tokens_per_s - shape.layers * layer_s) / shape.parameters)
        for kind, shape in _WIDE.items()
    }
    weights[Q8_0.bits] = eight_bits
    return EngineMeasurement(
        engine="llama.cpp",
        version=engine_version(),
        layer_s=layer_s,
        logit_s=max(0.0, 1 / tall.decode_tokens_per_s - layer_s - _TALL.parameters * eight_bits) / _TALL.vocabulary,
        decode_s_per_weight=tuple(sorted(weights.items())),
        prefill_flops_per_s=tuple(
            sorted(
                (kind.bits, 2 * _inner(shape) * wide[kind.bits].prefill_tokens_per_s) for kind, shape in _WIDE.items()
            )
        ),
        copy_bytes_per_s=every,
        copy_one_core_bytes_per_s=one,
        cores=machine.cores,
        measured_on=date.today(),
    )


def _inner(shape: ProbeShape) -> int:
    """Return the weights that every token of a prompt passes: not the head's."""
    return shape.parameters - shape.hidden * shape.vocabulary


def _solved(wide_s: float, thin_s: float) -> tuple[float, float]:
    """Return seconds per layer and per 8-bit weight from the steps of the wide and of the thin model."""
    wide = _WIDE[Q8_0]
    denominator = wide.layers * _THIN.parameters - _THIN.layers * wide.parameters
    layer_s = (wide_s * _THIN.parameters - thin_s * wide.parameters) / denominator
    layer_s = min(max(layer_s, 0.0), thin_s / _THIN.layers)
    return layer_s, max(1e-13, (wide_s - wide.layers * layer_s) / wide.parameters)


async def _timed_shape(shape: ProbeShape, folder: Path, machine: Machine, import_path: str) -> Timing:
    path = folder / "probe.gguf"
    await asyncio.to_thread(write_probe_model, path, shape)
    return await timed(path, machine, import_path, vocabulary=shape.vocabulary)


async def timed(path: Path, machine: Machine, import_path: str, *, vocabulary: int, trials: int = _TRIALS) -> Timing:
    """Return how fast the engine generates with a model file and reads prompts, alone and one request at a time."""
    config = EngineConfig(
        model_path=path,
        alias="probe",
        threads=machine.cores,
        slots=1,
        context_tokens=2 * _PROMPT_TOKENS,
        repack=False,
        load_deadline_s=_LOAD_DEADLINE_S,
        data_limit_bytes=0,
        import_path=import_path,
    )
    connection = Connection(await EngineProcess.start(config))
    noise = random.Random(20)  # noqa: S311 - a prompt, not a key
    try:
        prefill, decode = [], []
        for _ in range(trials):
            prompt = [noise.randrange(_FIRST_PLAIN_TOKEN, vocabulary) for _ in range(_PROMPT_TOKENS)]
            prefill.append(await _rate(connection, prompt, 1, machine.cores))
            decode.append(await _rate(connection, prompt[:4], _DECODED_TOKENS, machine.cores))
    finally:
        await connection.close()
    return Timing(decode_tokens_per_s=statistics.median(decode), prefill_tokens_per_s=statistics.median(prefill))


async def _rate(connection: Connection, prompt: list[int], tokens: int, threads: int) -> float:
    """Return the tokens per second of a prompt, or of an answer of several tokens; see `Timing`."""
    before = _processor_s(connection.process.pid)
    timings = await _timings(connection, prompt, tokens)
    used_s = _processor_s(connection.process.pid) - before
    reads = tokens == 1
    wall_s = timings["prompt_ms" if reads else "predicted_ms"] / 1000
    whole_s = (timings["prompt_ms"] + timings["predicted_ms"]) / 1000
    share = min(1.0, used_s / (threads * whole_s)) if whole_s > 0 else 1.0
    if share < _KEPT_FROM_WORK:
        wall_s *= share
    return (len(prompt) if reads else tokens - 1) / max(wall_s, 1e-9)


def _processor_s(pid: int) -> float:
    """Return the processor time that all threads of a process have used (seconds); 0 where it cannot be told."""
    total = 0
    for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError, ValueError, IndexError):  # a thread may end meanwhile
            total += int(task.read_text().split()[0])
    return total / 1e9


async def _timings(connection: Connection, prompt: list[int], tokens: int) -> dict[str, float]:
    body: dict[str, Any] = {"prompt": prompt, "n_predict": tokens, "ignore_eos": True, "cache_prompt": False}
    async with connection.session.post("/completion", json=body | {"temperature": 0, "top_k": 1}) as response:
        if response.status != 200:
            raise RunnerError(f"The engine answered a trial with status {response.status}.")
        timings: dict[str, float] = (await response.json())["timings"]
    return timings


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
