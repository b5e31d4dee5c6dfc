"""Times the embedded engine on one model file: what a token of a prompt takes, and one of an answer."""

from __future__ import annotations

import contextlib
import random
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldguide.errors import RunnerError
from fieldguide.runners.llama_cpp._engine_process import EngineConfig, EngineProcess
from fieldguide.runners.llama_cpp._machine import Machine
from fieldguide.runners.llama_cpp._supervisor import Connection

_FIRST_PLAIN_TOKEN = 259
_DECODED_TOKENS = 32
_LOAD_DEADLINE_S = 60.0
_KEPT_FROM_WORK = 0.8
"""Share of its threads' time below which the engine was kept from working by others, or by waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds for each token: the median of several trials in which the engine had its cores.

    Where it never had them the processor time that it used counts in place of the clock's, spread over its threads:
    what it would take were it alone. Of such trials the least counts, since threads also spin while others work.
    """

    prompt_token_s: float
    step_s: float
    """Of a token of the answer."""
    quiet: bool
    """Whether the clock's time counts."""


async def timed(
    path: Path,
    machine: Machine,
    import_path: str,
    *,
    vocabulary: int,
    prompt_tokens: int,
    trials: int,
    most_s: float,
    repack: bool = False,
) -> Timing:
    """Return how fast the engine reads prompts with a model file and generates after them, one request at a time.

    After `most_s` no further trial begins: on a busy or slow machine fewer have to do.
    """
    config = EngineConfig(
        model_path=path,
        alias="probe",
        threads=machine.cores,
        slots=1,
        context_tokens=2 * prompt_tokens,
        repack=repack,
        load_deadline_s=_LOAD_DEADLINE_S,
        data_limit_bytes=0,
        import_path=import_path,
    )
    connection = Connection(await EngineProcess.start(config))
    noise = random.Random(20)  # noqa: S311 - a prompt, not a key
    prompts: list[_Trial] = []
    steps: list[_Trial] = []
    try:
        began_s = time.monotonic()
        for _ in range(2 * trials):
            prompt = [noise.randrange(_FIRST_PLAIN_TOKEN, vocabulary) for _ in range(prompt_tokens)]
            prompts.append(await _trial(connection, prompt, machine.cores, tokens=1))
            steps.append(await _trial(connection, prompt, machine.cores, tokens=_DECODED_TOKENS))
            if min(len(_undisturbed(prompts)), len(_undisturbed(steps))) >= trials:
                break
            if time.monotonic() - began_s > most_s:
                break
    finally:
        await connection.close()
    return Timing(
        prompt_token_s=_chosen_s(prompts) / prompt_tokens,
        step_s=_chosen_s(steps) / (_DECODED_TOKENS - 1),
        quiet=bool(_undisturbed(prompts) and _undisturbed(steps)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    seconds: float
    share: float
    """Of its threads' time, in which the engine worked."""


def _undisturbed(trials: list[_Trial]) -> list[_Trial]:
    return [trial for trial in trials if trial.share >= _KEPT_FROM_WORK]


def _chosen_s(trials: list[_Trial]) -> float:
    if undisturbed := _undisturbed(trials):
        return statistics.median(trial.seconds for trial in undisturbed)
    return min(trial.share * trial.seconds for trial in trials)


async def _trial(connection: Connection, prompt: list[int], threads: int, *, tokens: int) -> _Trial:
    """Return the time of reading a prompt (one token), or of an answer to the prompt just read."""
    before = _processor_s(connection.process.pid)
    timings = await _timings(connection, prompt, tokens)
    used_s = _processor_s(connection.process.pid) - before
    whole_s = (timings["prompt_ms"] + timings["predicted_ms"]) / 1000
    return _Trial(
        seconds=timings["prompt_ms" if tokens == 1 else "predicted_ms"] / 1000,
        share=min(1.0, used_s / (threads * whole_s)) if whole_s > 0 and used_s > 0 else 1.0,
    )


def _processor_s(pid: int) -> float:
    """Return the processor time that all threads of a process have used (seconds); 0 where it cannot be told."""
    total = 0
    for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError, ValueError, IndexError):  # a thread may end meanwhile
            total += int(task.read_text().split()[0])
    return total / 1e9


async def _timings(connection: Connection, prompt: list[int], tokens: int) -> dict[str, float]:
    body: dict[str, Any] = {"prompt": prompt, "n_predict": tokens, "ignore_eos": True, "cache_prompt": tokens > 1}
    async with connection.session.post("/completion", json=body | {"temperature": 0, "top_k": 1}) as response:
        if response.status != 200:
            raise RunnerError(f"The engine answered a trial with status {response.status}.")
        timings: dict[str, float] = (await response.json())["timings"]
    return timings
