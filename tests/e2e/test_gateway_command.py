"""`keys`, `usage` and `serve` as a person types them."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.support.program import fieldguide


async def test_keys_are_made_listed_limited_and_revoked(tmp_path: Path) -> None:
    """A key is shown once; limits are changed one by one, and `none` takes one away."""
    home = ("--home", str(tmp_path), "--json")
    made = await fieldguide("keys", "create", "alice", "--budget-usd", "20", "--models", "a,b", *home)
    assert made.code == 0, made.err
    assert made.json["key"].startswith("sk-fg-")
    assert made.json["limits"] == {"budget_usd": "20", "models": ["a", "b"]}
    changed = await fieldguide("keys", "limit", "alice", "--models", "none", "--requests-per-minute", "5", *home)
    assert changed.json["limits"] == {"budget_usd": "20", "requests_per_minute": 5}
    nothing = await fieldguide("keys", "limit", "alice", *home)
    assert nothing.code == 2
    assert "--budget-usd" in nothing.json["error"]["hint"]
    revoked = await fieldguide("keys", "revoke", made.json["id"], *home)
    assert revoked.json["revoked_at"] is not None
    listed = await fieldguide("keys", "list", *home)
    assert [key["name"] for key in listed.json["keys"]] == ["alice"]
    assert made.json["key"] not in listed.out
    used = await fieldguide("usage", "--by", "model", *home)
    assert used.json == {"by": "model", "since": None, "usage": []}


async def test_wrong_use_says_what_to_type(tmp_path: Path) -> None:
    """An unknown key, a bad amount, a bad configuration, a taken port: exit code 2 and the next step."""
    home = ("--home", str(tmp_path))
    unknown = await fieldguide("keys", "revoke", "nobody", *home)
    assert unknown.code == 2
    assert (await fieldguide("keys", "create", "x", "--budget-usd", "lots", *home)).code == 2
    assert (await fieldguide("usage", "--since", "yesterday", *home)).code == 2
    config = tmp_path / "gateway.toml"
    config.write_text("[gateway]\nprot = 1\n", encoding="utf-8")
    wrong = await fieldguide("serve", "--config", str(config), *home)
    assert wrong.code == 2
    assert "prot" in wrong.err
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        taken = await fieldguide("serve", "--port", str(busy.getsockname()[1]), *home)
    assert taken.code == 2
    assert "--port" in taken.err
