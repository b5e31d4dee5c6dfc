"""Families: what is shipped, what is refused, and the compiled copy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fieldguide.catalogue import Families, families, read_families
from fieldguide.domain import active_parameters, total_parameters
from fieldguide.errors import CatalogueError

_FACT = "source: https://example.org, as_of: 2026-01-02"
_LICENCES = f"""\
- {{id: mit, name: MIT License, commercial_use: "yes", confidence: high, {_FACT}}}
"""
_GOOD = f"""\
name: toy
title: Toy
kinds: [general]
publisher: {{value: Someone, {_FACT}}}
released: {{value: 2026-01-01, {_FACT}}}
modalities_in: {{value: [text], {_FACT}}}
modalities_out: {{value: [text], {_FACT}}}
sizes:
- size: 7B
  parameters: {{value: 7615616512, {_FACT}}}
  parameters_exact: true
  architecture:
    value: {{scheme: qwen2, layers: 28, hidden: 3584, ffn: 18944, heads: 28, kv_heads: 4, head_dim: 128,
      vocabulary: 152064, tied_head: false}}
    {_FACT.replace(", ", chr(10) + "    ")}
  licence: {{value: mit, {_FACT}}}
  members:
  - {{name: toy-7b, title: Toy-7B, tuning: base}}
"""


def _folder(root: Path, **texts: str) -> Path:
    (root / "families").mkdir(exist_ok=True)
    (root / "licences.yaml").write_text(_LICENCES, encoding="utf-8")
    for name, text in (texts or {"toy": _GOOD}).items():
        (root / "families" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return root


def _refused(root: Path, old: str, new: str) -> CatalogueError:
    assert old in _GOOD
    with pytest.raises(CatalogueError) as caught:
        read_families(_folder(root, toy=_GOOD.replace(old, new)))
    assert caught.value.file == "toy.yaml"
    return caught.value


@pytest.fixture(scope="module")
def shipped() -> Families:
    return families()


def test_the_shipped_families_hold_together(shipped: Families) -> None:
    """Reading them is the check: schema, sources, names, licences and counts."""
    names = {family.name for family in shipped.families}
    assert {"qwen2.5", "qwen2.5-coder", "qwen2.5-math", "qwen2-vl", "qwq", "qwen3", "llama-3.1", "gemma-3"} <= names
    assert {"mistral-7b", "mixtral", "deepseek-v3", "deepseek-r1", "phi-4", "smollm2", "gpt-4o", "claude-3.5"} <= names
    assert len(shipped.models()) > 200


def test_every_exact_count_follows_from_the_architecture_or_says_why_not(shipped: Families) -> None:
    """The closed form is a second witness for each number, active parameters included."""
    held = 0
    for family in shipped.families:
        for size in family.sizes:
            if size.architecture is None or size.parameters is None or size.parameters_note:
                continue
            assert size.parameters.value == total_parameters(size.architecture.value), family.name
            if size.active_parameters is not None:
                assert size.active_parameters.value == active_parameters(size.architecture.value)
            held += 1
    assert held >= 55


def test_a_size_label_is_the_total_and_never_the_active_count(shipped: Families) -> None:
    """30B-A3B is 30 billion; 8x7B is not 7 billion."""
    labels = {size.size: size.label_parameters for family in shipped.families for size in family.sizes if size.size}
    assert labels["30B-A3B"] == 30e9
    assert labels["8x7B"] is None
    assert labels["135M"] == 135e6


def test_licences_differ_between_sizes_of_one_family(shipped: Families) -> None:
    """Qwen2.5-3B is for research only, 72B has a threshold, and their siblings are free."""
    (qwen,) = (family for family in shipped.families if family.name == "qwen2.5")
    uses = {size.size: shipped.licences[size.licence.value].commercial_use for size in qwen.sizes if size.licence}
    assert uses["3B"] == "no"
    assert uses["72B"] == "with-conditions"
    assert {uses[size] for size in ("0.5B", "1.5B", "7B", "14B", "32B")} == {"yes"}


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("value: 7615616512", "value: 7615616513", "sizes.0.parameters"),
        ("size: 7B", "size: 70B", "sizes.0.parameters"),
        ("kv_heads: 4", "kv_heads: 5", "sizes.0.architecture.value"),
        ("licence: {value: mit", "licence: {value: mitt", "sizes.0.licence"),
        ("kinds: [general]", "kinds: [vision-language]", "kinds"),
        ("kinds: [general]", "kinds: [omniscient]", "kinds.0"),
        ("tuning: base", "tuning: based", "sizes.0.members.0.tuning"),
        ("title: Toy\n", "title: Toy\ntitel: Toy\n", "titel"),
        ("title: Toy\n", "title: Toy\ntitle: Tray\n", "title"),
        ("publisher: {value: Someone, source: https://example.org,", "publisher: {value: Someone,", "publisher.source"),
        ("name: toy\n", "name: tory\n", "name"),
        (
            "  licence:",
            "  active_parameters: {value: 9000000000, source: me, as_of: 2026-01-02}\n  licence:",
            "sizes.0.active_parameters",
        ),
    ],
)
def test_a_malformed_or_contradictory_fact_names_file_and_key(tmp_path: Path, old: str, new: str, key: str) -> None:
    """Whoever edits a file learns where to look."""
    assert _refused(tmp_path, old, new).key == key


def test_a_difference_with_a_note_is_let_through(tmp_path: Path) -> None:
    """Some published counts leave parts out; the note says which."""
    text = _GOOD.replace("value: 7615616512", "value: 7615616513").replace(
        "  parameters_exact: true\n", "  parameters_exact: true\n  parameters_note: One more, they say.\n"
    )
    assert len(read_families(_folder(tmp_path, toy=text)).models()) == 1


def test_two_families_cannot_share_a_name(tmp_path: Path) -> None:
    """A name leads to one model."""
    other = _GOOD.replace("name: toy\n", "name: other\n")
    with pytest.raises(CatalogueError, match="toy-7b is a name of other too"):
        read_families(_folder(tmp_path, toy=_GOOD, other=other))


def test_the_compiled_copy_is_used_and_follows_the_files(tmp_path: Path) -> None:
    """A change of any file makes another copy; a spoiled copy is made again; the old one goes."""
    root, kept = _folder(tmp_path), tmp_path / "cache"
    first = read_families(root, kept)
    (copy,) = kept.iterdir()
    assert read_families(root, kept) == first
    copy.write_text("{}", encoding="utf-8")
    assert read_families(root, kept) == first
    assert json.loads(copy.read_text())["families"]
    _folder(tmp_path, toy=_GOOD.replace("title: Toy\n", "title: Tray\n"))
    assert read_families(root, kept).families[0].title == "Tray"
    (other,) = kept.iterdir()
    assert other != copy


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    """The answer is the same without a copy."""
    (tmp_path / "file").write_text("")
    assert len(read_families(_folder(tmp_path), tmp_path / "file" / "cache").models()) == 1
