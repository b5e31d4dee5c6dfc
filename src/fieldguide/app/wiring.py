"""The one place that reads the environment and builds clients, store and models for the use cases."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from fieldguide.errors import UsageError
from fieldguide.http_client import LazySession, proxy_for
from fieldguide.settings import Settings, read_settings

if TYPE_CHECKING:
    from fieldguide.sources import ModelStore
    from fieldguide.store import GatewayRecords, Store


class House:
    """Settings, records, models and connections of one user; each is made when it is first needed."""

    def __init__(self, settings: Settings, environment: Mapping[str, str]) -> None:
        """Take settings that were read; see `open_house`."""
        self.settings = settings
        self.session = LazySession()
        self._environment = environment

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
    def models(self) -> ModelStore:
        """The model files on this machine."""
        from fieldguide.sources import ModelStore

        return ModelStore(self.settings.home)

    @property
    def locks(self) -> Path:
        """Folder of lock files."""
        return self.settings.home / "locks"

    def proxy_for(self, url: str) -> str | None:
        """Return the proxy that the user's environment names for an address; None where there is none."""
        return proxy_for(url, self._environment)

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
