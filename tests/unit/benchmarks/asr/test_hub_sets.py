"""LibriSpeech and FLEURS, fetched from a hub on this machine in their real layouts."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import ClassVar

import pytest

from fieldguide.benchmarks import ExamRequest
from fieldguide.benchmarks.asr import Asr
from fieldguide.errors import DatasetUnavailableError
from tests.support.recordings import tone

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class _Hub(BaseHTTPRequestHandler):
    files: ClassVar[dict[str, bytes]] = {}
    asked: ClassVar[list[str]] = []

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        path = self.path.replace(f"/{COMMIT}/", "/main/")
        content = self.files.get(path)
        self.asked.append(path)
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"")))
        if content is not None:
            self.send_header("ETag", f'"{hashlib.sha1(content, usedforsecurity=False).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if body and content is not None:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    constants = pytest.importorskip("huggingface_hub.constants", reason="the extra `hub` is not installed")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    _Hub.files, _Hub.asked = {}, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def librispeech(folder: Path) -> bytes:
    """Return a parquet file with the columns of openslr/librispeech_asr."""
    pyarrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")

    rows = [
        {
            "file": f"{name}.flac",
            "audio": {"bytes": tone(folder / f"{name}.wav", hz=200.0 + number).read_bytes(), "path": f"{name}.flac"},
            "text": text,
            "speaker_id": 1089,
            "chapter_id": 134686,
            "id": name,
        }
        for number, (name, text) in enumerate({"1089-134686-0000": "HE HOPED", "1089-134686-0001": "STUFF IT"}.items())
    ]
    out = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows), out)
    return out.getvalue()


def test_librispeech_is_fetched_and_unpacked_once(hub: str, tmp_path: Path) -> None:
    """`asr` without a folder is its clean test part; a second exam asks the hub nothing and is the same."""
    _Hub.files = {"/datasets/openslr/librispeech_asr/resolve/main/clean/test/0000.parquet": librispeech(tmp_path)}
    asr = Asr(hub_endpoint=hub)
    exam = asr.exam(ExamRequest(home=tmp_path / "home"))
    assert exam.benchmark == "asr@librispeech:test-clean"
    assert {item.target for item in exam.items} == {"HE HOPED", "STUFF IT"}
    assert {item.metadata["language"] for item in exam.items} == {"en"}
    assert exam.source["commit"] == COMMIT
    asked = len(_Hub.asked)
    again = asr.exam(ExamRequest(home=tmp_path / "home", selector="librispeech"))
    assert (again.exam_id, len(_Hub.asked)) == (exam.exam_id, asked)


def test_fleurs_takes_what_its_list_names_and_nothing_else(hub: str, tmp_path: Path) -> None:
    """A member that climbs out of the archive is written where its name alone says, or not at all."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as packed:
        sound = tone(tmp_path / "x.wav").read_bytes()
        for name in ("test/1.wav", "../../../../2.wav", "test/stranger.wav"):
            member = tarfile.TarInfo(name)
            member.size = len(sound)
            packed.addfile(member, io.BytesIO(sound))
    rows = (
        "9\t1.wav\tGuten Tag!\tguten tag\tg\t3200\tMALE\n9\t2.wav\tJa.\tja\tj\t3200\tMALE\n9\t3.wav\tA\ta\ta\t1\tMALE\n"
    )
    root = "/datasets/google/fleurs/resolve/main/data/de_de"
    _Hub.files = {f"{root}/test.tsv": rows.encode(), f"{root}/audio/test.tar.gz": archive.getvalue()}
    home = tmp_path / "a" / "b" / "c" / "d" / "home"
    exam = Asr(hub_endpoint=hub).exam(ExamRequest(home=home, selector="fleurs:de_de"))
    assert {item.target for item in exam.items} == {"Guten Tag!", "Ja."}
    assert {item.metadata["language"] for item in exam.items} == {"de"}
    assert [path.name for path in sorted(tmp_path.rglob("2.wav"))] == ["2.wav"]
    assert not [*tmp_path.rglob("stranger.wav")]


def test_a_hub_that_does_not_have_it_says_what_else_helps(hub: str, tmp_path: Path) -> None:
    """Nothing half unpacked stays."""
    with pytest.raises(DatasetUnavailableError, match="librispeech_asr"):
        Asr(hub_endpoint=hub).exam(ExamRequest(home=tmp_path / "home"))
    assert not [*(tmp_path / "home").rglob("*.wav")]
