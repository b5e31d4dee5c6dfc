"""Models of other programs on this machine."""

from __future__ import annotations

import json
from pathlib import Path

from fieldguide.sources import Neighbours

SHA = "a" * 64


def written(path: Path, content: bytes = b"GGUF") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_places_follow_the_programs_own_variables(tmp_path: Path) -> None:
    """And their defaults."""
    plain = Neighbours.of({"HOME": str(tmp_path)})
    assert plain.hugging_face == (tmp_path / ".cache/huggingface/hub",)
    assert tmp_path / ".ollama/models" in plain.ollama
    assert tmp_path / ".lmstudio/models" in plain.lm_studio
    moved = Neighbours.of({"HOME": str(tmp_path), "HF_HOME": "/h", "OLLAMA_MODELS": "/o"})
    assert (moved.hugging_face, moved.ollama[0]) == ((Path("/h/hub"),), Path("/o"))
    assert Neighbours.of({"HOME": "/x", "HF_HUB_CACHE": "/c", "HF_HOME": "/h"}).hugging_face == (Path("/c"),)


def test_what_they_hold_is_found_under_their_names(tmp_path: Path) -> None:
    """A snapshot of the hub's cache, a manifest of Ollama, a file of LM Studio."""
    blob = written(tmp_path / ".cache/huggingface/hub/models--o--r/blobs/x")
    link = tmp_path / ".cache/huggingface/hub/models--o--r/snapshots/c1/sub/m.gguf"
    link.parent.mkdir(parents=True)
    link.symlink_to(blob)
    layers = [{"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{SHA}"}]
    manifest = json.dumps({"layers": layers}).encode()
    written(tmp_path / ".ollama/models/manifests/registry.ollama.ai/library/qwen2.5/0.5b", manifest)
    written(tmp_path / f".ollama/models/blobs/sha256-{SHA}", b"GGUFo")
    written(tmp_path / ".lmstudio/models/o/r/l.gguf")
    held = Neighbours.of({"HOME": str(tmp_path)}).held()
    assert [(each.program, each.name, each.size_bytes) for each in held] == [
        ("LM Studio", "o/r#l.gguf", 4),
        ("Ollama", "qwen2.5:0.5b", 5),
        ("huggingface_hub", "o/r#sub/m.gguf", 4),
    ]


def test_damage_and_lies_of_theirs_are_passed_over(tmp_path: Path) -> None:
    """A manifest that is none, a digest that leads elsewhere, a link that leads nowhere."""
    manifests = tmp_path / ".ollama/models/manifests/r/library/m"
    evil = {"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:../../../../etc/passwd"}]}
    for name, content in {"a": b"{", "b": b"[" * 9999, "c": json.dumps(evil).encode(), "d": b"null"}.items():
        written(manifests / name, content)
    broken = tmp_path / ".lmstudio/models/o/r/b.gguf"
    broken.parent.mkdir(parents=True)
    broken.symlink_to(tmp_path / "nowhere")
    assert Neighbours.of({"HOME": str(tmp_path)}).held() == []
