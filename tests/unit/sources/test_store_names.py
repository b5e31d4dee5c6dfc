"""Names and references that try to leave the store, and disks that cannot hold what would come."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide.errors import DiskSpaceError, FieldguideError, NotFoundError, SourceError
from fieldguide.sources import ModelStore, PullProgress
from fieldguide.testing import FakeSource

NOBODY: frozenset[str] = frozenset()
OUTSIDE = [
    "..",
    ".",
    "",
    "../secret",
    "../../secret",
    "../secret.json",
    "a/../../secret",
    "/etc/passwd",
    "//etc/passwd",
    "..\\secret",
    "..\\..\\secret",
    "C:\\secret",
    "%2e%2e%2fsecret",
    "..%2fsecret",
    "..%5csecret",
    "%252e%252e%252fsecret",
    "secret\x00",
    "\x00",
    "se\ncret",
    "\u2025/secret",
    "\uff0e\uff0e/secret",
    "\uff0e\uff0e\u2215secret",
    "..\u2216secret",
    ".secret",
    ".store",
    "-secret",
    "~/secret",
    "$HOME/secret",
    "x" * 4096,
    "../" * 1000 + "secret",
    "file:../secret",
    "hf:../../secret",
    "hf:a/../../../secret",
    "hf:/etc/passwd",
    "hf:a/b@../../secret",
    "hf:a/b#../../secret",
    "hf:a/b#/etc/passwd",
    "hf:a/b#..\\secret",
    "modelscope:../../secret",
    "modelscope:a/b#../secret",
    "ollama-registry:../../secret",
    "ollama-registry:a:../secret",
    "ollama-registry:a@sha256:../../secret",
    "https://../../secret.gguf",
    "https://h/../../secret.gguf",
    "package:../secret==1",
    "package:a==../../secret",
    "package:a==1#../secret.gguf",
]
LEADING_OUT = ["../x.gguf", "/x.gguf", "a//x.gguf", "a/./x.gguf", "C:\\x.gguf", "x\n.gguf", "a" * 2000]
ODD = ["ünï cödé.gguf", "a b/c d.gguf", "模型-q4.gguf", "m'\"&<>.gguf", "-rf.gguf", "m;rm -rf.gguf"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with one model, beside a file that must stay as it is."""
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "secret.json").write_text("{}")
    home = tmp_path / "home"
    with FakeSource({"o/r": {"m.gguf": b"GGUF"}}) as source:
        ModelStore(home, open_source=lambda name: source).pull("fake:o/r", accepted_licences=NOBODY)
    (home / "models/manifests/link.json").symlink_to(tmp_path / "secret.json")
    return home


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_name_never_leads_out_of_the_store(home: Path, tmp_path: Path, name: str) -> None:
    """Not to be found, verified or removed; the answer is the same whether the file outside exists."""
    models = ModelStore(home)
    for act in (models.verify, models.remove):
        with pytest.raises(FieldguideError) as refused:
            act(name)
        assert isinstance(refused.value, NotFoundError)
        assert refused.value.message == f"{name} is not on this machine."
    assert (tmp_path / "secret").read_text() == "secret"
    assert (tmp_path / "secret.json").read_text() == "{}"
    assert (home / "models/manifests/m.json").exists()


def test_a_link_among_the_manifests_is_removed_and_not_what_it_leads_to(home: Path, tmp_path: Path) -> None:
    """What it leads to is no record of ours."""
    models = ModelStore(home)
    with pytest.raises(SourceError, match="damaged"):
        models.verify("link")
    models.remove("link")
    assert (tmp_path / "secret.json").read_text() == "{}"
    assert not (home / "models/manifests/link.json").is_symlink()


def test_a_disk_that_cannot_hold_a_model_is_said_before_the_first_byte(tmp_path: Path) -> None:
    """All files together count, and nothing is left behind."""
    content = b"GGUF" + bytes(10_000)
    files = {"m-00001-of-00002.gguf": content, "m-00002-of-00002.gguf": content}
    with FakeSource({"o/r": files}) as source:
        models = ModelStore(tmp_path / "home", open_source=lambda name: source, free_bytes=lambda path: 15_000)
        with pytest.raises(DiskSpaceError) as refused:
            models.pull("fake:o/r", accepted_licences=NOBODY)
    assert (refused.value.needed_bytes, refused.value.free_bytes) == (20_008, 15_000)
    assert source.requests == []
    assert not (tmp_path / "home").exists()


def test_what_an_interrupted_pull_has_brought_is_counted_off(tmp_path: Path) -> None:
    """The rest fits, so it goes on."""
    content = b"GGUF" + bytes(range(256)) * 4000
    with FakeSource({"o/r": {"m.gguf": content}}) as source:

        def stop(progress: PullProgress) -> None:
            if progress.stage == "downloading" and progress.done_bytes > 0:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            ModelStore(tmp_path / "home", open_source=lambda name: source).pull(
                "fake:o/r", accepted_licences=NOBODY, progress=stop
            )
        tight = ModelStore(tmp_path / "home", open_source=lambda name: source, free_bytes=lambda path: 1000)
        stored = tight.pull("fake:o/r", accepted_licences=NOBODY)
    assert stored.path.read_bytes() == content


@pytest.mark.parametrize("path", LEADING_OUT)
def test_a_repository_that_names_a_path_outside_is_not_fetched(tmp_path: Path, path: str) -> None:
    """Whatever it is called; odd names that stay inside are kept as they are."""
    with FakeSource({"o/r": {path: b"GGUF"}}) as source, pytest.raises(SourceError, match="no path inside"):
        ModelStore(tmp_path / "home", open_source=lambda name: source).pull("fake:o/r", accepted_licences=NOBODY)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("path", ODD)
def test_odd_names_that_stay_inside_are_pulled(tmp_path: Path, path: str) -> None:
    """Under a plain name of ours, which finds them again."""
    with FakeSource({"o/r": {path: b"GGUF-odd"}}) as source:
        models = ModelStore(tmp_path / "home", open_source=lambda name: source)
        stored = models.pull("fake:o/r", accepted_licences=NOBODY)
        assert models.find(stored.name) == stored
        assert models.find(f"fake:o/r#{path}") == stored
        assert models.remove(stored.name) == 8
