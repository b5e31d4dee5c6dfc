"""What every source of repositories must do. Subclass it, give it a source, and let pytest collect it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from fieldguide.errors import SourceError
from fieldguide.sources import ModelStore, OfferingSource, RefusalError, parse_source_reference


class SourceConformance:
    """The suite. A subclass sets what its source has, and returns the source from `open_source`."""

    reference: str
    """A small GGUF model, such as `hf:owner/name#model.gguf`."""
    missing: str
    """A reference of the same source to what is not there."""
    content: bytes
    """The bytes of that model's file."""
    pins: bool = True
    """Whether the source has commits, or other names for one state of a repository."""

    def open_source(self) -> OfferingSource:
        """Return the source."""
        raise AssertionError("a subclass gives the source")

    def test_an_offer_is_pinned_and_the_same_when_asked_for_again(self) -> None:
        """The pinned reference names the same files, and the promises with them."""
        source = self.open_source()
        first = source.offer(parse_source_reference(self.reference))
        assert first.files
        again = source.offer(parse_source_reference(str(first.reference)))
        assert [(file.path, file.remote.size_bytes, file.remote.sha256) for file in again.files] == [
            (file.path, file.remote.size_bytes, file.remote.sha256) for file in first.files
        ]
        if self.pins:
            assert first.reference.revision
            assert again.reference.revision == first.reference.revision

    def test_what_is_offered_is_what_comes(self, tmp_path: Path) -> None:
        """The transfer brings the bytes, and every promise of them holds."""
        source = self.open_source()
        models = ModelStore(tmp_path / "home", open_source=lambda name: source)
        stored = models.pull(self.reference, accepted_licences=frozenset())
        assert stored.path.read_bytes() == self.content
        assert stored.sha256 == hashlib.sha256(self.content).hexdigest()
        assert models.find(self.reference) == stored

    def test_a_plan_writes_nothing(self, tmp_path: Path) -> None:
        """It says what would come, and how big it is where the source knows."""
        source = self.open_source()
        plan = ModelStore(tmp_path / "home", open_source=lambda name: source).plan(self.reference)
        assert plan.artifact.kind == "gguf"
        assert plan.files[0].size_bytes in {None, len(self.content)}
        assert not (tmp_path / "home").exists()

    def test_what_is_not_there_is_an_error_with_a_next_step(self, tmp_path: Path) -> None:
        """And nothing is left behind."""
        source = self.open_source()
        models = ModelStore(tmp_path / "home", open_source=lambda name: source)
        found = None
        try:
            models.pull(self.missing, accepted_licences=frozenset())
        except SourceError as error:
            found = error
        assert found is not None
        assert found.hint
        assert not (tmp_path / "home").exists()

    def test_a_refusal_has_words(self) -> None:
        """Whatever the server of a file answers in the middle of a transfer."""
        source = self.open_source()
        for status in (401, 403, 404, 410, 451, None):
            error = source.refused(RefusalError("refused", status=status), parse_source_reference(self.reference))
            assert isinstance(error, SourceError)
            assert error.message
