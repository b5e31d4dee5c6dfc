"""Check an installation, and a model on it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from fieldguide import registry
from fieldguide.app.evaluate import known_price
from fieldguide.app.machine import describe_machine, package_version
from fieldguide.app.probe import (
    Comparison,
    Finding,
    Forecast,
    compare,
    examine_model,
    forecast,
    longest_prompt,
    template_of_file,
)
from fieldguide.app.references import ModelOptions, OpenedModel, open_model
from fieldguide.app.wiring import House
from fieldguide.errors import BudgetExceededError, FieldguideError
from fieldguide.scoring.code_judge import TIERS, why_not

_EXTRAS = {
    "llama-cpp": ("xllamacpp", "the embedded llama.cpp"),
    "charts": ("vl-convert-python", "charts in reports"),
    "maths": ("math-verify", "maths answers"),
}
_LOW_DISK_BYTES = 2_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCheck:
    """How models are to be examined."""

    longest_prompt_tokens: int | None = None
    """None takes 8,000, or what fits a declared context."""
    budget_usd: Decimal | None = None
    tell: Callable[[str], None] = lambda text: None
    """Told what is being done."""
    say: Callable[[str], None] = lambda text: None
    """Told the forecast, before anything is sent."""


async def examine(house: House, models: Sequence[str], options: ModelOptions, how: ModelCheck) -> list[Finding]:
    """Check Python packages, plug-ins, user folder, records and disk, and the models that are named."""
    findings = [_machine(), *_extras(), *_plugins(), _disk(house)]
    findings.append(await asyncio.to_thread(_guarded, "records", lambda: _records(house)))
    findings.append(await asyncio.to_thread(_code_judge))
    for model in models:
        findings += await _model(house, model, options, how)
    return findings


async def same_model(house: House, first: str, second: str, options: ModelOptions, how: ModelCheck) -> Comparison:
    """Return whether two endpoints have the same model.

    Raises:
        FieldguideError: One cannot be opened or asked.
    """
    one = await open_model(house, first, options)
    try:
        two = await open_model(house, second, options)
        try:
            how.say("forecast: 39 short requests to each, about 2,500 tokens in and 1,100 out")
            return await compare(one.runner, two.runner, tell=how.tell)
        finally:
            await two.runner.close()
    finally:
        await one.runner.close()


def _guarded(check: str, work: Callable[[], Finding]) -> Finding:
    try:
        return work()
    except FieldguideError as error:
        return Finding(check=check, state="failed", detail=error.message, hint=error.hint)


def _machine() -> Finding:
    machine = describe_machine()
    told = ", ".join(str(machine[key]) for key in ("system", "processor") if machine[key])
    return Finding(check="machine", state="ok", detail=f"{told}, {machine['cores']} cores, {machine['memory']}")


def _extras() -> list[Finding]:
    findings = []
    for extra, (package, what) in _EXTRAS.items():
        found = package_version(package)
        findings.append(
            Finding(check=what, state="ok", detail=f"{package} {found}")
            if found
            else Finding(
                check=what,
                state="warning",
                detail=f"{package} is not installed",
                hint=f"pip install 'fieldguide[{extra}]'",
            )
        )
    return findings


def _plugins() -> list[Finding]:
    findings = []
    kinds: tuple[registry.Kind, ...] = ("runners", "sources", "benchmarks")
    for kind in kinds:
        names = registry.names(kind)
        broken = [finding for name in names if (finding := _broken(kind, name)) is not None]
        findings += broken or [
            Finding(
                check=kind,
                state="ok" if names else "failed",
                detail=", ".join(names) or "none found",
                hint=None if names else "Reinstall the package: its entry points are missing.",
            )
        ]
    return findings


def _broken(kind: registry.Kind, name: str) -> Finding | None:
    try:
        registry.load(kind, name)
    except FieldguideError as error:
        return Finding(check=f"{kind}: {name}", state="failed", detail=error.message, hint=error.hint)
    return None


def _disk(house: House) -> Finding:
    home = house.settings.home
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    if not os.access(existing, os.W_OK):
        return Finding(
            check="user folder", state="failed", detail=f"{home} cannot be written", hint="Use `--home DIR`."
        )
    return Finding(
        check="user folder",
        state="ok" if free > _LOW_DISK_BYTES else "warning",
        detail=f"{home}, {free / 1e9:.1f} GB free",
    )


def _records(house: House) -> Finding:
    runs = len(house.store.runs())
    return Finding(check="records", state="ok", detail=f"{runs} runs, SQLite {sqlite3.sqlite_version}")


def _code_judge() -> Finding:
    """Say which ways to isolate generated programs pass their self-test here."""
    reasons = {tier: why_not(tier) for tier in TIERS}
    holding = [tier for tier, reason in reasons.items() if reason is None]
    told = [
        f"{tier} holds" if reason is None else f"{tier} does not ({_in_short(reason)})"
        for tier, reason in reasons.items()
    ]
    hint = None if holding else "Exams that run generated code need one; `fieldguide judge` says how to get it."
    return Finding(check="code judge", state="ok" if holding else "warning", detail="; ".join(told), hint=hint)


def _in_short(reason: str) -> str:
    """Return the first sentence of a reason, and its last line, where a traceback ends."""
    lines = reason.strip().splitlines()
    return lines[0] if len(lines) == 1 else f"{lines[0].partition(': ')[0]}: {lines[-1]}"


async def _model(house: House, model: str, options: ModelOptions, how: ModelCheck) -> list[Finding]:
    try:
        opened = await open_model(house, model, options)
    except FieldguideError as error:
        return [Finding(check=model, state="failed", detail=error.message, hint=error.hint)]
    resolved = opened.runner.model
    facts = ", ".join(f"{key} {value}" for key, value in resolved.facts.items() if not isinstance(value, dict))
    findings = [
        Finding(check=model, state="ok", detail=opened.took or resolved.reference),
        Finding(check="it runs as", state="ok", detail=facts or "unknown"),
    ]
    try:
        longest = longest_prompt(opened.runner, how.longest_prompt_tokens)
        await _keep_budget(house, opened, forecast(longest), how)
        if isinstance(path := resolved.facts.get("path"), str):
            findings += template_of_file(Path(path))
        findings += await examine_model(opened.runner, longest_tokens=longest, tell=how.tell)
    except FieldguideError as error:
        findings.append(Finding(check="it answers", state="failed", detail=error.message, hint=error.hint))
    finally:
        await opened.runner.close()
    return findings


async def _keep_budget(house: House, opened: OpenedModel, foreseen: Forecast, how: ModelCheck) -> None:
    """Say what the checks may take, and refuse where that is more than may be spent."""
    known = None if opened.free else await asyncio.to_thread(known_price, house, opened)
    cost = Decimal(0) if opened.free else None if known is None else known.cost_of(foreseen.usage)
    told = "free" if opened.free else "price not known" if cost is None else f"at most ${cost:.4f}"
    how.say(
        f"forecast for {opened.runner.model.name}: {foreseen.requests} requests, about "
        f"{foreseen.input_tokens:,} tokens in, at most {foreseen.output_tokens:,} out, {told}"
    )
    if how.budget_usd is not None and (cost is None or cost > how.budget_usd):
        raise BudgetExceededError(
            f"The checks may cost more than ${how.budget_usd} ({told}).",
            hint="Raise --budget-usd, or shorten the longest prompt: --prompt-tokens N.",
        )
