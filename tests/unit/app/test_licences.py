"""What terms a model comes under, and who says so."""

from __future__ import annotations

import pytest

from fieldguide import catalogue
from fieldguide.app.licences import licence_note


@pytest.mark.parametrize(
    ("names", "tag", "known_as", "known_by", "needs_acceptance"),
    [
        (["Qwen/Qwen2.5-0.5B-Instruct-GGUF"], None, "apache-2.0", "catalogue", False),
        (["bartowski/Qwen2.5-3B-Instruct-GGUF"], "apache-2.0", "qwen-research", "catalogue", True),
        (["someone/my-tune", "meta-llama/Llama-3.1-8B-Instruct"], "mit", "llama-3.1-community", "catalogue", True),
        (["someone/unknown"], "gemma", "gemma", "tag", True),
        (["someone/unknown"], "llama3.2", "llama-3.2-community", "tag", True),
        (["someone/unknown"], "apache-2.0", "apache-2.0", "tag", False),
        (["someone/unknown"], "wtfpl", "wtfpl", "tag", False),
    ],
)
def test_the_catalogue_goes_before_the_tag(
    names: list[str],
    tag: str | None,
    known_as: str,
    known_by: str,
    needs_acceptance: bool,
) -> None:
    """A repack is often tagged with other terms than its model has."""
    note = licence_note(names, tag, catalogue.families())
    assert note is not None
    assert (note.id, note.known_by, note.needs_acceptance) == (known_as, known_by, needs_acceptance)


@pytest.mark.parametrize("tag", [None, "", "other", "unknown"])
def test_unknown_terms_are_unknown(tag: str | None) -> None:
    """And not free."""
    assert licence_note(["someone/unknown"], tag, catalogue.families()) is None


def test_conditions_are_told() -> None:
    """By kind, in the words of the catalogue."""
    note = licence_note(["meta-llama/Llama-3.1-8B-Instruct"], None, catalogue.families())
    assert note is not None
    assert note.duties.keys() >= {"threshold", "naming", "use_restrictions"}
    assert note.commercial_use == "with-conditions"
