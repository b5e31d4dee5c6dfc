"""`pull`, `list`, `verify`, `remove`, and models run straight from a hub, as a person and as a program use them."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.docker_registry import docker_registry, push
from tests.support.hub_server import COMMIT, served_hub
from tests.support.program import fieldguide
from tests.support.range_server import RangeServer
from tests.support.tiny_gguf import tiny_gguf

pytest.importorskip("huggingface_hub")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, bytes]:
    """A repository with two files that really load, and one that must not be."""
    small = tiny_gguf(tmp_path / "small.gguf").read_bytes()
    other = tiny_gguf(tmp_path / "other.gguf", context_length=256).read_bytes()
    return {"Tiny-Q4_K_M.gguf": small, "Tiny-Q8_0.gguf": other, "pytorch_model.bin": b"\x80\x04."}


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    for variable in ("HF_HOME", "HF_HUB_CACHE", "HF_TOKEN", "OLLAMA_MODELS", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def hub(files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str | None]]]:
    with served_hub(files, card={"license": "mit"}) as (address, asked):
        monkeypatch.setenv("HF_ENDPOINT", address)
        yield asked


REFERENCE = "hf:owner/model#*q4_k_m.gguf"
Hub = list[tuple[str, str | None]]


async def test_a_dry_run_says_what_would_come_and_fetches_nothing(
    tmp_path: Path, hub: Hub, files: dict[str, bytes]
) -> None:
    """For programs and for people."""
    ran = await fieldguide("pull", REFERENCE, "--dry-run", "--json")
    assert ran.code == 0, ran.err
    said = ran.json
    assert (said["dry_run"], said["name"], said["reference"]) == (
        True,
        "tiny-q4_k_m",
        f"hf:owner/model@{COMMIT}#Tiny-Q4_K_M.gguf",
    )
    assert said["missing_bytes"] == said["total_bytes"] == len(files["Tiny-Q4_K_M.gguf"])
    assert (said["licence"]["id"], said["licence"]["known_by"]) == ("mit", "tag")
    assert said["fits"] is True
    people = await fieldguide("pull", REFERENCE, "--dry-run")
    assert "licence: mit" in people.out
    assert "It fits here" in people.out
    assert not (tmp_path / "home/models").exists()


async def test_pull_list_verify_remove(tmp_path: Path, hub: Hub, files: dict[str, bytes]) -> None:
    """The whole way; what is removed is as large as what came."""
    size = len(files["Tiny-Q4_K_M.gguf"])
    pulled = (await fieldguide("pull", REFERENCE, "--yes", "--json")).json
    assert (pulled["name"], pulled["size_bytes"], pulled["licence"], pulled["pinned"]) == (
        "tiny-q4_k_m",
        size,
        "mit",
        True,
    )
    listed = (await fieldguide("list", "--json")).json
    assert [model["name"] for model in listed["models"]] == ["tiny-q4_k_m"]
    verified = await fieldguide("verify", "--json")
    assert (verified.code, [model["name"] for model in verified.json["verified"]]) == (0, ["tiny-q4_k_m"])
    removed = await fieldguide("remove", REFERENCE, "--json")
    assert removed.json["freed_bytes"] == size
    assert (await fieldguide("list", "--json")).json["models"] == []


async def test_nobody_is_asked_without_a_terminal(hub: Hub) -> None:
    """A program gets a clear error, and the option to add."""
    ran = await fieldguide("pull", REFERENCE, "--json")
    assert ran.code == 2
    assert "--yes" in ran.json["error"]["hint"]


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 2)])
def test_a_person_is_asked_on_a_terminal(hub: Hub, answer: str, code: int, tmp_path: Path) -> None:
    """Before anything is stored; the header has been read by then, to say whether it fits."""
    main, side = pty.openpty()
    command = [sys.executable, "-m", "fieldguide", "pull", REFERENCE]
    process = subprocess.Popen(
        command, stdin=side, stdout=subprocess.PIPE, stderr=side, env=os.environ.copy(), text=True
    )
    os.write(main, f"{answer}\n".encode())
    process.communicate(timeout=60)
    os.close(side)
    assert process.returncode == code
    assert (tmp_path / "home/models/manifests").exists() == (answer == "y")


async def test_terms_with_conditions_must_be_accepted(
    files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`--yes` does not accept terms; the acceptance is written down."""
    with served_hub(files, card={"license": "gemma"}) as (address, _):
        monkeypatch.setenv("HF_ENDPOINT", address)
        refused = await fieldguide("pull", REFERENCE, "--yes", "--json")
        assert refused.json["error"]["type"] == "LicenceNotAcceptedError"
        assert not (tmp_path / "home/models").exists()
        accepted = await fieldguide("pull", REFERENCE, "--yes", "--accept-licence", "gemma", "--json")
    assert accepted.json["licence"] == "gemma"
    (manifest,) = (tmp_path / "home/models/manifests").glob("*.json")
    assert json.loads(manifest.read_text())["acceptance"]["licence"] == "gemma"


async def test_a_model_of_a_hub_answers_at_once(hub: Hub) -> None:
    """`ask hf:...` fetches and runs it; a second time no hub is asked."""
    pytest.importorskip("xllamacpp", reason="the llama-cpp extra is not installed")
    first = await fieldguide("ask", REFERENCE, "Hello", "--max-tokens", "4", "--json")
    assert first.code == 0, first.err
    hub.clear()
    again = await fieldguide("ask", REFERENCE, "Hello", "--max-tokens", "4", "--json")
    assert again.code == 0, again.err
    assert hub == []


async def test_a_model_of_a_registry_and_of_an_address_answer_too(
    tmp_path: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A registry with Ollama's protocol, and a plain web server."""
    pytest.importorskip("xllamacpp", reason="the llama-cpp extra is not installed")
    content = files["Tiny-Q4_K_M.gguf"]
    with docker_registry(tmp_path) as address, RangeServer({"/tiny.gguf": content}) as server:
        push(address, "library/tiny", "1b", {"model": content})
        monkeypatch.setenv("FIELDGUIDE_OLLAMA_REGISTRY_ENDPOINT", address)
        for reference in ("ollama-registry:tiny:1b", f"{server.origin}/tiny.gguf"):
            ran = await fieldguide("ask", reference, "Hello", "--max-tokens", "4", "--json")
            assert ran.code == 0, ran.err


async def test_a_bare_name_resolves_to_its_best_place(
    tmp_path: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name of the catalogue with no file of its own; it says which place was taken."""
    with docker_registry(tmp_path) as address:
        push(address, "library/qwen2.5", "0.5b", {"model": files["Tiny-Q4_K_M.gguf"]})
        monkeypatch.setenv("FIELDGUIDE_OLLAMA_REGISTRY_ENDPOINT", address)
        ran = await fieldguide("pull", "qwen2.5-0.5b-instruct", "--yes")
    assert ran.code == 0, ran.err
    assert "qwen2.5-0.5b-instruct is taken from ollama-registry:qwen2.5:0.5b" in ran.err
    assert "licence: apache-2.0" in ran.out


async def test_headers_are_read_from_afar(hub: Hub, files: dict[str, bytes], tmp_path: Path) -> None:
    """`inspect hf:...` reads a part of the file and stores nothing."""
    ran = await fieldguide("inspect", REFERENCE, "--json")
    assert ran.code == 0, ran.err
    assert ran.json["format"] == "gguf"
    assert ran.json["file_bytes"] == len(files["Tiny-Q4_K_M.gguf"])
    assert not (tmp_path / "home/models").exists()


async def test_a_file_of_a_hub_is_planned_where_it_lies(hub: Hub, files: dict[str, bytes], tmp_path: Path) -> None:
    """Its own header is planned, and not what a name may mean."""
    ran = await fieldguide("plan", REFERENCE, "--json")
    assert ran.code == 0, ran.err
    assert ran.json["parameters"] > 0
    assert ran.json["weights_bytes"] < len(files["Tiny-Q4_K_M.gguf"])
    assert any(f"planned from the headers of hf:owner/model@{COMMIT}" in note for note in ran.json["notes"])
    assert not (tmp_path / "home/models").exists()


async def test_without_a_network_the_catalogue_is_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the note says why."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    ran = await fieldguide("plan", "hf:Qwen/Qwen2.5-7B-Instruct-GGUF#*q4_k_m.gguf", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["parameters"] == 7_615_616_512
    assert any("cannot be reached" in note for note in ran.json["notes"])


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("pull", "hf:owner/none#x", "--yes"), 2, "no model owner/none"),
        (("pull", "hf:owner/model@v9#x", "--yes"), 2, "no revision"),
        (("pull", "hf:owner/model", "--yes"), 2, "holds 2 models"),
        (("pull", "hf:owner/model#pytorch_model.bin", "--yes"), 1, "pickle"),
        (("pull", "hf:owner/model#../../etc/passwd", "--yes"), 2, "No file"),
        (("pull", "hf:owner/model#\x1b[31m", "--yes"), 2, "No file"),
        (("pull", "hg:owner/model", "--yes"), 2, "There is no"),
        (("pull", "../../etc/passwd", "--yes"), 2, "There is no"),
        (("pull", "/none/model.gguf", "--yes"), 2, "There is no file"),
        (("pull", REFERENCE, "--yes", "--connections", "0"), 2, "from 1 to 64"),
        (("pull", REFERENCE, "--yes", "--limit-rate", "fast"), 2, "number of bytes"),
        (("verify", "none"), 2, "not on this machine"),
        (("remove", "../../etc"), 2, "not on this machine"),
        (("remove", "hf:owner/model"), 2, "not on this machine"),
    ],
)
async def test_mistakes_get_a_sentence_and_leave_nothing(
    hub: Hub, tmp_path: Path, arguments: tuple[str, ...], code: int, says: str
) -> None:
    """And a next step, and no traceback."""
    ran = await fieldguide(*arguments)
    assert ran.code == code, ran.err
    assert says in ran.err
    assert "next:" in ran.err
    assert "Traceback" not in ran.err
    assert "\x1b" not in ran.err
    assert not (tmp_path / "home/models/manifests").exists()


async def test_no_network_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    ran = await fieldguide("pull", REFERENCE, "--yes")
    assert ran.code == 1
    assert "cannot be reached" in ran.err
    assert "proxy" in ran.err


async def test_what_is_here_is_enough_without_a_network(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second pull checks what is here when its hub cannot be asked."""
    await fieldguide("pull", REFERENCE, "--yes")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    ran = await fieldguide("pull", REFERENCE, "--yes", "--json")
    assert ran.code == 0, ran.err
    assert "What is here was checked" in ran.err


async def test_a_gated_model_says_how_to_get_in(files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where to accept, and where the token is looked for."""
    with served_hub(files, gated="closed") as (address, _):
        monkeypatch.setenv("HF_ENDPOINT", address)
        ran = await fieldguide("pull", REFERENCE, "--yes")
    assert ran.code == 1
    assert "huggingface.co/owner/model" in ran.err
    assert "HF_TOKEN" in ran.err


async def test_a_home_that_cannot_be_written_is_said(hub: Hub, tmp_path: Path) -> None:
    """A file where the folder should be stands for every folder that refuses."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home/models").write_text("")
    ran = await fieldguide("pull", REFERENCE, "--yes")
    assert ran.code == 1
    assert "cannot be used" in ran.err


async def test_damage_is_found_by_verify(hub: Hub, tmp_path: Path) -> None:
    """One model that is damaged keeps no other from being checked."""
    await fieldguide("pull", REFERENCE, "--yes")
    await fieldguide("pull", "hf:owner/model#*q8_0*", "--yes")
    listed = (await fieldguide("list", "--json")).json["models"]
    path = Path(listed[0]["path"])
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    ran = await fieldguide("verify", "--json")
    assert ran.code == 1
    assert [model["name"] for model in ran.json["verified"]] == [listed[1]["name"]]
    assert ran.json["failed"][0]["type"] == "IntegrityError"
    await fieldguide("pull", REFERENCE, "--yes")
    assert (await fieldguide("verify")).code == 0


async def test_models_of_other_programs_are_listed_and_used_in_place(
    hub: Hub, tmp_path: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`list --all` shows them; a pull of the same bytes fetches nothing."""
    place = tmp_path / "user/.lmstudio/models/owner/model/Tiny-Q4_K_M.gguf"
    place.parent.mkdir(parents=True)
    place.write_bytes(files["Tiny-Q4_K_M.gguf"])
    shown = (await fieldguide("list", "--all", "--json")).json["elsewhere"]
    assert shown == [
        {
            "program": "LM Studio",
            "name": "owner/model#Tiny-Q4_K_M.gguf",
            "path": str(place),
            "size_bytes": place.stat().st_size,
        }
    ]
    pulled = (await fieldguide("pull", REFERENCE, "--yes", "--json")).json
    assert pulled["path"] == str(place)
    assert not any("resolve" in path for path, _ in hub)
