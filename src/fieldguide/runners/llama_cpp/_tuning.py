"""Threads, slots and context for one model on one machine: forced, kept from before, or measured in a few seconds.

See docs/decisions/embedded-llama-cpp.md for the numbers behind the candidates.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass

from fieldguide.domain import JsonValue
from fieldguide.errors import RunnerError, SettingsError
from fieldguide.runners.llama_cpp._engine_process import EngineConfig, EngineProcess
from fieldguide.runners.llama_cpp._file_facts import FileFacts
from fieldguide.runners.llama_cpp._machine import Machine
from fieldguide.runners.llama_cpp._supervisor import Connection

_SLOTS = (1, 2, 4, 8)
_CONTEXT_TOKENS = 4096
_LOOKING_CONTEXT_TOKENS = 8192
"""Of a model that looks: Qwen2-VL makes up to 4,096 tokens of one picture, SmolVLM some 1,100."""
_UNKNOWN_CONTEXT_TOKENS = 2048
_KV_SHARE = 0.25
_BUDGET_S = 10.0
_TRIAL_S = 1.0
_TRIAL_TOKENS = 16
_WORTH_A_SLOT = 1.08
_PROMPT = "The river runs from the mountains to the sea, and on its way it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """How the engine is run."""

    threads: int
    slots: int
    context_tokens: int
    """Per slot."""


def forced(options: Mapping[str, str]) -> dict[str, int]:
    """Return the options that are whole numbers: `threads`, `slots`, `context_tokens`, `image_max_tokens`.

    Raises:
        SettingsError: One of them is not a whole number of at least 1.
    """
    found = {}
    for name in ("threads", "slots", "context_tokens", "image_max_tokens"):
        if name in options:
            text = options[name]
            if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 2**24):
                raise SettingsError(name, f"{text!r} is not a whole number of at least 1.")
            found[name] = int(text)
    return found


def default(facts: FileFacts, machine: Machine, options: Mapping[str, int], *, looks: bool = False) -> Tuning:
    """Return what needs no measurement: one thread per core, and a context that exams fit in and memory allows."""
    trained = facts.context_length_tokens
    usual = _LOOKING_CONTEXT_TOKENS if looks else _CONTEXT_TOKENS
    context = min(options.get("context_tokens", usual), trained or _UNKNOWN_CONTEXT_TOKENS)
    if "context_tokens" in options and trained is None:
        context = options["context_tokens"]
    slots = options.get("slots") or _most_slots(facts, machine, context)
    return Tuning(threads=options.get("threads", machine.cores), slots=slots, context_tokens=context)


def _most_slots(facts: FileFacts, machine: Machine, context_tokens: int) -> int:
    """Return the most slots worth having, their key/value caches within a quarter of the memory."""
    per_slot = (facts.kv_bytes_per_token or 0) * context_tokens
    worth_having = [slots for slots in _SLOTS if slots <= max(4, 2 * machine.cores)]
    fitting = [slots for slots in worth_having if slots * per_slot <= _KV_SHARE * machine.memory_bytes]
    return max(fitting, default=1)


async def measure(config: EngineConfig, tuning: Tuning, machine: Machine, options: Mapping[str, int]) -> Tuning | None:
    """Return the threads and slots that generate fastest, or None where ten seconds do not tell.

    Args:
        config: How the engine is started; its threads and slots are replaced.
        tuning: Where to begin; its slots are the most that are tried.
        machine: What there is to choose from.
        options: What is forced and hence not tried.

    Raises:
        ModelLoadError: The engine will not load the file.
    """
    until_s = time.monotonic() + _BUDGET_S
    rates: dict[tuple[int, int], float] = {}
    for threads in [options["threads"]] if "threads" in options else _thread_candidates(machine.cores):
        trial = dataclasses.replace(config, threads=threads, slots=tuning.slots, context_tokens=256)
        began_s = time.monotonic()
        connection = Connection(await EngineProcess.start(trial))
        try:
            async with asyncio.timeout(until_s - time.monotonic()):
                await _try_slots(connection, threads, tuning.slots, rates)
        except (TimeoutError, RunnerError):
            pass
        finally:
            await connection.close()
        if until_s - time.monotonic() < time.monotonic() - began_s:  # another would not end in time
            break
    return _best(rates, tuning)


def _thread_candidates(cores: int) -> list[int]:
    """Return the thread counts worth trying: generation often is no faster on all cores than on half of many."""
    return [cores] if cores <= 2 else [cores, max(2, cores // 2)]


async def _try_slots(connection: Connection, threads: int, most: int, rates: dict[tuple[int, int], float]) -> None:
    """Fill in the generated tokens per second at each number of requests in flight."""
    rate = await _trial(connection, in_flight=1, tokens=8)
    for slots in (slots for slots in _SLOTS if slots <= most):
        tokens = min(64, max(8, int(rate * _TRIAL_S / slots)))
        rate = await _trial(connection, in_flight=slots, tokens=tokens)
        rates[threads, slots] = rate


async def _trial(connection: Connection, *, in_flight: int, tokens: int) -> float:
    """Return generated tokens per second, prompts included, with `in_flight` different requests at once."""

    async def one(number: int) -> None:
        body = {"prompt": f"{number}. {_PROMPT}", "n_predict": tokens, "ignore_eos": True, "cache_prompt": False}
        async with connection.session.post("/completion", json=body) as response:
            if response.status != 200:
                raise RunnerError(f"The engine answered a trial with status {response.status}.")
            await response.read()

    began_s = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(in_flight):
            group.create_task(one(number))
    return in_flight * tokens / (time.perf_counter() - began_s)


def _best(rates: Mapping[tuple[int, int], float], tuning: Tuning) -> Tuning | None:
    """Return the fastest threads, with the fewest slots from which twice as many gain less than 8 %."""
    if not rates:
        return None
    threads = max(rates, key=lambda pair: rates[pair])[0]
    measured = sorted(slots for count, slots in rates if count == threads)
    chosen = measured[0]
    for slots in measured[1:]:
        if rates[threads, slots] >= _WORTH_A_SLOT * rates[threads, chosen]:
            chosen = slots
    return dataclasses.replace(tuning, threads=threads, slots=chosen)


def as_json(tuning: Tuning) -> JsonValue:
    """Return the measured part of a tuning, to be kept."""
    return {"threads": tuning.threads, "slots": tuning.slots}


def from_json(kept: JsonValue, tuning: Tuning) -> Tuning | None:
    """Return `tuning` with what was kept, or None where that is not usable."""
    if not isinstance(kept, Mapping):
        return None
    threads, slots = kept.get("threads"), kept.get("slots")
    if not (isinstance(threads, int) and isinstance(slots, int) and threads >= 1 and 1 <= slots <= max(_SLOTS)):
        return None
    return dataclasses.replace(tuning, threads=threads, slots=slots)
