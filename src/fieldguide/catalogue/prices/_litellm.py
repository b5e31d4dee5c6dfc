"""Prices as litellm (MIT) lists them, per single token, read into our own form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from fieldguide.catalogue.prices._book import line_of
from fieldguide.catalogue.prices._listing import BATCH, DatedRates, Rate, Variant, amount_of
from fieldguide.catalogue.prices._providers import provider_name
from fieldguide.catalogue.prices._units import UNITS

LITELLM = "litellm"
LITELLM_URL = "https://github.com/BerriAI/litellm"

_UNITS = {
    "input_cost_per_token": "input_tokens",
    "output_cost_per_token": "output_tokens",
    "cache_read_input_token_cost": "cached_input_tokens",
    "cache_creation_input_token_cost": "cache_write_input_tokens",
    "input_cost_per_image": "input_images",
    "output_cost_per_image": "output_images",
    "output_cost_per_pixel": "output_pixels",
    "input_cost_per_character": "input_characters",
}
_BATCH = {"input_cost_per_token_batches": "input_tokens", "output_cost_per_token_batches": "output_tokens"}
_SECONDS = {
    "audio_transcription": {"input_cost_per_second": "audio_input_seconds"},
    "audio_speech": {"output_cost_per_second": "audio_output_seconds"},
    "video_generation": {"output_cost_per_second": "video_output_seconds"},
}
"""Per second means audio or video in these modes only; elsewhere it is time on rented hardware."""
_REGION = re.compile(
    r"/(?:(?:us|eu|ap|sa|ca|me|af)-[a-z]+-\d|\d+-month-commitment|us-gov-\w+-\d)/|^(?:us|eu|global|global-standard)/"
)


def line_of_row(row: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the line of a book for a row; None where it names no price, or that of one region only."""
    provider, model = row["litellm_provider"], row["model"]
    prefix, slash, rest = model.partition("/")
    if slash and provider_name(prefix) == provider_name(provider):
        model = rest
    if _REGION.search(f"/{row['model']}") or _REGION.search(model) or not provider:
        return None
    rates = _rates(row, _UNITS | _SECONDS.get(row["mode"], {}))
    if not rates:
        return None
    batch = _rates(row, _BATCH)
    variants = [Variant(name=BATCH, rates=DatedRates(rates=batch))] if batch else []
    cited = row["source"] if row["source"].startswith("https://") else None
    return line_of(provider_name(provider), model, [DatedRates(rates=rates, cited=cited)], variants=variants)


def _rates(row: Mapping[str, str], units: Mapping[str, str]) -> tuple[Rate, ...]:
    return tuple(
        Rate(unit=UNITS[unit], amount=_per_unit(row[column], UNITS[unit].per))
        for column, unit in units.items()
        if row.get(column)
    )


def _per_unit(text: str, per: int) -> Decimal:
    """Return the price of `per` of them; binary fractions that stand for decimal ones lose their tail."""
    amount = Decimal(repr(float(amount_of(text)))) * per
    rounded = amount.quantize(Decimal("1e-9")).normalize()
    return rounded if rounded else Decimal(0)
