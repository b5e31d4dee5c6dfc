"""The order in which a name is read: from outside in, then word by word."""

from __future__ import annotations

import unicodedata

from fieldguide.catalogue.names._around import without_dots, without_file, without_path, without_revision, without_tag
from fieldguide.catalogue.names._marks import without_dates, without_quantization
from fieldguide.catalogue.names._name import Found, ModelName
from fieldguide.catalogue.names._reading import read_words

_MOST_CHARACTERS = 400
"""What follows is not read: no published name is half as long, and time stays bounded."""

_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def parse_name(text: str) -> ModelName:
    """Return what a model's name says: of a hub, an API, Ollama, Bedrock, or a file. Never raises.

    Reading `ModelName.text` again gives the same value. The case of ASCII letters does not matter.
    """
    text = _normal(text)
    found = Found()
    name = without_file(text, found)
    name = without_path(name, found)
    name = without_revision(name, found)
    name = without_tag(name, found)
    name = without_dots(name, found)
    name = without_quantization(name, found)
    name = without_dates(name, found)
    read_words(name, found)
    return found.name(text)


def _normal(text: str) -> str:
    text = text[:_MOST_CHARACTERS]
    if text.isascii():
        return text.translate(_LOWER).strip()
    # A letter and its mark may compose only once it is lower-case, hence twice.
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).translate(_LOWER))
    return text.strip()[:_MOST_CHARACTERS].strip()
