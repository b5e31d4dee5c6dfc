"""Fields of a receipt: read from a model's JSON, and compared as the competition does, or by what they mean.

References:
    Huang et al. 2019, "ICDAR2019 Competition on Scanned Receipt OCR and Information Extraction" (arXiv:2103.10213),
    task 3: "An extract text is marked as correct if both submitted content and category of the extracted text matches
    the groundtruth"; precision over all extracted texts, recall over all true ones, and F1 of both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

FIELDS = ("company", "date", "address", "total")
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str)
_MOST_BRACES = 400
_AMOUNT = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_APART = re.compile(r"(?<=\d) *\. *(?=\d)")
"""A point that a scan has blanks around."""
_DATE = re.compile(r"(\d{1,4})\s*[-/. ]\s*(\d{1,2}|[A-Za-z]{3,9})\.?\s*[-/., ]\s*(\d{2,4})")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def read_fields(text: str) -> Mapping[str, str | None] | None:
    """Return the fields that an answer gives, by their names; None where there is no JSON object with any of them.

    Of several objects the last counts. A field that is null or empty was not given.
    """
    found: Mapping[str, str | None] | None = None
    at = text.find("{")
    for _ in range(_MOST_BRACES):
        if at < 0:
            break
        try:
            value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            at = text.find("{", at + 1)
            continue
        if isinstance(value, dict) and (named := _named(value)) is not None:
            found = named
        at = text.find("{", end)
    return found


def _named(value: Mapping[str, object]) -> Mapping[str, str | None] | None:
    lower = {str(name).strip().lower(): each for name, each in value.items()}
    if not any(field in lower for field in FIELDS):
        return None
    return {field: _text(lower.get(field)) for field in FIELDS}


def _text(value: object) -> str | None:
    if value is None or isinstance(value, bool | dict):
        return None
    if isinstance(value, list):
        value = ", ".join(str(each) for each in value)
    return str(value).strip() or None


def same_text(given: str, wanted: str) -> bool:
    """Whether two fields are one text, as the competition compares them."""
    return given.strip() == wanted.strip()


def same_meaning(field: str, given: str, wanted: str) -> bool:
    """Whether two fields mean the same.

    Amounts are compared as numbers and without their currency, dates as days (the day comes first, as in Malaysia),
    everything else, and a label that is no amount or day, by its letters and digits alone: how lines were joined and
    where commas stand is not on the receipt.
    """
    if same_text(given, wanted):
        return True
    read = {"total": _amount, "date": _day}.get(field)
    if read is not None and (meant := read(wanted)) is not None:
        return read(given) == meant  # its digits alone are no evidence: 1000 is not 10.00, nor 11/1 the day 1/11
    return _letters(given) == _letters(wanted)


def _letters(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def _amount(text: str) -> Decimal | None:
    found = _AMOUNT.findall(_APART.sub(".", text))
    if len(found) != 1:
        return None
    try:
        return Decimal(found[0].replace(",", ""))
    except InvalidOperation:
        return None


def _day(text: str) -> date | None:
    found = _DATE.search(text)
    if found is None:
        return None
    first, middle, last = found.groups()
    month = _MONTHS.index(middle[:3].lower()) + 1 if middle[:3].lower() in _MONTHS else middle
    year, day = (first, last) if len(first) == 4 else (last, first)
    try:
        return date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
    except ValueError:
        return None
