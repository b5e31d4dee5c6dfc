"""Speech models among the others: fetched by their names, and told as programs read them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fieldguide.app.wiring import House
from fieldguide.catalogue import SpeechEntry, speech_entry
from fieldguide.catalogue.whisper import REPOSITORIES, whisper_size
from fieldguide.errors import UnknownNameError, UsageError
from fieldguide.sources import SpeechFolder, SpeechShelf, hub_folder, packaged_folder

_PACKAGED = {"base": "whisper-base", "whisper-base": "whisper-base", "kokoro": "kokoro-82m", "kokoro-82m": "kokoro-82m"}


def shelf_of(house: House) -> SpeechShelf:
    """Return the speech models of a user."""
    return SpeechShelf(house.settings.home)


def is_speech(name: str) -> bool:
    """Whether a name means a speech model: `whisper-small`, `faster-whisper:small`, `kokoro-82m`."""
    return _source(name) is not None


def how_to_run(name: str) -> tuple[str, ...]:
    """Return the commands that a model of speech is used by on this machine; none for any other model."""
    folded = name.lower().rpartition("/")[2]
    if folded.startswith("kokoro"):
        return ("fieldguide speak TEXT --model kokoro: --out FILE.wav",)
    size = "base" if folded == "whisper" else whisper_size(folded)
    if size is None:
        return ()
    return (
        f"fieldguide transcribe FILE --model {size}",
        f"fieldguide evaluate whisper-{size} --benchmark asr --data DIR",
        f"fieldguide compare whisper-{size},compute_type=int8 whisper-{size},vad=off --benchmark asr --data DIR",
    )


def pull_speech(house: House, name: str, *, told: Callable[[str], None]) -> SpeechFolder:
    """Fetch a speech model where it is not here yet, and return it.

    Raises:
        UnknownNameError: It is none.
        SourceError: It cannot be had.
    """
    source = _source(name)
    if source is None:
        raise UnknownNameError("speech model", name)
    home = house.settings.home
    place = packaged_folder(home, source, told=told) if isinstance(source, SpeechEntry) else None
    place = place or hub_folder(home, str(source), told=told)
    found = shelf_of(house).find(place.name)
    if found is None:
        raise UsageError(f"{name} was removed while it came.")
    return found


def coming_json(name: str) -> dict[str, Any]:
    """Return what a pull would bring; sizes of the hub are not known beforehand."""
    source = _source(name)
    if isinstance(source, SpeechEntry):
        files = [
            {"path": file.file, "size_bytes": file.file_bytes, "sha256": file.file_sha256} for file in source.files
        ]
        return {"name": source.name, "kind": "speech", "licence": source.licence.id, "files": files}
    return {"name": name, "kind": "speech", "reference": f"hf:{source}", "licence": None, "files": None}


def speech_json(model: SpeechFolder) -> dict[str, Any]:
    """Return a speech model with the keys of other stored models."""
    return {
        "name": model.name,
        "reference": model.reference,
        "path": str(model.path),
        "kind": "speech",
        "size_bytes": model.size_bytes,
        "sha256": max(model.files, key=lambda file: file.size_bytes).sha256,
        "files": [
            {"path": file.path, "size_bytes": file.size_bytes, "sha256": file.sha256, "elsewhere": None}
            for file in model.files
        ],
        "licence": model.licence_id,
        "pulled_at": None,
        "pinned": model.pinned,
        "warnings": [],
    }


def _source(name: str) -> SpeechEntry | str | None:
    """Return the packages or the repository of a speech model; None where the name means none."""
    bare = name.removeprefix("faster-whisper:") if name.startswith("faster-whisper:") else name
    if bare in _PACKAGED and (bare != "base" or bare != name):
        return speech_entry(_PACKAGED[bare])
    size = whisper_size(bare) or (bare if bare != name else None)
    if size in REPOSITORIES:
        return REPOSITORIES[str(size)]
    return size if size is not None and size.count("/") == 1 and not size.startswith((".", "/", "~")) else None
