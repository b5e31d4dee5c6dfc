"""The report in a real browser: nothing sticks out, nothing is loaded, nothing runs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import pytest

from fieldguide.reporting import write_html
from tests.support import sample_report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

pytestmark = pytest.mark.browser

SAMPLES = ("two_models", "three_models", "one_model", "undecided", "empty", "all_failed", "hostile")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium of the system, without a profile."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=program, args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Addresses of the written samples."""
    folder = tmp_path_factory.mktemp("reports")
    for name in SAMPLES:
        write_html(getattr(sample_report, name)(), folder / f"{name}.html")
    return {name: (folder / f"{name}.html").as_uri() for name in SAMPLES}


class Watched:
    """A page in a window, with everything it complains of, asks for or pops up."""

    def __init__(
        self, browser: Browser, address: str, *, width: int, scripts: bool, scheme: Literal["light", "dark"] = "light"
    ) -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, java_script_enabled=scripts, color_scheme=scheme
        )
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", self._note)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(address)

    def _note(self, dialog: Dialog) -> None:
        self.complaints.append(dialog.message)
        dialog.dismiss()

    def __enter__(self) -> Watched:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()


def open_everything(page: Page) -> None:
    """Open every question, as a patient reader would."""
    page.evaluate("for (const item of document.querySelectorAll('details')) item.open = true")


@pytest.mark.parametrize(
    ("name", "width"),
    [*((name, width) for name in SAMPLES for width in (400, 1400)), ("three_models", 320), ("hostile", 800)],
)
def test_no_page_scrolls_sideways(browser: Browser, pages: dict[str, str], name: str, width: int) -> None:
    """At any width, with all questions open and scripts switched off; wide tables scroll in their own box."""
    with Watched(browser, pages[name], width=width, scripts=False) as watched:
        open_everything(watched.page)
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", SAMPLES)
def test_a_page_asks_for_nothing_and_complains_of_nothing(browser: Browser, pages: dict[str, str], name: str) -> None:
    """With scripts allowed, hostile text included: no request, no dialog, no policy violation, no console message."""
    with Watched(browser, pages[name], width=1400, scripts=True, scheme="dark") as watched:
        open_everything(watched.page)
        watched.page.mouse.move(300, 300)
        watched.page.wait_for_timeout(200)
        assert [url for url in watched.requests if not url.startswith("data:")] == [pages[name]]
        assert watched.complaints == []


@pytest.mark.parametrize(("width", "shown", "hidden"), [(400, "narrow", "wide"), (1400, "wide", "narrow")])
def test_each_width_shows_its_own_drawing(
    browser: Browser, pages: dict[str, str], width: int, shown: str, hidden: str
) -> None:
    """Type in a drawing stays near its size, which is readable on a telephone, too."""
    with Watched(browser, pages["two_models"], width=width, scripts=False) as watched:
        drawing = watched.page.locator(f".on-{shown} svg").first
        assert drawing.is_visible()
        assert not watched.page.locator(f".on-{hidden} svg").first.is_visible()
        scale = drawing.evaluate("svg => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width")
        assert 0.85 <= scale <= 1.4


def test_drawings_take_the_colours_of_the_dark_page(browser: Browser, pages: dict[str, str]) -> None:
    """Labels are light on dark and dark on light."""
    script = "text => getComputedStyle(text).fill"
    fills = []
    for scheme in ("light", "dark"):
        with Watched(browser, pages["two_models"], width=1400, scripts=False, scheme=scheme) as watched:
            fills.append(watched.page.locator(".on-wide svg text.f-ink").first.evaluate(script))
    assert fills == ["rgb(27, 39, 51)", "rgb(230, 235, 240)"]


def test_the_filter_and_the_questions_work_by_keyboard_without_scripts(browser: Browser, pages: dict[str, str]) -> None:
    """An arrow key narrows the list to where the models differ; Enter opens a question."""
    with Watched(browser, pages["two_models"], width=1400, scripts=False) as watched:
        page = watched.page
        everything = page.locator("details").count()
        page.locator("#show-all").focus()
        page.keyboard.press("ArrowRight")
        assert page.locator("details:visible").count() == page.locator("details.differ").count() < everything
        first = page.locator("details").first
        first.locator("summary").focus()
        page.keyboard.press("Enter")
        assert first.locator(".item-body").is_visible()
