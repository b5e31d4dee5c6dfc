"""What providers ask for: several sources side by side, each price with its source, date, tiers and variants."""

from fieldguide.catalogue.prices._book import Book, Entry, read_book, write_book
from fieldguide.catalogue.prices._count import Bill, PriceLine, bill, counts_of, price_usage
from fieldguide.catalogue.prices._find import Wanted, listings_by_provider
from fieldguide.catalogue.prices._listing import BATCH, DatedRates, Listing, PriceSource, Rate, Variant, rates_to_json
from fieldguide.catalogue.prices._offer import Offer, Quote, implausible, offer
from fieldguide.catalogue.prices._own import own_books, read_own
from fieldguide.catalogue.prices._providers import provider_name, provider_of_url
from fieldguide.catalogue.prices._refresh import (
    FETCHED,
    BookChanges,
    PriceChange,
    book_from_list,
    checked_changes,
    renewed,
)
from fieldguide.catalogue.prices._shelf import BOOKS, Shelf, refreshed_book, refreshed_path, shelf
from fieldguide.catalogue.prices._units import UNITS, Unit

__all__ = [
    "BATCH",
    "BOOKS",
    "FETCHED",
    "UNITS",
    "Bill",
    "Book",
    "BookChanges",
    "DatedRates",
    "Entry",
    "Listing",
    "Offer",
    "PriceChange",
    "PriceLine",
    "PriceSource",
    "Quote",
    "Rate",
    "Shelf",
    "Unit",
    "Variant",
    "Wanted",
    "bill",
    "book_from_list",
    "checked_changes",
    "counts_of",
    "implausible",
    "listings_by_provider",
    "offer",
    "own_books",
    "price_usage",
    "provider_name",
    "provider_of_url",
    "rates_to_json",
    "read_book",
    "read_own",
    "refreshed_book",
    "refreshed_path",
    "renewed",
    "shelf",
    "write_book",
]
