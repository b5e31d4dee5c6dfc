"""A run as a download, a part at a time."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from aiohttp import web

from fieldguide.web._guard import HEADERS
from fieldguide.web._runs import exported

if TYPE_CHECKING:
    from fieldguide.web._site import Site

_LINES_AT_ONCE = 200


def add_export(site: Site, router: web.UrlDispatcher) -> None:
    """Add the download."""

    async def export(request: web.Request) -> web.StreamResponse:
        run_id, lines = await site.readers.read(lambda house: exported(house, request.match_info["run"]))
        response = web.StreamResponse(headers=HEADERS)
        response.content_type = "application/x-ndjson"
        response.headers["Content-Disposition"] = f'attachment; filename="{run_id}.jsonl"'
        with suppress(ConnectionError):  # whoever wanted it has gone away
            await response.prepare(request)
            while part := await site.readers.read(lambda _: "".join(islice(lines, _LINES_AT_ONCE))):
                await response.write(part.encode("utf-8", "replace"))
            await response.write_eof()
        return response

    router.add_get("/runs/{run:[^/]+}/export.jsonl", export)
