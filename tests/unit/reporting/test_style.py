from __future__ import annotations

import re
from importlib import resources

import pytest

from fieldguide.domain import Outcome
from fieldguide.reporting import _palette as palette

CSS = resources.files("fieldguide.reporting").joinpath("templates/report.css").read_text("utf-8")
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in CSS.split("prefers-color-scheme")[:2]
)
TEXT_ON_BACKGROUND = [
    *(("ink", back) for back in ("page", "surface", "good-back", "open-back", "even-back")),
    *(("muted", back) for back in ("page", "surface", "open-back")),
    *(("link", "page"), ("good", "good-back"), ("even", "even-back"), ("open", "open-back")),
    *(("surface", outcome.value) for outcome in Outcome),
]


def luminance(colour: str) -> float:
    """Relative luminance after WCAG 2.2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio after WCAG 2.2, 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "back"), TEXT_ON_BACKGROUND)
def test_text_stands_out_from_its_background(colours: dict[str, str], text: str, back: str) -> None:
    """At least 4.5 to 1, WCAG 2.2 level AA."""
    assert contrast(colours[text], colours[back]) >= 4.5


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("role", [role.name for role in palette.MODELS])
def test_marks_stand_out_from_their_background(colours: dict[str, str], role: str) -> None:
    """At least 3 to 1, WCAG 2.2 level AA for graphics."""
    assert contrast(colours[role], colours["surface"]) >= 3


def test_every_colour_of_a_drawing_has_a_light_and_a_dark_value_and_a_class() -> None:
    """The colour in the drawing is the light one, so that a drawing taken out of the page looks the same."""
    roles = [palette.INK, palette.MUTED, palette.GRID, palette.AXIS, palette.DOUBT, palette.MARGIN, palette.SURFACE]
    roles += [*palette.MODELS, *palette.OUTCOMES.values()]
    assert len({role.hex for role in roles}) == len(roles)
    for role in roles:
        assert LIGHT[role.name] == role.hex
        assert role.name in DARK
        assert re.search(rf"\.[fs]-{role.name} \{{ (fill|stroke): var\(--{role.name}\); \}}", CSS)


def test_thirty_six_models_look_different() -> None:
    """Shape and colour together tell them apart."""
    looks = {(palette.model_role(place), palette.model_shape(place)) for place in range(36)}
    assert len(looks) == 36
