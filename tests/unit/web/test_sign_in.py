"""From elsewhere people sign in with a key of the gateway; its role, its models and its budgets hold on the pages."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from fieldguide.app.gateway import KeyLimits, NewKey, create_key, revoke_key
from fieldguide.app.wiring import House, open_house
from fieldguide.errors import KeyLimitError
from fieldguide.store import Work, Works
from fieldguide.web import Site
from fieldguide.web._comparing import Start
from fieldguide.web._sessions import IDLE_S, LONGEST_S, Sessions, Throttle
from tests.support.fake_server import fake_server, streamed
from tests.support.site import Client
from tests.unit.web.test_comparing import ASKED, going_on

COOKIE = "fieldguide_session"


def _key(home: Path, *, role: Any = "user", expires_at: str | None = None, **limits: Any) -> NewKey:
    house = open_house({"home": str(home)}, environment={})
    made = create_key(house, "tester", role=role, limits=KeyLimits(**limits), expires_at=expires_at)
    house.gateway_records.close()
    return made


@asynccontextmanager
async def _reached_site(home: Path) -> AsyncIterator[tuple[Client, Site]]:
    """Serve a site as others reach it."""
    site = Site(lambda: open_house({"home": str(home)}, environment={}), host="0.0.0.0")
    server = TestServer(site.application(), host="127.0.0.1")
    await server.start_server()
    assert server.port is not None
    site.learn_port(server.port)
    async with TestClient(server) as client:
        yield client, site


async def _token(client: Client, path: str = "/sign-in") -> str:
    found = re.search(r'name="token" value="([0-9a-f]{64})"', await (await client.get(path)).text())
    assert found is not None
    return found[1]


async def _sign_in(client: Client, key: str, back: str = "/cost") -> Any:
    form = {"token": await _token(client), "key": key, "back": back}
    return await client.post("/sign-in", data=form, allow_redirects=False)


async def test_nothing_but_the_form_is_shown_before_signing_in(tmp_path: Path) -> None:
    """Pages lead to it and back; twins and forms are refused; nothing of the guide is told."""
    _key(tmp_path)
    async with _reached_site(tmp_path) as (client, _):
        answer = await client.get("/models/qwen2.5?row=1", allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/sign-in?back=/models/qwen2.5?row%3D1")
        twin = await client.get("/cost.json")
        assert (twin.status, (await twin.json())["error"]["type"]) == (401, "InvalidKeyError")
        assert (await client.post("/ask", data={"model": "x", "prompt": "y"})).status == 401
        streamed_to = await client.post("/ask/stream", data={"model": "x", "prompt": "y"})
        assert (streamed_to.status, (await streamed_to.json())["error"]["type"]) == (401, "InvalidKeyError")
        text = await (await client.get("/sign-in")).text()
        assert "/claims" not in text
        assert "without TLS" in text


async def test_a_good_key_signs_in_and_out_again(tmp_path: Path) -> None:
    """The cookie is the browser's alone, names no key, and is worth nothing once signed out."""
    key = _key(tmp_path).key
    async with _reached_site(tmp_path) as (client, _):
        answer = await _sign_in(client, f" {key} ")
        assert (answer.status, answer.headers["Location"]) == (303, "/cost")
        kept = answer.cookies[COOKIE]
        assert (kept["httponly"], kept["samesite"], kept["secure"], kept["path"]) == (True, "Strict", "", "/")
        assert key not in kept.value
        assert "Sign out" in await (await client.get("/cost")).text()
        answer = await client.post("/sign-out", data={"token": await _token(client, "/cost")}, allow_redirects=False)
        assert answer.status == 303
        for cookies in ({}, {COOKIE: kept.value}):
            answer = await client.get("/cost", cookies=cookies, allow_redirects=False)
            assert answer.headers["Location"].startswith("/sign-in")


async def test_signing_in_begins_a_new_session(tmp_path: Path) -> None:
    """One that somebody else has planted is not taken over, and the old one ends."""
    key = _key(tmp_path).key
    async with _reached_site(tmp_path) as (client, site):
        client.session.cookie_jar.update_cookies({COOKIE: "planted" * 6}, client.make_url("/"))
        first = (await _sign_in(client, key)).cookies[COOKIE].value
        second = site.entry.sessions.begin("x")
        assert len({first, second, "planted" * 6}) == 3
        assert site.entry.sessions.key_digest("planted" * 6) is None


@pytest.mark.parametrize("key", ["", "sk-fg-00000000-nothing", "x" * 200, "\u00e4\u2028"])
async def test_a_bad_key_gets_nowhere(tmp_path: Path, key: str) -> None:
    """The form is shown again with what is wrong, and no session begins."""
    _key(tmp_path)
    async with _reached_site(tmp_path) as (client, _):
        answer = await _sign_in(client, key)
        assert answer.status == 401
        assert "no good" in await answer.text()
        assert COOKIE not in answer.cookies


async def test_keys_that_ended_end_their_sessions(tmp_path: Path) -> None:
    """Revoked meanwhile, within a second; run out before."""
    made = _key(tmp_path)
    old = _key(tmp_path, expires_at="2020-01-01T00:00:00+00:00")
    async with _reached_site(tmp_path) as (client, site):
        assert (await _sign_in(client, old.key)).status == 401
        await _sign_in(client, made.key)
        assert (await client.get("/cost", allow_redirects=False)).status == 200
        revoke_key(site.house, made.row.key_id)
        site.gateway.clock = lambda: 4e9
        assert (await client.get("/cost", allow_redirects=False)).status == 303


async def test_tries_are_counted(tmp_path: Path) -> None:
    """The eleventh bad key of a minute, and any after it, is not even looked at; the good one has to wait too."""
    key = _key(tmp_path).key
    async with _reached_site(tmp_path) as (client, _):
        statuses = [(await _sign_in(client, "bad")).status for _ in range(11)]
        assert statuses == [401] * 10 + [429]
        answer = await _sign_in(client, key)
        assert answer.status == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 60


def test_a_throttle_forgets_after_its_minute_and_takes_a_network_as_one() -> None:
    """Addresses of one IPv6 network count together; another address may try."""
    now = [30.0]
    throttle = Throttle(lambda: now[0])
    for place in range(10):
        throttle.failed(f"2001:db8::{place}")
    with pytest.raises(KeyLimitError):
        throttle.check("2001:db8::ffff")
    throttle.check("2001:db8:1::1")
    now[0] = 60.0
    throttle.check("2001:db8::1")


def test_sessions_end_idle_and_at_last() -> None:
    """An hour after the last use; twelve hours after the beginning whatever the use."""
    now = [0.0]
    sessions = Sessions(lambda: now[0])
    idle, used = sessions.begin("a"), sessions.begin("b")
    while now[0] <= LONGEST_S:
        assert sessions.key_digest(used) == "b"
        now[0] += IDLE_S / 2
    assert sessions.key_digest(used) is None
    assert sessions.key_digest(idle) is None


async def test_other_pages_get_no_session(tmp_path: Path) -> None:
    """Forms of others are refused before their cookie is looked at, and a stale token after it."""
    key = _key(tmp_path).key
    async with _reached_site(tmp_path) as (client, _):
        form = {"token": await _token(client), "key": key}
        headers = {"Origin": "http://evil.example"}
        assert (await client.post("/sign-in", data=form, headers=headers)).status == 403
        assert (await client.post("/sign-in", data=form | {"token": "0" * 64})).status == 403
        for back in ("https://evil.example/", "//evil.example"):
            assert (await _sign_in(client, key, back)).headers["Location"] == "/"
            await client.post("/sign-out", data={"token": await _token(client, "/cost")})


async def test_programs_read_twins_with_their_key(tmp_path: Path) -> None:
    """As a bearer, and only to read."""
    key = _key(tmp_path).key
    async with _reached_site(tmp_path) as (client, _):
        headers = {"Authorization": f"Bearer {key}"}
        assert (await client.get("/cost.json", headers=headers)).status == 200
        assert (await client.get("/cost.json", headers={"Authorization": "Bearer x"})).status == 401
        assert (await client.post("/ask", data={"model": "x"}, headers=headers)).status == 401


@pytest.mark.parametrize(
    "path", ["/plan?model=/etc/passwd", "/plan?model=hf:a/b", "/plan?model=http://10.0.0.1/x.gguf", "/plan?model=../x"]
)
async def test_a_user_may_not_look_around_on_this_machine(tmp_path: Path, path: str) -> None:
    """Files, places and addresses are an admin's to name."""
    user, admin = _key(tmp_path).key, _key(tmp_path, role="admin").key
    async with _reached_site(tmp_path) as (client, _):
        await _sign_in(client, user)
        assert (await client.get(path)).status == 403
        assert (await client.get("/plan?model=qwen2.5-7b-instruct:Q4_K_M")).status == 200
        await _sign_in_again(client, admin)
        assert (await client.get("/plan?model=/etc/passwd")).status != 403


async def _sign_in_again(client: Client, key: str) -> None:
    await client.post("/sign-out", data={"token": await _token(client, "/cost")})
    assert (await _sign_in(client, key)).status == 303


async def test_a_user_asks_only_models_that_are_offered(tmp_path: Path) -> None:
    """An address is refused as a model that there is none of; nothing is sent."""
    key = _key(tmp_path).key
    async with fake_server(lambda call: streamed("hello")) as server, _reached_site(tmp_path) as (client, _):
        await _sign_in(client, key)
        form = {"token": await _token(client, "/ask"), "model": f"{server.url}#one", "prompt": "hi"}
        text = await (await client.post("/ask", data=form)).text()
        assert "There is no such model here" in text
        assert server.calls == []


async def test_a_user_learns_of_no_file_by_measuring(tmp_path: Path) -> None:
    """One that is there and one that is not are refused alike, and only models of the key are offered."""
    tmp_path.joinpath("here.gguf").touch()
    async with _reached_site(tmp_path) as (client, _):
        await _sign_in(client, _key(tmp_path).key)
        form = {"token": await _token(client, "/compare"), "benchmark": "ladder"}
        for name in ("here.gguf", "gone.gguf", "a.jsonl"):
            named = f"recorded:{tmp_path / name}" if name.endswith("l") else str(tmp_path / name)
            answer = await client.post("/compare", data=form | {"model": named})
            assert answer.status == 400
            assert "There is no such model here" in await answer.text()
        assert (await (await client.get("/compare.json")).json())["choices"]["models"] == []
        assert Works(tmp_path / "works").every() == []


async def test_a_work_shows_a_user_nothing_of_this_machine(tmp_path: Path) -> None:
    """Neither the folder in which it was asked, nor whose it is, nor what its process wrote; an admin sees them."""
    user, admin, works = _key(tmp_path).key, _key(tmp_path, role="admin").key, Works(tmp_path / "works")
    work_id = works.make("measure", "x", ASKED | {"folder": "/srv/fieldguide", "owner": "somebody"}).work_id
    (works.folder(work_id) / "process.log").write_text("Traceback: /srv/fieldguide/x.py")
    async with _reached_site(tmp_path) as (client, _):
        for key, shown in ((user, False), (admin, True)):
            await _sign_in_again(client, key) if shown else await _sign_in(client, key)
            for path in (f"/works/{work_id}.json", f"/works/{work_id}"):
                text = await (await client.get(path)).text()
                assert ("/srv/fieldguide" in text) is shown, path


async def test_a_key_has_so_many_works_at_once(tmp_path: Path) -> None:
    """A fifth is refused, new or taken up again; another key has its own."""
    one, other, works = _key(tmp_path, role="admin"), _key(tmp_path, role="admin"), Works(tmp_path / "works")
    with ExitStack() as held:
        for place in range(4):
            held.enter_context(going_on(works, ASKED | {"owner": one.row.key_id, "seed": place}))
        stopped = works.make("measure", "x", ASKED | {"owner": one.row.key_id}).work_id
        async with _reached_site(tmp_path) as (client, _):
            await _sign_in(client, one.key)
            form = {"token": await _token(client, "/compare"), "model": "recorded:a.jsonl", "benchmark": "ladder"}
            for path in ("/compare", f"/works/{stopped}/resume"):
                answer = await client.post(path, data=form)
                assert answer.status == 400
                assert "4 works of this key" in await answer.text()
            assert len(works.every()) == 5
            await _sign_in_again(client, other.key)
            form["token"] = await _token(client, "/compare")
            assert "4 works" not in await (await client.post("/compare", data=form | {"benchmark": "nix"})).text()


@pytest.mark.parametrize("sent_by", ["user", "admin"])
async def test_who_judges_answers_again_may_stop_that(
    tmp_path: Path, sent_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is kept whose it is, as with a measurement; another user may not."""
    asked: list[dict[str, Any]] = []

    def start(house: House, kind: str, title: str, held: dict[str, Any]) -> Work:
        asked.append(held)
        return house.works.make(kind, title, held)

    judging = Start(kind="rescore", title="x", asked={"run": "r", "protocol": "all"})
    monkeypatch.setattr("fieldguide.web._works.read_rescoring", lambda *_: judging)
    monkeypatch.setattr("fieldguide.web._comparing.start_work", start)
    mine, others = _key(tmp_path, role=sent_by), _key(tmp_path)
    async with _reached_site(tmp_path) as (client, _):
        await _sign_in(client, mine.key)
        answer = await client.post("/runs/r/rescore", data={"token": await _token(client, "/cost")})
        assert asked[0]["owner"] == mine.row.key_id
        path = answer.url.path
        assert (await client.post(f"{path}/stop", data={"token": await _token(client, "/cost")})).status == 200
        await _sign_in_again(client, others.key)
        assert (await client.post(f"{path}/stop", data={"token": await _token(client, "/cost")})).status == 403


async def test_a_budget_and_the_allowed_models_hold(tmp_path: Path) -> None:
    """Without a known price a budget refuses; a key with a list asks those alone; without limits it is answered."""
    async with fake_server(lambda call: streamed("hello")) as server, _reached_site(tmp_path) as (client, _):
        reference = f"{server.url}#one"
        for limits, told in (
            ({"budget_usd": Decimal(1)}, "a budget cannot be held"),
            ({"models": ("other",)}, "There is no such model here"),
            ({"requests_per_minute": 0}, "0 requests a minute"),
        ):
            key = _key(tmp_path, role="admin", **limits).key
            await _sign_in(client, key)
            form = {"token": await _token(client, "/ask"), "model": reference, "prompt": "hi"}
            assert told in await (await client.post("/ask", data=form)).text()
            await client.post("/sign-out", data={"token": await _token(client, "/cost")})
        assert server.calls == []
        await _sign_in(client, _key(tmp_path, role="admin", models=(reference,)).key)
        form = {"token": await _token(client, "/ask"), "model": reference, "prompt": "hi"}
        assert "hello" in await (await client.post("/ask", data=form)).text()
        assert len(server.calls) == 1


async def test_conversations_are_their_owners(tmp_path: Path) -> None:
    """Another key neither sees one, nor goes on with it, nor takes it away."""
    async with fake_server(lambda call: streamed("a secret")) as server, _reached_site(tmp_path) as (client, _):
        await _sign_in(client, _key(tmp_path, role="admin").key)
        form = {"token": await _token(client, "/ask"), "model": f"{server.url}#one", "prompt": "hi"}
        await client.post("/ask", data=form)
        (held,) = (await (await client.get("/history.json")).json())["conversations"]
        number = held["conversation_id"]
        assert (await client.get(f"/ask?conversation={number}")).status == 200
        await _sign_in_again(client, _key(tmp_path, role="admin").key)
        assert (await (await client.get("/history.json")).json())["conversations"] == []
        assert (await client.get(f"/ask?conversation={number}")).status == 404
        token = await _token(client, "/ask")
        text = await (await client.post("/ask", data=form | {"token": token, "conversation": str(number)})).text()
        assert "a secret" not in text
        assert (await client.post("/history/delete", data={"token": token, "conversation": number})).status == 404
        assert len(server.calls) == 1
