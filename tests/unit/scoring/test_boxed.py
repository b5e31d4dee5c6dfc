r"""The answer in `\boxed{…}`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.scoring import Boxed, last_boxed


@pytest.mark.parametrize(
    ("text", "content"),
    [
        (r"so \boxed{5}.", "5"),
        (r"\boxed{1} no, \boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        (r"\fbox{7}", "7"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\boxed 5$", "5"),
        (r"\boxed { x }", "x"),
        (r"\boxed{\boxed{3}}", "3"),
        (r"\boxed{\text{even}}", r"\text{even}"),
        (r"\boxed{\frac{1}{2}", None),
        (r"first \boxed{1}, then \boxed{2", None),
        (r"\boxed", None),
    ],
)
def test_the_last_box_is_matched_by_its_braces(text: str, content: str | None) -> None:
    """Escaped braces do not count; a box that is never closed has no content."""
    assert last_boxed(text) == Boxed(content=content)


@pytest.mark.parametrize("text", ["", "5", r"\boxedness{5}", "boxed{5}"])
def test_no_box_is_no_box(text: str) -> None:
    """Only the commands themselves count."""
    assert last_boxed(text) is None


_BALANCED = st.recursive(
    st.text("ab1+- ", max_size=4),
    lambda inner: st.lists(inner, max_size=3).map(lambda parts: "{" + "".join(parts) + "}"),
)


@given(st.text("xy{} ", max_size=20), _BALANCED)
def test_balanced_content_comes_back_whole(before: str, content: str) -> None:
    """Whatever stands before, and however deep the braces inside, the content is found."""
    assert last_boxed(rf"{before}\boxed{{{content}}} and so on") == Boxed(content=content.strip())
