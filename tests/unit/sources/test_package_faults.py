"""What pip says when it fails, told in our words. The texts are pip's own, cut."""

from __future__ import annotations

import pytest

from fieldguide.errors import (
    AccessDeniedError,
    FieldguideError,
    IntegrityError,
    NotFoundError,
    OfflineError,
    SourceError,
)
from fieldguide.sources import parse_source_reference
from fieldguide.sources._pip_faults import fault_of, redacted

_REFERENCE = parse_source_reference("package:toy==1.0")
_NOTHING = (
    "ERROR: Could not find a version that satisfies the requirement toy==1.0 (from versions: {})\n"
    "ERROR: No matching distribution found for toy==1.0\n"
)
_SKIPPED = "Could not fetch URL https://user:secret@index.example/simple/toy/: {} - skipping\n"


def _fault(output: str) -> SourceError:
    return fault_of(output, _REFERENCE, expected_sha256="a" * 64)


@pytest.mark.parametrize(
    ("output", "error"),
    [
        (_NOTHING.format("none"), NotFoundError),
        (_SKIPPED.format("404 Client Error: Not Found for url") + _NOTHING.format("none"), NotFoundError),
        (_NOTHING.format("0.8, 0.9"), NotFoundError),
        (_SKIPPED.format("connection error: [Errno 111] Connection refused") + _NOTHING.format("none"), OfflineError),
        (
            _SKIPPED.format("connection error: Failed to resolve IP address for 'x'") + _NOTHING.format("none"),
            OfflineError,
        ),
        (
            _SKIPPED.format("Max retries exceeded (too many 503 error responses)") + _NOTHING.format("none"),
            OfflineError,
        ),
        (_SKIPPED.format("401 Client Error: Unauthorized") + _NOTHING.format("none"), AccessDeniedError),
        (_SKIPPED.format("403 Client Error: Forbidden") + _NOTHING.format("0.9"), AccessDeniedError),
        (_SKIPPED.format("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed") + _NOTHING.format("none"), SourceError),
        ("WARNING: Retrying after connection broken by X\n" + _NOTHING.format("0.9"), NotFoundError),
        ("pip._vendor.urllib3.exceptions.ReadTimeoutError: Read timed out.\n", OfflineError),
        ("<IncompleteDownloadError: incomplete-download>\n", OfflineError),
        ("ERROR: HTTP error 403 while getting x\nrequests.HTTPError: 403 Client Error: Forbidden\n", AccessDeniedError),
        ("ERROR: Operation cancelled by user\n", SourceError),
        ("ERROR: something quite new\n", SourceError),
        ("", SourceError),
    ],
)
def test_each_failure_of_pip_becomes_the_error_that_fits(output: str, error: type[SourceError]) -> None:
    """Not found, not reached, not let in and not trusted need different next steps."""
    assert type(_fault(output)) is error


def test_an_offline_error_may_be_tried_again_and_the_others_not() -> None:
    """`retryable` follows from the class."""
    offline: FieldguideError = _fault("Read timed out.\n")
    assert offline.retryable
    assert not _fault(_NOTHING.format("none")).retryable


def test_the_versions_that_there_are_stand_in_the_hint() -> None:
    """A wrong version is the commonest mistake."""
    assert _fault(_NOTHING.format("0.8, 0.9")).hint == "There are: 0.8, 0.9."


def test_a_wrong_hash_names_both_hashes() -> None:
    """What was pinned and what came, as pip reports them."""
    output = (
        "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n"
        f"        Expected sha256 {'a' * 64}\n             Got        {'b' * 64}\n"
    )
    fault = _fault(output)
    assert isinstance(fault, IntegrityError)
    assert (fault.expected, fault.actual) == ("a" * 64, "b" * 64)


def test_credentials_never_reach_a_message() -> None:
    """URLs with user names, passwords and tokens are common in pip's settings."""
    fault = _fault(_SKIPPED.format("connection error: x") + _NOTHING.format("none"))
    assert "secret" not in fault.message
    assert "https://***@index.example" in fault.message
    assert redacted("http://t0k3n@h/x?auth_token=abc&b=1") == "http://***@h/x?auth_token=***&b=1"
