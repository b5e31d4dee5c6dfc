"""Keys and addresses of providers, from what wiring read of the environment."""

from __future__ import annotations

from fieldguide.domain import JsonValue
from fieldguide.errors import MissingKeyError, UsageError
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._transport import check_address


def key_of(settings: RunnerSettings, *variables: str, provider: str, where: str) -> str:
    """Return the key: of the variable that the user named, else of the first of `variables` that is set.

    Args:
        settings: What the runner was given.
        variables: The provider's documented variables, the usual one first.
        provider: The provider's name for people.
        where: Address of the page where one gets a key.

    Raises:
        MissingKeyError: There is none.
    """
    if settings.api_key:
        return settings.api_key
    for variable in variables:
        if key := settings.environment.get(variable):
            return key
    raise MissingKeyError(provider, variable=variables[0], where=where)


def base_url_of(settings: RunnerSettings, variable: str, default: str) -> str:
    """Return the base URL: the option `base_url`, else the variable, else the provider's own.

    Raises:
        UsageError: It is not an HTTP address.
    """
    return check_address(settings.options.get("base_url") or settings.environment.get(variable) or default)


def model_named(target: str, provider: str) -> str:
    """Return the model that a reference names.

    Raises:
        UsageError: It names none.
    """
    if not target.strip():
        raise UsageError(f"{provider} needs the name of a model.", hint=f"Write it as {provider}:MODEL.")
    return target.strip()


def identity_of(provider: str, model: str, base_url: str, default: str) -> dict[str, JsonValue]:
    """Return what makes a hosted model the same: provider and model id, and the address where it is not the usual."""
    identity: dict[str, JsonValue] = {"provider": provider, "model": model}
    return identity if base_url == default else {**identity, "base_url": base_url}


def endpoint_of(settings: RunnerSettings, *names: str) -> str:
    """Return the option `endpoint`: one of `names`, of which the first is the usual one.

    Raises:
        UsageError: It is none of them.
    """
    endpoint = settings.options.get("endpoint", names[0])
    if endpoint not in names:
        *others, last = (f"`{name}`" for name in names)
        raise UsageError(f"There is no endpoint {endpoint!r}.", hint=f"Choose {', '.join(others)} or {last}.")
    return endpoint
