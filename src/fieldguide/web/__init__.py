"""The guide in a browser: pages made here, each with a JSON twin; nothing is loaded from any other address."""

from fieldguide.web._pages import PAGES
from fieldguide.web._site import Site

__all__ = ["PAGES", "Site"]
