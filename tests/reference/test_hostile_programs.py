"""Hostile programs, those of the shared folder and some of our own, in every tier that holds here.

A program's own words are not trusted: what it must not reach is planted first and looked at afterwards.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fieldguide.scoring.code_judge import TIERS, CodeJudge, Judgement, Limits, StdinTest, Submission, Tier, why_not
from tests.support.shared import shared

ARENA = Path("/tmp/hostile-arena")
"""Named in the programs themselves."""
UDP_PORT, ABSTRACT = 47002, "\0hostile-canary"
TOKEN = f"EXPECTED-{uuid.uuid4()}"
SECRET = f"SECRET-{uuid.uuid4()}"
LIMITS = Limits(cpu_s=0.4, wall_s=8)
PATIENT = Limits(cpu_s=4, wall_s=20)
"""For what is not about time: a verdict must not depend on how busy the machine is."""


@dataclass
class Arena:
    """What was planted."""

    sockets: list[socket.socket]
    victim: subprocess.Popen[bytes]
    held_bytes: int = field(default_factory=lambda: resident_bytes())
    """Of this process before the first program: other tests have filled it."""

    def touched(self) -> list[str]:
        """Return what a program has reached since the last look."""
        found = [f"socket {one.family.name} {one.type.name}" for one in self.sockets if _heard(one)]
        found += [f"dropped {path.name}" for path in (ARENA / "drop").iterdir()]
        found += ["killed the victim"] if self.victim.poll() is not None else []
        state = Path(f"/proc/{self.victim.pid}/stat").read_text().rpartition(")")[2].split()[0]
        return found + (["stopped the victim"] if state == "T" else [])


def _heard(listener: socket.socket) -> bool:
    with contextlib.suppress(BlockingIOError):
        if listener.type == socket.SOCK_DGRAM:
            return bool(listener.recv(100))
        listener.accept()[0].close()
        return True
    return False


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """A readable secret, a secret in the environment, listeners, a folder for all, a process of the programs' user."""
    with Path("/tmp/hostile-arena.lock").open("w") as lock, contextlib.ExitStack() as stack:
        fcntl.flock(lock, fcntl.LOCK_EX)  # The programs name fixed places: one test run at a time.
        shutil.rmtree(ARENA, ignore_errors=True)
        (ARENA / "drop").mkdir(parents=True)
        (ARENA / "drop").chmod(0o777)
        (ARENA / "secret.txt").write_text(SECRET)
        (ARENA / "expected.json").write_text(json.dumps({"expected": TOKEN}))
        os.environ["FAKE_API_KEY"] = SECRET
        stack.callback(os.environ.pop, "FAKE_API_KEY")
        stack.callback(shutil.rmtree, ARENA, ignore_errors=True)
        held = (ARENA / "secret.txt").open()
        stack.callback(held.close)
        os.set_inheritable(held.fileno(), True)
        user = 65534 if os.getuid() == 0 else None
        victim = subprocess.Popen(["sleep", "600"], stdin=subprocess.DEVNULL, user=user)
        stack.callback(victim.wait)
        stack.callback(victim.kill)
        yield Arena([stack.enter_context(one) for one in _listeners()], victim)


def _listeners() -> Iterator[socket.socket]:
    places: list[tuple[int, int, Any]] = [
        (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", UDP_PORT)),
        (socket.AF_UNIX, socket.SOCK_STREAM, ABSTRACT),
        (socket.AF_UNIX, socket.SOCK_STREAM, str(ARENA / "canary.sock")),
    ]
    for family, kind, address in places:
        made = socket.socket(family, kind)
        made.setblocking(False)
        made.bind(address)
        if kind == socket.SOCK_STREAM:
            made.listen()
        yield made
    (ARENA / "canary.sock").chmod(0o777)


@pytest.fixture(scope="module", params=TIERS)
def judge(request: pytest.FixtureRequest, arena: Arena) -> Iterator[CodeJudge]:
    """A judge of each tier that holds on this machine."""
    tier: Tier = request.param
    reason = why_not(tier)
    if reason is not None:
        pytest.skip(f"the tier {tier} does not hold here: {reason}")
    with CodeJudge(workers=1, tier=tier) as made:
        yield made


def manifest() -> dict[str, Any]:
    """Return what the shared folder says of its programs; empty where it is not there."""
    with contextlib.suppress(pytest.skip.Exception):
        found: dict[str, Any] = json.loads(shared("hostile", "manifest.json").read_text())
        return found
    return {}


MANIFEST = manifest()
SLOW_TIER = "bubblewrap"
"""Starts an interpreter for each run: a fifth of the programs in the normal suite, all of them in the long one."""


SLOW_PROGRAMS = {"t03", "t04", "t05", "m01", "m03", "m04", "x01", "p08"}
"""Use all the time they are given: in the normal suite, in the first tier only."""


def _takes_long(tier: Tier, name: str, index: int) -> bool:
    if tier == SLOW_TIER:
        return bool(index % 5)
    return tier != TIERS[0] and name[:3] in SLOW_PROGRAMS


def cases(names: Iterable[str]) -> list[Any]:
    """Return (tier, program) for every tier and program."""
    return [
        pytest.param(tier, name, marks=[pytest.mark.long] if _takes_long(tier, name, index) else [])
        for tier in TIERS
        for index, name in enumerate(names)
    ]


def run(judge: CodeJudge, program: str | bytes, task: str, limits: Limits) -> Judgement:
    """Judge a program on one of the three tasks."""
    if task == "bigio":
        numbers = "\n".join(map(str, range(650_000)))
        test = StdinTest(input=numbers, expected=numbers)
    else:
        test = StdinTest(input="2 3\n", expected="5\n" if task == "sum" else TOKEN)
    return judge.judge(Submission(program=program, tests=(test,)), limits)


def still_running(judge: CodeJudge) -> list[int]:
    """Return the processes that a run left behind below the judge's guards."""
    left = []
    for guard in judge._started:
        below = _descendants(guard.pid)
        idle = 1 if judge.tier == "fork-server" else 0  # Process 1 of its namespace.
        until = time.monotonic() + 5
        while len(below) > idle and time.monotonic() < until:
            time.sleep(0.02)
            below = _descendants(guard.pid)
        left += below[idle:]
        if judge.tier == "bubblewrap":  # Its processes may have another parent by now; a killed one takes a moment.
            while (strays := _naming(guard._scratch)) and time.monotonic() < until:
                time.sleep(0.02)
            left += strays
    return left


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += [int(child), *_descendants(int(child))]
    return found


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _naming(folder: Path) -> list[int]:
    return [pid for pid in _processes() if str(folder) in _command(pid)]


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    return ""


def resident_bytes() -> int:
    """Return the memory of this process, which is the judge."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def assert_harmless(judge: CodeJudge, arena: Arena, judgement: Judgement, forbidden: list[str]) -> None:
    """Look for every effect that no program may have."""
    said = judgement.got + judgement.stderr_tail
    assert arena.touched() == []
    assert SECRET not in said
    assert "STATE-KEPT" not in said
    for effect in forbidden:
        if effect.startswith("stdout:"):
            assert effect.removeprefix("stdout:") not in judgement.got, judgement
    assert still_running(judge) == []
    assert not list(Path.cwd().glob("core*"))
    assert resident_bytes() - arena.held_bytes < 1 << 29


@pytest.mark.parametrize(("judge", "name"), cases(MANIFEST), indirect=["judge"])
def test_a_hostile_program_gets_its_verdict_and_does_no_harm(judge: CodeJudge, arena: Arena, name: str) -> None:
    """Each program of the shared folder: verdict as its manifest says, and none of the forbidden effects."""
    facts = MANIFEST[name]
    quick = name.startswith("t") or name in {"m03_decompression_bomb", "m04_huge_int", "x01_deep_recursion"}
    program = shared("hostile", f"{name}.py").read_bytes()
    judgement = run(judge, program, facts["task"], LIMITS if quick else PATIENT)
    assert judgement.verdict in facts["right_verdict"], judgement
    assert_harmless(judge, arena, judgement, facts["forbid"])


def test_nothing_is_kept_for_the_next_program(judge: CodeJudge, arena: Arena) -> None:
    """The program that leaves a mark does not find it the second time."""
    program = shared("hostile", "c08_stored_state.py").read_bytes()
    for _ in range(2):
        assert "fresh" in run(judge, program, "oracle", PATIENT).got


OURS = {
    "limits_of_the_parent": """
import os, resource
try: resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (0, 0)); print('GOT')
except (OSError, ValueError) as e: print('blocked', e)
""",
    "signal_by_descriptor": """
import fcntl, os
r, w = os.pipe()
for pid in (os.getppid(), -os.getpgrp(), 1):
    try: fcntl.fcntl(r, fcntl.F_SETOWN, pid); print('GOT owner')
    except OSError as e: print('blocked', e)
""",
    "priority_of_others": """
import os
for attempt in (lambda: os.setpriority(os.PRIO_USER, 0, 19), lambda: os.sched_setaffinity(os.getppid(), {0}),
                lambda: os.sched_setscheduler(os.getppid(), os.SCHED_IDLE, os.sched_param(0))):
    try: attempt(); print('GOT priority')
    except OSError as e: print('blocked', e)
""",
    "writes_its_own_input": """
import os, mmap
for attempt in (lambda: os.write(0, b'x' * 100), lambda: os.ftruncate(0, 1 << 30)):
    try: attempt(); print('GOT input')
    except OSError as e: print('blocked', e)
""",
    "datagram_past_the_filter": r"""
import socket
try:
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    a.sendto(b'PWNED', '\0hostile-canary'); print('GOT datagram')
except OSError as e: print('blocked', e)
a, b = socket.socketpair()
a.sendall(b'x'); print(b.recv(1))
try: a.sendto(b'x', '/tmp/hostile-arena/canary.sock'); print('GOT address')
except OSError as e: print('blocked', e)
""",
    "foreign_calling_convention": """
import ctypes
l = ctypes.CDLL(None, use_errno=True)
print('GOT x32' if l.syscall(0x40000000 + 39) > 0 else 'blocked', ctypes.get_errno())
print('GOT fork' if l.syscall(57) > 0 else 'blocked', ctypes.get_errno())
print('GOT clone3' if l.syscall(435, ctypes.create_string_buffer(88), 88) > 0 else 'blocked')
print('GOT vfork' if l.syscall(58) > 0 else 'blocked')
""",
    "own_sandbox_undone": """
import ctypes
l = ctypes.CDLL(None, use_errno=True)
print('GOT prctl' if l.prctl(22, 0, 0, 0, 0) == 0 or l.prctl(1, 0, 0, 0, 0) == 0 else 'blocked')
print('GOT uid' if l.setresuid(0, 0, 0) == 0 else 'blocked')
print('GOT chroot' if l.chroot(b'/tmp') == 0 else 'blocked')
print('GOT setns' if l.setns(0, 0) == 0 else 'blocked')
""",
    "escape_by_handles_and_links": """
import os
for path in ('/tmp/../../tmp/hostile-arena/secret.txt', '/dev/fd/0/../../../tmp/hostile-arena/secret.txt'):
    try: print('GOT', open(path).read())
    except OSError as e: print('blocked', e)
os.symlink('/tmp/hostile-arena/secret.txt', 'link')
try: print('GOT', open('link').read())
except OSError as e: print('blocked', e)
try: os.link('/tmp/hostile-arena/secret.txt', 'hard'); print('GOT link')
except OSError as e: print('blocked', e)
""",
    "other_peoples_files": """
import os
for path in ('/etc/passwd', '/etc/shadow', '/root/.bashrc', '/proc/self/environ', '/proc/1/cmdline', '/sys/kernel',
              '/var/log', '/home', '/dev/shm', '/work'):
    try: print('GOT', path, (os.listdir(path) if os.path.isdir(path) else open(path).read())[:1])
    except OSError: pass
""",
    "memory_by_many_maps": """
import mmap
held = []
try:
    while True: held.append(mmap.mmap(-1, 32 << 20)); held[-1].write(b'x' * (32 << 20))
except (OSError, MemoryError): print('GOT' if len(held) > 64 else 'bounded')
""",
    "buffers_in_the_kernel": """
import os, fcntl
n = 0
try:
    while True:
        r, w = os.pipe(); n += 1
except OSError: print('GOT' if n > 200 else 'bounded')
""",
    "folders_without_end": """
import os
try:
    for _ in range(20000): os.mkdir('d' * 200); os.chdir('d' * 200)
except OSError as e: print('bounded', e)
""",
    "closed_and_looping_folders": """
import os
for i in range(50):
    os.mkdir(f'd{i}'); open(f'd{i}/f', 'w').close(); os.symlink('..', f'd{i}/up')
    os.chmod(f'd{i}', 0)
os.chmod('.', 0)
print('done')
""",
    "work_folder_removed": """
import os
os.chdir('/')
try: os.rmdir('/tmp')
except OSError as e: print(e)
print('done')
""",
    "nested_source": "(" * 100_000,
    "source_of_nothing_but_ifs": "if 1:\n" + "".join(" " * i + "if 1:\n" for i in range(1, 99)) + " " * 99 + "pass",
    "exit_that_never_ends": """
import atexit, time
atexit.register(lambda: [None for _ in iter(int, 1)])
print('done')
""",
    "many_threads_printing": """
import threading, os
def flood():
    while True: os.write(1, b'x' * 65536)
for _ in range(8): threading.Thread(target=flood).start()
""",
    "locks_and_fifos": """
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
try: os.mkfifo('f'); os.open('f', os.O_RDONLY)
except OSError as e: print('blocked', e)
""",
    "frames_of_the_runner": """
import sys, gc
seen = []
f = sys._getframe()
while f:
    seen.append(repr(f.f_locals)); f = f.f_back
seen += [repr(o) for o in gc.get_objects() if isinstance(o, (str, bytes, dict))][:20000]
print('GOT' if any('EXPECTED' + '-' in s for s in seen) else 'nothing')
""",
    "gpu_and_kernel_devices": """
import os
for d in os.listdir('/dev') if os.path.isdir('/dev') else []:
    if d not in ('null', 'zero', 'random', 'urandom'):
        try: os.close(os.open('/dev/' + d, os.O_RDONLY)); print('GOT', d)
        except OSError: pass
""",
}
"""Each prints GOT where something succeeds that must not."""


@pytest.mark.parametrize(("judge", "name"), cases(OURS), indirect=["judge"])
def test_a_hostile_program_of_our_own_does_no_harm(judge: CodeJudge, arena: Arena, name: str) -> None:
    """What the shared folder does not try: limits and signals of others, odd calls, files without end, early exits."""
    judgement = run(judge, OURS[name], "oracle", LIMITS)
    assert judgement.verdict != "AC"
    assert_harmless(judge, arena, judgement, ["stdout:GOT"])
    assert run(judge, "print(5)", "sum", PATIENT).verdict == "AC"
