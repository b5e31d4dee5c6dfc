"""Fetches one file of a data set from the Hugging Face hub, by data set id and revision."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from fieldguide.benchmarks._data_files import DataFile, read_data_file
from fieldguide.domain import JsonValue
from fieldguide.errors import DatasetUnavailableError, MissingDependencyError

_WAIT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HubFile:
    """Where a data set lies on the hub."""

    dataset: str
    """Owner and name, such as `openai/gsm8k`."""
    file: str
    revision: str = "main"
    family: str = field(default="")
    """Folder of a local copy, `DIR/<family>/`, for the hint."""

    def fetch(self, *, endpoint: str | None = None, cache_dir: Path | None = None) -> tuple[DataFile, str]:
        """Return the file, from the hub's own cache where it is there, and the commit it was taken from.

        Args:
            endpoint: Address of the hub; None takes huggingface_hub's own.
            cache_dir: Folder of the cache; None takes huggingface_hub's own.

        Raises:
            MissingDependencyError: huggingface_hub is not installed.
            DatasetUnavailableError: The hub cannot be reached or does not hold the file.
        """
        try:
            from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
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
            raise DatasetUnavailableError(
                f"{self.dataset} could not be fetched from the hub: {_first_line(unreachable or error)}",
                hint=f"Put a copy of {self.file} into DIR/{self.family}/ and add `--data DIR`.",
            ) from (unreachable or error)
        return read_data_file(Path(path), name=self.file), _commit(Path(path))

    def source(self, file: DataFile, commit: str) -> dict[str, JsonValue]:
        """Return what an exam records of the file."""
        return {**file.source(), "dataset": self.dataset, "revision": self.revision, "commit": commit}


def _commit(path: Path) -> str:
    """Return the commit from the cache's layout, `…/snapshots/<commit>/<file>`."""
    parts = path.parts
    return parts[parts.index("snapshots") + 1] if "snapshots" in parts else "unknown"


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
