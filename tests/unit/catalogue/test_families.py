"""Families: what is shipped, what is refused, and the compiled copy."""

from __future__ import annotations

import dataclasses
import json
import shutil
from datetime import date
from pathlib import Path
from typing import get_args

import pytest

from fieldguide import catalogue
from fieldguide.catalogue import Families, families, read_families, rules_for
from fieldguide.catalogue._family import Hub
from fieldguide.domain import active_parameters, total_parameters
from fieldguide.errors import CatalogueError

_FACT = "source: https://example.org, as_of: 2026-01-02"
_HUNDRED = f"{{value: 100, {_FACT}}}"
_TWIN = f"  - {{name: toy-7b-it, title: It, tuning: instruct, places: [{{hub: hf, id: toy/Toy-7B, {_FACT}}}]}}\n"
_LICENCES = f"""\
- {{id: mit, name: MIT License, commercial_use: "yes", confidence: high, {_FACT}}}
"""
_RULES = f"""\
- {{id: act, rule: "Act, Art. 1", says: notify, above_flop: 1.0e+23, confidence: high, {_FACT}}}
- {{id: exempt, rule: "Act, Art. 2", says: open weights need not, above_flop: 1.0e+23, up_to_flop: 1.0e+25,
   open_licence_only: true, confidence: high, {_FACT}}}
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
  - {{name: toy-7b, title: Toy-7B, tuning: base, places: [{{hub: hf, id: toy/Toy-7B, {_FACT}}}]}}
"""


def _folder(root: Path, **texts: str) -> Path:
    (root / "families").mkdir(exist_ok=True)
    (root / "licences.yaml").write_text(_LICENCES, encoding="utf-8")
    (root / "governance.yaml").write_text(_RULES, encoding="utf-8")
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
    assert {
        "toolformer",
        "pal",
        "speecht5",
        "llama-3",
        "gemma",
        "gpt-4",
        "claude-3",
        "command",
        "aya",
        "gpt-oss",
    } <= names
    assert {"alphacode", "codegen", "codex", "flamingo", "minerva", "palm-2", "vall-e", "audiolm", "mathgpt"} <= names
    assert len(names) >= 100
    assert len(shipped.models()) >= 420


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
        ("name: toy-7b", "name: toy-70b", "sizes.0.members.0.name"),
        ("name: toy-7b", "name: toy-7b-instruct", "sizes.0.members.0.tuning"),
        ("kinds: [general]", "kinds: [speech]", "kinds"),
        ("released: {value: 2026-01-01", "released: {value: 2026-01-03", "released"),
        ("released: {value: 2026-01-01", "released: {value: 2026-13-01", "released.value"),
        (
            "tuning: base,",
            "tuning: base, released_unknown: true, released: {value: 2026-01-01, source: me, as_of: 2026-01-02},",
            "sizes.0.members.0.released_unknown",
        ),
        ("hub: hf, id: toy/Toy-7B", "hub: hf, id: ''", "sizes.0.members.0.places.0"),
        ("hub: hf, id: toy/Toy-7B", "hub: gitlab, id: toy/Toy-7B", "sizes.0.members.0.places.0.hub"),
        (
            "tuning: base,",
            f"tuning: base, context_length: {_HUNDRED}, output_tokens: {_HUNDRED.replace('100', '101')},",
            "sizes.0.members.0.output_tokens",
        ),
        (
            "tuning: base,",
            f"tuning: base, context_length: {_HUNDRED}, extended_context_length: {_HUNDRED},",
            "sizes.0.members.0.extended_context_length",
        ),
        (
            "  licence:",
            f"  training_tokens: {_HUNDRED}\n  training_flop: {_HUNDRED.replace('100', '1.0e+18')}\n  licence:",
            "sizes.0.training_flop",
        ),
        (
            "  - {name: toy-7b,",
            _TWIN + "  - {name: toy-7b,",
            "sizes.0.members.1.places.0",
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


def test_two_families_cannot_share_a_place(tmp_path: Path) -> None:
    """One id at one hub is one model: else somebody pays for another one."""
    other = _GOOD.replace("name: toy\n", "name: other\n").replace("name: toy-7b,", "name: other-7b,")
    with pytest.raises(CatalogueError, match="hf:toy/Toy-7B is a place of other-7b too") as caught:
        read_families(_folder(tmp_path, toy=_GOOD, other=other))
    assert (caught.value.file, caught.value.key) == ("toy.yaml", "sizes.0.members.0.places.0")


def test_weights_of_a_proprietary_model_cannot_be_had(tmp_path: Path) -> None:
    """Either the licence or the place is wrong."""
    root = _folder(tmp_path, toy=_GOOD.replace("licence: {value: mit", "licence: {value: proprietary"))
    (root / "licences.yaml").write_text(_LICENCES + _LICENCES.replace("id: mit", "id: proprietary"), encoding="utf-8")
    with pytest.raises(CatalogueError, match="proprietary, yet the weights of toy-7b can be fetched"):
        read_families(root)


@pytest.mark.parametrize("name", ["licences.yaml", "governance.yaml"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    """The catalogue is refused, and never read without its licences or rules."""
    (_folder(tmp_path) / name).unlink()
    with pytest.raises(CatalogueError, match="cannot be read") as caught:
        read_families(tmp_path, tmp_path / "cache")
    assert caught.value.file == name


@pytest.mark.parametrize("file", ["licences.yaml", "governance.yaml"])
def test_an_empty_source_is_refused_in_licences_and_rules(tmp_path: Path, file: str) -> None:
    """Terms without a source are worth nothing."""
    path = _folder(tmp_path) / file
    path.write_text(path.read_text().replace("source: https://example.org", "source: ''"), encoding="utf-8")
    with pytest.raises(CatalogueError, match="needs a source") as caught:
        read_families(tmp_path)
    assert caught.value.file == file


def test_one_more_family_is_one_more_file(tmp_path: Path, shipped: Families) -> None:
    """A fresh file in a copy of the shipped folder is picked up without any other change."""
    root = tmp_path / "catalogue"
    shutil.copytree(Path(catalogue.__file__).parent, root, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "families" / "toy.yaml").write_text(_GOOD, encoding="utf-8")
    grown = read_families(root)
    assert len(grown.families) == len(shipped.families) + 1
    assert len(grown.models()) == len(shipped.models()) + 1


def test_rules_bite_by_training_compute_and_licence(tmp_path: Path) -> None:
    """Open weights under a licence without conditions are exempt up to a limit; unknown compute falls under nothing."""
    whole = read_families(_folder(tmp_path))
    (family,) = whole.families
    (size,) = family.sizes

    def bite(flop: float | None) -> list[str]:
        return [rule.id for rule in rules_for(whole.rules, family, size, flop, whole.licences)]

    assert bite(None) == bite(1e23) == []
    assert bite(2e24) == ["act", "exempt"]
    assert bite(2e25) == ["act"]
    closed = {"mit": dataclasses.replace(whole.licences["mit"], commercial_use="with-conditions")}
    assert [rule.id for rule in rules_for(whole.rules, family, size, 2e24, closed)] == ["act"]


def test_hosted_only_is_known_from_places_and_licence(shipped: Families) -> None:
    """True where it can only be called and its weights are not published; not knowing where they are is no evidence."""
    hosted = {model.member.name: model.size.hosted_only(model.member) for model in shipped.models()}
    assert hosted["gpt-4o-2024-11-20"] is True
    assert hosted["llama-3.1-8b-instruct"] is False
    assert hosted["flamingo-80b"] is None
    assert hosted["flux-1.1-pro"] is None


def test_a_member_of_an_unknown_day_does_not_get_its_family_s(shipped: Families) -> None:
    """Codestral 25.08 did not come out in May 2024."""
    days = {model.member.name: model.family.release_of(model.member) for model in shipped.models()}
    assert days["codestral-2508"] is None
    assert days["claude-opus-5-5"] is None
    assert (first := days["codestral-22b-v0.1"]) is not None
    assert first.value == date(2024, 5, 29)


def test_clouds_and_hubs_are_named_for_the_models_that_people_choose(shipped: Families) -> None:
    """Ids in the vendors' own writing: with dots at Model Studio, with a version at Bedrock."""
    places = {model.member.name: {(at.hub, at.id) for at in model.member.places} for model in shipped.models()}
    assert {
        ("modelscope", "LLM-Research/Meta-Llama-3.1-8B-Instruct"),
        ("bedrock", "meta.llama3-1-8b-instruct-v1:0"),
        ("sagemaker", "meta-textgeneration-llama-3-1-8b-instruct"),
        ("vertex", "meta/llama-3.1-8b-instruct-maas"),
    } <= places["llama-3.1-8b-instruct"]
    assert ("model-studio", "qwen2.5-72b-instruct") in places["qwen2.5-72b-instruct"]
    assert not any(name.startswith("qwen2-5") for at in places.values() for hub, name in at if hub == "model-studio")
    used = {hub for at in places.values() for hub, _ in at}
    assert used == set(get_args(Hub))


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
