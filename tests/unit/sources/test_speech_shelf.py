"""Speech models that are here: what is listed, what a check notices, what removing leaves."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from fieldguide.errors import IntegrityError
from fieldguide.sources import SpeechShelf

CONTENT = b"weights"


def hub_model(home: Path) -> Path:
    """Write a model as the hub's client leaves it: the large file with its sha256 beside, the small one without."""
    place = home / "models" / "speech" / "Systran--faster-whisper-small"
    notes = place / ".cache" / "huggingface" / "download"
    notes.mkdir(parents=True)
    (place / "model.bin").write_bytes(CONTENT)
    (place / "config.json").write_text("{}")
    (notes / "model.bin.metadata").write_text(f"abc\n{hashlib.sha256(CONTENT).hexdigest()}\n1.0\n")
    (notes / "config.json.metadata").write_text(f"abc\n{'a' * 40}\n1.0\n")
    return place


def test_a_model_of_the_hub_is_known_by_its_repository(tmp_path: Path) -> None:
    """The client's own notes are none of its files; the large file has a sha256, the small one none."""
    hub_model(tmp_path)
    (tmp_path / "models" / "speech" / ".whisper-base.draft").mkdir()
    shelf = SpeechShelf(tmp_path)
    (model,) = shelf.list()
    assert (model.name, model.reference) == ("Systran--faster-whisper-small", "hf:Systran/faster-whisper-small")
    assert {file.path: file.sha256 is None for file in model.files} == {"config.json": True, "model.bin": False}
    assert model.size_bytes == len(CONTENT) + 2
    assert shelf.find(model.reference) == model
    assert shelf.verify(model) == ("config.json",)


def test_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    """Of what was promised; and a packaged model wants all its files."""
    place = hub_model(tmp_path)
    (place / "model.bin").write_bytes(b"weightz")
    shelf = SpeechShelf(tmp_path)
    with pytest.raises(IntegrityError, match=r"model\.bin"):
        shelf.verify(shelf.list()[0])
    (tmp_path / "models" / "speech" / "whisper-base").mkdir()
    (tmp_path / "models" / "speech" / "whisper-base" / "other.txt").write_text("x")
    packaged = shelf.find("whisper-base")
    assert packaged is not None
    assert packaged.pinned
    with pytest.raises(IntegrityError, match=r"model\.bin"):
        shelf.verify(packaged)


def test_removing_frees_what_it_took(tmp_path: Path) -> None:
    """Nothing of it stays, and others do."""
    hub_model(tmp_path)
    other = tmp_path / "models" / "speech" / "mine"
    other.mkdir()
    (other / "model.bin").write_bytes(b"x")
    shelf = SpeechShelf(tmp_path)
    freed = shelf.remove(shelf.list()[0])
    assert freed == len(CONTENT) + 2
    assert [model.name for model in shelf.list()] == ["mine"]
    assert SpeechShelf(tmp_path / "nowhere").list() == ()
