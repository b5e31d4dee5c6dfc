"""`web`: begins to listen, says where, opens a browser, and stops when it is told to."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import webbrowser
from argparse import Namespace

from aiohttp import web

from fieldguide.app.wiring import open_house
from fieldguide.errors import UsageError
from fieldguide.web._guard import is_loopback
from fieldguide.web._site import Site

_CLOSING_S = 2.0


def run(args: Namespace) -> int:
    """Serve pages until SIGTERM or SIGINT."""
    if not is_loopback(args.host):
        raise UsageError(
            f"On {args.host} the pages could be reached from elsewhere, and they have no sign-in yet.",
            hint="Leave --host at 127.0.0.1 and reach it through a tunnel: ssh -L 8091:127.0.0.1:8091 THIS-MACHINE",
        )
    if not 0 <= args.port <= 65535:
        raise UsageError(f"--port takes a number from 0 to 65535, not {args.port}.")
    site = Site(lambda: open_house({"home": args.home, "data": args.data}), host=args.host.strip("[]"), port=args.port)
    return asyncio.run(_served(site, args))


async def _served(site: Site, args: Namespace) -> int:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    runner = web.AppRunner(site.application(), access_log=None, shutdown_timeout=_CLOSING_S)
    await runner.setup()
    try:
        await _listen(runner, site, args)
        await asked.wait()
    finally:
        await runner.cleanup()
    return 0


async def _listen(runner: web.AppRunner, site: Site, args: Namespace) -> None:
    try:
        await web.TCPSite(runner, site.host, args.port).start()
    except OSError as error:
        raise UsageError(
            f"Nothing can listen on {args.host}:{args.port}: {error.strerror or error}.",
            hint="Choose another port, or let one be found: --port 0",
        ) from error
    port = int(runner.addresses[0][1])
    site.learn_port(port)
    host = f"[{site.host}]" if ":" in site.host else site.host
    address = f"http://{host}:{port}/"
    if args.json:
        print(json.dumps({"address": address}), flush=True)
    else:
        print(f"the guide is at {address}", flush=True)
    if not args.quiet:
        print("only this machine can reach it; Ctrl-C ends it", file=sys.stderr, flush=True)
    if not args.no_browser and not args.json:
        await asyncio.to_thread(webbrowser.open, address)
