from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from fieldguide.reporting._text import cut, one_line, visible
from tests.support.sample_report import HOSTILE_TEXTS

anything = st.text(st.characters(exclude_categories=()), max_size=300)


def test_a_character_that_hides_is_shown_by_its_number() -> None:
    """Controls, marks of direction, invisible characters and lone surrogates become readable signs."""
    assert visible("a\x00b") == "a⟨U+0000⟩b"
    assert visible("\u202egnp.exe") == "⟨U+202E⟩gnp.exe"
    assert visible("\ud800") == "⟨U+D800⟩"
    assert visible("zero\u200bwidth") == "zero⟨U+200B⟩width"


def test_ordinary_text_of_any_script_stays_as_it_is() -> None:
    """Tabs, line feeds, accents, Arabic, Hebrew and joined emoji are not touched."""
    for text in ("tab\tline\nnext", "e\u0301", "مرحبا", "שלום", "👩\u200d💻", "क्\u200dष"):
        assert visible(text) == text


def test_windows_line_ends_become_line_feeds_and_a_lone_return_is_shown() -> None:
    """A carriage return alone could paint over what stands before it."""
    assert visible("a\r\nb\rc") == "a\nb⟨U+000D⟩c"


def test_piled_up_marks_are_counted_instead_of_drawn() -> None:
    """A letter keeps six marks, more than any language sets on one."""
    assert visible("e" + "\u0301" * 200) == "e" + "\u0301" * 6 + "⟨194 more marks⟩"


@given(anything)
@example("".join(HOSTILE_TEXTS))
def test_visible_text_is_always_storable_and_stays_the_same_when_shown_again(text: str) -> None:
    """It is valid UTF-8 and the function changes nothing the second time."""
    shown = visible(text)
    shown.encode("utf-8")
    assert visible(shown) == shown


@given(anything, st.integers(5, 80))
@example("W" * 5000, 40)
def test_one_line_holds_its_limit(text: str, limit: int) -> None:
    """Never longer than asked for, and never more than one line."""
    line = one_line(text, limit=limit)
    assert len(line) <= limit
    assert "\n" not in line


def test_a_long_name_keeps_both_its_ends() -> None:
    """The size stands at the start of many names and the quantization at the end."""
    assert one_line("Qwen2.5-Coder-32B-Instruct-GGUF:Q4_K_M", limit=20) == "Qwen2.5-Code…:Q4_K_M"


@given(anything, st.integers(3, 50))
def test_a_cut_text_loses_exactly_what_it_says(text: str, limit: int) -> None:
    """Beginning, end and the number left out account for every character."""
    head, tail, left_out = cut(text, limit=limit)
    assert len(head) + len(tail) + left_out == len(text)
    assert text.startswith(head)
    assert text.endswith(tail)
    assert len(head) + len(tail) <= max(limit, len(head))
