"""`keys`: who may use the gateway, and how much."""

from __future__ import annotations

import re
from argparse import Namespace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fieldguide.app.gateway import (
    KeyLimits,
    create_key,
    in_force,
    key_named,
    limit_key,
    limits_from_json,
    revoke_key,
)
from fieldguide.app.references import as_decimal
from fieldguide.app.wiring import House
from fieldguide.cli._output import console, house_of, money, note, print_json, table
from fieldguide.errors import UsageError
from fieldguide.store import KeyRow

_LIMITS = ("budget_usd", "daily_usd", "model_usd", "requests_per_minute", "tokens_per_minute", "models", "expires")
_NAME = re.compile(r"[\w .@+-]{1,64}")


def run(args: Namespace) -> int:
    """Do what was asked with one key, or list all."""
    house = house_of(args)
    try:
        if args.action == "list":
            return _list(args, house)
        if not args.name:
            raise UsageError(f"`keys {args.action}` wants the name of a key.")
        if args.action == "create":
            return _create(args, house)
        if args.action == "limit":
            row = key_named(house, args.name)
            _check_said(args)
            limits = _limits(args, limits_from_json(row.limits))
            row = limit_key(house, row.key_id, limits=limits, expires_at=_expiry(args, row.expires_at))
        else:
            row = revoke_key(house, args.name)
        _show(args, house, row)
    finally:
        house.gateway_records.close()
    return 0


def _create(args: Namespace, house: House) -> int:
    if not _NAME.fullmatch(args.name):
        raise UsageError("The name of a key has up to 64 letters, digits, spaces and . @ + - _.")
    made = create_key(
        house, args.name, role=args.role, limits=_limits(args, KeyLimits()), expires_at=_expiry(args, None)
    )
    if args.json:
        print_json({"key": made.key, **_as_json(house, made.row)})
    else:
        print(made.key)
        note(
            args,
            f"This is the key of {made.row.name!r} (id {made.row.key_id}); it is kept nowhere and not shown again.",
        )
    return 0


def _check_said(args: Namespace) -> None:
    """Refuse to limit a key when nobody says how.

    Raises:
        UsageError: There is no limit and no last day.
    """
    if all(getattr(args, name) in (None, []) for name in _LIMITS):
        said = ", ".join(f"`--{name.replace('_', '-')}`" for name in _LIMITS)
        raise UsageError("`keys limit` was told no limit.", hint=f"Give one or several of {said}.")


def _list(args: Namespace, house: House) -> int:
    rows = house.gateway_records.all_keys()
    if args.json:
        print_json({"keys": [_as_json(house, row) for row in rows]})
        return 0
    shown = table("id", "name", "role", "state", "limits", "used")
    for row in rows:
        used = _used(house, row)
        limits = ", ".join(f"{name} {_told(value)}" for name, value in row.limits.items())
        spent = money(Decimal(used["spent_usd"])) if used["spent_usd"] is not None else ""
        shown.add_row(row.key_id, row.name, row.role, _state(row), limits or "none", spent)
    console().print(shown)
    return 0


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name}={amount}" for name, amount in value.items())
    return " ".join(value) if isinstance(value, list) else str(value)


def _show(args: Namespace, house: House, row: KeyRow) -> None:
    if args.json:
        print_json(_as_json(house, row))
        return
    limits = ", ".join(f"{name} {_told(value)}" for name, value in row.limits.items()) or "no limits"
    print(f"{row.name} (id {row.key_id}): {_state(row)}, {limits}")


def _state(row: KeyRow) -> str:
    if row.revoked_at is not None:
        return f"revoked {row.revoked_at[:10]}"
    if not in_force(row, now=datetime.now(UTC)):
        return f"ran out {str(row.expires_at)[:10]}"
    return "good" if row.expires_at is None else f"good until {row.expires_at[:16]}"


def _as_json(house: House, row: KeyRow) -> dict[str, Any]:
    return {
        "id": row.key_id,
        "name": row.name,
        "prefix": row.prefix,
        "role": row.role,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "revoked_at": row.revoked_at,
        "limits": dict(row.limits),
        **_used(house, row),
    }


def _used(house: House, row: KeyRow) -> dict[str, Any]:
    """Return what was spent under the budgets of a key; None where none has been touched."""
    found = house.gateway_records.used(row.key_id)
    today = datetime.now(UTC).date().isoformat()
    dollars = {name: str(Decimal(amount) / 1_000_000_000) for name, amount in found.items()}
    return {"spent_usd": dollars.get(("usd", "")), "spent_today_usd": dollars.get(("usd", today))}


def _limits(args: Namespace, before: KeyLimits) -> KeyLimits:
    return KeyLimits(
        budget_usd=_money(args.budget_usd, "--budget-usd", before.budget_usd),
        daily_usd=_money(args.daily_usd, "--daily-usd", before.daily_usd),
        model_usd=_by_model(args.model_usd, dict(before.model_usd)),
        requests_per_minute=_count(args.requests_per_minute, "--requests-per-minute", before.requests_per_minute),
        tokens_per_minute=_count(args.tokens_per_minute, "--tokens-per-minute", before.tokens_per_minute),
        models=_models(args.models, before.models),
    )


def _money(given: str | None, option: str, before: Decimal | None) -> Decimal | None:
    if given is None:
        return before
    return None if given == "none" else as_decimal(given, option)


def _count(given: str | None, option: str, before: int | None) -> int | None:
    if given is None:
        return before
    if given == "none":
        return None
    if not given.isdecimal() or int(given) >= 2**53:
        raise UsageError(f"{option} takes a whole number or `none`, not {given!r}.")
    return int(given)


def _by_model(given: list[str], amounts: dict[str, Decimal]) -> dict[str, Decimal]:
    for text in given:
        model, separator, amount = text.rpartition("=")
        if not separator or not model:
            raise UsageError(f"--model-usd takes MODEL=X, not {text!r}.")
        limit = _money(amount, "--model-usd", None)
        if limit is None:
            amounts.pop(model, None)
        else:
            amounts[model] = limit
    return amounts


def _models(given: str | None, before: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if given is None:
        return before
    return None if given == "none" else tuple(name.strip() for name in given.split(",") if name.strip())


def _expiry(args: Namespace, before: str | None) -> str | None:
    if args.expires is None:
        return before
    if args.expires == "never":
        return None
    try:
        moment = datetime.fromisoformat(args.expires)
    except ValueError:
        raise UsageError(f"--expires takes a day such as 2027-01-31, or `never`, not {args.expires!r}.") from None
    if len(args.expires) <= len("2027-01-31"):
        moment = moment.replace(hour=23, minute=59, second=59)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()
