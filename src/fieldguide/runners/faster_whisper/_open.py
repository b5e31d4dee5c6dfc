"""From a size, a repository or a folder to a model that listens."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fieldguide.catalogue import speech_entry
from fieldguide.catalogue.whisper import REPOSITORIES
from fieldguide.domain import JsonValue, ResolvedModel
from fieldguide.errors import InputFileError, SettingsError, UnknownNameError
from fieldguide.registry import nearest
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._variants import variant
from fieldguide.runners.faster_whisper._process import EngineOptions, EngineProcess, engine_folder
from fieldguide.runners.faster_whisper._runner import PROVIDER, FasterWhisperRunner
from fieldguide.sources import hub_folder, packaged_folder

_PACKAGED = {"base": "whisper-base", "whisper-base": "whisper-base"}
_COMPUTE_TYPES = ("default", "auto", "int8", "int8_float32", "int8_float16", "int16", "float16", "bfloat16", "float32")
_MOST_THREADS = 8

OPTIONS = ("threads", "compute_type", "vad")
"""What `--option` may set, and what may stand in the name: `base,compute_type=int8,vad=off`."""


async def open_runner(target: str, settings: RunnerSettings) -> FasterWhisperRunner:
    """Return a runner for a size (`base`, `small`, `large-v3`), a repository of the hub, or a folder on this machine.

    `base` comes from Python packages, all other sizes from the Hugging Face hub. Options may stand in the name, so
    that a model can be compared with itself: `threads`, `compute_type`, `vad` (`on` looks first where anyone speaks).

    Raises:
        MissingDependencyError: The engine is not installed.
        UnknownNameError: There is no such size.
        SourceError: The model cannot be fetched.
        ModelLoadError: The engine will not load it.
    """
    engine_folder()
    base, given = variant(target, settings.options, OPTIONS)
    folder = await asyncio.to_thread(_folder, base, settings)
    options = EngineOptions(
        folder=folder, threads=_threads(given), compute_type=_compute_type(given), skip_silence=_skip_silence(given)
    )
    name = settings.display_name or _name(base)
    sha256 = await asyncio.to_thread(_sha256, folder / "model.bin")
    facts: dict[str, JsonValue] = {"path": str(folder), "engine": _engine_version(), "threads": options.threads}
    engine = await EngineProcess.start(options)
    identity: dict[str, JsonValue] = {
        "provider": PROVIDER,
        "sha256": sha256,
        "compute_type": engine.compute_type or options.compute_type,
        "vad": options.skip_silence,
    }
    model = ResolvedModel(name=name, reference=f"{PROVIDER}:{target}", identity=identity, facts=facts)
    return FasterWhisperRunner(engine, options, model=model, longest_silence_s=settings.deadline_s)


def _folder(target: str, settings: RunnerSettings) -> Path:
    told: Callable[[str], None] = settings.progress or (lambda _: None)
    if target in _PACKAGED:
        return packaged_folder(settings.home, speech_entry(_PACKAGED[target]), told=told)
    size = target.removeprefix("whisper-")
    if size in REPOSITORIES:
        return hub_folder(settings.home, REPOSITORIES[size], told=told)
    path = Path(target).expanduser()
    if path.is_dir():
        if not (path / "model.bin").is_file():
            raise InputFileError(
                target, "holds no model.bin.", hint="Name a folder with a Whisper model in CTranslate2's format."
            )
        return path
    if target.count("/") == 1 and not target.startswith((".", "/", "~")):
        return hub_folder(settings.home, target, told=told)
    known = sorted({*REPOSITORIES, *_PACKAGED})
    raise UnknownNameError(
        "size of Whisper or folder", target, nearest(target, known), hint=f"Known: {', '.join(known)}."
    )


def _name(target: str) -> str:
    if target in _PACKAGED:
        return "whisper-base"
    return f"whisper-{target}" if target in REPOSITORIES else Path(target).name


def _threads(options: Mapping[str, str]) -> int:
    given = options.get("threads")
    if given is None:
        return min(len(os.sched_getaffinity(0)), _MOST_THREADS)
    if not given.isdecimal() or int(given) < 1:
        raise SettingsError("threads", f"takes a whole number of at least 1, not {given!r}")
    return int(given)


def _skip_silence(options: Mapping[str, str]) -> bool:
    given = options.get("vad", "on")
    if given not in {"on", "off"}:
        raise SettingsError("vad", f"takes on or off, not {given!r}")
    return given == "on"


def _compute_type(options: Mapping[str, str]) -> str:
    given = options.get("compute_type", "default")
    if given not in _COMPUTE_TYPES:
        raise SettingsError("compute_type", f"takes one of {', '.join(_COMPUTE_TYPES)}, not {given!r}")
    return given


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _engine_version() -> str | None:
    try:
        return f"faster-whisper {version('faster-whisper')}, ctranslate2 {version('ctranslate2')}"
    except PackageNotFoundError:
        return None
