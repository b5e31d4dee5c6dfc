"""Every source passes the same suite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fieldguide.http_client import new_session
from fieldguide.sources import LocalFileSource, OfferingSource, SourceSettings
from fieldguide.testing import FakeSource, SourceConformance
from tests.support.docker_registry import docker_registry, push
from tests.support.hub_server import served_hub
from tests.support.modelscope_server import served_modelscope
from tests.support.range_server import RangeServer

CONTENT = b"GGUF" + bytes(range(256)) * 100
FILES = {"m.gguf": CONTENT, "README.md": b"# m"}


class TestFakeSource(SourceConformance):
    """The double itself."""

    reference, missing, content = "fake:owner/model#m.gguf", "fake:owner/none", CONTENT

    @pytest.fixture(autouse=True)
    def _serving(self) -> Iterator[None]:
        with FakeSource({"owner/model": FILES}) as self.source:
            yield

    def open_source(self) -> OfferingSource:
        return self.source


class TestFakeSourceWithoutChecksums(TestFakeSource):
    """A hub that promises nothing of the bytes."""

    @pytest.fixture(autouse=True)
    def _serving(self) -> Iterator[None]:
        with FakeSource({"owner/model": FILES}, checksums=False) as self.source:
            yield


class _AtAnAddress(SourceConformance):
    """A source that is told another address than its own."""

    name: str
    address: str

    def open_source(self) -> OfferingSource:
        from fieldguide import registry

        source = registry.load("sources", self.name)
        assert callable(source)
        made = source(SourceSettings(new_session=new_session, endpoints={self.name: self.address}))
        assert isinstance(made, OfferingSource)
        return made


class TestHuggingFace(_AtAnAddress):
    """Through its own client, at a small hub of the tests' own."""

    name, reference, missing, content = "hf", "hf:owner/model#m.gguf", "hf:owner/none", CONTENT

    @pytest.fixture(autouse=True)
    def _serving(self) -> Iterator[None]:
        pytest.importorskip("huggingface_hub", reason="the hub extra is not installed")
        with served_hub(FILES) as (self.address, _):
            yield


class TestModelScope(_AtAnAddress):
    """Through its own client, at a small server of the tests' own."""

    name, reference, missing = "modelscope", "modelscope:owner/model#m.gguf", "modelscope:owner/none"
    content = CONTENT

    @pytest.fixture(autouse=True)
    def _serving(self) -> Iterator[None]:
        pytest.importorskip("modelscope_hub", reason="the modelscope extra is not installed")
        with served_modelscope(FILES) as (self.address, _):
            yield


class TestOllamaRegistry(_AtAnAddress):
    """At a real registry."""

    name, reference, missing = "ollama-registry", "ollama-registry:tiny:1b", "ollama-registry:none:1b"
    content = CONTENT

    @pytest.fixture(autouse=True)
    def _serving(self, tmp_path: Path) -> Iterator[None]:
        with docker_registry(tmp_path) as self.address:
            push(self.address, "library/tiny", "1b", {"model": CONTENT})
            yield


class TestWebFile(SourceConformance):
    """A plain web server; it has no revisions."""

    content, pins = CONTENT, False

    @pytest.fixture(autouse=True)
    def _serving(self) -> Iterator[None]:
        with RangeServer({"/m.gguf": CONTENT}) as server:
            self.reference, self.missing = f"{server.origin}/m.gguf", f"{server.origin}/none.gguf"
            yield

    def open_source(self) -> OfferingSource:
        from fieldguide.sources.web_file import WebFileSource

        return WebFileSource(SourceSettings(new_session=new_session))


class TestLocalFile(SourceConformance):
    """A folder on this machine; it has no revisions."""

    content, pins = CONTENT, False

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        folder = tmp_path / "models"
        folder.mkdir()
        (folder / "m.gguf").write_bytes(CONTENT)
        self.reference, self.missing = f"file:{folder}/m.gguf", f"file:{folder}/none.gguf"

    def open_source(self) -> OfferingSource:
        return LocalFileSource()
