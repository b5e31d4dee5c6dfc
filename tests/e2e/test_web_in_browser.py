"""The pages in a real browser: nothing sticks out, nothing is loaded from elsewhere, all can be reached and read."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tests.support.chromium import FLAGS, program
from tests.support.fake_server import fake_server, streamed
from tests.support.site import furnished

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

pytestmark = pytest.mark.browser

LOOKS: tuple[tuple[int, Literal["light", "dark"]], ...] = (
    (1400, "light"), (1400, "dark"), (400, "dark"), (400, "light"),
)  # fmt: skip
CHECKS = (Path(__file__).parent.parent / "support" / "page_checks.js").read_text("utf-8")
FIXED = (
    "/",
    "/?q=qwen+coder",
    "/models/qwen2.5",
    "/models/qwen2.5-7b-instruct",
    "/jobs",
    "/jobs?job=summarise+patient+letters",
    "/claims",
    "/claims?table=qwq-32b-preview-blog",
    "/plan?model=qwen2.5-7b-instruct:Q4_K_M&on=rtx4090&context=16384",
    "/train-plan?parameters=7B&tokens=2T&on=2048xa100-80gb",
    "/cost?model=gpt-4o&input_tokens=1000&output_tokens=500&requests=100",
    "/?q=qwen+7b&fits=24GB",
    "/ask?conversation=1",
    "/history",
    "/here",
    "/here/fetch?model=gemma3-270m",
    "/here/load?model=tiny-q4_k_m",
    "/here/remove?model=tiny-q4_k_m",
    "/ask",
    "/compare",
    "/runs",
    "/models/no-such-model",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium of the system, without a profile."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if (path := program()) is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=path, args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A home with two runs, made outside the thread in which Playwright keeps its own loop."""
    import threading

    home, made = tmp_path_factory.mktemp("home"), list[str]()

    def make() -> None:
        made.extend(asyncio.run(furnished(home)))

    worker = threading.Thread(target=make)
    worker.start()
    worker.join()
    return home, made


@pytest.fixture(scope="module")
def address(runs: tuple[Path, list[str]]) -> Iterator[str]:
    """The program itself, serving that home."""
    command = [sys.executable, "-m", "fieldguide", "web", "--port", "0", "--json", "--home", str(runs[0])]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FIELDGUIDE")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["address"].rstrip("/")
        process.terminate()
        assert process.wait(timeout=20) == 0


@pytest.fixture(scope="module")
def echoing() -> Iterator[str]:
    """A server of OpenAI's language in a thread, whose answers are hostile."""
    import threading

    ready, ended, urls = threading.Event(), threading.Event(), list[str]()

    async def serve() -> None:
        async with fake_server(lambda call: streamed("<script>alert(1)</script><img src=x onerror=alert(1)>")) as made:
            urls.append(made.url)
            ready.set()
            await asyncio.to_thread(ended.wait)

    worker = threading.Thread(target=lambda: asyncio.run(serve()))
    worker.start()
    assert ready.wait(20)
    yield urls[0]
    ended.set()
    worker.join()


def _open(
    browser: Browser, address: str, *, width: int, scripts: bool = True, scheme: Literal["light", "dark"] = "light"
) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, java_script_enabled=scripts, color_scheme=scheme
    )
    page = context.new_page()
    page.goto(address)
    return page


def _paths(runs: list[str]) -> tuple[str, ...]:
    return (*FIXED, f"/runs/{runs[0]}", f"/verdict?run={runs[0]}&run={runs[1]}")


def test_pages_fit_and_can_be_read(browser: Browser, address: str, runs: tuple[Path, list[str]]) -> None:
    """At both widths, light and dark: nothing sticks out, labels, names, headings and contrast hold.

    Nothing comes from elsewhere or complains, and axe-core finds nothing that is serious.
    """
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    for path in _paths(runs[1]):
        page.goto(address + path)
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        for width, scheme in LOOKS:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert page.evaluate(CHECKS) == [], (path, width, scheme)
        assert [url for url in asked if not url.startswith((address, "data:"))] == [], path
        assert [text for text in complaints if "404" not in text] == [], path
        assert _serious(axe.run(page)) == [], path
    context.close()


def _serious(found: Any) -> list[tuple[str, str]]:
    """Return what axe-core calls serious or critical: the rule and the first element."""
    return [
        (each["id"], each["nodes"][0]["html"][:160])
        for each in found.response["violations"]
        if each["impact"] in {"serious", "critical"}
    ]


def test_the_keyboard_reaches_everything_in_order(browser: Browser, address: str) -> None:
    """From the skip link through the navigation into the form; what has the focus can be seen; the link skips."""
    page = _open(browser, address + "/cost", width=1400)
    met = []
    for _ in range(18):
        page.keyboard.press("Tab")
        met.append(page.evaluate("document.activeElement.textContent.trim() || document.activeElement.name"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", met[-1]
    assert met[:2] == ["Skip to the content", "Fieldguide"]
    assert met.index("Guide") < met.index("Cost") < met.index("Set") < met.index("model")
    page.goto(address + "/cost")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")
    page.context.close()


def test_everything_but_streaming_works_without_scripts(browser: Browser, address: str) -> None:
    """Search, choose a model, and change the colours, with JavaScript off."""
    page = _open(browser, address + "/", width=1400, scripts=False)
    page.fill("#q", "qwen2.5 7b")
    page.press("#q", "Enter")
    page.click("text=qwen2.5-7b-instruct >> nth=0")
    assert re.search(r"/models/qwen2\.5-7b-instruct$", page.url)
    page.select_option("#look", "dark")
    page.click("form.look button")
    assert page.get_attribute("html", "data-look") == "dark"
    assert re.search(r"/models/qwen2\.5-7b-instruct$", page.url)
    page.context.close()


def test_runs_are_chosen_for_a_verdict(browser: Browser, address: str) -> None:
    """Two boxes and a button lead to the verdict."""
    page = _open(browser, address + "/runs", width=400)
    for box in page.query_selector_all("input[type=checkbox]"):
        box.check()
    page.click("main button")
    assert "is better" in page.inner_text(".verdict")
    page.context.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_two_models_are_asked_side_by_side(browser: Browser, address: str, echoing: str, scripts: bool) -> None:
    """Streamed by our script or as a plain form, a hostile answer is text and nothing runs."""
    page = _open(browser, address + "/ask", width=1400, scripts=scripts)
    dialogs: list[str] = []

    def noted(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", noted)
    assert not page.is_visible("#stop")
    page.fill("#model", f"{echoing}#one")
    page.fill("#other", f"{echoing}#two")
    page.fill("#prompt", "hello")
    page.click("form#ask button[type=submit]")
    page.wait_for_selector("#answers section:nth-of-type(2) .metadata", timeout=30_000)
    for place in (1, 2):
        told = page.inner_text(f"#answers section:nth-of-type({place})")
        assert "<script>alert(1)</script>" in told
        assert "5 tokens out" in told
    assert page.query_selector("main script, main img") is None
    assert dialogs == []
    page.context.close()


def test_the_checks_find_what_they_look_for(browser: Browser) -> None:
    """A page with one fault of each kind is told them all."""
    page = browser.new_page()
    page.set_content(
        "<main><h1>One</h1><h3>Three</h3><input><a href='#'></a><p style='color:#999;background:#fff'>pale</p>"
        "<table><tr><td>bare</td></tr></table><section aria-labelledby='gone'></section></main>"
    )
    told = " ".join(page.evaluate(CHECKS))
    for fault in ("no language", "heading jumps", "no label", "no name", "contrast", "table without", "names nothing"):
        assert fault in told
    page.close()
