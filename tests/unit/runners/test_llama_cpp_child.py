"""The engine's child process: crashes, restarts, ends, and keeps to itself."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fieldguide.domain import Completion, CompletionRequest
from fieldguide.errors import ModelLoadError, RunnerUnavailableError
from fieldguide.runners.llama_cpp import open_runner
from fieldguide.runners.llama_cpp._runner import LlamaCppRunner
from tests.support.embedded import children, opened, settings, the_child
from tests.support.tiny_gguf import tiny_gguf

SHORT = CompletionRequest(prompt="a b c", max_output_tokens=12, temperature=0)
ENDLESS = CompletionRequest(prompt="a b c", max_output_tokens=200_000, temperature=0)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return tiny_gguf(tmp_path / "tiny.gguf", context_length=262_144)


async def kill_in_mid_request(runner: LlamaCppRunner) -> BaseException:
    """Kill the engine while it answers and return the error that the request got."""
    request = asyncio.create_task(runner.complete(ENDLESS))
    await asyncio.sleep(0.3)
    os.kill(the_child(), signal.SIGKILL)
    with pytest.raises(RunnerUnavailableError) as caught:
        await request
    return caught.value


async def test_a_crash_is_told_and_the_next_request_is_answered(tiny: Path, tmp_path: Path) -> None:
    """A request in flight gets a retryable error naming the signal; the next one starts the engine again."""
    async with opened(tiny, settings(tmp_path, context_tokens="262144")) as runner:
        before = await runner.complete(SHORT)
        first = the_child()
        error = await kill_in_mid_request(runner)
        assert "SIGKILL" in str(error)
        assert isinstance(error, RunnerUnavailableError)
        assert error.retryable
        assert children() == set()
        again = await asyncio.gather(*(runner.complete(SHORT) for _ in range(4)))
        assert {completion.text for completion in again} == {before.text}
        assert the_child() != first


async def test_a_crash_in_a_stream_never_ends_in_a_completion(tiny: Path, tmp_path: Path) -> None:
    """A stream that breaks off raises; what came before were pieces only."""
    async with opened(tiny, settings(tmp_path, context_tokens="262144")) as runner:
        got = []

        async def read() -> None:
            async for piece in runner.stream(ENDLESS):
                got.append(piece)
                if len(got) == 5:
                    os.kill(the_child(), signal.SIGKILL)

        with pytest.raises(RunnerUnavailableError):
            await read()
        assert len(got) >= 5
        assert not any(isinstance(piece, Completion) for piece in got)


async def test_after_three_crashes_the_engine_is_left_alone(tiny: Path, tmp_path: Path) -> None:
    """Three crashes within minutes end in an error that is not retryable, and in no process."""
    async with opened(tiny, settings(tmp_path, context_tokens="262144")) as runner:
        for _ in range(3):
            await kill_in_mid_request(runner)
            with contextlib.suppress(ModelLoadError):
                await runner.complete(SHORT)
        with pytest.raises(ModelLoadError, match="3 times") as caught:
            await runner.complete(SHORT)
        assert not caught.value.retryable
        assert children() == set()


async def test_closing_ends_the_child_and_removes_its_folder(tiny: Path, tmp_path: Path) -> None:
    """After `close` there is neither a process nor a socket folder, requests in flight or not."""
    async with opened(tiny, settings(tmp_path, context_tokens="262144")) as runner:
        folder = socket_path(the_child()).parent
        request = asyncio.create_task(runner.complete(ENDLESS))
        await asyncio.sleep(0.2)
        await runner.close()
        with pytest.raises(RunnerUnavailableError):
            await request
        assert children() == set()
        assert not folder.exists()


async def test_an_opening_that_is_cancelled_leaves_nothing(tiny: Path, tmp_path: Path) -> None:
    """Whenever the opening is cancelled, no child remains."""
    pytest.importorskip("xllamacpp")
    for wait_s in (0.0, 0.02, 0.05, 0.1, 0.2):
        opening = asyncio.create_task(open_runner(str(tiny), settings(tmp_path)))
        await asyncio.sleep(wait_s)
        opening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await (await opening).close()
        assert children() == set()


@pytest.mark.parametrize("how", ["killed", "left open"])
def test_the_child_goes_with_its_parent(how: str, tiny: Path, tmp_path: Path) -> None:
    """When the parent is killed, or ends without closing, its child and the socket folder soon go too."""
    pytest.importorskip("xllamacpp")
    code = f"""
import asyncio, sys, time
from pathlib import Path
from tests.support.embedded import settings, the_child
from fieldguide.runners.llama_cpp import open_runner

async def main():
    runner = await open_runner({str(tiny)!r}, settings(Path({str(tmp_path)!r})))
    print(the_child(), flush=True)
    if {how == "killed"}:
        await asyncio.sleep(60)

asyncio.run(main())
"""
    root = Path(__file__).parents[3]
    parent = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=root
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    folder = None
    if how == "killed":
        folder = socket_path(child).parent
        parent.kill()
    parent.wait()
    parent.stdout.close()
    until_s = time.monotonic() + 5
    while (alive(child) or (folder and folder.exists())) and time.monotonic() < until_s:
        time.sleep(0.02)
    assert not alive(child)
    assert folder is None or not folder.exists()


async def test_only_this_user_can_reach_the_engine(tiny: Path, tmp_path: Path) -> None:
    """The child listens on one UNIX socket in a folder of mode 0700, and on no TCP port."""
    async with opened(tiny, settings(tmp_path)):
        child = the_child()
        path = socket_path(child)
        assert path.is_socket()
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert len(str(path)) < 100
        inodes = sockets(child)
        for table in ("tcp", "tcp6", "udp", "udp6"):
            lines = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
            assert not inodes & {line.split()[9] for line in lines}


async def test_the_child_gets_no_keys(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the environment nor the command line of the child holds a key, or the prompt's neighbourhood."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    monkeypatch.setenv("HF_TOKEN", "hf_canary")
    async with opened(tiny, settings(tmp_path)):
        child = Path(f"/proc/{the_child()}")
        seen = (child / "environ").read_bytes() + (child / "cmdline").read_bytes()
        assert b"canary" not in seen
        assert b"GGML_NO_BACKTRACE=1" in seen
        assert os.getpgid(int(child.name)) == int(child.name)


def alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] != "Z"
    except OSError:
        return False


def sockets(pid: int) -> set[str]:
    """Return the inodes of the sockets that a process holds."""
    found = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            target = str(descriptor.readlink())
            if target.startswith("socket:["):
                found.add(target.removeprefix("socket:[").removesuffix("]"))
    return found


def socket_path(pid: int) -> Path:
    """Return the path of the UNIX socket on which a process listens."""
    inodes = sockets(pid)
    lines = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    (path,) = {Path(fields[7]) for fields in lines if len(fields) > 7 and fields[6] in inodes}
    return path
