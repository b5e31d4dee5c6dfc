"""Data sets from the hub, against a small hub on this machine."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fieldguide.benchmarks import ExamRequest
from fieldguide.benchmarks._hub import HubFile
from fieldguide.benchmarks.math500 import Math500
from fieldguide.errors import DatasetUnavailableError, MissingDependencyError
from tests.unit.benchmarks.maths_data import MATH_ROWS

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CONTENT = "".join(json.dumps(row) + "\n" for row in MATH_ROWS).encode()
FILE = HubFile(dataset="HuggingFaceH4/MATH-500", file="test.jsonl", family="math")


class _Hub(BaseHTTPRequestHandler):
    """Speaks as much of the hub as one file takes: HEAD and GET on `/datasets/<repo>/resolve/<revision>/<file>`."""

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        known = self.path in {
            f"/datasets/{FILE.dataset}/resolve/{revision}/{FILE.file}" for revision in ("main", COMMIT)
        }
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(CONTENT) if known else 0))
        if known:
            self.send_header("ETag", f'"{hashlib.sha1(CONTENT, usedforsecurity=False).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if known and body:
            self.wfile.write(CONTENT)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def _client() -> None:
    pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed (extra `hub`)")


@pytest.mark.usefixtures("_client")
def test_a_file_is_fetched_and_its_commit_recorded(hub: str, tmp_path: Path) -> None:
    """Data set, revision, commit and sha256 are known of what came."""
    file, commit = FILE.fetch(endpoint=hub, cache_dir=tmp_path)
    source = FILE.source(file, commit)
    assert [row.columns for row in file.rows] == MATH_ROWS
    assert source["commit"] == COMMIT
    assert source["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert source["dataset"] == "HuggingFaceH4/MATH-500"


@pytest.mark.usefixtures("_client")
def test_a_file_that_was_fetched_needs_no_hub(hub: str, tmp_path: Path) -> None:
    """The second time, without a network, the client's cache serves."""
    FILE.fetch(endpoint=hub, cache_dir=tmp_path)
    file, _ = FILE.fetch(endpoint="http://127.0.0.1:9", cache_dir=tmp_path)
    assert len(file.rows) == 3


@pytest.mark.usefixtures("_client")
@pytest.mark.parametrize("file", ["test.jsonl", "elsewhere.jsonl"])
def test_a_hub_that_gives_nothing_points_to_the_data_folder(hub: str, tmp_path: Path, file: str) -> None:
    """Unreachable or without the file: either way the hint says which file to put where."""
    wanted = HubFile(dataset=FILE.dataset, file=file, family="math")
    endpoint = hub if file == "elsewhere.jsonl" else "http://127.0.0.1:9"
    with pytest.raises(DatasetUnavailableError) as raised:
        wanted.fetch(endpoint=endpoint, cache_dir=tmp_path)
    assert "--data DIR" in (raised.value.hint or "")
    assert file in (raised.value.hint or "")


@pytest.mark.usefixtures("_client")
def test_without_a_data_folder_the_exam_comes_from_the_hub(
    hub: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The benchmark takes the hub's file and gives it the same ids."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    exam = Math500(hub_endpoint=hub).exam(ExamRequest(limit=2))
    assert [item.item for item in exam.items] == ["math/test/algebra/1", "math/test/algebra/2"]
    assert exam.source["commit"] == COMMIT


def test_without_the_client_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """No data folder and no client: the error says what to install, and that a folder would do."""
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    with pytest.raises(MissingDependencyError, match="--data DIR") as raised:
        Math500().exam(ExamRequest())
    assert raised.value.extra == "hub"
