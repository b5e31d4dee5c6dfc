"""`serve`: begins to listen, says where, and stops when it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import importlib.util
import json
import signal
import sys
from argparse import Namespace
from datetime import UTC, datetime
from typing import Any

from fieldguide.app.gateway import Gateway, GatewayConfig, in_force, read_config
from fieldguide.app.wiring import House, open_house
from fieldguide.errors import MissingDependencyError, UsageError

_MOST_FILES = 65_536


def run(args: Namespace) -> int:
    """Serve until SIGTERM or SIGINT; a second one ends at once."""
    if importlib.util.find_spec("httptools") is None:
        raise MissingDependencyError("The gateway", extra="server")
    config = read_config(args.config, host=args.host, port=args.port, models=args.model)
    house = open_house({"home": args.home, "data": args.data})
    _check_keys(house, config)
    return _loop_run(house, config, args)


def _check_keys(house: House, config: GatewayConfig) -> None:
    """Refuse to be reached from elsewhere without keys.

    Raises:
        UsageError: No key is in force.
    """
    now = datetime.now(UTC)
    if not config.loopback and not any(in_force(row, now=now) for row in house.gateway_records.all_keys()):
        raise UsageError(
            f"On {config.host} the gateway can be reached from elsewhere, and there is no key in force.",
            hint="Make one first: fieldguide keys create NAME",
        )


def _loop_run(house: House, config: GatewayConfig, args: Namespace) -> int:
    factory = None
    if importlib.util.find_spec("uvloop") is not None:
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(_served(house, config, args))


async def _served(house: House, config: GatewayConfig, args: Namespace) -> int:
    from fieldguide.server._serve import Server

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    asked = asyncio.Event()
    gateway = Gateway(house, config, say=say)
    server = Server(gateway, say=say)
    loop = asyncio.get_running_loop()
    beside = contextlib.AsyncExitStack()
    try:
        _allow_files()
        await server.start()
        _settle_memory()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, asked.set)
        pages = await beside.enter_async_context(_pages(args, config, gateway)) if args.web else None
        _say_where(gateway, server.port, args, pages)
        await asked.wait()
        asked.clear()
        if not args.quiet:
            say(f"stopping: what is in flight has {config.drain_s:.0f} s to end; once more ends at once")
        again = loop.create_task(asked.wait())
        await beside.aclose()
        stopping = loop.create_task(server.stop(drain_s=config.drain_s))
        await asyncio.wait({again, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not stopping.done():
            server.cut()
        again.cancel()
        await stopping
    finally:
        await beside.aclose()
        await house.close()
    return 0


def _allow_files() -> None:
    """Take as many open files as the system lets this process have: a request holds two connections."""
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(_MOST_FILES, hard)
    if soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _settle_memory() -> None:
    """Let the collector look only at what requests make: all modules and facts at each full round cost 30 ms."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def _pages(args: Namespace, config: GatewayConfig, gateway: Gateway) -> contextlib.AbstractAsyncContextManager[str]:
    """Serve the guide's pages over the same gateway.

    The pages are another room, which this one does not know: it is named in full, as the command line names both.
    """
    command: Any = importlib.import_module("fieldguide.web.command")
    shape = {"host": config.host, "port": args.web_port, "certificate": None, "certificate_key": None, "address": None}
    given = Namespace(**shape, home=args.home, data=args.data)
    made: contextlib.AbstractAsyncContextManager[str] = command.listening(command.site_for(given, gateway), given)
    return made


def _say_where(gateway: Gateway, port: int, args: Namespace, pages: str | None) -> None:
    config = gateway.config
    host = f"[{config.host}]" if ":" in config.host else config.host
    address = f"http://{host}:{port}"
    if args.json:
        told = {"address": address, "models": gateway.models.names, "keys_demanded": gateway.keys_demanded}
        if pages is not None:
            told["pages"] = pages
        print(json.dumps(told), flush=True)
        return
    models = ", ".join(gateway.models.names) or "none: name some with --model ALIAS=REFERENCE"
    print(f"listening on {address}", flush=True)
    if pages is not None:
        print(f"the guide is at {pages}", flush=True)
    if not args.quiet:
        print(f"models: {models}", file=sys.stderr)
        keys = "a key is demanded" if gateway.keys_demanded else "no key is demanded on this machine"
        print(f"OpenAI: {address}/v1 · Anthropic and Ollama: {address} · {keys}", file=sys.stderr, flush=True)
