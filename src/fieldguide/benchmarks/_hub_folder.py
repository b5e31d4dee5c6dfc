"""Files of one folder of a data set on Hugging Face: a split that is cut into parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fieldguide.benchmarks._data_files import DataFile
from fieldguide.benchmarks._hub import HubFile
from fieldguide.benchmarks._interface import Hub
from fieldguide.domain import JsonValue

_WAIT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HubFolder:
    """Where the parts of a split lie."""

    dataset: str
    prefix: str
    """What the paths of its parts begin with, such as `vision/test-`."""
    parts: tuple[str, ...]
    """Their names when this was written, for where the hub cannot be asked and they lie in the client's cache."""
    family: str
    revision: str = "main"

    def fetch(self, *, endpoint: str | None, hub: Hub) -> tuple[tuple[DataFile, ...], dict[str, JsonValue]]:
        """Return the parts in their order and what an exam records of them.

        Raises:
            MissingDependencyError: The client is not installed.
            DatasetUnavailableError: The hub cannot be reached or does not hold them.
        """
        files, sources = [], []
        for name in self._names(endpoint):
            part = HubFile(dataset=self.dataset, file=name, revision=self.revision, family=self.family)
            file, commit = part.fetch(endpoint=endpoint, hub=hub)
            files.append(file)
            sources.append(part.source(file, commit))
        whole: dict[str, JsonValue] = {"dataset": self.dataset, "revision": self.revision, "files": [*sources]}
        return tuple(files), whole

    def _names(self, endpoint: str | None) -> Sequence[str]:
        """Return the parts that the hub has now; those that are known where it does not say."""
        try:
            from huggingface_hub import HfApi

            found = HfApi(endpoint=endpoint).dataset_info(self.dataset, revision=self.revision, timeout=_WAIT_S)
        except Exception:  # The client raises its own, its HTTP library's and the system's errors; fetching tells why.
            return self.parts
        there = [file.rfilename for file in found.siblings or ()]
        return sorted(name for name in there if name.startswith(self.prefix)) or self.parts
