"""The curated facts and the gate that they pass."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from fieldguide import catalogue
from fieldguide.catalogue import entries, entry, entry_names, read_entries
from fieldguide.errors import CatalogueError, UnknownNameError

_SHA = "0" * 64
_FACT = "{value: VALUE, source: https://example.org, as_of: 2026-01-02}"
_GOOD = f"""\
name: toy
title: Toy
publisher: {_FACT.replace("VALUE", "Someone")}
released: {_FACT.replace("VALUE", "2026-01-01")}
parameters: {_FACT.replace("VALUE", "12")}
kinds: [text]
tuning: base
chat: false
licence:
  id: mit
  name: MIT
  terms_url: https://example.org/mit
  needs_acceptance: false
  commercial_use: Allowed.
  source: https://example.org
  as_of: 2026-01-02
context_length: {_FACT.replace("VALUE", "64")}
places:
  - reference: package:toy==1.0
    file: toy.gguf
    file_bytes: 9
    file_sha256: "{_SHA}"
    quantization: F16
    parts:
      - reference: package:toy==1.0
        package_bytes: 20
        package_sha256: "{_SHA}"
        member: toy/toy.gguf
        member_bytes: 9
"""


def _read(folder: Path, text: str, name: str = "toy.yaml") -> CatalogueError:
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError) as caught:
        read_entries(folder)
    assert caught.value.file == name
    return caught.value


def test_the_names_are_those_of_the_entries() -> None:
    """They are had without reading a file, so that a page of another model need not wait for YAML."""
    assert entry_names() == tuple(model.name for model in entries())


def test_the_shipped_catalogue_is_valid_and_its_facts_are_exact() -> None:
    """Both models are there with the parameter counts of their GGUF headers."""
    assert [model.name for model in entries()] == ["gemma3-270m", "smollm2-135m-instruct"]
    assert entry("smollm2-135m-instruct").parameters.value == 134_515_008
    assert entry("gemma3-270m").parameters.value == 268_098_176
    assert entry("gemma3-270m").context_length.value == 32_768


def test_gemma_needs_its_terms_accepted_and_smollm2_does_not() -> None:
    """The licence says whether something must be accepted, and under which id."""
    gemma, smollm2 = entry("gemma3-270m"), entry("smollm2-135m-instruct")
    assert (gemma.licence.id, gemma.licence.needs_acceptance, gemma.tuning, gemma.chat) == (
        "gemma",
        True,
        "base",
        False,
    )
    assert gemma.licence.terms_url == "https://ai.google.dev/gemma/terms"
    assert (smollm2.licence.id, smollm2.licence.needs_acceptance, smollm2.chat) == ("apache-2.0", False, True)


def test_the_parts_of_a_place_make_up_its_file() -> None:
    """Sizes of the pinned parts add up, and their order is the order of the numbers in their names."""
    (place,) = entry("gemma3-270m").places
    assert [part.member[-2:] for part in place.parts] == ["00", "01", "02", "03"]
    assert sum(part.member_bytes for part in place.parts) == place.file_bytes == 253_113_024


def test_capitals_in_a_name_do_not_matter() -> None:
    """People copy names from model cards."""
    assert entry("SmolLM2-135M-Instruct").name == "smollm2-135m-instruct"


def test_an_unknown_name_is_answered_with_the_nearest_ones() -> None:
    """The error carries what was probably meant."""
    with pytest.raises(UnknownNameError) as caught:
        entry("smolm2-135m")
    assert caught.value.kind == "model"
    assert caught.value.close_matches == ("smollm2-135m-instruct",)


def test_importing_the_catalogue_imports_neither_pydantic_nor_yaml() -> None:
    """Commands that look nothing up do not pay for it."""
    code = "import sys, fieldguide.catalogue; sys.exit(bool({'pydantic', 'yaml'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_public_names_are_sorted_and_exist() -> None:
    """`__all__` is the room's door."""
    assert catalogue.__all__ == sorted(catalogue.__all__)
    assert all(hasattr(catalogue, name) for name in catalogue.__all__)


def test_entries_cannot_be_changed() -> None:
    """Values are frozen: one reader cannot spoil the facts of another."""
    with pytest.raises(FrozenInstanceError):
        entry("gemma3-270m").name = "other"  # type: ignore[misc]


def test_a_good_file_is_read(tmp_path: Path) -> None:
    """The text that the next tests spoil is in order."""
    (tmp_path / "toy.yaml").write_text(_GOOD, encoding="utf-8")
    (model,) = read_entries(tmp_path)
    assert (model.name, model.parameters.value, model.kinds) == ("toy", 12, frozenset({"text"}))


def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    """Plain YAML would silently keep the second."""
    fault = _read(tmp_path, _GOOD + "title: Other\n")
    assert (fault.key, "twice" in fault.message) == ("title", True)


def test_a_key_given_twice_deep_inside_is_refused(tmp_path: Path) -> None:
    """Nested mappings are checked as well."""
    assert _read(tmp_path, _GOOD.replace("  name: MIT\n", "  name: MIT\n  name: BSD\n")).key == "name"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("tuning: base", "tuning: base\ncolour: blue", "colour"),
        ("tuning: base", "", "tuning"),
        ("tuning: base", "tuning: chatty", "tuning"),
        ("value: 12,", "value: twelve,", "parameters.value"),
        ("value: 12,", "value: '12',", "parameters.value"),
        ("value: 12,", "value: 0,", "parameters"),
        ("value: 12, source: https://example.org", "value: 12, source: ' '", "parameters"),
        ("value: 12, source: https://example.org,", "value: 12,", "parameters.source"),
        ("chat: false", "chat: 0", "chat"),
        ("kinds: [text]", "kinds: [smell]", "kinds.0"),
        ("kinds: [text]", "kinds: []", "(top)"),
        ("file_bytes: 9", "file_bytes: 10", "places.0"),
        (_SHA, "abc", "places.0.parts.0"),
        ("name: toy\n", "name: other\n", "name"),
        ("name: toy\n", "name: ../toy\n", "(top)"),
    ],
)
def test_a_malformed_fact_is_refused_with_its_file_and_key(tmp_path: Path, old: str, new: str, key: str) -> None:
    """Whoever curates is led to the very line."""
    assert old in _GOOD
    assert _read(tmp_path, _GOOD.replace(old, new)).key == key


@pytest.mark.parametrize("text", ["name: [", "- a\n- b\n", "", "? [a]: b", "!!python/object:os.system {}"])
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    """Broken YAML, other shapes and constructors of objects end in the same error."""
    _read(tmp_path, text)


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    """Bytes that are no text end in the same error too."""
    (tmp_path / "toy.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CatalogueError, match="UTF-8"):
        read_entries(tmp_path)
