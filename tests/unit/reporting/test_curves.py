"""Lines as a page and as a picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide.errors import UsageError
from fieldguide.reporting import Curves, Line, write_curves_html, write_curves_png
from fieldguide.reporting._curves import curves_chart, table_rows
from fieldguide.reporting._layout import NARROW, WIDE


def curves(*, name: str = "one", points: tuple[tuple[float, float], ...] = ((1e6, 3.0), (1e9, 1.0))) -> Curves:
    return Curves(
        title="Loss against size",
        description="What it shows.",
        x_title="parameters",
        y_title="loss",
        lines=(Line(name=name, points=points), Line(name="two", points=points)),
        log_y=True,
    )


def test_the_page_has_drawing_table_and_words(tmp_path: Path) -> None:
    """Without script, and what names say is escaped."""
    pytest.importorskip("vl_convert", reason="vl-convert-python is not installed (extra `charts`)")
    path = tmp_path / "page.html"
    write_curves_html("A plan", ["First <b>sentence</b>."], [curves(name="<script>x</script>")], path)
    text = path.read_text(encoding="utf-8")
    assert text.count("<svg") == 2
    assert "<script" not in text
    assert "First &lt;b&gt;sentence" in text
    assert "1B" in text


def test_nothing_to_draw_is_left_out_or_refused(tmp_path: Path) -> None:
    """A page without drawings is a page; a picture of nothing is a mistake."""
    write_curves_html("A plan", ["Words."], [curves(points=())], tmp_path / "page.html")
    assert "<svg" not in (tmp_path / "page.html").read_text(encoding="utf-8")
    with pytest.raises(UsageError, match="nothing to draw"):
        write_curves_png(curves(points=()), tmp_path / "x.png")
    assert not (tmp_path / "x.png").exists()


def test_names_stand_where_the_lines_do_not_end() -> None:
    """Below a rising line, above a falling one, at both widths."""
    rising = curves(points=((1e6, 1.0), (1e9, 3.0)))
    for layout in (WIDE, NARROW):
        tops = [
            [
                layer["encoding"]["y"]["value"]
                for layer in curves_chart(each, layout)["layer"]
                if "value" in layer["encoding"].get("y", {})
            ]
            for each in (curves(), rising)
        ]
        assert max(tops[0]) < min(tops[1])


def test_names_on_lines_that_begin_together_do_not_cover_each_other() -> None:
    """The second stands at its line's end, where the lines have parted; one that begins apart stays there."""
    ends = {"one": 3.5, "two": 2.0, "apart": 9.0}
    starts = {"one": 2.0, "two": 2.01, "apart": 8.0}
    drawn = Curves(
        title="t",
        description="d",
        x_title="x",
        y_title="y",
        lines=tuple(Line(name=name, points=((1e3, starts[name]), (1e5, ends[name]))) for name in ends),
        names_on_lines=True,
    )
    named = [value for layer in curves_chart(drawn, WIDE)["layer"] for value in layer["data"]["values"]]
    assert {value["text"]: (value["x"], value["y"]) for value in named if "text" in value} == {
        "one": (1e3, 2.0), "two": (1e5, 2.0), "apart": (1e3, 8.0),
    }  # fmt: skip


def test_the_table_says_what_the_drawing_shows() -> None:
    """Short figures, and n/a where a line has no point."""
    told = Curves(
        title="t",
        description="d",
        x_title="x",
        y_title="y",
        lines=(Line(name="a", points=((1e6, 2.0), (3e9, 1234.0))), Line(name="b", points=((1e6, 0.5),))),
    )
    assert table_rows(told) == [("1M", "2", "0.5"), ("3B", "1.23k", "n/a")]
