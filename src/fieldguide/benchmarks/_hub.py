"""Fetches one file of a data set from a hub, by data set id and revision: Hugging Face, or a copy on ModelScope."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from fieldguide.benchmarks._data_files import DataFile, read_data_file
from fieldguide.benchmarks._interface import Hub
from fieldguide.benchmarks._modelscope import ModelScopeFile
from fieldguide.domain import JsonValue
from fieldguide.errors import AccessDeniedError, DatasetUnavailableError, FieldguideError, MissingDependencyError

_WAIT_S = 10.0
_TOKEN_PLACES = "HF_TOKEN, or the file that `hf auth login` writes (~/.cache/huggingface/token)"  # noqa: S105


@dataclass(frozen=True, slots=True, kw_only=True)
class HubFile:
    """Where a data set lies on Hugging Face, and where its copy is."""

    dataset: str
    """Owner and name, such as `openai/gsm8k`."""
    file: str
    revision: str = "main"
    family: str = field(default="")
    """Folder of a local copy, `DIR/<family>/`, for the hint."""
    terms: str | None = None
    """Page on which the terms of a gated data set are accepted."""
    modelscope: ModelScopeFile | None = None
    """Copy on ModelScope, for where Hugging Face cannot be reached."""

    def fetch(
        self,
        *,
        endpoint: str | None = None,
        cache_dir: Path | None = None,
        hub: Hub = "auto",
        modelscope_endpoint: str | None = None,
    ) -> tuple[DataFile, str]:
        """Return the file, from the client's own cache where it is there, and the commit it was taken from.

        Args:
            endpoint: Address of Hugging Face; None takes huggingface_hub's own.
            cache_dir: Folder of the cache; None takes the client's own.
            hub: Which hub is asked. `auto` asks Hugging Face, and ModelScope where Hugging Face cannot be reached or
                its client is not installed; never where the user's access is refused.
            modelscope_endpoint: Address of ModelScope; None takes its client's own.

        Raises:
            MissingDependencyError: No client is installed.
            DatasetUnavailableError: The hub cannot be reached or does not hold the file.
            AccessDeniedError: The data set is gated and its terms are not accepted.
        """
        if hub == "modelscope":
            return self._from_modelscope(modelscope_endpoint, cache_dir), "unknown"
        try:
            return self._from_hugging_face(endpoint, cache_dir)
        except AccessDeniedError:
            raise
        except (DatasetUnavailableError, MissingDependencyError) as error:
            if hub == "huggingface" or self.modelscope is None:
                raise
            first = error
        try:
            return self._from_modelscope(modelscope_endpoint, cache_dir), "unknown"
        except FieldguideError as second:
            if isinstance(first, MissingDependencyError) or isinstance(second, MissingDependencyError):
                raise first from second
            raise DatasetUnavailableError(f"{first.message} {second.message}", hint=first.hint) from first

    def download(self, *, endpoint: str | None = None, hub: Hub = "auto") -> tuple[Path, str]:
        """Return where the file lies in the client's own cache, and its commit, without reading it.

        Raises:
            MissingDependencyError: The client is not installed.
            DatasetUnavailableError: The hub cannot be reached or does not hold the file.
            AccessDeniedError: The data set is gated and its terms are not accepted.
        """
        if hub == "modelscope":
            raise DatasetUnavailableError(
                f"No copy of {self.dataset} ({self.file}) on ModelScope is known.", hint=self._hint()
            )
        path = self._downloaded(endpoint, None)
        return path, _commit(path)

    def source(self, file: DataFile, commit: str) -> dict[str, JsonValue]:
        """Return what an exam records of the file."""
        return {"dataset": self.dataset, "revision": self.revision, **file.source(), "commit": commit}

    def _from_modelscope(self, endpoint: str | None, cache_dir: Path | None) -> DataFile:
        if self.modelscope is None:
            raise DatasetUnavailableError(
                f"No copy of {self.dataset} ({self.file}) on ModelScope is known.", hint=self._hint()
            )
        try:
            return self.modelscope.fetch(endpoint=endpoint, cache_dir=cache_dir)
        except DatasetUnavailableError as error:
            raise DatasetUnavailableError(error.message, hint=self._hint()) from error

    def _from_hugging_face(self, endpoint: str | None, cache_dir: Path | None) -> tuple[DataFile, str]:
        path = self._downloaded(endpoint, cache_dir)
        commit = _commit(path)
        origin = {"hub": "huggingface", "dataset": self.dataset, "revision": self.revision, "commit": commit}
        return replace(read_data_file(path, name=self.file), origin=origin), commit

    def _downloaded(self, endpoint: str | None, cache_dir: Path | None) -> Path:
        try:
            from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
            from huggingface_hub.errors import GatedRepoError
        except ImportError as error:
            raise MissingDependencyError(
                f"Fetching {self.dataset} from the hub (instead of from `--data DIR`)", extra="hub"
            ) from error
        address = hf_hub_url(self.dataset, self.file, repo_type="dataset", revision=self.revision, endpoint=endpoint)
        unreachable: Exception | None = None
        try:  # One question first: the download itself would repeat it for 23 seconds before giving up.
            get_hf_file_metadata(address, timeout=_WAIT_S)
        except Exception as error:  # The client raises its own, its HTTP library's and the system's errors.
            unreachable = error
        try:
            path = hf_hub_download(
                self.dataset,
                self.file,
                repo_type="dataset",
                revision=self.revision,
                endpoint=endpoint,
                cache_dir=cache_dir,
                etag_timeout=_WAIT_S,
                local_files_only=unreachable is not None,
            )
        except Exception as error:
            cause = unreachable or error
            if isinstance(cause, GatedRepoError):
                raise self._refused() from cause
            raise DatasetUnavailableError(
                f"{self.dataset} could not be fetched from the hub: {_first_line(cause)}", hint=self._hint()
            ) from cause
        return Path(path)

    def _refused(self) -> AccessDeniedError:
        page = self.terms or f"https://huggingface.co/datasets/{self.dataset}"
        return AccessDeniedError(
            f"{self.dataset} is gated: Hugging Face gives it to those who have accepted its terms.",
            hint=f"Accept them at {page} and give your token, which is looked for in {_TOKEN_PLACES}. {self._hint()}",
        )

    def _hint(self) -> str:
        return f"Put a copy of {self.file} into DIR/{self.family}/ and add `--data DIR`."


def fetched(hub_file: HubFile, endpoint: str | None, hub: Hub) -> tuple[DataFile, dict[str, JsonValue]]:
    """Return a file from the hub and what an exam records of it."""
    file, commit = hub_file.fetch(endpoint=endpoint, hub=hub)
    return file, hub_file.source(file, commit)


def _commit(path: Path) -> str:
    """Return the commit from the cache's layout, `…/snapshots/<commit>/<file>`."""
    parts = path.parts
    return parts[parts.index("snapshots") + 1] if "snapshots" in parts else "unknown"


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
