"""Which projector beside a model is the model's."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide.runners.llama_cpp._eyes import find_eyes
from fieldguide.runners.llama_cpp._file_facts import FileFacts
from tests.support.tiny_gguf import tiny_gguf
from tests.support.tiny_vision import TINY_EMBEDDING, Projector, tiny_mmproj


def found(folder: Path, model: str, *beside: str, widths: dict[str, int] | None = None) -> tuple[str | None, list[str]]:
    """Return the projector that is found beside a model among these files, and what was said."""
    for name in (model, *beside):
        if "mmproj" in name:
            tiny_mmproj(folder / name, Projector(text=(widths or {}).get(name, TINY_EMBEDDING)))
        else:
            tiny_gguf(folder / name)
    told: list[str] = []
    eyes = find_eyes(folder / model, FileFacts(width=TINY_EMBEDDING), None, told.append)
    return (None if eyes is None else eyes.path.name), told


@pytest.mark.parametrize(
    ("model", "projector"),
    [
        ("SmolVLM-500M-Instruct-Q8_0.gguf", "mmproj-SmolVLM-500M-Instruct-Q8_0.gguf"),
        ("Qwen2-VL-2B-Instruct-Q4_K_M.gguf", "mmproj-Qwen2-VL-2B-Instruct-f16.gguf"),
        ("gemma-3-4b-it-Q4_K_M.gguf", "mmproj-model-f16.gguf"),
        ("Qwen2.5-VL-7B-Instruct-UD-Q4_K_XL.gguf", "mmproj-BF16.gguf"),
        ("ggml-model-q4_k.gguf", "mmproj-model-f16.gguf"),
        ("llava-7b.gguf", "mmproj-llava-7b.gguf"),
        ("Pixtral-12B-2409-IQ3_XXS.gguf", "Pixtral-12B-2409.mmproj-f16.gguf"),
    ],
)
def test_the_names_that_publishers_give_are_understood(model: str, projector: str, tmp_path: Path) -> None:
    """Names of ggml-org, unsloth, bartowski, LLaVA's converter and Ollama's registry, as pulled here."""
    assert found(tmp_path, model, projector) == (projector, [])


def test_the_projector_of_the_same_model_is_taken_among_several(tmp_path: Path) -> None:
    """And of several of the same model the one at 16 bits."""
    others = ["mmproj-b-f16.gguf", "mmproj-a-Q8_0.gguf", "mmproj-a-f16.gguf", "mmproj-f16.gguf"]
    assert found(tmp_path, "a-Q4_K_M.gguf", *others)[0] == "mmproj-a-f16.gguf"


def test_a_projector_of_no_name_beside_two_models_is_nobodys(tmp_path: Path) -> None:
    """It is passed over, and how to take it is said."""
    taken, told = found(tmp_path, "a-Q4_K_M.gguf", "b-Q4_K_M.gguf", "mmproj-f16.gguf")
    assert taken is None
    assert "--option mmproj=" in told[0]


def test_two_quantizations_of_one_model_are_one_model(tmp_path: Path) -> None:
    """So that a projector of no name is theirs."""
    assert found(tmp_path, "a-Q4_K_M.gguf", "a-Q8_0.gguf", "mmproj-f16.gguf")[0] == "mmproj-f16.gguf"


def test_one_above_the_folder_of_a_quantization_is_found(tmp_path: Path) -> None:
    """As repositories of large models keep it; not where the folder above holds models of its own."""
    folder = tmp_path / "Q4_K_M"
    folder.mkdir()
    tiny_mmproj(tmp_path / "mmproj-F16.gguf")
    assert found(folder, "a-Q4_K_M-00001-of-00002.gguf")[0] == "mmproj-F16.gguf"
    tiny_gguf(tmp_path / "b.gguf")
    assert found(folder, "a-Q4_K_M-00001-of-00002.gguf")[0] is None


def test_one_that_is_too_wide_is_passed_over_with_both_widths(tmp_path: Path) -> None:
    """As the engine would refuse to load it."""
    taken, told = found(tmp_path, "a.gguf", "mmproj-f16.gguf", widths={"mmproj-f16.gguf": 64})
    assert taken is None
    assert "width 64, and this one has 32" in told[0]


def test_a_damaged_one_is_passed_over_with_the_reason(tmp_path: Path) -> None:
    """The model answers without it."""
    tiny_gguf(tmp_path / "a.gguf")
    (tmp_path / "mmproj-f16.gguf").write_bytes(b"GGUF\3\0\0\0")
    told: list[str] = []
    assert find_eyes(tmp_path / "a.gguf", FileFacts(), None, told.append) is None
    assert "mmproj-f16.gguf was not taken" in told[0]
