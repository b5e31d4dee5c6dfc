"""The models of the gateway: opened when first asked, put away when nobody asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from fieldguide.app.gateway._config import GatewayConfig, ModelConfig, is_name
from fieldguide.app.gateway._prices import Price, price_for
from fieldguide.app.references import ModelOptions, OpenedModel, open_model
from fieldguide.app.wiring import House
from fieldguide.errors import UnknownModelError
from fieldguide.runners import HttpRunner, Runner
from fieldguide.runners.anthropic import AnthropicWire
from fieldguide.runners.openai_chat import ChatWire
from fieldguide.runners.openai_responses import ResponsesWire


@dataclass(slots=True)
class Open:
    """A model that is ready, and how it is used."""

    config: ModelConfig
    opened: OpenedModel
    price: Price | None
    in_use: int = 0
    last_used_s: float = 0.0
    kept: bool = False
    """Whether it was loaded by hand, and so is not put away when nobody asks."""
    runner: Runner = field(init=False)
    """What answers."""
    takes_chat_fields: bool = field(init=False)
    """Whether it speaks OpenAI's chat completions, so that it takes all that a client of theirs can say."""
    sends_chat: bool = field(init=False)
    """Whether its answers can go to such a client as they come."""
    takes_response_fields: bool = field(init=False)
    """Whether it speaks OpenAI's Responses API."""
    sends_messages: bool = field(init=False)
    """Whether it speaks Anthropic's Messages API."""

    def __post_init__(self) -> None:
        self.runner = self.opened.runner
        wire = self.runner.wire if isinstance(self.runner, HttpRunner) else None
        self.takes_chat_fields = isinstance(wire, ChatWire)
        self.sends_chat = isinstance(wire, ChatWire) and wire.answers_alike
        self.takes_response_fields = isinstance(wire, ResponsesWire)
        self.sends_messages = isinstance(wire, AnthropicWire)

    @property
    def provider(self) -> str:
        """The name under which its own blocks and parameters are kept."""
        return self.runner.provider if isinstance(self.runner, HttpRunner) else self.opened.provider


class _Used:
    """Keeps a model open meanwhile. A class, since a generator for every request costs three times as much."""

    __slots__ = ("_clock", "_config", "_model", "_models", "_note")

    def __init__(
        self, models: Models, config: ModelConfig, clock: Callable[[], float], note: Callable[[str], None] | None
    ) -> None:
        self._models, self._config, self._clock, self._note = models, config, clock, note

    async def __aenter__(self) -> Open:
        self._model = await self._models.opened(self._config, self._note)
        self._model.in_use += 1
        return self._model

    async def __aexit__(self, *error: object) -> None:
        self._model.in_use -= 1
        self._model.last_used_s = self._clock()


class Models:
    """All models that may be asked, by name."""

    def __init__(
        self, house: House, config: GatewayConfig, *, clock: Callable[[], float], runners: dict[str, Runner]
    ) -> None:
        """`runners` are models that are open already, by alias; tests and programs give their own."""
        self._house, self._config, self._clock = house, config, clock
        self._models = dict(config.models)
        self._open: dict[str, Open] = {}
        self._opening: dict[str, asyncio.Lock] = {}
        for alias, runner in runners.items():
            made = self._models.setdefault(alias, ModelConfig(alias=alias, reference=runner.model.reference))
            provider = runner.model.reference.partition(":")[0]
            opened = OpenedModel(runner=runner, provider=provider, licence=None, took=None)
            self._open[alias] = Open(made, opened, self._price(made, opened))
        self._of_store = not self._models
        self.learn_stored()

    @property
    def names(self) -> list[str]:
        """The names by which clients ask, sorted."""
        return sorted(self._models)

    @property
    def loaded(self) -> list[str]:
        """Those that are open now."""
        return sorted(self._open)

    def config(self, name: str) -> ModelConfig:
        """Return how a model is configured.

        Raises:
            UnknownModelError: There is no such model; the same words for every name that is none.
        """
        found = self._models.get(name)
        if found is not None:
            return found
        provider, colon, target = name.partition(":")
        if colon and target and provider in self._config.providers and is_name(name):
            return ModelConfig(alias=name, reference=name)
        raise UnknownModelError("There is no such model here.", hint="The list of models says what there is.")

    def used(self, config: ModelConfig, *, note: Callable[[str], None] | None = None) -> _Used:
        """Give a model, open, and keep it so meanwhile; `note` is told of what slow thing is done.

        Raises:
            FieldguideError: It cannot be opened.
        """
        return _Used(self, config, self._clock, note)

    async def opened(self, config: ModelConfig, note: Callable[[str], None] | None = None) -> Open:
        """Return a model, open; `note` is told of what slow thing is done.

        Raises:
            FieldguideError: It cannot be opened.
        """
        return self._open.get(config.alias) or await self._opened(config, note)

    def taken_in(self, name: str, opened: OpenedModel) -> Open:
        """Return a model that was opened elsewhere as the limits of keys see it; it is not kept here.

        Raises:
            CatalogueError: A book of prices is malformed.
        """
        config = self._models.get(name) or ModelConfig(alias=name, reference=name)
        return Open(config, opened, self._price(config, opened))

    async def load(self, name: str, *, note: Callable[[str], None] | None = None) -> Open:
        """Open a model of the gateway before anybody asks it, and keep it until it is put away by hand.

        Raises:
            FieldguideError: There is none, or it cannot be opened.
        """
        found = await self._opened(self.config(name), note)
        found.kept = True
        return found

    async def put_away(self, name: str) -> bool:
        """Close a model that nobody is asking now; False where it is not open, or somebody is."""
        model = self._open.get(name)
        if model is None or model.in_use:
            return False
        await self._shut(name, model)
        return True

    def learn_stored(self) -> None:
        """Offer what has been pulled since, and no longer what has been removed, where no models were configured."""
        if self._of_store:
            self._models = self._stored()

    def _stored(self) -> dict[str, ModelConfig]:
        return {
            stored.name: ModelConfig(alias=stored.name, reference=stored.name)
            for stored in self._house.models.list()
            if is_name(stored.name)
        }

    async def _opened(self, config: ModelConfig, note: Callable[[str], None] | None = None) -> Open:
        lock = self._opening.setdefault(config.alias, asyncio.Lock())
        async with lock:
            found = self._open.get(config.alias)
            if found is None:
                options = ModelOptions(api_key_env=config.api_key_env, runner_options=dict(config.options), note=note)
                opened = await open_model(self._house, config.reference, options, over_lines=True)
                found = Open(config, opened, self._price(config, opened), last_used_s=self._clock())
                self._open[config.alias] = found
            return found

    def _price(self, config: ModelConfig, opened: OpenedModel) -> Price | None:
        home = self._house.settings.home
        return price_for(home, config, opened.provider, opened.runner.model, free=opened.free)

    async def put_away_idle(self) -> None:
        """Close models that were not asked for a while, where they run here or are named by clients alone."""
        limit_s = self._clock() - self._config.idle_unload_s
        for alias, model in list(self._open.items()):
            takes_room = model.opened.free or alias not in self._models
            if takes_room and not model.kept and not model.in_use and model.last_used_s < limit_s:
                await self._shut(alias, model)

    async def _shut(self, alias: str, model: Open) -> None:
        del self._open[alias]
        self._opening.pop(alias, None)
        await model.runner.close()

    async def close(self) -> None:
        """Close all."""
        for model in self._open.values():
            await model.runner.close()
        self._open.clear()
