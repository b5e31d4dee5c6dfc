"""Any name of a model to the entry that it means."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.catalogue import CatalogueModel, Resolver, families, parse_name, read_families, resolve_model
from fieldguide.errors import CatalogueError, UnknownNameError

_RESOLVER = Resolver(families())
_MODELS = families().models()

_KNOWN = {
    "Qwen2.5-Coder-7B-Instruct-GGUF:Q4_K_M": "qwen2.5-coder-7b-instruct",
    "qwen2.5:7b": "qwen2.5-7b-instruct",
    "ollama/qwen2.5:7b": "qwen2.5-7b-instruct",
    "qwen2.5:7b-instruct-q4_K_M": "qwen2.5-7b-instruct",
    "Qwen2.5-7B-GGUF": "qwen2.5-7b",
    "unsloth/Llama-3.2-1B-Instruct-bnb-4bit": "llama-3.2-1b-instruct",
    "Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf": "llama-3.1-8b-instruct",
    "accounts/fireworks/models/qwen2p5-coder-32b-instruct": "qwen2.5-coder-32b-instruct",
    "together_ai/meta-llama/Llama-4-Scout-17B-16E-Instruct": "llama-4-scout",
    "us.anthropic.claude-3-5-sonnet-20241022-v2:0": "claude-3-5-sonnet-20241022",
    "anthropic.claude-3-5-sonnet-20240620-v1:0": "claude-3-5-sonnet-20240620",
    "vertex_ai/claude-3-5-haiku@20241022": "claude-3-5-haiku-20241022",
    "azure/gpt-4o-2024-11-20": "gpt-4o-2024-11-20",
    "DeepSeek-R1-Distill-Qwen-32B": "deepseek-r1-distill-qwen-32b",
    "deepseek/deepseek-v3-0324": "deepseek-v3-0324",
    "TheBloke/Mixtral-8x7B-Instruct-v0.1-AWQ": "mixtral-8x7b-instruct-v0.1",
    "Qwen/Qwen3-30B-A3B-FP8": "qwen3-30b-a3b",
    "CohereForAI/c4ai-command-r-08-2024": "command-r-08-2024",
}

_OTHERS = [
    "Qwen2.5-9B-Instruct",  # another size
    "gemma-22b",  # is not gemma-2-2b
    "Qwen-34B",  # is not Qwen3-4B
    "Qwen2.6-7B-Instruct",  # another version
    "Qwen2.5-7B-Instruct-1M",  # another context
    "Qwen3-30B",  # the active parameters are missing
    "TheBloke/Mixtral-7B-Instruct-v0.1",  # one expert
    "meta-llama/Llama-3.1-8B-Instruct-abliterated",  # a derived model
    "nvidia/Llama-3.1-Nemotron-70B-Instruct",
    "deepseek-ai/DeepSeek-R1-0129",  # of open weights another date is another model
    "gpt-4o-2025-01-01",  # no such snapshot
    "gpt-5-2026-09-09",
    "command-r",  # the first one, of 2024-03, is not in the catalogue
    "gemini-2.5-flash-preview-05-20",
]


@pytest.mark.parametrize(("name", "member"), _KNOWN.items(), ids=_KNOWN)
def test_a_name_from_elsewhere_finds_its_entry(name: str, member: str) -> None:
    """Repacks, tags, regions, revisions and file names lead to the model."""
    found = _RESOLVER.resolve(name)
    assert found.model is not None
    assert found.model.member.name == member


@pytest.mark.parametrize("name", _OTHERS)
def test_what_differs_in_a_part_is_never_taken_for_the_model(name: str) -> None:
    """A miss names what is near."""
    with pytest.raises(UnknownNameError) as caught:
        _RESOLVER.resolve(name)
    assert caught.value.close_matches


@pytest.mark.parametrize("model", _MODELS, ids=[model.member.name for model in _MODELS])
def test_every_place_id_leads_back_to_its_member(model: CatalogueModel) -> None:
    """An id that several members share is left open, and says which."""
    owners: dict[str, set[str]] = {}
    for each in _MODELS:
        for place in each.member.places:
            owners.setdefault(place.id.lower(), set()).add(each.member.name)
    assert _found(model.member.name.upper()) == model.member.name
    for place in model.member.places:
        if len(owners[place.id.lower()]) == 1:
            assert _found(place.id) == model.member.name, place.id


def _found(name: str) -> str:
    found = _RESOLVER.resolve(name).model
    return "" if found is None else found.member.name


@given(st.sampled_from(_MODELS), st.sampled_from(["bartowski/{}-GGUF:Q4_K_M", "unsloth/{}-bnb-4bit", "{}-Q8_0.gguf"]))
def test_a_repack_of_any_model_with_weights_is_that_model(model: CatalogueModel, form: str) -> None:
    """Whatever is packed: the repository's own name is kept in it.

    Names with an underscore are left out: of `speecht5_tts-Q8_0.gguf` nothing says that `speecht5` is no packer.
    """
    repositories = [place.id for place in model.member.places if place.hub == "hf" and "_" not in place.id]
    if repositories:
        assert _found(form.format(repositories[0].rpartition("/")[2])) == model.member.name


@given(st.sampled_from(_MODELS), st.integers(2, 900))
def test_another_size_never_resolves(model: CatalogueModel, billions: int) -> None:
    """A number that no member has leads to a miss and not to a neighbour."""
    name = f"{model.family.name}-{billions}.77b-instruct"
    with pytest.raises(UnknownNameError):
        _RESOLVER.resolve(name)


def test_a_moving_name_says_which_snapshot_it_means() -> None:
    """With the day on which that was read, and who says so."""
    found = resolve_model(families(), "gpt-4o")
    assert found.snapshot == "gpt-4o-2024-08-06"
    assert found.note is not None
    assert "2026-11-25" in found.note
    assert _found("claude-3-5-sonnet-latest") == "claude-3-5-sonnet-20241022"
    assert _found("claude-3-7-sonnet-latest") == "claude-3-7-sonnet-20250219"


def test_a_family_is_a_family_unless_a_model_is_wanted() -> None:
    """`gpt-4.1` is the name of both."""
    assert resolve_model(families(), "Qwen2.5").model is None
    assert resolve_model(families(), "gpt-4.1", family_first=True).model is None
    assert resolve_model(families(), "gpt-4.1").model is not None
    page = resolve_model(families(), "gpt-4o", family_first=True)
    assert page.model is None
    assert page.note is not None


def test_every_alias_is_of_its_own_snapshot() -> None:
    """The dated id and the alias have their parts in common, and the member's date, where it has one, is the same."""
    for alias in families().aliases:
        assert parse_name(alias.snapshot).family == parse_name(alias.name).family
        assert parse_name(alias.member).snapshot in (None, parse_name(alias.snapshot).snapshot)
        assert _found(alias.snapshot) == alias.member


def test_an_alias_of_nothing_fails_the_check(tmp_path: Path) -> None:
    """The file and the key are named."""
    (tmp_path / "families").mkdir()
    (tmp_path / "licences.yaml").write_text("[]")
    (tmp_path / "governance.yaml").write_text("[]")
    (tmp_path / "aliases.yaml").write_text(
        "- {name: a, member: b, snapshot: b-2024-01-01, source: s, as_of: 2024-01-01}"
    )
    with pytest.raises(CatalogueError, match=r"aliases\.yaml: 0\.member"):
        read_families(tmp_path)


@given(st.text(max_size=60))
def test_any_text_resolves_or_is_refused(text: str) -> None:
    """Never another error."""
    with contextlib.suppress(UnknownNameError):
        assert _RESOLVER.resolve(text).name == text
