"""The hub through its official client: a small hub of the tests' own, a recorded answer, and `olah`, a real mirror."""

from __future__ import annotations

import gzip
import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fieldguide.errors import AccessDeniedError, IntegrityError, NotFoundError, OfflineError, UsageError
from fieldguide.http_client import new_session
from fieldguide.sources import ModelStore, Offer, SourceReference, SourceSettings
from fieldguide.sources.hugging_face import HuggingFaceSource
from tests.support.hub_server import COMMIT, served_hub
from tests.support.range_server import RangeServer
from tests.support.shared import shared

pytest.importorskip("huggingface_hub")

NOBODY: frozenset[str] = frozenset()
FILES = {"m-q4.gguf": b"GGUF" + b"4" * 100_000, "sub/m-q8.gguf": b"GGUF8", "README.md": b"# m"}
TENSORS = {"model.safetensors": b"s" * 100, "config.json": b"{}", "tokenizer.json": b"{}", "pytorch_model.bin": b"x"}


@pytest.fixture(autouse=True)
def _no_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setattr("huggingface_hub.constants.HF_STORED_TOKENS_PATH", str(tmp_path / "stored_tokens"))


def store(home: Path, address: str) -> ModelStore:
    return ModelStore(home, settings=SourceSettings(new_session=new_session, endpoints={"hf": address}))


def test_a_model_is_pulled_and_pinned_to_its_commit(home: Path) -> None:
    """The client asks what there is; our transfer brings it and checks the promised sha256."""
    with served_hub(FILES) as (address, _):
        stored = store(home, address).pull("hf:owner/model#*q4*", accepted_licences=NOBODY)
    assert (stored.reference, stored.pinned) == (f"hf:owner/model@{COMMIT}#m-q4.gguf", True)
    assert stored.path.read_bytes() == FILES["m-q4.gguf"]


def test_a_folder_of_safetensors_comes_without_pickles(home: Path) -> None:
    """Small files are checked by git's object id."""
    with served_hub(TENSORS, card={"license": "other", "license_name": "qwen", "base_model": "a/b"}) as (
        address,
        asked,
    ):
        models = store(home, address)
        plan = models.plan("hf:owner/model")
        stored = models.pull("hf:owner/model", accepted_licences=NOBODY)
    assert (plan.licence, plan.base_models) == ("qwen", ("a/b",))
    assert sorted(path.name for path in stored.path.iterdir()) == ["config.json", "model.safetensors", "tokenizer.json"]
    assert stored.pinned
    assert not any("pytorch" in path for path, _ in asked)


def test_the_users_token_is_found_where_the_client_keeps_it(home: Path, tmp_path: Path) -> None:
    """It goes with the list and the file, and into no record."""
    (tmp_path / "token").write_text("hf_canary")
    with served_hub(FILES, token="hf_canary") as (address, asked):
        store(home, address).pull("hf:owner/model#*q4*", accepted_licences=NOBODY)
    assert {given for _, given in asked} == {"Bearer hf_canary"}
    assert not any(b"hf_canary" in path.read_bytes() for path in home.rglob("*") if path.is_file())


@pytest.mark.parametrize("gated", ["closed", "manual"])
def test_a_gated_model_says_how_to_get_a_token(home: Path, gated: str) -> None:
    """Whether the hub refuses the list, or only the file."""
    with served_hub(FILES, gated=gated, token="hf_other") as (address, _), pytest.raises(AccessDeniedError) as refused:
        store(home, address).pull("hf:owner/model#*q4*", accepted_licences=NOBODY)
    assert "https://huggingface.co/owner/model" in str(refused.value.hint)
    assert "HF_TOKEN" in str(refused.value.hint)


@pytest.mark.parametrize(
    ("asked", "error", "says"),
    [
        ("hf:owner/none#x", NotFoundError, "no model owner/none"),
        ("hf:owner/model@v9#x", NotFoundError, "no revision 'v9'"),
        ("hf:owner/model#*q2*", NotFoundError, "No file"),
        ("hf:owner/model", UsageError, "holds 2 models"),
        ("hf:owner/model#*.gguf", UsageError, "m-q4.gguf"),
        ("hf:a/b/c", UsageError, "not a repository"),
        ("hf:../../x", UsageError, "not a repository"),
    ],
)
def test_what_is_not_there_is_said(home: Path, asked: str, error: type[Exception], says: str) -> None:
    """With what there is; nothing is left behind."""
    with served_hub(FILES) as (address, _), pytest.raises(error, match=says):
        store(home, address).pull(asked, accepted_licences=NOBODY)
    assert not home.exists()


def test_no_network_is_said(home: Path) -> None:
    """As something that trying again may mend."""
    with pytest.raises(OfflineError):
        store(home, "http://127.0.0.1:9").plan("hf:owner/model")


def test_a_file_that_is_not_what_the_hub_promised_is_never_kept(home: Path) -> None:
    """huggingface_hub #3643 accepted it."""
    wrong = FILES["m-q4.gguf"][:-1] + b"5"
    with served_hub(FILES) as (address, _), RangeServer({"/x": wrong}) as server:
        source = _Elsewhere(address, f"{server.origin}/x")
        models = ModelStore(home, open_source=lambda name: source)
        with pytest.raises(IntegrityError):
            models.pull("hf:owner/model#*q4*", accepted_licences=NOBODY)
    assert models.list() == ()
    assert list((home / "models/blobs").iterdir()) == []


class _Elsewhere(HuggingFaceSource):
    """The hub's list, with files from a server that sends others."""

    def __init__(self, address: str, url: str) -> None:
        super().__init__(SourceSettings(new_session=new_session, endpoints={"hf": address}))
        self.url = url

    def offer(self, reference: SourceReference) -> Offer:
        offer = super().offer(reference)
        moved = tuple(replace(file, remote=replace(file.remote, url=self.url)) for file in offer.files)
        return replace(offer, files=moved)


def test_a_recorded_answer_of_the_hub_is_read(home: Path) -> None:
    """Recorded answers name no files; the client reads them, and there is no model to pull."""
    path = shared("recordings", "huggingface", "hub.jsonl.gz")
    with gzip.open(path, "rt") as lines:
        recorded = [json.loads(line) for line in lines]
    body = next(
        each["response"]["body"] for each in recorded if "/api/models/facebook/bart-base" in each["request"]["url"]
    )
    served = RangeServer({"/api/models/facebook/bart-base?blobs=true": body.encode()})
    with served as server, pytest.raises(NotFoundError, match="holds no model"):
        store(home, server.origin).plan("hf:facebook/bart-base")


@pytest.fixture(scope="module")
def olah(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, bytes]]]:
    """A real mirror over a git repository on disk; it is found as the program `olah-cli`."""
    program = shutil.which("olah-cli")
    git = shutil.which("git")
    if program is None or git is None:
        pytest.skip("needs git, and olah in a place of its own (pip install olah; its olah-cli on PATH)")
    folder = tmp_path_factory.mktemp("olah")
    repository = folder / "mirror/models/owner/model"
    repository.mkdir(parents=True)
    files = {"m-q4.gguf": b"GGUF" + b"4" * 3_000_000, "README.md": b"---\nlicense: mit\n---\n# m\n"}
    for path, content in files.items():
        (repository / path).write_bytes(content)
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], [*who, "commit", "-qm", "one"]):
        subprocess.run([git, *command], cwd=repository, check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = folder / "olah.toml"
    config.write_text(
        f'[basic]\nhost = "127.0.0.1"\nport = {port}\nssl-key = ""\nssl-cert = ""\nrepos-path = "{folder}/repos"\n'
        f'mirrors-path = ["{folder}/mirror"]\n'
        "[accessibility]\noffline = true\n"
    )
    address = f"http://127.0.0.1:{port}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "-c", str(config)], stdout=log, stderr=log, cwd=folder)
        try:
            for _ in range(300):
                try:
                    urllib.request.urlopen(f"{address}/repos", timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.1)
            yield address, files
        finally:
            process.terminate()
            process.wait()


def test_a_real_mirror_gives_a_model(home: Path, olah: tuple[str, dict[str, bytes]]) -> None:
    """olah answers neither `model_info` nor ranges: the tree is asked for, and the file comes as one stream."""
    address, files = olah
    models = store(home, address)
    plan = models.plan("hf:owner/model#*q4*")
    assert plan.missing_bytes == len(files["m-q4.gguf"])
    assert plan.reference.revision is not None
    assert len(plan.reference.revision) == 40
    stored = models.pull("hf:owner/model#*q4*", accepted_licences=NOBODY)
    assert stored.path.read_bytes() == files["m-q4.gguf"]
    assert stored.pinned


def test_a_real_mirror_says_what_it_does_not_have(home: Path, olah: tuple[str, dict[str, bytes]]) -> None:
    """It answers 401 where the hub would say 404."""
    with pytest.raises((NotFoundError, AccessDeniedError)):
        store(home, olah[0]).plan("hf:owner/none")
