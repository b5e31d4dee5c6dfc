"""The gateway's OpenAPI document, and what Schemathesis makes of it: whatever is sent, no 500 and no hang."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import aiohttp
import openai
import pytest

from fieldguide.server._openapi import OPERATIONS
from fieldguide.server._routes import ROUTES
from tests.support.able_runner import AbleRunner
from tests.support.gateway import Lab, lab

CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "response_headers_conformance", "unsupported_method", "allow_header_conformance", "ignored_auth",
    "missing_required_header",
)  # fmt: skip


def test_the_document_has_every_route_and_no_other() -> None:
    """Paths, methods, and whether there is a body are those of the routes."""
    routes = {(method, path): route for path, methods in ROUTES.items() for method, route in methods.items()}
    assert set(OPERATIONS) == set(routes)
    for key, operation in OPERATIONS.items():
        assert (operation.takes is not None) == (routes[key].body is not None), key
        assert operation.gives, key


async def test_the_document_is_served_to_who_has_a_key(tmp_path: Path) -> None:
    """It is OpenAPI 3.1, names who needs no key, and is itself behind one."""
    async with lab(tmp_path, {"m": AbleRunner()}) as at:
        made = at.key()
        assert await _document(at, "none") is None
        document = await _document(at, made.key)
        assert document["openapi"] == "3.1.0"
        unlocked = {path for path, methods in document["paths"].items() for each in methods.values()
                    if each.get("security") == []}  # fmt: skip
        assert unlocked == {"/health", "/ready"}


async def _document(at: Lab, key: str) -> Any:
    headers = {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession() as session, session.get(f"{at.address}/openapi.json", headers=headers) as reply:
        return await reply.json() if reply.status == 200 else None


async def _attacked(folder: Path, *options: str, within_s: float) -> None:
    """Have Schemathesis send whatever it thinks of; the document's model is one that is there, or hardly anything is
    tried but its absence."""
    async with lab(folder, {"m": AbleRunner()}) as at:
        made = at.key(role="admin")
        document = await _document(at, made.key)
        for methods in document["paths"].values():
            for operation in methods.values():
                for content in operation.get("requestBody", {}).get("content", {}).values():
                    content["schema"]["properties"]["model"] = {"enum": ["m"]}
        path = folder / "openapi.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        command = [
            str(Path(sys.executable).parent / "schemathesis"), "run", str(path), "--url", at.address,
            "--header", f"Authorization: Bearer {made.key}", "--checks", ",".join(CHECKS), "--request-timeout", "30",
            "--no-color", "--suppress-health-check", "all", "--warnings", "off", "--continue-on-failure", *options,
        ]  # fmt: skip
        environment = {**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis")}
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await asyncio.wait_for(process.communicate(), within_s)
        assert process.returncode == 0, out.decode()[-12_000:]
        assert not any("unforeseen" in line for line in at.log), at.log
        assert at.gateway.metrics.in_flight == 0
        async with openai.AsyncOpenAI(base_url=f"{at.address}/v1", api_key=made.key, max_retries=0) as client:
            assert (
                await client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}])
            ).choices


async def test_whatever_is_sent_is_answered_as_the_document_says(tmp_path: Path) -> None:
    """Some requests to each endpoint, right and wrong: statuses, media types and bodies are those of the document."""
    options = ("--phases", "fuzzing", "--max-examples", "10", "--seed", "1", "--no-shrink")
    await _attacked(tmp_path, *options, within_s=100)


@pytest.mark.long
@pytest.mark.timeout(1200)
async def test_whatever_is_sent_for_minutes_is_answered_as_the_document_says(tmp_path: Path) -> None:
    """The same, with hundreds of requests to each endpoint, another selection each time."""
    await _attacked(tmp_path, "--phases", "coverage,fuzzing", "--max-examples", "300", within_s=1100)
