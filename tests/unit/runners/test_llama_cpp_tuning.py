"""How threads, slots and context are chosen, and kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from fieldguide.runners import RunnerSettings
from fieldguide.runners.llama_cpp import _machine, _open
from fieldguide.runners.llama_cpp._file_facts import FileFacts
from fieldguide.runners.llama_cpp._kept import Kept, file_sha256
from fieldguide.runners.llama_cpp._machine import Machine, this_machine
from fieldguide.runners.llama_cpp._tuning import Tuning, _best, default
from tests.support.embedded import no_session, opened
from tests.support.tiny_gguf import tiny_gguf

MACHINE = Machine(cpu_model="x", cores=4, memory_bytes=16 * 2**30)


def test_the_context_is_that_of_the_model_up_to_what_exams_need() -> None:
    """A slot holds 4,096 tokens, fewer where the model was trained for fewer, more only on demand."""
    assert default(FileFacts(context_length_tokens=131_072), MACHINE, {}).context_tokens == 4096
    assert default(FileFacts(context_length_tokens=512), MACHINE, {}).context_tokens == 512
    wanted = {"context_tokens": 8192}
    assert default(FileFacts(context_length_tokens=131_072), MACHINE, wanted).context_tokens == 8192
    assert default(FileFacts(context_length_tokens=512), MACHINE, wanted).context_tokens == 512
    assert default(FileFacts(), MACHINE, wanted).context_tokens == 8192


def test_the_caches_of_all_slots_fit_a_quarter_of_the_memory() -> None:
    """A model with a large key/value cache gets fewer slots, and at least one; few cores have no use for many."""
    small, large = FileFacts(kv_bytes_per_token=20_000), FileFacts(kv_bytes_per_token=500_000)
    assert default(small, MACHINE, {}).slots == 8
    assert default(small, Machine(cpu_model="x", cores=2, memory_bytes=16 * 2**30), {}).slots == 4
    assert default(large, MACHINE, {}).slots == 4
    assert default(FileFacts(kv_bytes_per_token=2**30), MACHINE, {}).slots == 1


def test_what_is_forced_is_taken() -> None:
    """Options go before everything."""
    forced = default(FileFacts(), MACHINE, {"threads": 3, "slots": 5, "context_tokens": 99})
    assert forced == Tuning(threads=3, slots=5, context_tokens=99)


def test_the_fewest_slots_win_unless_more_gain_enough() -> None:
    """The fastest threads are taken, and a slot more only where it gains at least 8 %."""
    tuning = Tuning(threads=4, slots=8, context_tokens=256)
    rates = {(4, 1): 90.0, (4, 2): 110.0, (4, 4): 135.0, (4, 8): 138.0, (2, 1): 60.0, (2, 8): 80.0}
    assert _best(rates, tuning) == Tuning(threads=4, slots=4, context_tokens=256)
    assert _best({(4, 1): 90.0, (4, 2): 91.0, (4, 4): 99.0}, tuning) == Tuning(threads=4, slots=4, context_tokens=256)
    assert _best({}, tuning) is None


def test_a_container_sees_its_own_share(tmp_path: Path) -> None:
    """Cores are bounded by the quota and memory by the limit of the container."""
    proc, cgroup = tmp_path / "proc", tmp_path / "cgroup"
    proc.mkdir()
    cgroup.mkdir()
    (proc / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Fast\n\nprocessor\t: 1\nmodel name\t: Fast\n\n")
    (proc / "meminfo").write_text("MemTotal:  1000 kB\n")
    assert this_machine(proc=proc, cgroup=cgroup).memory_bytes == 1_024_000
    (cgroup / "cpu.max").write_text("100000 100000\n")
    (cgroup / "memory.max").write_text("5000\n")
    assert this_machine(proc=proc, cgroup=cgroup) == Machine(cpu_model="Fast", cores=1, memory_bytes=5000)
    (cgroup / "cpu.max").write_text("max 100000\n")
    (cgroup / "memory.max").write_text("max\n")
    assert this_machine(proc=proc, cgroup=cgroup).memory_bytes == 1_024_000


def test_a_measurement_is_found_again_under_the_same_key_only(tmp_path: Path) -> None:
    """What was kept is returned for an equal key; damage and a folder that cannot be written count as nothing kept."""
    kept = Kept(tmp_path / "measurements")
    kept.put("tuning", {"cores": 2}, {"threads": 2})
    assert kept.get("tuning", {"cores": 2}) == {"threads": 2}
    assert kept.get("tuning", {"cores": 4}) is None
    assert kept.get("sha256", {"cores": 2}) is None
    (file,) = (tmp_path / "measurements").iterdir()
    file.write_text("{")
    assert kept.get("tuning", {"cores": 2}) is None
    (tmp_path / "plain").write_text("")
    unwritable = Kept(tmp_path / "plain" / "measurements")
    unwritable.put("tuning", 1, 2)
    assert unwritable.get("tuning", 1) is None


def test_a_file_is_hashed_once_and_again_when_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sha256 is kept per path, size and modification time."""
    kept, path = Kept(tmp_path / "kept"), tmp_path / "file"
    path.write_bytes(b"one")
    first = file_sha256(path, kept)
    path.write_bytes(b"other")
    assert file_sha256(path, kept) != first
    monkeypatch.setattr("hashlib.file_digest", lambda *_: pytest.fail("hashed again"))
    file_sha256(path, kept)


async def test_a_model_is_measured_once_per_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first opening measures and says so; the next one uses what was kept."""
    monkeypatch.setattr(_open, "is_busy", says(False))
    tiny = tiny_gguf(tmp_path / "tiny.gguf")
    told: list[str] = []
    with_settings = RunnerSettings(
        home=tmp_path / "home",
        session=no_session,  # type: ignore[arg-type]
        progress=told.append,
    )
    async with opened(tiny, with_settings) as runner:
        first = runner.model.facts
    assert any("Measuring" in text for text in told)
    told.clear()
    async with opened(tiny, with_settings) as runner:
        assert runner.model.facts == first
    assert not any("Measuring" in text for text in told)


async def test_a_busy_machine_is_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A measurement beside other work would mislead for good; the defaults hold and nothing is kept."""
    monkeypatch.setattr(_open, "is_busy", says(True))
    tiny = tiny_gguf(tmp_path / "tiny.gguf")
    told: list[str] = []
    with_settings = RunnerSettings(
        home=tmp_path / "home",
        session=no_session,  # type: ignore[arg-type]
        progress=told.append,
    )
    async with opened(tiny, with_settings) as runner:
        assert runner.model.facts["threads"] == this_machine().cores
    assert not any("Measuring" in text for text in told)
    assert not list((tmp_path / "home").rglob("*tuning*"))


def says(busy: bool) -> Callable[[int], Awaitable[bool]]:
    """Return a look at the machine that always ends the same."""

    async def is_busy(cores: int) -> bool:
        return busy

    return is_busy


@pytest.mark.parametrize(("worked_ticks", "busy"), [(0, False), (1, False), (40, True)])
async def test_a_machine_is_busy_by_what_its_processors_do_now(tmp_path: Path, worked_ticks: int, busy: bool) -> None:
    """Two looks at the processors' clocks decide, not the load of the last minute."""
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 5 50 1000 9 1 1 0 0 0\n")
    looking = asyncio.create_task(_machine.is_busy(2, proc=tmp_path, over_s=0.1))
    await asyncio.sleep(0.02)
    stat.write_text(f"cpu  {100 + worked_ticks} 5 50 1300 9 1 1 0 0 0\n")
    assert await looking is busy


async def test_a_machine_that_tells_nothing_is_not_called_busy(tmp_path: Path) -> None:
    """Without the kernel's clocks nothing keeps the measurement from being made."""
    assert not await _machine.is_busy(2, proc=tmp_path, over_s=0)
