"""What a request may ask beyond words: tools, answers of a given form, thought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fieldguide.domain.content import ProviderData
from fieldguide.domain.json_value import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A function that the model may ask to have run."""

    name: str
    description: str | None = None
    parameters: Mapping[str, JsonValue] | None = None
    """JSON schema of the arguments; None where it takes none."""
    strict: bool | None = None
    """Whether arguments must follow the schema to the letter; None leaves it to the provider."""
    provider_data: tuple[ProviderData, ...] = ()

    def as_json(self) -> dict[str, JsonValue]:
        """Return the tool as JSON; what is not set is not written."""
        return _set(self, "name", "description", "parameters", "strict") | _data(self.provider_data)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderTool:
    """A tool that the provider itself runs, or of a form that only it knows: sent as it stands, and to it alone."""

    provider: str
    value: Mapping[str, JsonValue]

    def as_json(self) -> dict[str, JsonValue]:
        """Return the tool as JSON."""
        return {"provider": self.provider, "value": self.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolChoice:
    """Whether the model must, may or must not call a tool."""

    mode: Literal["auto", "none", "required", "tool"]
    name: str | None = None
    """The tool to call, with mode `tool`."""

    def __post_init__(self) -> None:
        if (self.mode == "tool") != (self.name is not None):
            raise ValueError("mode `tool` names a tool, and no other mode does")

    def as_json(self) -> dict[str, JsonValue]:
        """Return the choice as JSON."""
        return _set(self, "mode", "name")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseSchema:
    """The form an answer must have: JSON that follows a schema, or any JSON object."""

    schema: Mapping[str, JsonValue] | None = None
    """JSON schema of the answer; None for any JSON object."""
    name: str | None = None
    """For providers that want one; letters, digits, `_` and `-`."""
    description: str | None = None
    strict: bool | None = None

    def as_json(self) -> dict[str, JsonValue]:
        """Return the form as JSON; what is not set is not written."""
        return _set(self, "schema", "name", "description", "strict")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningOptions:
    """How much a model is to think, in the one or other way that its provider takes."""

    enabled: bool | None = None
    """True or False turns thought on or off where the provider can; None leaves it."""
    effort: str | None = None
    """Such as `minimal`, `low`, `medium`, `high`."""
    budget_tokens: int | None = None
    """Most tokens to think with."""
    summary: str | None = None
    """How the thoughts are to be shown (`auto`, `concise`, `detailed`), where they are not shown whole."""

    def as_json(self) -> dict[str, JsonValue]:
        """Return the options as JSON; what is not set is not written."""
        return _set(self, "enabled", "effort", "budget_tokens", "summary")


def _set(value: object, *names: str) -> dict[str, JsonValue]:
    return {name: each for name in names if (each := getattr(value, name)) is not None}


def _data(data: tuple[ProviderData, ...]) -> dict[str, JsonValue]:
    return {"provider_data": [{"provider": each.provider, "fields": each.fields} for each in data]} if data else {}
