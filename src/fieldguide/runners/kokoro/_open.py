"""From a voice's name or a file to Kokoro, ready to speak."""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import re
from pathlib import Path

from fieldguide.catalogue import speech_entry
from fieldguide.domain import JsonValue, ResolvedModel
from fieldguide.errors import InputFileError, MissingDependencyError, SettingsError, UnknownNameError
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._variants import variant
from fieldguide.runners._voice import VoiceRunner
from fieldguide.runners._voice_process import VoiceEngine, VoiceProcess
from fieldguide.sources import hub_files, packaged_folder

PROVIDER = "kokoro"
PACKAGED = "kokoro-82m"
_PACKAGED_VOICES = ("jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro", "jm_kumo")
_REPOSITORY = "onnx-community/Kokoro-82M-v1.0-ONNX"
_WEIGHTS = "onnx/model_quantized.onnx"
_VOICE = re.compile(r"[abefhijpz][fm]_[a-z]+")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]+)*")
_ENGINE = VoiceEngine(
    title="Kokoro",
    extra="kokoro",
    child=Path(__file__).with_name("_child.py"),
    what_a_voice_is="Kokoro is its weights, NAME.onnx, and a file of voices beside them",
    slowest=0.5,
    fastest=2.0,
)

OPTIONS = ("language",)
"""What `--option` may set, and what may stand in the name: `jf_alpha,language=en-us`."""


async def open_runner(target: str, settings: RunnerSettings) -> VoiceRunner:
    """Return a runner for a voice: none or `jf_alpha` of the packages, `af_heart` of the hub, or a path to the weights.

    Weights of one's own end in `.onnx` and have their voices beside them, in one file whose name begins with `voices`.
    The option `language` is a code of espeak-ng; without it a voice speaks its own, or English.

    Raises:
        MissingDependencyError: Kokoro's engine is not installed.
        UnknownNameError: It is neither a file nor what a voice is called.
        SourceError: The voice cannot be fetched.
        ModelLoadError: The engine will not load it.
    """
    spec = importlib.util.find_spec("kokoro_onnx")
    if spec is None or spec.origin is None:
        raise MissingDependencyError("Kokoro's voices", extra="kokoro")
    name, options = variant(target, settings.options, OPTIONS)
    language = options.get("language")
    if language is not None and not _LANGUAGE.fullmatch(language):
        raise SettingsError("language", f"takes a code of espeak-ng such as en-us, not {language!r}")
    model, voices, voice = await asyncio.to_thread(_files, name, settings)
    identity: dict[str, JsonValue] = {
        "provider": PROVIDER,
        "sha256": await asyncio.to_thread(_sha256, model),
        "voices": await asyncio.to_thread(_sha256, voices),
        "voice": voice,
        "language": language,
    }
    process = await VoiceProcess.start(
        _ENGINE,
        model,
        import_path=str(Path(spec.origin).parents[1]),
        deadline_s=settings.deadline_s,
        voices=str(voices.absolute()),
        voice=voice,
        language=language,
    )
    resolved = ResolvedModel(
        name=f"kokoro {voice}" if voice else "kokoro",
        reference=f"{PROVIDER}:{target}",
        identity=identity,
        facts={"path": str(model)},
    )
    return VoiceRunner(process, model=resolved)


def _files(name: str, settings: RunnerSettings) -> tuple[Path, Path, str | None]:
    """Return weights, voices, and the voice that is meant."""
    told = settings.progress or (lambda _: None)
    if name.endswith(".onnx"):
        return (*_own(Path(name).expanduser().resolve()), None)
    if not name or name in _PACKAGED_VOICES:
        folder = packaged_folder(settings.home, speech_entry(PACKAGED), told=told)
        return folder / "kokoro-v1.0.int8.onnx", folder / "voices.npz", name or _PACKAGED_VOICES[0]
    if not _VOICE.fullmatch(name):
        raise UnknownNameError(
            "voice of Kokoro", name, hint=f"Names look like af_heart; without a hub: {', '.join(_PACKAGED_VOICES)}."
        )
    place = settings.home / "models" / "speech" / _REPOSITORY.replace("/", "--")
    voice = f"voices/{name}.bin"
    hub_files(place, _REPOSITORY, (_WEIGHTS, voice), told=told)
    return place / _WEIGHTS, place / voice, name


def _own(model: Path) -> tuple[Path, Path]:
    if not model.is_file():
        raise InputFileError(str(model), "is not there.")
    voices = sorted(path for path in model.parent.glob("voices*") if path.suffix in {".bin", ".npz"})
    if not voices:
        raise InputFileError(str(model), "has no voices beside it.", hint="Put voices-v1.0.bin or voices.npz there.")
    return model, voices[0]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
