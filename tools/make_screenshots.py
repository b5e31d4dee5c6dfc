"""Draw every page of `fieldguide web` at 400 and 1400 pixels, light and dark, into a folder: `make screenshots`."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.e2e.test_web_in_browser import FIXED
from tests.support.chromium import FLAGS, program
from tests.support.scripted import scripted_models
from tests.support.site import furnished

from fieldguide.app.evaluate import EvaluateRequest
from fieldguide.app.gateway import KeyLimits, create_key
from fieldguide.app.measure import asked_json
from fieldguide.app.wiring import House, open_house
from fieldguide.app.works import WorkState, start_work, stop_work, view_work

_WIDTHS = (400, 1400)
_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def draw(folder: Path) -> None:
    """Write one picture for each page, width and scheme."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, scripted_models(pace_s=1.0) as models:
        ids = asyncio.run(furnished(Path(home)))
        house = open_house({"home": home}, environment=os.environ)
        finished = house.works.every()[0].work_id
        going_on = _begun(house, f"{models.url}#good", items=190)
        stopped = _begun(house, f"{models.url}#poor", items=150)
        stop_work(house, stopped)
        works = [f"/works/{each}" for each in (finished, going_on, stopped)]
        command = [sys.executable, "-m", "fieldguide", "web", "--port", "0", "--json", "--home", home]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ.copy()) as server:
            assert server.stdout is not None
            address = json.loads(server.stdout.readline())["address"].rstrip("/")
            paths = (*works, *FIXED, f"/runs/{ids[0]}", f"/verdict?run={ids[0]}&run={ids[1]}")
            _draw_all(folder, address, paths)
            server.terminate()
        stop_work(house, going_on)
        while view_work(house, going_on).state is WorkState.RUNNING:
            time.sleep(0.2)
        _draw_sign_in(folder, home)


def _draw_sign_in(folder: Path, home: str) -> None:
    house = open_house({"home": home}, environment={})
    create_key(house, "screenshots", role="user", limits=KeyLimits(), expires_at=None)
    house.gateway_records.close()
    command = [sys.executable, "-m", "fieldguide", "web", "--address", "http://guide.example.org", "--port", "0"]
    command += ["--json", "--home", home]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ.copy()) as server:
        assert server.stdout is not None
        address = json.loads(server.stdout.readline())["listening"].rstrip("/")
        _draw_all(folder, address, ("/sign-in",))
        server.terminate()


def _begun(house: House, model: str, *, items: int) -> str:
    """Start to measure a model that is slow, and return the work once some answers are there."""
    request = EvaluateRequest(models=(model,), benchmarks=("ladder",), limit=items, concurrency=1)
    work = start_work(house, "measure", f"{model.rpartition('#')[2]} on ladder", asked_json(request, margin=None))
    while len(view_work(house, work.work_id).events) < 8:
        time.sleep(0.2)
    return work.work_id


def _draw_all(folder: Path, address: str, paths: tuple[str, ...]) -> None:
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=program(), args=list(FLAGS))
        page = browser.new_page()
        for path in paths:
            page.goto(address + path)
            name = "".join(sign if sign.isalnum() else "-" for sign in path).strip("-")[:60] or "home"
            for width in _WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                for scheme in _SCHEMES:
                    page.emulate_media(color_scheme=scheme)
                    page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
        browser.close()


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
