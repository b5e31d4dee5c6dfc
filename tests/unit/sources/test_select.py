"""Which files of a repository make up a model."""

from __future__ import annotations

import pytest

from fieldguide.errors import NotFoundError, SourceError, UnsafeFileError, UsageError
from fieldguide.sources._offer import Offer, OfferedFile, checked_path
from fieldguide.sources._reference import SourceReference
from fieldguide.sources._select import select
from fieldguide.sources.transfer import RemoteFile


def offer(*paths: str) -> Offer:
    files = tuple(
        OfferedFile(path=path, remote=RemoteFile(url=f"http://h/{path}", name=path, size_bytes=1000)) for path in paths
    )
    return Offer(reference=SourceReference(source="hf", name="o/r", revision="c"), files=files)


def chosen(found: Offer, pattern: str | None = None) -> list[str]:
    return [file.path for file in select(found, pattern).files]


GGUFS = ("README.md", "m-q4_k_m.gguf", "m-q8_0.gguf", "mmproj-m-f16.gguf")
SHARDS = ("big-00001-of-00002.gguf", "big-00002-of-00002.gguf")
TENSORS = (
    "config.json",
    "tokenizer.json",
    "model-00001-of-00002.safetensors",
    "model-00002-of-00002.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "original/consolidated.pth",
    "README.md",
)


@pytest.mark.parametrize("pattern", ["*q4_k_m.gguf", "*Q4_K_M.gguf", "m-q4_k_m.gguf", "*q4*"])
def test_a_pattern_names_one_file(pattern: str) -> None:
    """Case does not matter, and nothing else comes along but the projector, without which it could not look."""
    assert chosen(offer(*GGUFS[:3]), pattern) == ["m-q4_k_m.gguf"]
    assert chosen(offer(*GGUFS), pattern) == ["m-q4_k_m.gguf", "mmproj-m-f16.gguf"]


@pytest.mark.parametrize(
    ("pattern", "projectors", "taken"),
    [
        ("m-q4.gguf", ("mmproj-m-Q8_0.gguf", "mmproj-m-f16.gguf", "mmproj-m-f32.gguf"), "mmproj-m-f16.gguf"),
        ("m-q4.gguf", ("mmproj-BF16.gguf", "mmproj-F32.gguf"), "mmproj-BF16.gguf"),
        ("m-q4.gguf", ("mmproj-model-f16.gguf", "mmproj-m-Q8_0.gguf"), "mmproj-m-Q8_0.gguf"),
        ("m-q4.gguf", ("mmproj-other-f16.gguf",), None),
        ("a/m-q4.gguf", ("b/mmproj-f16.gguf", "a/mmproj-q8_0.gguf"), "a/mmproj-q8_0.gguf"),
        ("a/m-q4.gguf", ("mmproj-f16.gguf",), "mmproj-f16.gguf"),
    ],
)
def test_of_several_projectors_the_models_own_comes_along(
    pattern: str, projectors: tuple[str, ...], taken: str | None
) -> None:
    """By its name, its folder and its bits; one that is named after another model never."""
    assert chosen(offer(pattern, *projectors), pattern)[1:] == ([] if taken is None else [taken])


def test_a_projector_may_be_named_itself() -> None:
    """Alone, and without a second one."""
    assert chosen(offer(*GGUFS), "mmproj*") == ["mmproj-m-f16.gguf"]
    assert chosen(offer("m-f16.gguf", "mmproj-m-f16.gguf"), "*f16.gguf") == ["m-f16.gguf", "mmproj-m-f16.gguf"]


def test_parts_of_a_split_file_come_together() -> None:
    """Naming one part, or fitting one, means the whole."""
    assert chosen(offer(*SHARDS)) == list(SHARDS)
    assert chosen(offer(*SHARDS), SHARDS[1]) == list(SHARDS)
    assert chosen(offer(*SHARDS, *GGUFS), "big*") == list(SHARDS)


def test_a_split_file_with_a_part_missing_is_refused() -> None:
    """It could never be loaded."""
    with pytest.raises(NotFoundError, match="1 of the 2 parts"):
        select(offer(SHARDS[0]), None)


def test_safetensors_bring_configuration_and_tokenizer() -> None:
    """And nothing in pickle, nor what lies in other folders."""
    assert chosen(offer(*TENSORS)) == [
        "model.safetensors.index.json",
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "config.json",
        "tokenizer.json",
    ]


def test_several_models_are_listed_and_none_is_guessed() -> None:
    """The part for images is not counted as a model of its own."""
    with pytest.raises(UsageError, match=r"holds 2 models: m-q4_k_m.gguf \(0.00 GB\); m-q8_0.gguf") as caught:
        select(offer(*GGUFS), None)
    assert "#*q4_k_m.gguf" in (caught.value.hint or "")
    with pytest.raises(UsageError, match="holds 2 models"):
        select(offer(*GGUFS), "*.gguf")


def test_a_pattern_that_fits_nothing_lists_what_there_is() -> None:
    """The next step stands in the hint."""
    with pytest.raises(NotFoundError) as caught:
        select(offer(*GGUFS), "*q2_k*")
    assert "m-q8_0.gguf" in (caught.value.hint or "")


@pytest.mark.parametrize("pattern", [None, "pytorch_model.bin"])
def test_pickle_is_never_a_model(pattern: str | None) -> None:
    """The reason is told."""
    with pytest.raises(UnsafeFileError, match="run"):
        select(offer("pytorch_model.bin", "config.json"), pattern)


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "/x",
        "a/../../x",
        "a//b",
        "./a",
        "C:\\x",
        "a\\b",
        "a\x00b",
        "a\nb",
        " a",
        "a/ b",
        "",
        "x" * 300,
        "a/" * 40,
    ],
)
def test_paths_that_leave_are_refused(path: str) -> None:
    """A repository cannot write outside its folder, nor under a name that hides something."""
    with pytest.raises(SourceError):
        checked_path(path)


@pytest.mark.parametrize("path", ["a", "a/b.gguf", "моδел-ü.gguf", "a b.gguf", "-x", "..a", "a..b"])
def test_odd_names_that_stay_inside_are_fine(path: str) -> None:
    """Odd is not wrong."""
    assert str(checked_path(path)) == path
