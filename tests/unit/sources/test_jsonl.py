"""JSON Lines as they are found: cut off, doubled, padded, hostile."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fieldguide.errors import InputFileError
from fieldguide.sources import jsonl
from fieldguide.sources.jsonl import read_jsonl
from tests.support.shared import shared


def outcome(path: Path) -> tuple[str, list[str]]:
    warnings: list[str] = []
    try:
        list(read_jsonl(path, warn=warnings.append))
    except InputFileError as error:
        return "reject", [error.message]
    return "warn" if warnings else "accept", warnings


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_every_malformed_file_is_treated_as_its_list_says() -> None:
    """The shared malformed files are accepted, accepted with a warning, or refused, each as it should be."""
    manifest = json.loads(shared("badfiles", "manifest.json").read_text())
    expected = {name: entry["expect"] for name, entry in manifest.items() if name.startswith("jsonl/")}
    assert expected
    assert {name: outcome(shared("badfiles", name))[0] for name in expected} == expected


def test_lines_carry_their_number_and_value(tmp_path: Path) -> None:
    """Blank lines are passed over and still counted; CRLF and a missing last newline are nothing special."""
    path = written(tmp_path / "a.jsonl", b'{"a": 1}\r\n\n  \n{"a": "\xe2\x80\xa8\xc2\x85"}')
    assert [(line.number, line.value) for line in read_jsonl(path)] == [(1, {"a": 1}), (4, {"a": "\u2028\x85"})]


def test_gzip_is_recognised_by_its_first_bytes(tmp_path: Path) -> None:
    """A compressed file is read whatever it is called."""
    path = written(tmp_path / "a.jsonl", gzip.compress(b'{"a": 1}\n'))
    assert [line.value for line in read_jsonl(path)] == [{"a": 1}]


@pytest.mark.parametrize("content", [gzip.compress(b'{"a": 1}\n' * 1000, mtime=0)[:-30], b"\x1f\x8bnot gzip at all"])
def test_damaged_gzip_is_an_error_of_the_file(tmp_path: Path, content: bytes) -> None:
    """Compressed data that end early or are none are refused, not half read in silence."""
    with pytest.raises(InputFileError, match="cannot be read"):
        list(read_jsonl(written(tmp_path / "a.jsonl.gz", content)))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The error says which file could not be opened."""
    with pytest.raises(InputFileError, match=r"nowhere\.jsonl: cannot be read: No such file"):
        list(read_jsonl(tmp_path / "nowhere.jsonl"))


def test_a_torn_last_line_is_left_out_with_a_warning(tmp_path: Path) -> None:
    """A writer that was killed leaves its last line cut, perhaps within a character; the lines before it count."""
    whole = '{"a": 1}\n{"a": "é"}'.encode()
    for end in range(len(b'{"a": 1}\n') + 1, len(whole)):
        state, warnings = outcome(written(tmp_path / "a.jsonl", whole[:end]))
        assert state == "warn", whole[:end]
        assert "line 2: the last line was cut off" in warnings[0]


@pytest.mark.parametrize("last", [b'{"a": 1}x', b"[1, 2", b"garbage"])
def test_a_last_line_that_is_no_beginning_of_an_object_is_refused(tmp_path: Path, last: bytes) -> None:
    """Only what a killed writer may have left is passed over."""
    with pytest.raises(InputFileError, match="line 2"):
        list(read_jsonl(written(tmp_path / "a.jsonl", b'{"a": 1}\n' + last)))


def test_what_is_read_can_be_stored(tmp_path: Path) -> None:
    """NaN and overflowing numbers become null; lone surrogates and NUL become U+FFFD; each is told once."""
    lines = rb'{"n": NaN, "m": [-Infinity, 1e999]}' + b"\n" + rb'{"s\u0000": "\ud800 \ud83d\ude00"}' + b"\n"
    path, warnings = written(tmp_path / "a.jsonl", lines), list[str]()
    values = [line.value for line in read_jsonl(path, warn=warnings.append)]
    assert values == [{"n": None, "m": [None, None]}, {"s\ufffd": "\ufffd 😀"}]
    assert len(warnings) == 3


def test_a_repeated_oddity_is_counted_rather_than_repeated(tmp_path: Path) -> None:
    """A hundred lines with NaN give two sentences."""
    warnings: list[str] = []
    list(read_jsonl(written(tmp_path / "a.jsonl", b'{"n": NaN}\n' * 100), warn=warnings.append))
    assert len(warnings) == 2
    assert "99 more lines" in warnings[1]


@pytest.mark.parametrize("content", [b'{"a":' * 300 + b"1" + b"}" * 300, b'{"a":' + b"[" * 150_000])
def test_deep_nesting_is_refused(tmp_path: Path, content: bytes) -> None:
    """A nesting bomb is an error of the file and no crash of ours."""
    with pytest.raises(InputFileError, match=r"line 1: nested"):
        list(read_jsonl(written(tmp_path / "a.jsonl", content + b"\n")))


def test_a_line_beyond_the_bound_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No line can fill the memory."""
    monkeypatch.setattr(jsonl, "MAX_LINE_BYTES", 50)
    with pytest.raises(InputFileError, match="line 2: longer than"):
        list(read_jsonl(written(tmp_path / "a.jsonl", b'{"a": 1}\n{"a": "' + b"x" * 60 + b'"}\n')))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc é"), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.text("abc\u2028 "), _JSON, max_size=3), max_size=4), st.booleans())
def test_what_json_writes_is_read_back(tmp_path: Path, rows: list[dict[str, object]], ascii_only: bool) -> None:
    """Any objects written one a line come back equal, without a warning."""
    text = "".join(json.dumps(row, ensure_ascii=ascii_only) + "\n" for row in rows)
    warnings: list[str] = []
    path = written(tmp_path / "a.jsonl", text.encode())
    assert [line.value for line in read_jsonl(path, warn=warnings.append)] == rows
    assert warnings == []


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | st.text('{}[]",:0eE-+.\\u\n\x00 ntf').map(str.encode))
def test_arbitrary_bytes_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    """Whatever the bytes, the reader ends with objects or with an error of the file."""
    assert outcome(written(tmp_path / "a.jsonl", content))[0] in {"accept", "warn", "reject"}
