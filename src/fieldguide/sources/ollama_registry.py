"""Models of Ollama's registry, `ollama-registry:NAME[:TAG]` or `ollama-registry:USER/NAME:TAG`.

The registry speaks Docker's protocol: a manifest names layers by the sha256 of their bytes, and the layer of the kind
`application/vnd.ollama.image.model` is the GGUF file (ollama/ollama@fb30760:server/images.go).
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any
from urllib.parse import urlencode, urlsplit

from fieldguide.errors import AccessDeniedError, NotFoundError, SourceError, UsageError
from fieldguide.sources._ask import Answer, ask
from fieldguide.sources._offer import Offer, OfferedFile, SourceSettings
from fieldguide.sources._reference import SourceReference
from fieldguide.sources.transfer import RefusalError, RemoteFile

_ENDPOINT = "https://registry.ollama.ai"
_ACCEPT = "application/vnd.docker.distribution.manifest.v2+json"
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_MOST_LAYERS = 64
_KINDS = {
    "application/vnd.ollama.image.model": "{name}.gguf",
    "application/vnd.ollama.image.projector": "mmproj-{name}.gguf",
    "application/vnd.ollama.image.adapter": "adapter-{name}.gguf",
    "application/vnd.ollama.image.template": "template",
    "application/vnd.ollama.image.params": "params.json",
    "application/vnd.ollama.image.system": "system",
    "application/vnd.ollama.image.license": "license",
}


class OllamaRegistrySource:
    """Reads manifests; blobs are brought by our own transfer."""

    name = "ollama-registry"

    def __init__(self, settings: SourceSettings) -> None:
        """Take settings; `endpoints["ollama-registry"]` is another registry."""
        self._settings = settings
        self._endpoint = settings.endpoints.get(self.name, _ENDPOINT).rstrip("/")

    def offer(self, reference: SourceReference) -> Offer:
        """Return the layers of a model as files; see `OfferingSource.offer`."""
        repository, tag = _apart(reference)
        address = f"{self._endpoint}/v2/{repository}"
        answer, authorization = self._asked(f"{address}/manifests/{reference.revision or tag}", reference)
        digest = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
        if reference.revision is not None and reference.revision != digest:
            raise SourceError(f"The manifest of {reference} is not the one of its revision.", hint="Do not trust it.")
        name = f"{repository.rpartition('/')[2]}-{tag}"
        files = [
            OfferedFile(
                path=path,
                remote=RemoteFile(
                    url=f"{address}/blobs/sha256:{sha256}",
                    name=path,
                    size_bytes=size,
                    sha256=sha256,
                    headers=authorization,
                ),
            )
            for path, sha256, size in _layers(answer.body, name, reference)
        ]
        pinned = SourceReference(source=self.name, name=reference.name, revision=digest, file=reference.file)
        return Offer(reference=pinned, files=tuple(files))

    def refused(self, refusal: RefusalError, reference: SourceReference) -> SourceError:
        """Return what a refusal during the transfer means."""
        if refusal.status in {401, 403}:
            return AccessDeniedError(f"The registry does not give {reference}.", hint="It may be private.")
        return SourceError(f"The registry will not give {reference}: {refusal}.")

    def _asked(self, url: str, reference: SourceReference) -> tuple[Answer, dict[str, str]]:
        answer = ask(self._settings, url, headers={"Accept": _ACCEPT})
        authorization: dict[str, str] = {}
        if answer.status == 401 and (token := self._token(answer)) is not None:
            authorization = {"Authorization": f"Bearer {token}"}
            answer = ask(self._settings, url, headers={"Accept": _ACCEPT, **authorization})
        if answer.status == 404:
            raise NotFoundError(
                f"The registry has no {reference.name}.", hint="Check name and tag; `NAME` alone means `NAME:latest`."
            )
        if answer.status in {401, 403}:
            raise AccessDeniedError(f"The registry does not give {reference.name}.", hint="It may be private.")
        if answer.status != 200:
            raise SourceError(f"The registry answered {answer.status} to the question for {reference.name}.")
        return answer, authorization

    def _token(self, answer: Answer) -> str | None:
        """Return the anonymous token that the registry asks for; only its own host or one under its domain is asked."""
        said = dict(_CHALLENGE.findall(answer.headers.get("www-authenticate", "")))
        realm, own = said.get("realm", ""), urlsplit(self._endpoint)
        there = urlsplit(realm)
        if there.scheme != own.scheme or not _related(there.hostname or "", own.hostname or ""):
            return None
        query = urlencode({key: said[key] for key in ("service", "scope") if key in said})
        given = ask(self._settings, f"{realm}?{query}")
        try:
            token = json.loads(given.body).get("token")
        except (ValueError, AttributeError, RecursionError):
            return None
        return token if isinstance(token, str) else None


def _apart(reference: SourceReference) -> tuple[str, str]:
    """Return repository and tag: `qwen2.5:0.5b` is `library/qwen2.5` and `0.5b`."""
    name, _, tag = reference.name.partition(":")
    parts = name.split("/")
    tag = tag or "latest"
    if len(parts) > 2 or not all(_PART.fullmatch(part) for part in (*parts, tag)):
        raise UsageError(
            f"{reference.name!r} is not a model of Ollama's registry.", hint="Write `ollama-registry:NAME:TAG`."
        )
    if reference.revision is not None and not _DIGEST.fullmatch(reference.revision):
        raise UsageError(f"{reference.revision!r} is not a digest.", hint="Write `@sha256:` and 64 hex digits.")
    return (name if len(parts) == 2 else f"library/{name}"), tag


def _layers(body: bytes, name: str, reference: SourceReference) -> list[tuple[str, str, int]]:
    """Return path, sha256 and size of every layer that we know the kind of."""
    try:
        layers: list[dict[str, Any]] = json.loads(body)["layers"]
        found = [(layer["mediaType"], layer["digest"], layer["size"]) for layer in layers]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SourceError(f"The manifest of {reference.name} cannot be understood.", hint="Try again later.") from error
    if len(found) > _MOST_LAYERS:
        raise SourceError(f"The manifest of {reference.name} names {len(found)} layers.", hint="Do not trust it.")
    named: dict[str, tuple[str, str, int]] = {}
    for kind, digest, size in found:
        match = _DIGEST.fullmatch(str(digest))
        if match is None or not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise SourceError(
                f"The manifest of {reference.name} names a layer {str(digest)[:80]!r} of {str(size)[:20]} bytes.",
                hint="Nothing was fetched. Do not trust this registry.",
            )
        if (form := _KINDS.get(str(kind))) is None:
            continue
        path, number = form.format(name=name), 2
        while path in named:
            path, number = f"{form.format(name=name)}.{number}", number + 1
        named[path] = (path, match[1], size)
    return list(named.values())


def _related(host: str, own: str) -> bool:
    """Whether a host is the registry's own, or shares its last two labels: `auth.ollama.ai` of `registry.ollama.ai`."""
    if host == own:
        return True
    shared = ".".join(own.split(".")[-2:])
    return "." in shared and not own.replace(".", "").isdigit() and host.endswith(f".{shared}")
