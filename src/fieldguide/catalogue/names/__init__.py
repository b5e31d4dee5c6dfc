"""Model names taken apart: what a name itself says, and nothing that it does not."""

from fieldguide.catalogue.names._name import ModelName
from fieldguide.catalogue.names._parse import parse_name

__all__ = ["ModelName", "parse_name"]
