"""`web`: begins to listen, says where, opens a browser, and stops when it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import ssl
import sys
import webbrowser
from argparse import Namespace
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

from aiohttp import web

from fieldguide.app.gateway import Gateway, in_force
from fieldguide.app.wiring import open_house
from fieldguide.errors import InputFileError, UsageError
from fieldguide.web._guard import is_loopback
from fieldguide.web._site import Site
from fieldguide.web._warm import warm

_CLOSING_S = 2.0


def run(args: Namespace) -> int:
    """Serve pages until SIGTERM or SIGINT."""
    return asyncio.run(_served(args, site_for(args)))


def site_for(args: Namespace, gateway: Gateway | None = None) -> Site:
    """Return the site that the flags describe; `gateway` is one that runs in this process.

    Raises:
        UsageError: It could be reached from elsewhere and there is no key in force, or a flag cannot be used.
    """
    if not 0 <= args.port <= 65535:
        raise UsageError(f"--port takes a number from 0 to 65535, not {args.port}.")
    if (args.certificate is None) != (args.certificate_key is None):
        raise UsageError("--certificate and --certificate-key go together.")
    if args.address is not None:
        _check_address(args.address)
    flags = {"home": args.home, "data": args.data}
    if not is_loopback(args.host) or args.address is not None:
        house = open_house(flags)
        now = datetime.now(UTC)
        found = any(in_force(row, now=now) for row in house.gateway_records.all_keys())
        house.gateway_records.close()
        if not found:
            raise UsageError(
                f"On {args.address or args.host} the pages are reached from elsewhere, and there is no key in force.",
                hint="Make one first: fieldguide keys create NAME --role admin. Or leave --host at 127.0.0.1 and come "
                "through a tunnel: ssh -L 8091:127.0.0.1:8091 THIS-MACHINE",
            )
    return Site(
        lambda: open_house(flags),
        host=args.host.strip("[]"),
        port=args.port,
        address=args.address,
        tls=args.certificate is not None,
        gateway=gateway,
    )


def _check_address(text: str) -> None:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.netloc or "@" in parts.netloc or parts.path.strip("/"):
        raise UsageError(
            f"--address takes where browsers find the guide, not {text!r}.", hint="Such as https://guide.example.org"
        )


async def _served(args: Namespace, site: Site) -> int:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    async with listening(site, args) as listens:
        address = args.address or listens
        if args.json:
            print(json.dumps({"address": address, "listening": listens}), flush=True)
        else:
            print(f"the guide is at {address}", flush=True)
        if not args.quiet:
            print(_who(site), file=sys.stderr, flush=True)
        warming = asyncio.ensure_future(site.readers.read(warm))
        if not args.no_browser and not args.json:
            await asyncio.to_thread(webbrowser.open, address)
        await asked.wait()
        await asyncio.wait({warming})
    return 0


def _who(site: Site) -> str:
    if not site.entry.demanded:
        return "only this machine can reach it; Ctrl-C ends it"
    clear = "" if site.guard.secure else " There is no TLS: whoever listens on the way can read keys (--certificate)."
    return f"from elsewhere it asks for a key of the gateway; Ctrl-C ends it.{clear}"


@contextlib.asynccontextmanager
async def listening(site: Site, args: Namespace) -> AsyncIterator[str]:
    """Serve a site and give its address; at the end what is in flight is let go.

    Raises:
        UsageError: Nothing can listen there, or the certificate cannot be used.
    """
    tls = None if args.certificate is None else _tls(args)
    runner = web.AppRunner(site.application(), access_log=None, shutdown_timeout=_CLOSING_S)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, site.host, site.port, ssl_context=tls).start()
        except OSError as error:
            raise UsageError(
                f"Nothing can listen on {site.host}:{site.port}: {error.strerror or error}.",
                hint="Choose another port, or let one be found: --port 0",
            ) from error
        port = int(runner.addresses[0][1])
        site.learn_port(port)
        host = f"[{site.host}]" if ":" in site.host else site.host
        yield f"{'https' if tls else 'http'}://{host}:{port}/"
    finally:
        await runner.cleanup()


def _tls(args: Namespace) -> ssl.SSLContext:
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        made.load_cert_chain(args.certificate, args.certificate_key)
    except (OSError, ssl.SSLError) as error:
        raise InputFileError(
            str(args.certificate), f"cannot be used as a certificate ({error}).", hint="Both files are PEM."
        ) from error
    return made
