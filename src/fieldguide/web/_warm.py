"""What is read once before the first page is asked for: catalogue, indices, claims, prices, templates."""

from __future__ import annotations

import gc
from contextlib import suppress

from fieldguide import catalogue
from fieldguide.app.claims import look_up_claims
from fieldguide.app.find import FindRequest, compiled_folder, find_models
from fieldguide.app.guide import facets, family_map
from fieldguide.app.prices import price_books
from fieldguide.app.wiring import House
from fieldguide.errors import FieldguideError
from fieldguide.web._pages import PAGES
from fieldguide.web._render import compile_template

_NO_MODEL = "no-such-model-7b-instruct"
"""A name that has to be taken apart and held against every other, for which the tables are made."""


def warm(house: House) -> None:
    """Read and index what every page needs; what cannot be read is told by the page that needs it."""
    home = house.settings.home
    for page in PAGES:
        compile_template(page.template)
    with suppress(FieldguideError):
        facets(house)
        family_map(house)
        find_models(home, FindRequest(text="warm"))
        price_books(home)
    with suppress(FieldguideError):
        look_up_claims(house, [_NO_MODEL], suggest=False)
    with suppress(FieldguideError):
        catalogue.resolve_model(catalogue.families(compiled_folder(home)), _NO_MODEL)
    gc.collect()
    gc.freeze()  # a hundred thousand objects that stay need not be looked through again and again
