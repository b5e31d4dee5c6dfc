"""Every page, its JSON twin, its faults, and every link between pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

import pytest

from fieldguide import errors
from fieldguide.web import PAGES
from fieldguide.web._errors import STATUSES
from tests.contracts.test_architecture import all_errors
from tests.support.html_page import Page
from tests.support.site import ITEMS, Client, finished_work, site_over, stored_model, two_runs

FIXED = {
    "home": [
        "/",
        "/?q=qwen+coder",
        "/?kind=code&max_parameters=8B&licence=commercial&weights=yes",
        "/?q=zzzzqqqq",
        "/?q=qwen+7b&fits=24GB",
        "/?map=code",
    ],
    "jobs": ["/jobs", "/jobs?job=summarise+patient+letters&weights=yes"],
    "model": ["/models/qwen2.5", "/models/qwen2.5?row=3", "/models/qwen2.5-7b-instruct", "/models/gpt-4o"],
    "claims": ["/claims", "/claims?table=qwq-32b-preview-blog", "/claims?model=gpt-4o", "/claims?benchmark=gpqa"],
    "plan": ["/plan", "/plan?model=qwen2.5-7b-instruct:Q4_K_M&on=rtx4090&context=16384", "/plan?model=qwen2.5-0.5b"],
    "train-plan": ["/train-plan", "/train-plan?parameters=7B&tokens=2T&on=2048xa100-80gb"],
    "ask": ["/ask", "/ask?model=smollm2-135m-instruct"],
    "history": ["/history"],
    "here": ["/here"],
    "fetch": ["/here/fetch", "/here/fetch?model=smollm2-135m-instruct"],
    "compare": ["/compare", "/compare?model=smollm2-135m-instruct&other=gemma3-270m&limit=50&margin=5&fresh=yes"],
    "cost": ["/cost", "/cost?model=gpt-4o&input_tokens=1000&output_tokens=500&requests=100"],
}
MOST_BYTES = 300_000


@pytest.fixture
async def measured(tmp_path: Path) -> dict[str, list[str]]:
    """Addresses of every kind of page, over a home with two runs."""
    comparison = await two_runs(tmp_path)
    runs = [result.run.run.run_id for result in comparison.evaluation.results]
    item = comparison.evaluation.results[0].run.exam.items[3].item
    return FIXED | {
        "runs": ["/runs"],
        "load": [f"/here/load?model={stored_model(tmp_path)}"],
        "remove": ["/here/remove?model=tiny-q4_k_m"],
        "work": [f"/works/{await finished_work(tmp_path)}"],
        "run": [f"/runs/{runs[0]}", f"/runs/{runs[0]}?outcome=wrong", f"/runs/{runs[0]}?disputed=yes"],
        "item": [f"/runs/{runs[0]}/items/{quote(item, safe='')}"],
        "verdict": [f"/verdict?run={runs[0]}&run={runs[1]}"],
    }


def _twin(address: str) -> str:
    path, question, query = address.partition("?")
    return ("/index" if path == "/" else path) + ".json" + question + query


_OF_THE_MOMENT = {"at", "free_bytes"}
"""When prices were asked for, and the room on disk and in memory, which others fill meanwhile."""


def _timeless(context: Any) -> Any:
    """Return a context without what the next moment changes, at whatever depth it stands."""
    if isinstance(context, dict):
        return {name: _timeless(held) for name, held in context.items() if name not in _OF_THE_MOMENT}
    return [_timeless(each) for each in context] if isinstance(context, list) else context


async def _page(client: Client, address: str) -> Page:
    answer = await client.get(address)
    text = await answer.text()
    assert answer.status == 200, (address, text[-600:])
    assert answer.content_type == "text/html"
    assert len(text) < MOST_BYTES
    return Page(text)


async def test_every_page_shows_and_its_twin_has_the_documented_keys(
    tmp_path: Path, measured: dict[str, list[str]]
) -> None:
    """HTML and JSON of every page, by both addresses of the twin; a page has one heading and its links stay here."""
    assert set(measured) == {page.name for page in PAGES}
    async with site_over(tmp_path) as client:
        for page in PAGES:
            for address in measured[page.name]:
                shown = await _page(client, address)
                assert [element.tag for element in shown.elements].count("h1") == 1, address
                answer = await client.get(_twin(address))
                assert answer.content_type == "application/json"
                context = await answer.json()
                assert list(context) == list(page.keys), address
                again = await client.get(address + ("&" if "?" in address else "?") + "format=json")
                assert _timeless(await again.json()) == _timeless(context)


async def test_no_page_leads_to_or_loads_from_another_address(tmp_path: Path, measured: dict[str, list[str]]) -> None:
    """Sources are named in words; nothing has an address outside, a script inside, or a style attribute."""
    async with site_over(tmp_path) as client:
        for address in (each for several in measured.values() for each in several):
            for element in (await _page(client, address)).elements:
                for name, held in element.attributes.items():
                    assert not name.startswith("on"), (address, element)
                    assert name != "style", (address, element)
                    if name in {"href", "src", "action", "formaction", "data", "poster", "srcset", "xlink:href"}:
                        assert held.startswith(("/", "#")) or held == "data:,", (address, element)
                        assert not held.startswith("//"), (address, element)
                assert element.tag not in {"iframe", "object", "embed", "base", "style"}, (address, element)
                assert element.tag != "script" or element.attributes.get("src"), (address, element)


async def test_no_link_is_broken(tmp_path: Path, measured: dict[str, list[str]]) -> None:
    """Crawled from the first page: every kind of link is followed, and every anchor is there."""
    async with site_over(tmp_path) as client:
        open_, seen = ["/", *measured["verdict"], *measured["run"]], set[str]()
        followed: dict[str, int] = {}
        while open_:
            address = open_.pop()
            if address in seen:
                continue
            seen.add(address)
            answer = await client.get(address)
            assert answer.status == 200, address
            if answer.content_type != "text/html":
                await answer.read()
                continue
            page = Page(await answer.text())
            ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
            assert len(set(ids)) == len(ids), (address, sorted(one for one in ids if ids.count(one) > 1))
            for link in _links(page):
                path, _, anchor = urljoin(address, link).partition("#")
                if path == address and anchor:
                    assert anchor in ids, (address, link)
                kind = re.sub(r"=[^&]*", "", re.sub(r"^(/\w*)/[^?]*?(/items|/export|$|\?)[^?]*", r"\1/x\2", path))
                followed[kind] = followed.get(kind, 0) + 1
                if followed[kind] <= 12:
                    open_.append(path)
        assert len(seen) > 60


def _links(page: Page) -> Iterator[str]:
    for element in page.elements:
        for name in ("href", "src"):
            if (held := element.attributes.get(name)) and held != "data:,":
                yield held


@pytest.mark.long
async def test_every_family_and_model_has_its_page(tmp_path: Path) -> None:
    """Whatever is known or unknown of it: each page of the catalogue shows."""
    async with site_over(tmp_path) as client:
        context = await (await client.get("/index.json")).json()
        families = []
        for group in context["map"]:
            for start in range(0, group["total"], 100):
                address = f"/index.json?map={group['kind']}&from={start}"
                (found,) = (await (await client.get(address)).json())["map"]
                families += found["families"]
        for family in families:
            await _page(client, f"/models/{family['name']}")
            for size in family["sizes"]:
                await _page(client, f"/models/{size['model']}")
        assert len(families) >= 100


@pytest.mark.parametrize(("address", "status", "nearest"), [
    ("/models/qwen2.5-7b-instrut", 404, "qwen2.5-7b-instruct"),
    ("/jobs?job=zzzzqqqq", 404, None),
    ("/claims?table=qwq-32b-preview-blgo", 404, "qwq-32b-preview-blog"),
    ("/claims?benchmark=gpqaa", 404, "gpqa"),
    ("/cost?model=gpt-4o-minni&input_tokens=1", 404, "gpt-4o-mini"),
    ("/cost?model=gpt-4o&input_tokens=many", 400, None),
    ("/cost?model=gpt-4o&input_tokens=-1", 400, None),
    ("/cost?model=gpt-4o", 400, None),
    ("/?kind=cod", 404, "code"),
    ("/?max_parameters=huge", 400, None),
    ("/?fits=nix", 404, None),
    ("/?fits=24", 400, None),
    ("/?map=cod", 404, "code"),
    ("/plan?model=qwen2.5-7b-instrut", 404, "qwen2.5-7b-instruct"),
    ("/plan?model=qwen2.5", 400, None),
    ("/plan?model=qwen2.5-7b-instruct&on=nix", 404, None),
    ("/plan?model=gpt-4o", 400, None),
    ("/train-plan?on=h100", 400, None),
    ("/runs/nix", 404, None),
    ("/verdict", 400, None),
    ("/no-such-page", 404, None),
])  # fmt: skip
async def test_what_is_unknown_or_wrong_gets_a_clear_page(
    tmp_path: Path, address: str, status: int, nearest: str | None
) -> None:
    """A page with its status, the nearest names, a way back, and the same as JSON."""
    async with site_over(tmp_path) as client:
        answer = await client.get(address)
        text = await answer.text()
        assert answer.status == status, text
        assert "Something unforeseen" not in text
        page = Page(text)
        assert nearest is None or any(nearest in element.text for element in page.elements if element.tag == "main")
        assert any(element.attributes.get("href") == "/" for element in page.elements)
        if address != "/no-such-page":
            told = (await (await client.get(_twin(address))).json())["error"]
            assert told["message"] in " ".join(element.text for element in page.elements)


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "' onmouseover='alert(1)",
        "{{ 6007 * 7 }}",
        "a\u202eb",
        "../../etc/passwd",
        "x" * 3000,
    ],
)
async def test_hostile_names_are_shown_and_never_run(tmp_path: Path, name: str) -> None:
    """In every field and in every part of a path: no element is made of them and no template evaluates them."""
    given = quote(name, safe="")
    addresses = [
        f"/models/{given}", f"/?q={given}", f"/?kind={given}", f"/jobs?job={given}", f"/claims?model={given}",
        f"/claims?table={given}", f"/cost?model={given}&input_tokens=1", f"/runs/{given}", f"/verdict?run={given}",
        f"/plan?model={given}", f"/train-plan?model={given}", f"/{given}",
    ]  # fmt: skip
    async with site_over(tmp_path) as client:
        for address in addresses:
            answer = await client.get(address)
            assert answer.status in {200, 400, 404}, address
            text = await answer.text()
            assert "42049" not in text, address
            assert "\u202e" not in text
            _is_harmless(Page(text))


async def test_hostile_answers_are_shown_and_never_run(tmp_path: Path, measured: dict[str, list[str]]) -> None:
    """Every answer of a run in turn: shown as text, nothing else."""
    async with site_over(tmp_path) as client:
        run = measured["run"][0]
        address: str | None = None
        context = await (await client.get(f"{run}.json")).json()
        for place, line in enumerate(context["items"]):
            address = f"{run}/items/{quote(line['item'], safe='')}"
            page = await _page(client, address)
            _is_harmless(page)
            texts = [element.text for element in page.elements if element.tag == "pre"]
            assert place != 0 or "<script>alert(1)</script>" in texts[-1]
        assert len(context["items"]) == ITEMS


def _is_harmless(page: Page) -> None:
    for element in page.elements:
        assert element.tag not in {"script", "img", "iframe", "style", "meta-refresh"}, element
        assert not any(name.startswith("on") for name in element.attributes), element
        assert element.tag != "meta" or "http-equiv" not in element.attributes, element


async def test_the_export_is_what_the_command_writes(tmp_path: Path, measured: dict[str, list[str]]) -> None:
    """A header, then a line per attempt, as a download."""
    async with site_over(tmp_path) as client:
        answer = await client.get(f"{measured['run'][0]}/export.jsonl")
        lines = [json.loads(line) for line in (await answer.text()).split("\n")[:-1]]
        assert "attachment" in answer.headers["Content-Disposition"]
        assert set(lines[0]) == {"run", "exam", "identity"}
        assert len(lines) == ITEMS + 1
        assert (await client.get("/runs/nix/export.jsonl")).status == 404


async def test_a_verdict_read_here_is_the_one_that_compare_gave(tmp_path: Path) -> None:
    """The same figures and, at the items that compare has looked at, no provisional one; reading spends no look."""
    comparison = await two_runs(tmp_path)
    ids = [result.run.run.run_id for result in comparison.evaluation.results]
    async with site_over(tmp_path) as client:
        for _ in range(2):
            context = await (await client.get(f"/verdict.json?run={ids[0]}&run={ids[1]}")).json()
            (shown,), (kept,) = context["verdicts"], comparison.verdicts
            assert shown["verdict"] == kept.verdict
            assert shown["p_adjusted"] == kept.p_adjusted
            assert (shown["ci_low"], shown["ci_high"]) == (kept.ci_low, kept.ci_high)
            assert shown["look"]["provisional"] is kept.look.provisional
        assert len(context["differing"]) == shown["discordant"]["a_only"] + shown["discordant"]["b_only"]


async def test_an_empty_home_says_what_to_do_first(tmp_path: Path) -> None:
    """No records: the page of runs names the first command and makes no file."""
    async with site_over(tmp_path) as client:
        assert "fieldguide compare" in await (await client.get("/runs")).text()
        assert not (tmp_path / "fieldguide.sqlite").exists()


async def test_assets_may_be_kept_for_long(tmp_path: Path) -> None:
    """Their addresses change with their content; another name is not found."""
    async with site_over(tmp_path) as client:
        page = await _page(client, "/cost")
        for link in [element.attributes["href"] for element in page.elements if element.tag == "link"][1:]:
            answer = await client.get(link)
            assert answer.status == 200
            assert "immutable" in answer.headers["Cache-Control"]
            assert "http" not in (await answer.text()).replace("http-equiv", "")
        assert (await client.get("/assets/x/..%2f_site.py")).status == 404


@pytest.mark.parametrize("error", all_errors(), ids=lambda error: error.__name__)
def test_every_error_has_a_status(error: type[errors.FieldguideError]) -> None:
    """The table of statuses covers the whole tree."""
    covered = [ancestor for ancestor in error.__mro__ if ancestor in STATUSES]
    assert covered != [errors.FieldguideError] or error is errors.FieldguideError
