"""From a name to where its weights are fetched."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide.app.places import place_of_name
from fieldguide.app.references import is_called
from fieldguide.app.wiring import House, open_house
from fieldguide.errors import UnknownNameError, UnsupportedError


@pytest.fixture
def house(tmp_path: Path) -> House:
    return open_house({"home": tmp_path / "home"}, environment={"HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("smollm2-135m-instruct", "smollm2-135m-instruct"),
        ("hf:a/b#c", "hf:a/b#c"),
        ("https://h/m.gguf", "https://h/m.gguf"),
        ("package:a==1", "package:a==1"),
        ("./m.gguf", "file:./m.gguf"),
        ("qwen2.5-0.5b-instruct", "ollama-registry:qwen2.5:0.5b"),
        ("Qwen/Qwen2.5-0.5B-Instruct", "hf:Qwen/Qwen2.5-0.5B-Instruct"),
        ("qwen2.5:7b-instruct-q8_0", "ollama-registry:qwen2.5:7b-instruct-q8_0"),
        ("aya-expanse-8b", "hf:CohereLabs/aya-expanse-8b"),
    ],
)
def test_a_name_leads_to_its_best_place(house: House, name: str, place: str) -> None:
    """References and pinned names stay as they are; a GGUF file goes before a repository of safetensors."""
    assert place_of_name(house, name)[0] == place


def test_it_says_which_place_was_taken(house: House) -> None:
    """For a bare name only."""
    assert place_of_name(house, "hf:a/b")[1] is None
    assert "ollama-registry" in (place_of_name(house, "qwen2.5-0.5b-instruct")[1] or "")


@pytest.mark.parametrize("name", ["gpt-4o", "claude-3-5-sonnet-20241022"])
def test_a_model_whose_weights_are_not_published_cannot_be_fetched(house: House, name: str) -> None:
    """The places where it can be called are named."""
    with pytest.raises(UnsupportedError, match="no hub that has its weights"):
        place_of_name(house, name)


def test_an_unknown_name_gets_the_nearest_ones(house: House) -> None:
    """And a family its members."""
    with pytest.raises(UnknownNameError) as unknown:
        place_of_name(house, "smollm2-135m-instrukt")
    assert "smollm2-135m-instruct" in unknown.value.close_matches
    with pytest.raises(UnsupportedError, match="whole family"):
        place_of_name(house, "qwen2.5")


@pytest.mark.parametrize(
    ("reference", "called"),
    [
        ("modelscope:Qwen/Qwen2.5-7B-Instruct", True),
        ("modelscope:Qwen/Qwen2.5-0.5B-Instruct-GGUF#*q4_k_m.gguf", False),
        ("hf:a/b", False),
        ("https://h/v1#m", True),
        ("https://h/m.gguf", False),
        ("https://h/v1#m.gguf", True),
    ],
)
def test_what_is_called_and_what_is_fetched_are_told_apart(reference: str, called: bool) -> None:
    """A name that a runner and a source share means a file where one is named."""
    assert is_called(reference) is called
