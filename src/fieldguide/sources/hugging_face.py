"""Models of the Hugging Face hub, `hf:OWNER/NAME[@REVISION][#FILE]`: its own client asks, our transfer brings."""

from __future__ import annotations

from typing import Any

from fieldguide.errors import (
    AccessDeniedError,
    MissingDependencyError,
    NotFoundError,
    OfflineError,
    SourceError,
    UsageError,
)
from fieldguide.sources._offer import Offer, OfferedFile, SourceSettings
from fieldguide.sources._reference import SourceReference
from fieldguide.sources.transfer import RefusalError, RemoteFile

_WAIT_S = 15.0
_TOKEN_PLACES = "HF_TOKEN, or the file that `hf auth login` writes (~/.cache/huggingface/token)"  # noqa: S105


class HuggingFaceSource:
    """Asks the hub, or a mirror of it, what a repository holds."""

    name = "hf"

    def __init__(self, settings: SourceSettings) -> None:
        """Take settings; the client finds the token of the user where it keeps it."""
        self._settings = settings

    def offer(self, reference: SourceReference) -> Offer:
        """Return the files of a model repository; see `OfferingSource.offer`."""
        hub = _client()
        endpoint = self._settings.endpoints.get(self.name)
        api = hub.HfApi(endpoint=endpoint, token=self._settings.tokens.get(self.name), library_name="fieldguide")
        try:
            revision, siblings, about = _asked(hub, api, reference)
        except SourceError:
            raise
        except Exception as error:  # The client raises its own, its HTTP library's and the system's errors.
            raise self._fault(hub, error, reference, endpoint) from error
        headers = _authorization(hub, self._settings.tokens.get(self.name))
        files = tuple(
            OfferedFile(
                path=path,
                remote=RemoteFile(
                    url=hub.hf_hub_url(reference.name, path, revision=revision, endpoint=endpoint),
                    name=path,
                    size_bytes=size,
                    sha256=sha256,
                    git_sha1=None if sha256 else blob_id,
                    headers=headers,
                ),
            )
            for path, size, sha256, blob_id in siblings
        )
        pinned = SourceReference(source=self.name, name=reference.name, revision=revision, file=reference.file)
        return Offer(reference=pinned, files=files, **about)

    def refused(self, refusal: RefusalError, reference: SourceReference) -> SourceError:
        """Return what a refusal during the transfer means."""
        code = refusal.headers.get("x-error-code", "")
        if code == "GatedRepo" or refusal.status in {401, 403}:
            return _gated(reference)
        if refusal.status == 404:
            return NotFoundError(f"{reference} is no longer there.", hint="Pull it again at its present revision.")
        return SourceError(f"Hugging Face will not give {reference}: {refusal}.")

    def _fault(self, hub: Any, error: Exception, reference: SourceReference, endpoint: str | None) -> Exception:
        where = endpoint or "Hugging Face"
        if isinstance(error, hub.errors.GatedRepoError):
            return _gated(reference)
        if isinstance(error, hub.errors.RevisionNotFoundError):
            return NotFoundError(
                f"{where} has {reference.name}, and no revision {reference.revision!r} of it.",
                hint="Leave the revision out for the newest.",
            )
        if isinstance(error, hub.errors.RepositoryNotFoundError):
            return NotFoundError(
                f"{where} has no model {reference.name}, or it is private.",
                hint=f"Check the name; for a private one give a token, which is looked for in {_TOKEN_PLACES}.",
            )
        if isinstance(error, hub.errors.HFValidationError):
            return UsageError(f"{reference.name!r} is not a repository.", hint="Write `hf:OWNER/NAME`.")
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status in {401, 403}:
            return AccessDeniedError(
                f"{where} does not let you in ({status}).", hint=f"The token is looked for in {_TOKEN_PLACES}."
            )
        return OfflineError(f"{where} cannot be reached: {_first_line(error)}")


def _client() -> Any:
    try:
        import huggingface_hub
        import huggingface_hub.errors
    except ImportError as error:
        raise MissingDependencyError("The Hugging Face hub", extra="hub") from error
    return huggingface_hub


_Sibling = tuple[str, int | None, str | None, str | None]


def _asked(hub: Any, api: Any, reference: SourceReference) -> tuple[str, list[_Sibling], dict[str, Any]]:
    """Return the commit, the files (path, bytes, sha256, git object id), and what the card says."""
    try:
        info = api.model_info(reference.name, revision=reference.revision, files_metadata=True, timeout=_WAIT_S)
    except hub.errors.RepositoryNotFoundError as error:
        if isinstance(error, hub.errors.GatedRepoError):
            raise
        return _listed(api, reference, error)
    siblings = [
        (each.rfilename, each.size, each.lfs.sha256 if each.lfs else None, each.blob_id) for each in info.siblings or []
    ]
    card = info.card_data.to_dict() if info.card_data is not None else {}
    licence = card.get("license") or next(
        (tag.removeprefix("license:") for tag in info.tags or [] if tag.startswith("license:")), None
    )
    if licence == "other":  # The tag of whatever has no tag of its own.
        licence = card.get("license_name") or licence
    base = card.get("base_model") or ()
    about = {
        "licence": licence if isinstance(licence, str) else None,
        "gated": bool(info.gated),
        "base_models": (base,) if isinstance(base, str) else tuple(str(each) for each in base),
    }
    return info.sha or reference.revision or "main", siblings, about


def _listed(api: Any, reference: SourceReference, first: Exception) -> tuple[str, list[_Sibling], dict[str, Any]]:
    """Ask for the tree alone: some mirrors know no more."""
    try:
        refs = api.list_repo_refs(reference.name)
        tree = list(api.list_repo_tree(reference.name, recursive=True, revision=reference.revision))
    except Exception:
        raise first from None
    named = {each.name: each.target_commit for each in (*refs.branches, *refs.tags)}
    commit = named.get(reference.revision or "main", reference.revision or "main")
    siblings: list[_Sibling] = [
        (each.path, each.size, each.lfs.sha256 if each.lfs else None, each.blob_id)
        for each in tree
        if hasattr(each, "size")
    ]
    return commit, siblings, {}


def _authorization(hub: Any, token: str | None) -> dict[str, str]:
    headers = hub.utils.build_hf_headers(token=token, library_name="fieldguide")
    return {name: value for name, value in headers.items() if name.lower() == "authorization"}


def _gated(reference: SourceReference) -> AccessDeniedError:
    return AccessDeniedError(
        f"{reference.name} is gated: Hugging Face gives it to those who have accepted its terms.",
        hint=f"Accept them at https://huggingface.co/{reference.name} and give your token, which is looked for in "
        f"{_TOKEN_PLACES}.",
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
