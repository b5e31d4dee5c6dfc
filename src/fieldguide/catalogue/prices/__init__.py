"""What providers ask for: several sources side by side, each price with its source, date, tiers and variants."""

from fieldguide.catalogue.prices._book import Book, Entry, read_book, write_book
from fieldguide.catalogue.prices._count import Bill, PriceLine, bill, counts_of, price_usage
from fieldguide.catalogue.prices._listing import BATCH, DatedRates, Listing, PriceSource, Rate, Variant
from fieldguide.catalogue.prices._providers import provider_name, provider_of_url
from fieldguide.catalogue.prices._units import UNITS, Unit

__all__ = [
    "BATCH",
    "UNITS",
    "Bill",
    "Book",
    "DatedRates",
    "Entry",
    "Listing",
    "PriceLine",
    "PriceSource",
    "Rate",
    "Unit",
    "Variant",
    "bill",
    "counts_of",
    "price_usage",
    "provider_name",
    "provider_of_url",
    "read_book",
    "write_book",
]
