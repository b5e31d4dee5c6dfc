"""The limits of a key around work that goes on after whoever began it has gone."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from fieldguide.app.evaluate import Limited
from fieldguide.app.gateway import Gateway, GatewayConfig
from fieldguide.app.references import OpenedModel
from fieldguide.app.wiring import House


@contextlib.asynccontextmanager
async def limits_of(house: House, key_id: object) -> AsyncIterator[Limited]:
    """Give what puts the limits of a key around models that are opened; None is whoever has this machine, without any.

    Raises:
        InvalidKeyError: The key is no longer good.
        StoreError: Keys and usage cannot be read or written.
    """
    if key_id is None:
        yield lambda reference, opened: opened
        return
    gateway = Gateway(house, GatewayConfig(host="0.0.0.0"))  # noqa: S104 - nothing listens: it says that keys hold
    identity = gateway.owner_named(str(key_id))

    def limited(reference: str, opened: OpenedModel) -> OpenedModel:
        gateway.lendable(identity, reference, anything=True)
        return gateway.metered(identity, reference, opened, endpoint="compare")

    await gateway.start()
    try:
        yield limited
    finally:
        await gateway.close()
