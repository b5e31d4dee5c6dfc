"""The one place that reads the environment and builds clients, store and models for the use cases."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fieldguide.errors import UsageError
from fieldguide.http_client import LazySession, Lines, new_session, proxy_for
from fieldguide.settings import Settings, read_settings

if TYPE_CHECKING:
    from fieldguide.sources import ModelStore, Neighbours, SourceSettings
    from fieldguide.store import GatewayRecords, Store, Works

_ENDPOINTS = {
    "hf": ("huggingface_endpoint", "HF_ENDPOINT"),
    "modelscope": ("modelscope_endpoint", "MODELSCOPE_ENDPOINT"),
    "ollama-registry": ("ollama_registry_endpoint", None),
}
"""By source: the setting, and the variable that its own client reads."""


class House:
    """Settings, records, models and connections of one user; each is made when it is first needed."""

    def __init__(self, settings: Settings, environment: Mapping[str, str]) -> None:
        """Take settings that were read; see `open_house`."""
        self.settings = settings
        self.session = LazySession()
        self.lines = Lines()
        self._environment = environment
        self._proxies: dict[tuple[str, str], str | None] = {}

    @cached_property
    def store(self) -> Store:
        """The records.

        Raises:
            StoreError: They cannot be opened.
        """
        from fieldguide.store import Store

        return Store(self.records)

    @property
    def records(self) -> Path:
        """The file of the records, which need not be there."""
        return self.settings.home / "fieldguide.sqlite"

    @cached_property
    def gateway_records(self) -> GatewayRecords:
        """Keys and usage of the gateway.

        Raises:
            StoreError: They cannot be opened.
        """
        from fieldguide.store import GatewayRecords

        return GatewayRecords(self.settings.home / "gateway.sqlite")

    @cached_property
    def works(self) -> Works:
        """Long work that processes of their own do."""
        from fieldguide.store import Works

        return Works(self.settings.home / "works")

    @cached_property
    def models(self) -> ModelStore:
        """The model files on this machine."""
        from fieldguide.sources import ModelStore, TransferSettings, check_file

        return ModelStore(
            self.settings.home,
            settings=self._source_settings(),
            transfer=TransferSettings(
                new_session=new_session,
                proxy_for=self.proxy_for,
                connections=self.settings.connections,
                limit_bytes_per_s=self.settings.limit_bytes_per_s,
            ),
            neighbours=self.neighbours,
            check=check_file,
        )

    @cached_property
    def neighbours(self) -> Neighbours:
        """Where other programs on this machine keep model files."""
        from fieldguide.sources import Neighbours

        return Neighbours.of(self._environment)

    def endpoint(self, source: str) -> str | None:
        """Return the address that is set for a hub, here or for its own client; None takes the usual one."""
        setting, variable = _ENDPOINTS[source]
        own: str | None = getattr(self.settings, setting)
        theirs = self._environment.get(variable, "").strip().rstrip("/") if variable else ""
        return own or (theirs if theirs.startswith(("http://", "https://")) else None)

    def _source_settings(self) -> SourceSettings:
        from fieldguide.sources import SourceSettings

        endpoints = {source: address for source in _ENDPOINTS if (address := self.endpoint(source)) is not None}
        return SourceSettings(new_session=new_session, proxy_for=self.proxy_for, endpoints=endpoints)

    @property
    def copies(self) -> Path:
        """Folder of fast copies of the catalogue."""
        return self.settings.home / "cache"

    @property
    def locks(self) -> Path:
        """Folder of lock files."""
        return self.settings.home / "locks"

    def proxy_for(self, url: str) -> str | None:
        """Return the proxy that the user's environment names for an address; None where there is none."""
        parts = urlsplit(url)
        place = parts.scheme, parts.netloc
        if place not in self._proxies:
            self._proxies[place] = proxy_for(url, self._environment)
        return self._proxies[place]

    def environment_of_process(self) -> dict[str, str]:
        """Return the environment for another process of this program."""
        return dict(self._environment)

    def api_key(self, variable: str | None) -> str | None:
        """Return the key that an environment variable holds; None where no variable was named.

        Raises:
            UsageError: The variable is not set, or holds what cannot be a key.
        """
        if variable is None:
            return None
        key = self._environment.get(variable, "").strip()
        if not key or not key.isprintable():
            raise UsageError(
                f"The variable {variable} holds no key.", hint=f"Set it to your key first: export {variable}=..."
            )
        return key

    def variables(self, names: Iterable[str]) -> dict[str, str]:
        """Return the environment variables of these names that hold something; a runner's module lists its own."""
        found = ((name, self._environment.get(name, "").strip()) for name in names)
        return {name: value for name, value in found if value and value.isprintable()}

    async def close(self) -> None:
        """Close what was opened."""
        await self.session.close()
        await self.lines.close()
        self.close_store()
        if (records := self.__dict__.pop("gateway_records", None)) is not None:
            records.close()

    def close_store(self) -> None:
        """Close the records, if they are open; using them again opens them again."""
        if (store := self.__dict__.pop("store", None)) is not None:
            store.close()


def open_house(flags: Mapping[str, object], *, environment: Mapping[str, str] | None = None) -> House:
    """Return the house of the user whose flags and environment these are.

    Raises:
        SettingsError: A setting cannot be read.
    """
    environment = os.environ if environment is None else environment

    def default_home() -> Path:
        from platformdirs import user_data_path

        return user_data_path("fieldguide", appauthor=False)

    return House(read_settings(flags=flags, environment=environment, default_home=default_home), environment)
