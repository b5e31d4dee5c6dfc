"""Small results worth keeping between runs, one JSON file each, in the user folder."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path

from fieldguide.domain.json_value import JsonValue, content_sha256


class Kept:
    """What was kept under a kind and a key. Nothing depends on it: a folder that cannot be written keeps nothing."""

    def __init__(self, folder: Path) -> None:
        """Use this folder, made on the first `put`."""
        self._folder = folder

    def get(self, kind: str, key: JsonValue) -> JsonValue:
        """Return what was kept under exactly this key, or None."""
        try:
            found = json.loads(self._file(kind, key).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found.get("value") if isinstance(found, dict) and found.get("key") == key else None

    def put(self, kind: str, key: JsonValue, value: JsonValue) -> None:
        """Keep `value`; a reader sees the old file or the new one, never a part."""
        target = self._file(kind, key)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._folder, prefix=".llama-cpp-")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump({"key": key, "value": value}, file, indent=1)
                Path(name).replace(target)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError:
            return

    def _file(self, kind: str, key: JsonValue) -> Path:
        return self._folder / f"llama-cpp-{kind}-{content_sha256(key)[:24]}.json"


def file_sha256(path: Path, kept: Kept) -> str:
    """Return the sha256 of a file (64 hex digits), computed once per path, size and modification time.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        facts = os.fstat(file.fileno())
        key: JsonValue = {"path": str(path.resolve()), "size": facts.st_size, "mtime_ns": facts.st_mtime_ns}
        known = kept.get("sha256", key)
        if isinstance(known, str) and len(known) == 64:
            return known
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    kept.put("sha256", key, digest)
    return digest
