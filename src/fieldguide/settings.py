"""One settings class. Only `app/wiring.py` reads it; rooms receive the values they need."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from fieldguide.errors import SettingsError

PREFIX = "FIELDGUIDE_"
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?) ?([kmg]?i?b?)(?:/s)?", re.IGNORECASE)
_UNITS = {
    prefix + end: base ** (" kmg".index(prefix or " "))
    for prefix in ("", "k", "m", "g")
    for end, base in (("", 1000), ("b", 1000), ("i", 1024), ("ib", 1024))
}
HUBS = ("auto", "huggingface", "modelscope")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What can be set: defaults < `settings.toml` in the user folder < environment < flags.

    The environment variable of a field is its name in upper case after `FIELDGUIDE_`.
    """

    home: Path
    """User folder: models, records, measurements. `FIELDGUIDE_HOME`; a flag or variable only."""
    data: Path | None = None
    """Folder of benchmark data, `DIR/<family>/`; none looks on the hub. `FIELDGUIDE_DATA`"""
    deadline_s: float = 600.0
    """Longest time for one request (seconds). `FIELDGUIDE_DEADLINE_S`"""
    idle_timeout_s: float = 60.0
    """Longest silence within an answer that has begun (seconds). `FIELDGUIDE_IDLE_TIMEOUT_S`"""
    hub: str = "auto"
    """Hub of benchmark data: `auto` (Hugging Face, else ModelScope), `huggingface`, `modelscope`. `FIELDGUIDE_HUB`"""
    huggingface_endpoint: str | None = None
    """Address of Hugging Face or a mirror; none takes `HF_ENDPOINT`. `FIELDGUIDE_HUGGINGFACE_ENDPOINT`"""
    modelscope_endpoint: str | None = None
    """Address of ModelScope or a mirror; none takes `MODELSCOPE_ENDPOINT`. `FIELDGUIDE_MODELSCOPE_ENDPOINT`"""
    ollama_registry_endpoint: str | None = None
    """Address of a registry that speaks Ollama's protocol; none: Ollama's. `FIELDGUIDE_OLLAMA_REGISTRY_ENDPOINT`"""
    connections: int = 4
    """Most connections of one download (count). `FIELDGUIDE_CONNECTIONS`"""
    limit_bytes_per_s: float | None = None
    """Speed limit of downloads, such as `10MB` (per second); none sets none. `FIELDGUIDE_LIMIT_BYTES_PER_S`"""
    genai_prices_url: str = (
        "https://raw.githubusercontent.com/pydantic/genai-prices/refs/heads/main/prices/new_data/v2/data.json"
    )
    """Address of genai-prices' update file, for `catalogue refresh`. `FIELDGUIDE_GENAI_PRICES_URL`"""
    models_dev_url: str = "https://models.dev/api.json"
    """Address of models.dev's list, for `catalogue refresh`. `FIELDGUIDE_MODELS_DEV_URL`"""
    gpqa_password: str | None = field(default=None, repr=False)
    """Password of GPQA's dataset.zip; none takes the one its authors publish. `FIELDGUIDE_GPQA_PASSWORD`"""
    accept_licences: frozenset[str] = field(default_factory=frozenset)
    """Licence ids accepted beforehand, separated by commas. `FIELDGUIDE_ACCEPT_LICENCES`"""


def _seconds(value: object) -> float:
    seconds = float(value)  # type: ignore[arg-type]
    if not seconds > 0:
        raise ValueError("must be above 0")
    return seconds


def _licences(value: object) -> frozenset[str]:
    parts = value.split(",") if isinstance(value, str) else list(value)  # type: ignore[call-overload]
    return frozenset(str(part).strip() for part in parts if str(part).strip())


def _hub(value: object) -> str:
    if value not in HUBS:
        raise ValueError(f"must be one of {', '.join(HUBS)}")
    return str(value)


def _address(value: object) -> str:
    text = str(value).rstrip("/")
    if not text.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return text


def _count(value: object) -> int:
    count = int(str(value))
    if not 1 <= count <= 64:
        raise ValueError("must be from 1 to 64")
    return count


def _bytes_per_s(value: object) -> float:
    found = _AMOUNT.fullmatch(str(value).strip())
    if found is None:
        raise ValueError("must be a number of bytes such as 500kB, 10MB or 4MiB")
    amount: float = float(found[1]) * _UNITS[found[2].lower()]
    if not amount >= 1024:
        raise ValueError("must be at least 1 KiB per second")
    return amount


def _path(value: object) -> Path:
    return Path(str(value)).expanduser()


_READERS: dict[str, Callable[[object], Any]] = {
    "home": _path,
    "data": _path,
    "deadline_s": _seconds,
    "idle_timeout_s": _seconds,
    "hub": _hub,
    "huggingface_endpoint": _address,
    "modelscope_endpoint": _address,
    "ollama_registry_endpoint": _address,
    "connections": _count,
    "limit_bytes_per_s": _bytes_per_s,
    "genai_prices_url": _address,
    "models_dev_url": _address,
    "gpqa_password": str,
    "accept_licences": _licences,
}


def read_settings(
    *, flags: Mapping[str, object], environment: Mapping[str, str], default_home: Callable[[], Path]
) -> Settings:
    """Return the settings that are in force.

    Args:
        flags: Values from the command line; None stands for a flag that was not given.
        environment: The process's environment.
        default_home: Returns the user folder where neither flag nor variable names one.

    Raises:
        SettingsError: A value cannot be read, or `settings.toml` names a setting that does not exist.
    """
    known = {each.name for each in fields(Settings)}
    given = {name: value for name, value in flags.items() if value is not None}
    variables = {name: environment[PREFIX + name.upper()] for name in known if environment.get(PREFIX + name.upper())}
    home = _path(given.get("home") or variables.get("home") or default_home())
    values: dict[str, Any] = {}
    for source, settings in (
        (f"{home / 'settings.toml'}", _file(home / "settings.toml")),
        ("environment", variables),
        ("flag", given),
    ):
        for name, value in settings.items():
            if name not in known:
                raise SettingsError(name, f"no such setting (in {source})", hint=f"Known: {', '.join(sorted(known))}.")
            values[name] = _read(name, value, source)
    return Settings(**{**values, "home": home})


def _read(name: str, value: object, source: str) -> Any:
    try:
        return _READERS[name](value)
    except (ValueError, TypeError) as error:
        raise SettingsError(name, f"{value!r} cannot be used ({error}; from {source})") from error


def _file(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(str(path), f"cannot be read: {error}") from error
