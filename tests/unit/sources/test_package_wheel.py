"""Taking a model out of a wheel."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide.errors import IntegrityError, NotFoundError, SourceError
from fieldguide.sources._wheel import Piece, find_pieces, join_pieces

from .packages import MODEL, make_wheel, sha256


def test_the_one_model_in_a_wheel_is_found(tmp_path: Path) -> None:
    """Without being told its name."""
    wheel = make_wheel(tmp_path, "toy", "1.0", {"toy/a.gguf": MODEL, "toy/__init__.py": b""})
    assert find_pieces(wheel, file=None) == (
        "a.gguf",
        (Piece(wheel=wheel, member="toy/a.gguf", size_bytes=len(MODEL)),),
    )


def test_parts_are_joined_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """Not in the order of the archive, and 10 comes after 9."""
    parts = {f"toy/a.gguf.part{n}": bytes([n]) for n in reversed(range(11))}
    name, pieces = find_pieces(make_wheel(tmp_path, "toy", "1.0", parts), file=None)
    told: list[int] = []
    digest = join_pieces(pieces, tmp_path / "out", told=told.append)
    assert name == "a.gguf"
    assert (tmp_path / "out").read_bytes() == bytes(range(11))
    assert digest == sha256(bytes(range(11)))
    assert told[-1] == 11


@pytest.mark.parametrize(
    "names",
    [["a.gguf.part00"], ["a.gguf.part01"], ["a.gguf.part00", "a.gguf.part02"], ["a.gguf.part02", "a.gguf.part03"]],
)
def test_a_wheel_with_only_a_part_of_a_model_is_refused(tmp_path: Path, names: list[str]) -> None:
    """A part begins like a model and would fail much later, in the engine."""
    wheel = make_wheel(tmp_path, "toy", "1.0", dict.fromkeys(names, MODEL))
    with pytest.raises(SourceError, match="only a part"):
        find_pieces(wheel, file=None)


def test_a_wheel_without_a_model_is_not_what_was_looked_for(tmp_path: Path) -> None:
    """Most packages hold none."""
    with pytest.raises(NotFoundError, match="no GGUF file"):
        find_pieces(make_wheel(tmp_path, "toy", "1.0", {"toy/__init__.py": b""}), file=None)


def test_of_several_models_one_must_be_chosen(tmp_path: Path) -> None:
    """The error names them, and `#FILE` chooses."""
    wheel = make_wheel(tmp_path, "toy", "1.0", {"toy/a.gguf": MODEL, "toy/b.gguf": MODEL})
    with pytest.raises(SourceError, match="2 model files") as caught:
        find_pieces(wheel, file=None)
    assert caught.value.hint == "Choose one with `#FILE`: a.gguf, b.gguf."
    assert find_pieces(wheel, file="b.gguf")[1][0].member == "toy/b.gguf"
    with pytest.raises(NotFoundError):
        find_pieces(wheel, file="c.gguf")


def test_a_member_of_another_size_than_pinned_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """A megabyte of archive can hold a gigabyte of zeros."""
    wheel = make_wheel(tmp_path, "toy", "1.0", {"toy/a.gguf": bytes(1 << 20)})
    assert wheel.stat().st_size < 1 << 12
    piece = Piece(wheel=wheel, member="toy/a.gguf", size_bytes=1 << 10)
    with pytest.raises(IntegrityError):
        join_pieces([piece], tmp_path / "out", told=lambda _: None)
    assert (tmp_path / "out").stat().st_size == 0


def test_a_member_that_is_missing_is_a_source_error(tmp_path: Path) -> None:
    """The catalogue may pin a name that the wheel does not have."""
    wheel = make_wheel(tmp_path, "toy", "1.0", {"toy/a.gguf": MODEL})
    with pytest.raises(SourceError, match="does not hold"):
        join_pieces([Piece(wheel=wheel, member="x", size_bytes=1)], tmp_path / "out", told=lambda _: None)


@pytest.mark.parametrize("cut", [0, 10, 200, -40])
def test_a_damaged_wheel_is_a_source_error(tmp_path: Path, cut: int) -> None:
    """Cut anywhere, or with bytes changed inside."""
    wheel = make_wheel(tmp_path, "toy", "1.0", {"toy/a.gguf": MODEL})
    wheel.write_bytes(wheel.read_bytes()[:cut])
    with pytest.raises(SourceError, match="damaged"):
        find_pieces(wheel, file=None)


def test_bytes_changed_inside_a_wheel_are_noticed(tmp_path: Path) -> None:
    """By the checksum of the archive itself, where nothing is pinned."""
    wheel = make_wheel(tmp_path, "toy", "1.0", {"toy/a.gguf": MODEL})
    content = bytearray(wheel.read_bytes())
    content[60] ^= 0xFF
    wheel.write_bytes(bytes(content))
    _, pieces = find_pieces(wheel, file=None)
    with pytest.raises(SourceError, match="damaged"):
        join_pieces(pieces, tmp_path / "out", told=lambda _: None)


def test_a_member_name_with_a_path_in_it_leads_nowhere(tmp_path: Path) -> None:
    """The output has our name, whatever the archive says."""
    wheel = make_wheel(tmp_path / "w", "toy", "1.0", {"../../evil.gguf": MODEL})
    name, pieces = find_pieces(wheel, file=None)
    join_pieces(pieces, tmp_path / "out", told=lambda _: None)
    assert name == "evil.gguf"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "w"]
