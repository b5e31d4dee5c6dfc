"""ModelScope through its official client, against a small server of the tests' own."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide.errors import AccessDeniedError, NotFoundError, OfflineError, UsageError
from fieldguide.http_client import new_session
from fieldguide.sources import ModelStore
from fieldguide.sources._offer import SourceSettings
from tests.support.modelscope_server import COMMIT, served_modelscope

pytest.importorskip("modelscope_hub")

NOBODY: frozenset[str] = frozenset()
FILES = {"m-q4.gguf": b"GGUF" + b"4" * 100_000, "README.md": b"# m", "sub/m-q8.gguf": b"GGUF8"}


@pytest.fixture(autouse=True)
def _own_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELSCOPE_HOME", str(tmp_path / "ms"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("MODELSCOPE_API_TOKEN", raising=False)
    import modelscope_hub.config

    modelscope_hub.config.set_default_config(None)  # The client keeps the first configuration that it reads.


def store(home: Path, address: str, token: str | None = None) -> ModelStore:
    tokens = {} if token is None else {"modelscope": token}
    settings = SourceSettings(new_session=new_session, endpoints={"modelscope": address}, tokens=tokens)
    return ModelStore(home, settings=settings)


def test_a_model_is_pulled_and_pinned_to_the_commit_that_last_touched_a_file(home: Path) -> None:
    """The client lists, our transfer brings and checks."""
    with served_modelscope(FILES) as (address, asked):
        stored = store(home, address).pull("modelscope:owner/model#*q4*", accepted_licences=NOBODY)
    assert stored.path.read_bytes() == FILES["m-q4.gguf"]
    assert (stored.reference, stored.pinned) == (f"modelscope:owner/model@{COMMIT}#m-q4.gguf", True)
    assert sum("FilePath" in each for each in asked) == 1


def test_the_licence_tag_is_read(home: Path) -> None:
    """From the repository's own page."""
    with served_modelscope(FILES) as (address, _):
        plan = store(home, address).plan("modelscope:owner/model#sub/m-q8.gguf")
    assert (plan.licence, plan.gated, plan.missing_bytes) == ("apache-2.0", False, 5)


def test_a_token_goes_with_list_and_file(home: Path) -> None:
    """And without one the hint says where it is looked for."""
    with served_modelscope(FILES, token="ms-secret") as (address, _):
        with pytest.raises(AccessDeniedError) as refused:
            store(home, address).pull("modelscope:owner/model#*q4*", accepted_licences=NOBODY)
        stored = store(home, address, "ms-secret").pull("modelscope:owner/model#*q4*", accepted_licences=NOBODY)
    assert "MODELSCOPE_API_TOKEN" in str(refused.value.hint)
    assert stored.path.exists()
    assert not any("ms-secret" in path.read_text(errors="replace") for path in home.rglob("*.json"))


@pytest.mark.parametrize("name", ["modelscope:owner/none", "modelscope:owner/model@no-such"])
def test_what_is_not_there_is_said(home: Path, name: str) -> None:
    """Repository or revision; nothing is left behind."""
    with served_modelscope(FILES) as (address, _), pytest.raises(NotFoundError):
        store(home, address).pull(name, accepted_licences=NOBODY)
    assert not home.exists()


def test_a_name_that_is_no_repository_is_refused(home: Path) -> None:
    """Before anything is asked."""
    for name in ("modelscope:model", "modelscope:../../etc/passwd", "modelscope:a/b/c"):
        with pytest.raises(UsageError):
            store(home, "http://127.0.0.1:9").plan(name)


def test_no_network_is_said_at_once(home: Path) -> None:
    """The client itself would try for half a minute."""
    with pytest.raises(OfflineError, match="ModelScope"):
        store(home, "http://127.0.0.1:9").plan("modelscope:owner/model")
