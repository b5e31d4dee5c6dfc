"""What pip says when it fails, as our own errors. Written against pip 23.2 and 26.3, whose wordings agree here."""

from __future__ import annotations

import re

from fieldguide.errors import AccessDeniedError, IntegrityError, NotFoundError, OfflineError, SourceError
from fieldguide.sources._reference import SourceReference

DISK_FULL = "No space left on device"

_MOST_LINES = 3
_MOST_CHARACTERS = 400

_CERTIFICATE = re.compile(r"CERTIFICATE_VERIFY_FAILED|SSLError|SSLCertVerificationError|confirming the ssl certificate")
_REFUSED = re.compile(r"\b(?:401|403|407) (?:Client )?Error|Proxy Authentication Required")
_UNREACHABLE = re.compile(
    r"connection error:|connection broken|Max retries exceeded|[Tt]imed? ?out|TimeoutError|5\d\d Server Error"
    r"|Connection (?:refused|reset|aborted)|Failed to (?:resolve|establish|connect)|Name or service not known"
    r"|Temporary failure in name resolution|Network is unreachable|ProxyError|[Ii]ncomplete(?:Read|Download| download)"
)
_HASHES = re.compile(r"Expected sha256 ([0-9a-f]{64}).*?Got\s+([0-9a-f]{64})", re.DOTALL)
_VERSIONS = re.compile(r"\(from versions: ([^)]*)\)")


def redacted(text: str) -> str:
    """Return `text` without the credentials in its URLs, before the `@` or in a parameter."""
    text = re.sub(r"//[^/\s@]+@", "//***@", text)
    return re.sub(
        r"([?&][^=&\s]*(?:token|key|secret|sig|pass)[^=&\s]*=)[^&\s'\"]+", r"\1***", text, flags=re.IGNORECASE
    )


def fault_of(output: str, reference: SourceReference, *, expected_sha256: str | None) -> SourceError:
    """Return the error that pip's output amounts to.

    Args:
        output: What pip wrote with `-vv`, standard output and error together.
        reference: The package that was asked for.
        expected_sha256: The pin that was given to pip, None where there was none.
    """
    if "DO NOT MATCH THE HASHES" in output:
        hashes = _HASHES.search(output)
        expected, actual = hashes.groups() if hashes else (expected_sha256 or "unknown", "something else")
        return IntegrityError(f"The wheel of {reference}", expected=expected, actual=actual)
    if "No matching distribution found" in output:
        # Only here does pip tell why single indexes gave nothing. A warning about a retry does not count: the retry
        # may have been answered.
        return _nothing_found(output, reference)
    if "Operation cancelled by user" in output:
        return SourceError(
            f"The download of {reference} was interrupted.", hint="Run the same command again; it goes on from there."
        )
    said = _last_words(output)
    if _CERTIFICATE.search(output):
        return _untrusted(said)
    if _REFUSED.search(output):
        return _refused(reference, said)
    if _UNREACHABLE.search(output):
        return OfflineError(f"The download of {reference} broke off.{said}")
    return SourceError(
        f"pip could not download {reference}.{said}",
        hint="Try `pip download --no-deps` with the same package; what works there works here.",
    )


def _nothing_found(output: str, reference: SourceReference) -> SourceError:
    lines = [line for line in output.splitlines() if "Could not fetch URL" in line]
    reasons = "\n".join(lines)
    said = _last_words(reasons or output)
    if _CERTIFICATE.search(reasons):
        return _untrusted(said)
    if _UNREACHABLE.search(reasons):
        return OfflineError(f"A package index that may hold {reference} cannot be reached.{said}")
    if _REFUSED.search(reasons):
        return _refused(reference, said)
    versions = _VERSIONS.search(output)
    if versions and versions[1] not in {"", "none"}:
        return NotFoundError(
            f"{reference.name} has no wheel of version {reference.revision} for this machine.",
            hint=f"There are: {_cut(versions[1])}.",
        )
    return NotFoundError(
        f"No package index or folder that pip is set to use has a wheel of {reference}.",
        hint="Check the name and version, and `pip config list` for where pip looks.",
    )


def _refused(reference: SourceReference, said: str) -> SourceError:
    return AccessDeniedError(
        f"The package index refuses {reference}.{said}", hint="Check the credentials that pip is set to use."
    )


def _untrusted(said: str) -> SourceError:
    return SourceError(
        f"The certificate of the package index is not trusted.{said}",
        hint="Tell pip of the certificate authority: `pip config set global.cert FILE`.",
    )


def _last_words(output: str) -> str:
    """Return the last lines that say something, as an addition to a sentence."""
    telling = [line.strip() for line in output.splitlines() if re.match(r"\s*(?:ERROR|WARNING|Could not|pip\._)", line)]
    lines = telling or [line.strip() for line in output.splitlines() if line.strip()]
    return " pip said: " + _cut(redacted(" / ".join(lines[-_MOST_LINES:]))) if lines else ""


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…"
