"""Ollama's protocol against a real registry, and against manifests that no good registry sends."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fieldguide.errors import NotFoundError, OfflineError, SourceError, UsageError
from fieldguide.http_client import new_session
from fieldguide.sources import ModelStore, SourceSettings, parse_source_reference
from fieldguide.sources.ollama_registry import OllamaRegistrySource, _layers
from tests.support.docker_registry import docker_registry, push
from tests.support.range_server import RangeServer
from tests.support.shared import shared

NOBODY: frozenset[str] = frozenset()
MODEL = b"GGUF" + b"o" * 300_000
LAYERS = {"model": MODEL, "template": b"{{ .Prompt }}", "license": b"MIT", "params": b"{}"}


def store(home: Path, address: str) -> ModelStore:
    settings = SourceSettings(new_session=new_session, endpoints={"ollama-registry": address})
    return ModelStore(home, settings=settings)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with docker_registry(tmp_path_factory.mktemp("registry")) as address:
        push(address, "library/tiny", "1b", LAYERS)
        push(address, "someone/tiny", "latest", {"model": MODEL})
        yield address


@pytest.mark.parametrize(("asked", "name"), [("tiny:1b", "tiny-1b"), ("someone/tiny", "tiny-latest")])
def test_a_model_comes_from_a_real_registry(home: Path, registry: str, asked: str, name: str) -> None:
    """The layer of the model is brought; the reference is pinned to the manifest's digest."""
    models = store(home, registry)
    stored = models.pull(f"ollama-registry:{asked}", accepted_licences=NOBODY)
    assert stored.path.read_bytes() == MODEL
    assert stored.name == name
    pinned = parse_source_reference(stored.reference)
    assert pinned.revision is not None
    assert pinned.revision.startswith("sha256:")
    assert models.plan(stored.reference).missing_bytes == 0
    assert models.find(f"ollama-registry:{asked}") == stored


def test_another_digest_than_the_pinned_one_is_not_found(home: Path, registry: str) -> None:
    """A pin never means whatever the tag means today."""
    with pytest.raises(SourceError):
        store(home, registry).plan(f"ollama-registry:tiny:1b@sha256:{'0' * 64}")


@pytest.mark.parametrize("asked", ["none:1b", "tiny:none", "someone/none"])
def test_what_the_registry_does_not_have_is_said(home: Path, registry: str, asked: str) -> None:
    """Name or tag; nothing is left behind."""
    with pytest.raises(NotFoundError):
        store(home, registry).pull(f"ollama-registry:{asked}", accepted_licences=NOBODY)
    assert not home.exists()


@pytest.mark.parametrize(
    "asked", ["../tiny", "a/b/c:1", "tiny:../../x", "tiny:a b", "tiny@latest", "tiny:1b@sha256:zz", "-x", "a//b", "é:1"]
)
def test_odd_names_are_refused_before_anything_is_asked(home: Path, asked: str) -> None:
    """A name becomes part of an address."""
    with pytest.raises(UsageError):
        store(home, "http://127.0.0.1:9").plan(f"ollama-registry:{asked}")


def test_no_network_is_said(home: Path) -> None:
    """With the host that was tried."""
    with pytest.raises(OfflineError, match="127"):
        store(home, "http://127.0.0.1:9").plan("ollama-registry:tiny")


def layer(**changed: object) -> dict[str, object]:
    return {
        "mediaType": "application/vnd.ollama.image.model",
        "digest": "sha256:" + "0" * 64,
        "size": 1,
        **changed,
    }


@pytest.mark.parametrize(
    "manifest",
    [
        b"<html>",
        b"[]",
        b"{}",
        json.dumps({"layers": [{}]}).encode(),
        json.dumps({"layers": [layer(digest="sha256:../../../etc/passwd")]}).encode(),
        json.dumps({"layers": [layer(digest="sha256:" + "A" * 64)]}).encode(),
        json.dumps({"layers": [layer(size=-1)]}).encode(),
        json.dumps({"layers": [layer(size="1")]}).encode(),
        json.dumps({"layers": [layer(size=True)]}).encode(),
        json.dumps({"layers": [layer()] * 65}).encode(),
        b'{"layers": ' + b"[" * 50_000,
    ],
)
def test_a_manifest_that_no_registry_should_send_is_refused(home: Path, manifest: bytes) -> None:
    """CVE-2024-37032 was a digest that led out of the folder of blobs."""
    with RangeServer({"/v2/library/m/manifests/latest": manifest}) as server, pytest.raises(SourceError):
        store(home, server.origin).pull("ollama-registry:m", accepted_licences=NOBODY)
    assert not home.exists()


def test_a_manifest_without_end_is_not_read_to_its_end(home: Path) -> None:
    """Four megabytes are the most."""
    served = RangeServer({"/v2/library/m/manifests/latest": b" " * (5 << 20)})
    with served as server, pytest.raises(SourceError, match="more than"):
        store(home, server.origin).plan("ollama-registry:m")


def test_a_token_is_asked_of_no_other_host(home: Path) -> None:
    """CVE-2025-51471: a registry named another host as the place that gives tokens."""
    source = OllamaRegistrySource(
        SourceSettings(new_session=new_session, endpoints={"ollama-registry": "https://registry.example.org"})
    )
    from fieldguide.sources._ask import Answer

    for realm in ("https://evil.example.net/token", "http://registry.example.org/token", "file:///etc/passwd"):
        headers = {"www-authenticate": f'Bearer realm="{realm}",service="s",scope="r"'}
        assert source._token(Answer(status=401, headers=headers, body=b"", url="")) is None


def test_the_layers_of_a_real_pull_are_read() -> None:
    """The digests and sizes that a real Ollama told when it pulled gemma3:1b, in the manifest's form."""
    path = shared("recordings", "ollama", "pull.jsonl.gz")
    with gzip.open(path, "rt") as lines:
        body = next(json.loads(line)["response"]["body"] for line in lines if "7cd4618c1faf" in line)
    told = [json.loads(line) for line in body.splitlines() if "digest" in line]
    pulled = [each for each in told if each.get("digest")]
    kinds = ["model", "template", "license", "params", "system"]
    layers = [
        {"mediaType": f"application/vnd.ollama.image.{kind}", "digest": each["digest"], "size": each["total"]}
        for kind, each in zip(kinds, pulled, strict=False)
    ]
    found = _layers(json.dumps({"layers": layers}).encode(), "gemma3-1b", parse_source_reference("ollama-registry:g"))
    assert found[0] == ("gemma3-1b.gguf", pulled[0]["digest"].removeprefix("sha256:"), 815_310_432)
    assert sum(size for _, _, size in found) == sum(each["total"] for each in pulled)
