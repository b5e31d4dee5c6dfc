"""A gateway for tests: in this process, over real connections or without any."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fieldguide.app.gateway import Gateway, GatewayConfig, KeyLimits, NewKey, Role, create_key
from fieldguide.app.wiring import House, open_house
from fieldguide.runners import Runner
from fieldguide.server import Limits, Server, serving
from fieldguide.server._message import Head, Reply
from fieldguide.server._site import Site


@dataclass(kw_only=True)
class Lab:
    """A gateway that listens, and what surrounds it."""

    house: House
    gateway: Gateway
    server: Server
    log: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server.port}"

    def key(self, name: str = "tester", *, role: Role = "user", **limits: Any) -> NewKey:
        """Make a key."""
        return create_key(self.house, name, role=role, limits=KeyLimits(**limits), expires_at=None)


def house_in(folder: Path, **settings: Any) -> House:
    """Return a house whose user folder is in `folder`."""
    return open_house({"home": folder / "home", **settings}, environment={})


@asynccontextmanager
async def lab(
    folder: Path,
    runners: dict[str, Runner],
    *,
    config: GatewayConfig | None = None,
    limits: Limits | None = None,
    **settings: Any,
) -> AsyncIterator[Lab]:
    """Give a gateway over models that are open already."""
    house = house_in(folder, **settings)
    log: list[str] = []
    gateway = Gateway(house, replace(config or GatewayConfig(drain_s=2.0), port=0), runners=runners, say=log.append)
    async with serving(gateway, limits=limits, say=log.append) as server:
        yield Lab(house=house, gateway=gateway, server=server, log=log)
    await house.close()


@dataclass(frozen=True, kw_only=True)
class Said:
    """What came back from a request without a connection."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


async def said(
    site: Site, path: str, body: Mapping[str, Any] | None = None, *, headers: Mapping[str, str] | None = None
) -> Said:
    """Send one request to a site and return everything that it answers."""
    given = {"host": "127.0.0.1", "content-type": "application/json", **(headers or {})}
    answer = site.admit(Head(method="GET" if body is None else "POST", target=path, headers=given))
    reply = answer if isinstance(answer, Reply) else await answer(b"" if body is None else json.dumps(body).encode())
    if isinstance(reply, Reply):
        return Said(status=reply.status, headers=reply.headers, body=reply.body)
    pieces = b"".join([piece async for piece in reply.pieces])
    return Said(status=200, headers={**reply.headers, "content-type": reply.content_type}, body=pieces)


@asynccontextmanager
async def site_over(
    folder: Path, runners: dict[str, Runner], *, config: GatewayConfig | None = None
) -> AsyncIterator[Site]:
    """Give a site without connections."""
    house = house_in(folder)
    gateway = Gateway(house, config or GatewayConfig(), runners=runners)
    await gateway.start()
    yield Site(gateway)
    await gateway.close()
    await house.close()
