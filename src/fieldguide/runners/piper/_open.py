"""From a voice's name or file to a voice that speaks."""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import re
from pathlib import Path

from fieldguide.domain import ResolvedModel
from fieldguide.errors import InputFileError, MissingDependencyError, UnknownNameError
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._voice import VoiceRunner
from fieldguide.runners._voice_process import VoiceEngine, VoiceProcess
from fieldguide.sources import hub_files

PROVIDER = "piper"
_REPOSITORY = "rhasspy/piper-voices"
_NAME = re.compile(r"([a-z]{2,3})_([A-Z]{2})-([a-z0-9_]+)-(x_low|low|medium|high)")

_ENGINE = VoiceEngine(
    title="Piper",
    extra="piper",
    child=Path(__file__).with_name("_child.py"),
    what_a_voice_is="A voice is two files, NAME.onnx and NAME.onnx.json",
)

OPTIONS: tuple[str, ...] = ()
"""What `--option` may set."""


async def open_runner(target: str, settings: RunnerSettings) -> VoiceRunner:
    """Return a runner for a voice: a path that ends in `.onnx`, or a name such as `en_US-lessac-medium` of the hub.

    Raises:
        MissingDependencyError: Piper is not installed.
        UnknownNameError: It is neither a file nor what a voice is called.
        SourceError: The voice cannot be fetched.
        ModelLoadError: Piper will not load it.
    """
    spec = importlib.util.find_spec("piper")
    if spec is None or spec.origin is None:
        raise MissingDependencyError("Piper's voices", extra="piper")
    model = await asyncio.to_thread(_model, target, settings)
    sha256 = await asyncio.to_thread(_sha256, model)
    voice = await VoiceProcess.start(
        _ENGINE, model, import_path=str(Path(spec.origin).parents[1]), deadline_s=settings.deadline_s
    )
    resolved = ResolvedModel(
        name=model.stem,
        reference=f"{PROVIDER}:{target}",
        identity={"provider": PROVIDER, "sha256": sha256},
        facts={"path": str(model)},
    )
    return VoiceRunner(voice, model=resolved)


def _model(target: str, settings: RunnerSettings) -> Path:
    if target.endswith(".onnx"):
        path = Path(target).expanduser().resolve()
        for file in (path, Path(f"{path}.json")):
            if not file.is_file():
                raise InputFileError(
                    str(file), "is not there.", hint="A voice is two files, NAME.onnx and NAME.onnx.json."
                )
        return path
    found = _NAME.fullmatch(target)
    if found is None:
        raise UnknownNameError(
            "voice of Piper", target, hint="Names look like en_US-lessac-medium; a file ends in .onnx."
        )
    family, region, name, quality = found.groups()
    path_there = f"{family}/{family}_{region}/{name}/{quality}/{target}.onnx"
    place = settings.home / "models" / "speech" / "piper"
    hub_files(place, _REPOSITORY, (path_there, f"{path_there}.json"), told=settings.progress or (lambda _: None))
    return place / path_there


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
