"""Options in a model's name."""

from __future__ import annotations

from fieldguide.runners._variants import variant

KNOWN = ("compute_type", "vad")


def test_options_follow_a_comma_and_go_before_given_ones() -> None:
    """Each variant is a name of its own."""
    assert variant("base,compute_type=int8,vad=off", {"vad": "on", "threads": "2"}, KNOWN) == (
        "base",
        {"vad": "off", "threads": "2", "compute_type": "int8"},
    )


def test_a_comma_in_a_path_is_a_comma() -> None:
    """What is not an option that the runner knows belongs to the name."""
    for target in ("/models/a,b", "/models/a,b=c", "base,vad", "base"):
        assert variant(target, {"vad": "on"}, KNOWN) == (target, {"vad": "on"})
