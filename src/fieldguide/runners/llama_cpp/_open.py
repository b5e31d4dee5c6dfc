"""Opening a GGUF file: check it, know it, tune for it, load it."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib.util
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fieldguide.domain import Capabilities, JsonValue, ResolvedModel
from fieldguide.errors import InputFileError, MissingDependencyError, ModelLoadError, SettingsError
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners.llama_cpp import _tuning
from fieldguide.runners.llama_cpp._engine_process import EngineConfig
from fieldguide.runners.llama_cpp._eyes import Eyes, find_eyes
from fieldguide.runners.llama_cpp._file_facts import FileFacts, read_file_facts
from fieldguide.runners.llama_cpp._kept import Kept, file_sha256
from fieldguide.runners.llama_cpp._machine import Machine, is_busy, this_machine
from fieldguide.runners.llama_cpp._pictures import FETCH
from fieldguide.runners.llama_cpp._runner import DIALECT, LlamaCppRunner
from fieldguide.runners.llama_cpp._supervisor import Supervisor
from fieldguide.runners.llama_cpp._tuning import Tuning

OPTIONS = ("threads", "slots", "context_tokens", "mmproj", "image_max_tokens", FETCH)
_LOAD_DEADLINE_S = 60.0
_SLOWEST_READ_BYTES_PER_S = 50e6
_OVERHEAD_BYTES = 4 * 2**30
_UNKNOWN_KV_BYTES = 8 * 2**30
_LOOKING_BYTES = 2 * 2**30
"""For pictures as they are decoded and for what the projector computes on the largest of them."""
_REPACK_PAYS = {2, 25}
"""Q4_0 and IQ4_NL: repacking speeds their prompts up by half and more, and without it they are no more repeatable."""


async def open_runner(target: str, settings: RunnerSettings) -> LlamaCppRunner:
    """Return a runner for the GGUF file at the path `target`, loaded and ready.

    The first time on a machine, a model is also measured for a few seconds to choose threads and slots; what is found
    is kept in the user folder. The options `threads`, `slots` and `context_tokens` (per slot) fix a choice.

    A projector (`mmproj`) beside the file lets the model look at pictures; the option `mmproj` names another one, or
    `none`. `image_max_tokens` bounds the tokens of a picture, and `fetch_images=yes` allows pictures by address.

    Raises:
        InputFileError: There is no such file.
        MissingDependencyError: The engine is not installed.
        ModelLoadError: The file is not a GGUF file, is damaged, or does something hostile.
        SettingsError: An option has a value that it cannot have.
    """
    options = _tuning.forced(settings.options)
    fetches = _is_yes(settings.options.get("fetch_images", "no"))
    import_path = engine_folder()
    path = _existing(target)
    facts = await asyncio.to_thread(read_file_facts, path)
    eyes = await asyncio.to_thread(
        find_eyes, path, facts, settings.options.get("mmproj"), lambda what: _tell(settings, what)
    )
    kept = Kept(settings.home / "measurements")
    _tell(settings, f"Reading {settings.display_name or path.name}")
    sha256 = await asyncio.to_thread(file_sha256, path, kept)
    machine = this_machine()
    tuning = _tuning.default(facts, machine, options, looks=eyes is not None)
    config = _config(path, facts, tuning, machine, alias=settings.display_name or path.stem, import_path=import_path)
    options_of_tuning = {name: value for name, value in options.items() if name != "image_max_tokens"}
    tuning = await _tuned(config, tuning, machine, options_of_tuning, kept, sha256, settings)
    config = _with_eyes(config, eyes, options.get("image_max_tokens"))
    if settings.concurrency is not None and "slots" not in options:
        tuning = dataclasses.replace(tuning, slots=min(tuning.slots, max(1, settings.concurrency)))
    config = dataclasses.replace(
        config, threads=tuning.threads, slots=tuning.slots, context_tokens=tuning.context_tokens
    )
    _tell(settings, f"Loading {settings.display_name or path.name}")
    supervisor = Supervisor(config)
    try:
        await supervisor.connection()
    except ModelLoadError as error:
        if eyes is not None:
            error.hint = f"Its projector is {eyes.path.name}; without it: --option llama.cpp:mmproj=none. {error.hint}"
        raise
    has_template = facts.chat_template_sha256 is not None
    can = DIALECT.capabilities if has_template else Capabilities(text=True, chat=True, seed=True)
    sees = eyes is not None and eyes.facts.sees and has_template
    resolved = _resolved(config, facts, tuning, sha256=sha256, target=target)
    return LlamaCppRunner(
        supervisor,
        model=resolved if eyes is None else await asyncio.to_thread(_seeing, resolved, eyes, kept),
        capabilities=dataclasses.replace(
            can, images=sees, tools=facts.template_takes_tools, max_concurrency=tuning.slots + 1
        ),
        has_template=has_template,
        picture_session=settings.session if fetches else None,
        deadline_s=settings.deadline_s,
        idle_timeout_s=settings.idle_timeout_s,
    )


def _is_yes(given: str) -> bool:
    if given.lower() not in {"yes", "no"}:
        raise SettingsError(FETCH, f"{given!r} is neither yes nor no.")
    return given.lower() == "yes"


def _tell(settings: RunnerSettings, what: str) -> None:
    if settings.progress is not None:
        settings.progress(what)


def engine_folder() -> str:
    """Return the folder that holds the engine's package, without importing it."""
    found = importlib.util.find_spec("xllamacpp")
    if found is None or found.origin is None:
        raise MissingDependencyError("Running GGUF files", extra="llama-cpp")
    return str(Path(found.origin).parent.parent)


def engine_version() -> str:
    try:
        return version("xllamacpp")
    except PackageNotFoundError:
        return "unknown"


def _existing(target: str) -> Path:
    path = Path(target).expanduser().absolute()
    if not path.is_file():
        what = "this is a folder, not a GGUF file." if path.is_dir() else "there is no such file."
        raise InputFileError(
            target, what, hint="Give the path of a .gguf file; `fieldguide list` shows those kept here."
        )
    return path


def _config(
    path: Path, facts: FileFacts, tuning: Tuning, machine: Machine, *, alias: str, import_path: str
) -> EngineConfig:
    size_bytes = path.stat().st_size
    kv_bytes = (facts.kv_bytes_per_token or 0) * tuning.context_tokens * tuning.slots or _UNKNOWN_KV_BYTES
    # Weights count twice: the engine may keep a copy in a layout that suits the processor.
    data_limit_bytes = 2 * size_bytes + kv_bytes + min(_OVERHEAD_BYTES, machine.memory_bytes)
    return EngineConfig(
        model_path=path,
        alias=alias,
        threads=tuning.threads,
        slots=tuning.slots,
        context_tokens=tuning.context_tokens,
        repack=facts.file_type in _REPACK_PAYS,
        load_deadline_s=_LOAD_DEADLINE_S + size_bytes / _SLOWEST_READ_BYTES_PER_S,
        data_limit_bytes=data_limit_bytes,
        import_path=import_path,
    )


def _with_eyes(config: EngineConfig, eyes: Eyes | None, image_max_tokens: int | None) -> EngineConfig:
    """Return how the engine is started with a projector: it takes longer to load and holds more."""
    if eyes is None:
        return config
    return dataclasses.replace(
        config,
        mmproj_path=eyes.path,
        image_max_tokens=-1 if image_max_tokens is None else image_max_tokens,
        load_deadline_s=config.load_deadline_s + eyes.size_bytes / _SLOWEST_READ_BYTES_PER_S,
        data_limit_bytes=config.data_limit_bytes + 2 * eyes.size_bytes + _LOOKING_BYTES,
    )


async def _tuned(
    config: EngineConfig,
    tuning: Tuning,
    machine: Machine,
    options: dict[str, int],
    kept: Kept,
    sha256: str,
    settings: RunnerSettings,
) -> Tuning:
    """Return the tuning that is forced, was kept, or is measured now; a busy machine is not measured.

    What is measured on a quiet machine is kept.
    """
    if {"threads", "slots"} <= options.keys():
        return tuning
    key: JsonValue = {
        "file_sha256": sha256,
        "engine": engine_version(),
        "cpu": machine.cpu_model,
        "cores": machine.cores,
        "forced": options,
        "most_slots": tuning.slots,
    }
    before = _tuning.from_json(kept.get("tuning", key), tuning)
    if before is None and not await is_busy(machine.cores):
        _tell(settings, "Measuring how the engine runs best on this machine (once, up to 10 s)")
        before = await _tuning.measure(config, tuning, machine, options)
        if before is not None:
            kept.put("tuning", key, _tuning.as_json(before))
    if before is None:
        return tuning
    return dataclasses.replace(before, slots=options.get("slots", before.slots))


def _resolved(config: EngineConfig, facts: FileFacts, tuning: Tuning, *, sha256: str, target: str) -> ResolvedModel:
    path = config.model_path
    return ResolvedModel(
        name=config.alias,
        reference=f"llama.cpp:{target}",
        identity={"engine": "llama.cpp", "file_sha256": sha256},
        facts={
            "engine_version": engine_version(),
            "path": str(path),
            "file_bytes": path.stat().st_size,
            "architecture": facts.architecture,
            "general_name": facts.name,
            "chat_form": "plain text" if facts.chat_template_sha256 is None else "template",
            "chat_template_sha256": facts.chat_template_sha256,
            "threads": tuning.threads,
            "slots": tuning.slots,
            "context_tokens": tuning.context_tokens,
        },
    )


def _seeing(model: ResolvedModel, eyes: Eyes, kept: Kept) -> ResolvedModel:
    """Return the model with its projector, which is part of what it is."""
    sha256 = file_sha256(eyes.path, kept)
    return dataclasses.replace(
        model,
        identity=model.identity | {"mmproj_sha256": sha256},
        facts=model.facts | {"mmproj": str(eyes.path), "mmproj_bytes": eyes.size_bytes, "projector": eyes.facts.kind},
    )
