"""Hosts of models that speak OpenAI's protocol: told apart by a key, an address and a dialect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fieldguide.runners._http_errors import error_of_status
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._keys import base_url_of, identity_of, key_of, model_named
from fieldguide.runners._transport import ErrorOf
from fieldguide.runners.openai_chat import Dialect, open_chat_runner
from fieldguide.runners.openai_media import MediaRunner


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One host."""

    dialect: Dialect
    name: str
    """For people."""
    keys: tuple[str, ...]
    """Variables that may hold the key, the usual one first."""
    address: str
    """Variable of the base URL."""
    base_url: str
    where: str
    """Page where one gets a key."""
    error_of: ErrorOf = error_of_status
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def variables(self) -> tuple[str, ...]:
        """All variables that the host's runner takes."""
        return (*self.keys, self.address)

    @property
    def options(self) -> tuple[str, ...]:
        """All options that the host's runner takes."""
        return ("base_url", "endpoint")

    def open(self, target: str, settings: RunnerSettings) -> MediaRunner:
        """Return a runner for a model id.

        Raises:
            MissingKeyError: No variable holds a key, and no other one was named.
            UsageError: No model is named, or the base URL is not an HTTP address.
        """
        provider = self.dialect.provider
        model = model_named(target, provider)
        base_url = base_url_of(settings, self.address, self.base_url)
        return open_chat_runner(
            base_url,
            model,
            settings,
            self.dialect,
            key=key_of(settings, *self.keys, provider=self.name, where=self.where),
            reference=f"{provider}:{model}",
            identity=identity_of(provider, model, base_url, self.base_url),
            headers=dict(self.headers),
            error_of=self.error_of,
        )
