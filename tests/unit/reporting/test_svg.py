from __future__ import annotations

import pytest
from markupsafe import Markup

from fieldguide.reporting._charts import Dot, DotRow, accuracy_chart
from fieldguide.reporting._layout import NARROW, WIDE, Layout
from fieldguide.reporting._svg import draw, rebuilt
from tests.support.html_page import Page
from tests.support.sample_report import HOSTILE_TEXTS

pytest.importorskip("vl_convert", reason="the extra `charts` is not installed")


def chart_of(label: str, layout: Layout = WIDE) -> Markup:
    row = DotRow(label=(label,), figure="50.0 %", dots=(Dot(value=0.5, low=0.4, high=0.6, model=0),))
    return rebuilt(draw(accuracy_chart([row], layout)), title=label, description=label, id_prefix="c")


def test_only_known_parts_of_a_drawing_are_kept() -> None:
    """Scripts, links, images, styles and handlers are left out with what they hold."""
    bad = (
        '<svg width="10" height="20" onload="alert(1)"><script>alert(1)</script><style>*{}</style>'
        '<a href="https://example.invalid/"><text fill="#1b2733">linked</text></a>'
        '<foreignObject><iframe src="x"></iframe></foreignObject><image href="x"/>'
        '<g onclick="alert(1)"><path d="M0,0" fill="url(https://example.invalid/)" stroke="#1b2733" style="x:y"/></g>'
        '<text fill="#1b2733">kept &lt;b&gt;</text></svg>'
    )
    page = Page(str(rebuilt(bad, title="t", description="d", id_prefix="c")))
    assert [element.tag for element in page.elements] == ["svg", "title", "desc", "g", "path", "text"]
    assert page.elements[3].attributes == {}
    assert page.elements[4].attributes == {"d": "M0,0", "stroke": "#1b2733", "class": "s-ink"}
    assert page.elements[5].text == "kept <b>"


@pytest.mark.parametrize("label", [text for text in HOSTILE_TEXTS if "\ud800" not in text])
def test_a_hostile_name_stays_a_text_in_the_drawing(label: str) -> None:
    """The shapes are those of a harmless name, and no attribute is new."""
    harmless, hostile = Page(str(chart_of("x"))), Page(str(chart_of(label)))
    assert [element.tag for element in hostile.elements] == [element.tag for element in harmless.elements]
    assert [sorted(element.attributes) for element in hostile.elements] == [
        sorted(element.attributes) for element in harmless.elements
    ]


def test_a_name_is_never_run_as_an_expression() -> None:
    """A name that is Vega code is printed as it stands."""
    page = Page(str(chart_of("datum.x + 1 ? 'a' : 'b'")))
    assert "datum.x + 1 ? 'a' : 'b'" in [element.text for element in page.all("text")]


@pytest.mark.parametrize("layout", [WIDE, NARROW])
def test_a_drawing_has_the_same_width_whatever_its_labels(layout: Layout) -> None:
    """Long names are cut to their room, so that type keeps its size."""
    short, long = Page(str(chart_of("x", layout))), Page(str(chart_of("W" * 500, layout)))
    assert short.elements[0].attributes["viewbox"] == long.elements[0].attributes["viewbox"]
    assert short.elements[0].attributes["width"] == str(layout.width)


def test_a_drawing_names_itself_for_those_who_cannot_see_it() -> None:
    """It is an image with a title and a description."""
    page = Page(str(chart_of("x")))
    svg = page.elements[0].attributes
    assert svg["role"] == "img"
    assert page.by_id(svg["aria-labelledby"]).tag == "title"
    assert page.by_id(svg["aria-describedby"]).tag == "desc"
