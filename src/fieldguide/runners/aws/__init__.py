"""What runners on Amazon's clouds have in common: credentials and signatures, regions, event streams, errors."""

from fieldguide.runners.aws._access import VARIABLES, Access, access_of, region_of, secrets_of
from fieldguide.runners.aws._errors import error_of, error_of_exception
from fieldguide.runners.aws._event_stream import StreamMessage, events_of, messages

__all__ = [
    "VARIABLES",
    "Access",
    "StreamMessage",
    "access_of",
    "error_of",
    "error_of_exception",
    "events_of",
    "messages",
    "region_of",
    "secrets_of",
]
