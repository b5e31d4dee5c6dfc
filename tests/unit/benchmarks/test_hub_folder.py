"""Splits of several parts from a hub, against a small one on this machine."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from fieldguide.benchmarks import ExamRequest
from fieldguide.benchmarks.mmmu_pro import MmmuPro
from fieldguide.benchmarks.receipts import Receipts
from fieldguide.errors import DatasetUnavailableError
from tests.support.pictures import JPEG, png

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, bytes]:
    """Tables as the authors publish them, in two parts."""
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")

    def table(*rows: dict[str, Any]) -> bytes:
        place = tmp_path / "table.parquet"
        parquet.write_table(pyarrow.Table.from_pylist(list(rows)), place)
        return place.read_bytes()

    def question(number: int) -> dict[str, Any]:
        row = {"id": f"test_Art_{number}", "question": "<image 1>?", "options": "['x', 'y']", "answer": "B"}
        return row | {"image_1": {"bytes": png(3, number + 1), "path": "1.png"}}

    fields = {"company": "A", "date": "1/1/2018", "address": "B", "total": "1.00"}
    return {
        "standard (10 options)/test-00000-of-00002.parquet": table(question(1), question(2)),
        "standard (10 options)/test-00001-of-00002.parquet": table(question(3)),
        "data/test-00000-of-00001.parquet": table(
            {"key": "X1", "image": {"bytes": JPEG, "path": None}, "entities": fields}
        ),
    }


@pytest.fixture
def hub(files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    pytest.importorskip("huggingface_hub")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            path = unquote(self.path.partition("?")[0])
            if path.startswith("/api/datasets/"):
                found = {"id": "x/y", "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]}
                content: bytes | None = json.dumps(found).encode()
            else:
                _, _, name = path.partition("/resolve/")
                content = files.get(name.partition("/")[2])
            self.send_response(200 if content is not None else 404)
            self.send_header("Content-Length", str(len(content or b"")))
            if content is not None:
                self.send_header("Content-Type", "application/json")
                self.send_header("ETag", f'"{hashlib.sha1(content, usedforsecurity=False).hexdigest()}"')
                self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if content is not None and body:
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_all_parts_make_one_exam(hub: str) -> None:
    """In the order of their names, with the commit and checksum of each."""
    exam = MmmuPro(hub_endpoint=hub).exam(ExamRequest(hub="huggingface"))
    assert [item.metadata["question_id"] for item in exam.items] == ["test_Art_1", "test_Art_2", "test_Art_3"]
    assert exam.available_items == 3
    parts = exam.source["files"]
    assert isinstance(parts, list)
    assert [part["commit"] for part in parts if isinstance(part, dict)] == [COMMIT, COMMIT]


def test_a_receipt_of_the_hub_has_its_fields_in_a_column(hub: str) -> None:
    """And is named by its key."""
    exam = Receipts(hub_endpoint=hub).exam(ExamRequest(hub="huggingface"))
    assert [item.item for item in exam.items] == [
        f"receipts/X1/{name}" for name in ("company", "date", "address", "total")
    ]


def test_a_hub_that_cannot_be_reached_is_told_with_the_way_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data of one's own."""
    pytest.importorskip("huggingface_hub")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    with pytest.raises(DatasetUnavailableError) as caught:
        MmmuPro(hub_endpoint="http://127.0.0.1:9").exam(ExamRequest(hub="huggingface"))
    assert "--data DIR" in (caught.value.hint or "")
