"""Models of ModelScope, `modelscope:OWNER/NAME[@REVISION][#FILE]`: its own client lists, our transfer brings."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import Any

from fieldguide.errors import (
    AccessDeniedError,
    FieldguideError,
    MissingDependencyError,
    NotFoundError,
    OfflineError,
    SourceError,
    UsageError,
)
from fieldguide.sources._ask import knock
from fieldguide.sources._offer import Offer, OfferedFile, SourceSettings
from fieldguide.sources._reference import SourceReference
from fieldguide.sources.transfer import RefusalError, RemoteFile

_ENDPOINT = "https://www.modelscope.cn"
_BRANCH = "master"
_REPOSITORY = re.compile(r"[\w][\w.-]*/[\w][\w.-]*")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TOKEN_PLACES = "MODELSCOPE_API_TOKEN, or where `modelscope login` keeps it (~/.modelscope/credentials)"  # noqa: S105


class ModelScopeSource:
    """Asks ModelScope, or a mirror of it, what a repository holds."""

    name = "modelscope"

    def __init__(self, settings: SourceSettings) -> None:
        """Take settings; the client finds the token of the user where it keeps it."""
        self._settings = settings

    def offer(self, reference: SourceReference) -> Offer:
        """Return the files of a model repository; see `OfferingSource.offer`."""
        if not _REPOSITORY.fullmatch(reference.name):
            raise UsageError(f"{reference.name!r} is not a repository.", hint="Write `modelscope:OWNER/NAME`.")
        endpoint = self._settings.endpoints.get(self.name)
        address = endpoint or _ENDPOINT
        api = _client(endpoint, self._settings.tokens.get(self.name))
        if self._settings.proxy_for(address) is None:
            knock("ModelScope", address)
        try:
            listed = api.legacy.list_repo_files(
                repo_id=reference.name, repo_type="model", revision=reference.revision or _BRANCH
            )
        except Exception as error:  # The client raises its own, its HTTP library's and the system's errors.
            raise _fault(error, reference, address) from error
        entries = [entry for entry in listed if isinstance(entry, dict) and entry.get("Type") != "tree"]
        revision = _commit(entries) or reference.revision or _BRANCH
        token = api._config.token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        files = tuple(self._offered(api, reference.name, revision, entry, headers) for entry in entries)
        pinned = SourceReference(source=self.name, name=reference.name, revision=revision, file=reference.file)
        return Offer(reference=pinned, files=files, **_about(api, reference.name))

    def refused(self, refusal: RefusalError, reference: SourceReference) -> SourceError:
        """Return what a refusal during the transfer means."""
        if refusal.status in {401, 403}:
            return _denied(reference)
        if refusal.status == 404:
            return NotFoundError(f"{reference} is no longer there.", hint="Pull it again at its present revision.")
        return SourceError(f"ModelScope will not give {reference}: {refusal}.")

    def _offered(
        self, api: Any, name: str, revision: str, entry: dict[str, Any], headers: dict[str, str]
    ) -> OfferedFile:
        path = str(entry.get("Path") or entry.get("Name") or "")
        size, sha256 = entry.get("Size"), str(entry.get("Sha256") or "").lower()
        return OfferedFile(
            path=path,
            remote=RemoteFile(
                url=api.legacy.get_download_url(name, "model", path, revision),
                name=path,
                size_bytes=size if isinstance(size, int) and size >= 0 else None,
                sha256=sha256 if _SHA256.fullmatch(sha256) else None,
                headers=headers,
            ),
        )


def _client(endpoint: str | None, token: str | None) -> Any:
    try:
        from modelscope_hub import HubApi
    except ImportError as error:
        raise MissingDependencyError("ModelScope", extra="modelscope") from error
    logging.getLogger("modelscope_hub").setLevel(logging.CRITICAL)  # What matters comes as an error.
    return HubApi(endpoint=endpoint, token=token)


def _commit(entries: Sequence[dict[str, Any]]) -> str | None:
    """Return the last commit that touched any of the files: all of them are in it as they are now."""
    dated = [
        (entry["CommittedDate"], entry["Revision"])
        for entry in entries
        if isinstance(entry.get("CommittedDate"), int) and _COMMIT.fullmatch(str(entry.get("Revision")))
    ]
    return max(dated)[1] if dated and len(dated) == len(entries) else None


def _about(api: Any, name: str) -> dict[str, Any]:
    """Return what the repository's own page says; nothing where it does not say."""
    try:
        info = api.get_repo(name, "model")
    except Exception:  # The files are known; a mirror may know no more.
        return {}
    return {"licence": str(info.license) if info.license else None, "gated": bool(info.gated)}


def _fault(error: Exception, reference: SourceReference, address: str) -> FieldguideError:
    import modelscope_hub.errors as theirs

    if isinstance(error, theirs.AuthenticationError | theirs.PermissionDeniedError):
        return _denied(reference)
    if isinstance(error, theirs.NotExistError):
        of = f" at revision {reference.revision!r}" if reference.revision else ""
        return NotFoundError(
            f"ModelScope has no model {reference.name}{of}, or it is private.",
            hint=f"Check the name; for a private one give a token, which is looked for in {_TOKEN_PLACES}.",
        )
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    if isinstance(error, theirs.APIError) and not isinstance(error, theirs.ServerError | theirs.RateLimitError):
        return SourceError(f"ModelScope will not list {reference.name}: {reason}", hint="Check name and revision.")
    return OfflineError(f"{address} cannot be asked: {reason}")


def _denied(reference: SourceReference) -> AccessDeniedError:
    return AccessDeniedError(
        f"ModelScope does not give {reference.name} without a token that may read it.",
        hint=f"Ask for access at {_ENDPOINT}/models/{reference.name} and give your token, which is looked for in "
        f"{_TOKEN_PLACES}.",
    )
