"""A stored model to the JSON that programs read; a module of its own, since `list` may load no more than it needs."""

from __future__ import annotations

from typing import Any

from fieldguide.sources import StoredModel


def stored_json(stored: StoredModel) -> dict[str, Any]:
    """Return a stored model as programs read it."""
    return {
        "name": stored.name,
        "reference": stored.reference,
        "path": str(stored.path),
        "kind": stored.kind,
        "size_bytes": stored.size_bytes,
        "sha256": stored.sha256,
        "files": [
            {"path": file.path, "size_bytes": file.size_bytes, "sha256": file.sha256, "elsewhere": file.elsewhere}
            for file in stored.files
        ],
        "licence": stored.licence_id,
        "pulled_at": stored.pulled_at,
        "pinned": stored.pinned,
        "warnings": list(stored.warnings),
    }
