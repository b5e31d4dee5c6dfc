"""From a file of weights, or the name of a pulled model, to a runner that makes pictures."""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fieldguide.domain import ResolvedModel
from fieldguide.errors import InputFileError, SettingsError, UnsafeFileError
from fieldguide.formats import FileSource, recognise
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners.stable_diffusion_cpp._engine import Engine, not_installed
from fieldguide.runners.stable_diffusion_cpp._runner import DrawingRunner
from fieldguide.sources import ModelStore
from fieldguide.sources.safety import refused_kind

PROVIDER = "stable-diffusion.cpp"
OPTIONS = (
    *("steps", "cfg_scale", "seed", "threads", "negative_prompt"),
    *("part", "vae", "clip_l", "clip_g", "t5xxl", "llm"),
)
"""What `--option` may set; `part=diffusion` says that the file is the diffusion model alone, and the last five name the
files that newer models have besides."""
_BOUNDS: Mapping[str, tuple[type, float, float]] = {
    "steps": (int, 1, 200),
    "cfg_scale": (float, 0, 50),
    "seed": (int, 0, 2**62),
    "threads": (int, 1, 1024),
}
_ARGUMENTS = {"steps": "sample_steps", "cfg_scale": "cfg_scale", "seed": "seed"}


async def open_runner(target: str, settings: RunnerSettings) -> DrawingRunner:
    """Return a runner for weights: a path of a safetensors or GGUF file, or a model that `fieldguide pull` brought.

    Raises:
        MissingDependencyError: stable-diffusion-cpp-python is not installed.
        InputFileError: There is no such file, or it is no file of weights.
        UnsafeFileError: The file can run code, as a checkpoint in pickle can.
        ModelLoadError: The engine will not load it.
        SettingsError: An option has a value that it cannot have.
    """
    spec = importlib.util.find_spec("stable_diffusion_cpp")
    if spec is None or spec.origin is None:
        raise not_installed()
    numbers, options = _numbers(settings.options), settings.options
    path = await asyncio.to_thread(_weights, target, settings.home)
    name = settings.display_name or path.stem
    load: dict[str, Any] = {_main_part(options.get("part", "whole")): str(path)}
    load["n_threads"] = numbers.pop("threads", -1)
    load |= {f"{part}_path": str(_weights(file, settings.home)) for part, file in _parts(options).items() if file}
    drawing = {_ARGUMENTS[key]: value for key, value in numbers.items()}
    if negative := options.get("negative_prompt"):
        drawing["negative_prompt"] = negative
    if settings.progress is not None:
        settings.progress(f"Loading {name}")
    sha256 = await asyncio.to_thread(_sha256, path)
    engine = await Engine.start(name, load, import_path=str(Path(spec.origin).parents[1]))
    return DrawingRunner(
        engine,
        model=ResolvedModel(
            name=name,
            reference=f"{PROVIDER}:{target}",
            identity={"engine": PROVIDER, "file_sha256": sha256},
            facts={"path": str(path), "file_bytes": path.stat().st_size, **drawing},
        ),
        drawing=drawing,
        deadline_s=settings.deadline_s,
        told=settings.progress or (lambda _: None),
    )


def _numbers(options: Mapping[str, str]) -> dict[str, Any]:
    given = {
        "steps": options.get("steps"),
        "cfg_scale": options.get("cfg_scale"),
        "seed": options.get("seed"),
        "threads": options.get("threads"),
    }
    return {name: _number(name, text) for name, text in given.items() if text is not None}


def _number(name: str, text: str) -> int | float:
    kind, least, most = _BOUNDS[name]
    try:
        value: int | float | None = kind(text)
    except ValueError:
        value = None
    if value is None or not least <= value <= most:
        raise SettingsError(name, f"{text!r} is no number from {least:g} to {most:g}.")
    return value


def _parts(options: Mapping[str, str]) -> dict[str, str | None]:
    return {
        "vae": options.get("vae"),
        "clip_l": options.get("clip_l"),
        "clip_g": options.get("clip_g"),
        "t5xxl": options.get("t5xxl"),
        "llm": options.get("llm"),
    }


def _main_part(part: str) -> str:
    if part not in {"whole", "diffusion"}:
        raise SettingsError("part", f"{part!r} is neither `whole` nor `diffusion`.")
    return "diffusion_model_path" if part == "diffusion" else "model_path"


def _weights(target: str, home: Path) -> Path:
    """Return the file of weights that is meant, once it is known to be one that cannot run code."""
    path = Path(target).expanduser().absolute()
    if not path.is_file():
        stored = ModelStore(home).find(target)
        if stored is None:
            hint = "Give the path of a file, or fetch one: fieldguide pull hf:REPOSITORY#FILE.safetensors"
            raise InputFileError(target, "is neither a file nor a model that is here.", hint=hint)
        path = stored.path if stored.path.is_file() else _of_folder(target, stored.path)
    if (why := refused_kind(path.name)) is not None:
        raise UnsafeFileError(path.name, why)
    with FileSource(path) as source:
        recognise(source)
    return path


def _of_folder(target: str, folder: Path) -> Path:
    found = sorted(folder.glob("*.safetensors"))
    if len(found) != 1:
        raise InputFileError(target, f"holds {len(found)} files of weights.", hint="Name one by its path.")
    return found[0]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
