"""A whole comparison in a real browser: from the form to the verdict, live, stopped, taken up, restarted and killed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.chromium import FLAGS, program
from tests.support.scripted import ITEMS, Scripted, scripted_models

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

CHECKS = (Path(__file__).parent.parent / "support" / "page_checks.js").read_text("utf-8")
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }} The answer is {}"
WITHIN_S = 100.0


@contextlib.contextmanager
def served(home: Path, *, port: int = 0) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run the program itself over a home, and yield its address and its process."""
    command = [sys.executable, "-m", "fieldguide", "web", "--port", str(port), "--json", "--home", str(home)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FIELDGUIDE")}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["address"].rstrip("/"), process
    finally:
        process.terminate()
        process.wait(timeout=60)
        assert process.stdout is not None
        process.stdout.close()


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
def models() -> Iterator[Scripted]:
    """Scripted models that say hostile things."""
    with scripted_models(text=HOSTILE.replace("{{", "{{{{").replace("}}", "}}}}"), pace_s=0.5) as made:
        yield made


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for the tests that do not end it."""
    with served(tmp_path_factory.mktemp("home")) as (made, _):
        yield made


def _open(browser: Browser, address: str, *, width: int = 1400, scripts: bool = True) -> Page:
    context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=scripts)
    page = context.new_page()
    page.goto(address)
    return page


def _ask(page: Page, models: Scripted, names: tuple[str, ...], *, limit: int, **fields: str) -> str:
    """Fill the form in and send it; return the address of the work's page."""
    page.goto(re.sub(r"(://[^/]*).*", r"\1/compare", page.url))
    for field, name in zip(("model", "other", "third"), names, strict=False):
        page.fill(f"#{field}", f"{models.url}#{name}")
    page.fill("#limit", str(limit))
    page.click("summary")
    for field, text in {"concurrency": "2", **fields}.items():
        page.fill(f"#{field}", text)
    page.click("#compare button[type=submit]")
    page.wait_for_url("**/works/*")
    return page.url


def _done(page: Page, exam: int = 1) -> int:
    return int(page.evaluate(f"document.querySelector('#live-{exam} progress')?.value ?? 0"))


def _until(page: Page, holds: Callable[[], Any], *, reload: bool = False) -> None:
    from playwright.sync_api import Error

    until_s = time.monotonic() + WITHIN_S
    while time.monotonic() < until_s:
        with contextlib.suppress(Error):  # the page is just being loaded again
            if holds():
                return
        page.wait_for_timeout(100)
        if reload:
            page.reload()
    raise AssertionError(page.inner_text("main"))


def _worker(page: Page) -> int:
    """Return the process that does a page's work."""
    work_id = page.url.rpartition("/")[2]
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # it may be gone by now
                command = (entry / "cmdline").read_bytes()
                if b"work_process" in command and work_id.encode() in command:
                    return int(entry.name)
    raise AssertionError("no process is at it")


def _asked(models: Scripted) -> list[tuple[str, str]]:
    return [(call.body["model"], call.prompt) for call in models.calls]


def test_a_comparison_from_the_form_to_the_verdict(browser: Browser, address: str, models: Scripted) -> None:
    """Two tabs watch it live; the interval narrows; each question is asked once; what the models say is only text."""
    models.hold_back(1.0)
    before = len(models.calls)
    page = _open(browser, address + "/compare")
    complaints: list[str] = []
    for event in ("dialog", "pageerror"):
        page.on(event, lambda told: complaints.append(str(told)))
    page.on("console", lambda message: complaints.append(message.text))
    url = _ask(page, models, ("good", "poor"), limit=ITEMS, price_in="1", price_out="2", budget_usd="5")
    other = _open(browser, url, width=400)
    _until(page, lambda: _done(page) >= 4)
    early = page.inner_text("#live-1 .facts")
    _until(page, lambda: _done(page) >= 10)
    for each, width in ((page, 1400), (other, 400)):
        told = each.inner_text("#live-1")
        assert "% (" in told, told
        assert "tokens/s" in told
        assert "Cost so far" in told
        assert each.evaluate("document.documentElement.scrollWidth") <= width
        assert each.evaluate(CHECKS) == []
    late = page.inner_text("#live-1 .facts")
    assert _width_of(late) < _width_of(early)
    assert "done" in page.inner_text("#said")
    models.answer_all()
    for each in (page, other):
        each.wait_for_selector(".verdict", timeout=1000 * WITHIN_S)
        assert "good is better" in each.inner_text(".verdict .badge")
        assert each.query_selector("figure.chart svg") is not None
        assert each.query_selector("#exam-1-accuracy-table") is not None
    assert sorted(_asked(models)[before:]) == sorted(set(_asked(models)[before:]))
    assert len(models.calls) - before == 2 * ITEMS
    page.click("#items-1-differing a >> nth=0")
    assert "<script>alert(1)</script>" in page.inner_text("main")
    assert page.query_selector("main script, main img") is None
    assert complaints == []
    page.context.close()
    other.context.close()


def _width_of(facts: str) -> float:
    found = re.search(r"\(([\d.]+) to ([\d.]+)\)", facts)
    assert found is not None, facts
    return float(found[2]) - float(found[1])


def _tab_to(page: Page, name: str) -> None:
    """Press the tabulator until what has this id or this text has the focus, as it can be seen to have."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()") == name:
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
            return
    raise AssertionError(f"{name} cannot be reached")


def test_started_stopped_and_taken_up_by_the_keyboard_alone(browser: Browser, address: str, models: Scripted) -> None:
    """Nothing is asked twice; the focus survives what is put in live."""
    models.hold_back(1.0)
    page = _open(browser, address + "/compare", width=400)
    for name, text in (("model", f"{models.url}#like-poor"), ("limit", "60"), ("More", ""), ("concurrency", "2")):
        _tab_to(page, name)
        page.keyboard.type(text) if text else page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_url("**/works/*")
    _until(page, lambda: _done(page) >= 4)
    _tab_to(page, "Stop")
    before = _done(page)
    _until(page, lambda: _done(page) > before)
    assert page.evaluate("document.activeElement.textContent") == "Stop"
    page.keyboard.press("Enter")
    page.wait_for_selector(".state.stopped", timeout=1000 * WITHIN_S)
    assert "it was asked to stop" in page.inner_text("main")
    asked = [each for each in _asked(models) if each[0] == "like-poor"]
    assert len(asked) < 60
    models.answer_all()
    _tab_to(page, "Go on")
    page.keyboard.press("Enter")
    page.wait_for_selector(".state.finished", timeout=1000 * WITHIN_S)
    asked = [each for each in _asked(models) if each[0] == "like-poor"]
    assert len(asked) == len(set(asked)) == 60
    page.context.close()


def test_without_scripts_it_is_started_watched_and_read(browser: Browser, address: str, models: Scripted) -> None:
    """The page loads itself again; the verdict, its charts and tables stand there in the end."""
    models.answer_all()
    page = _open(browser, address + "/compare", scripts=False)
    _ask(page, models, ("good", "like-poor"), limit=24)
    _until(page, lambda: page.query_selector(".verdict"), reload=True)
    assert "24 of 24" in page.inner_text("#live-2")
    assert page.query_selector("#exam-1-outcomes-table") is not None
    page.context.close()


def test_a_restart_of_the_server_and_a_kill_lose_nothing(browser: Browser, models: Scripted, tmp_path: Path) -> None:
    """The work goes on without its server, whose page comes back; killed itself, it says so and goes on when asked."""
    models.hold_back(1.5)
    before = len(models.calls)
    with served(tmp_path) as (address, server):
        page = _open(browser, address + "/compare")
        _ask(page, models, ("poor",), limit=2 * ITEMS)
        _until(page, lambda: _done(page) >= 4)
        server.send_signal(signal.SIGKILL)
        server.wait(timeout=10)
    done = _done(page)
    with served(tmp_path, port=int(address.rpartition(":")[2])) as (again, _):
        assert again == address
        _until(page, lambda: _done(page) > done)
        os.kill(_worker(page), signal.SIGKILL)
        page.wait_for_selector(".state.interrupted", timeout=1000 * WITHIN_S)
        assert "went away without a word" in page.inner_text(".fault")
        models.answer_all()
        page.click("button:has-text('Go on')")
        page.wait_for_selector(".state.finished", timeout=1000 * WITHIN_S)
        page.context.close()
    asked = _asked(models)[before:]
    assert len(set(asked)) == 2 * ITEMS
    assert len(asked) - len(set(asked)) <= 2  # those that were in flight when it was killed


@pytest.mark.parametrize("width", [400, 1400])
def test_axe_finds_no_serious_violation(browser: Browser, address: str, models: Scripted, width: int) -> None:
    """The form, a finished work, the list of runs, a run and an item."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    models.answer_all()
    page = _open(browser, address + "/compare", width=width)
    work = _ask(page, models, ("good", "poor"), limit=12)
    page.wait_for_selector(".verdict", timeout=1000 * WITHIN_S)
    run = page.get_attribute("#items-1-runs a", "href") or ""
    item = page.get_attribute("#items-1-differing a", "href") or ""
    for path in (work, address + "/compare", address + "/runs", address + run, address + item):
        page.goto(path)
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        found = [each for each in axe.run(page).response["violations"] if each["impact"] in ("serious", "critical")]
        assert found == [], (path, [(each["id"], each["nodes"][0]["html"]) for each in found])
        assert page.evaluate(CHECKS) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.context.close()


@pytest.mark.model
def test_two_real_models_on_this_machine(browser: Browser, tmp_path: Path) -> None:
    """SmolLM2 and Gemma answer a few items in the embedded engine, from the form to the verdict."""
    kept = Path("~/.local/share/fieldguide/models").expanduser()
    if not (kept / "blobs").is_dir() or len(list((kept / "blobs").glob("*.gguf"))) < 2:
        pytest.skip("the small models are not here: make setup-models")
    (tmp_path / "models").symlink_to(kept)
    with served(tmp_path) as (address, _):
        page = _open(browser, address + "/compare")
        page.fill("#model", "smollm2-135m-instruct")
        page.fill("#other", "gemma3-270m")
        page.fill("#limit", "6")
        page.click("#compare button[type=submit]")
        page.wait_for_selector(".verdict", timeout=250_000)
        assert "on ladder" in page.inner_text(".verdict")
        assert page.query_selector("#exam-1-accuracy-table") is not None
        page.context.close()
