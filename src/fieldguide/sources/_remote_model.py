"""A model that is not here yet, of which only the headers are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from fieldguide.errors import UnsupportedError
from fieldguide.formats import ByteSource, FileSource, ModelFacts, gguf_model, is_projector, safetensors_model
from fieldguide.sources._offer import Offer, OfferedFile, OfferingSource, SourceSettings
from fieldguide.sources._remote_bytes import RemoteBytes
from fieldguide.sources._select import Artifact
from fieldguide.sources.transfer import RefusalError

_INDEX = ".safetensors.index.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteModel:
    """The files of one model where they lie."""

    offer: Offer
    artifact: Artifact
    source: OfferingSource
    settings: SourceSettings

    def facts(self) -> ModelFacts:
        """Return what the headers say, with few and small ranges.

        Raises:
            FormatError: A file is damaged, hostile, or no model file.
            UnsupportedError: The files are of no format with a header that is read.
            SourceError: The server refuses, cannot be reached, or answers no ranges.
        """
        try:
            return self._facts()
        except RefusalError as refusal:
            raise self.source.refused(refusal, self.offer.reference) from refusal

    def _facts(self) -> ModelFacts:
        if self.artifact.kind == "file":
            raise UnsupportedError(self.artifact.name, "being inspected", hint="Name a GGUF or safetensors file.")
        files = {PurePosixPath(file.path).name: file for file in self.artifact.files}
        if self.artifact.kind == "gguf":
            parts = {name: file for name, file in files.items() if not is_projector(name)} or files
            return gguf_model({name: self._bytes(file) for name, file in parts.items()})
        weights = {name: self._bytes(file) for name, file in files.items() if name.endswith(".safetensors")}
        beside = {
            name: self._bytes(file)
            for name, file in files.items()
            if not name.endswith((".safetensors", _INDEX)) and file.remote.size_bytes is not None
        }
        index = next((self._bytes(file) for name, file in files.items() if name.endswith(_INDEX)), None)
        return safetensors_model(weights, beside, index=index)

    def _bytes(self, file: OfferedFile) -> ByteSource:
        return RemoteBytes(file.remote, self.settings) if file.local is None else FileSource(file.local)
