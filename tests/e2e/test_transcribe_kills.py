"""A transcription that is killed goes on where it was, and no finished part is heard again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

ENGINE = Path(__file__).parents[1] / "support" / "windowed_whisper.py"
DRIVER = f"""
import sys
from pathlib import Path
from fieldguide.runners.faster_whisper import _open, _process
_process._PART = Path({str(ENGINE)!r})
_process.engine_folder = _open.engine_folder = lambda: "/nowhere"
from fieldguide.cli import main
sys.exit(main())
"""


async def begin(model: Path, recording: Path) -> asyncio.subprocess.Process:
    """Start the real command over the engine's double."""
    command = ("transcribe", str(recording), "--model", f"faster-whisper:{model}", "--json")
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", DRIVER, *command,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=os.environ.copy(), start_new_session=True,
    )  # fmt: skip


async def until_kept(windows: int) -> None:
    """Wait until so many windows are on the disk."""
    folder = Path(os.environ["FIELDGUIDE_HOME"]) / "transcripts"
    while not any(len(path.read_text().splitlines()) >= windows for path in folder.glob("*.jsonl")):  # noqa: ASYNC110
        await asyncio.sleep(0.05)


async def test_kill_after_kill_nothing_finished_is_heard_again(tmp_path: Path) -> None:
    """Killed twice within a window; each run begins where the last finished one ended, and all is there once."""
    model = tmp_path / "model"
    model.mkdir()
    (model / "model.bin").write_bytes(b"weights")
    recording = tmp_path / "talk.wav"
    recording.write_bytes(b"RIFF of ten windows")
    for windows in (2, 5):
        process = await begin(model, recording)
        await asyncio.wait_for(until_kept(windows), 60)
        os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()
    process = await begin(model, recording)
    out, err = await asyncio.wait_for(process.communicate(), 60)
    (result,) = json.loads(out)["results"]
    assert process.returncode == 0, err
    assert result["text"] == " ".join(f"Window {number}." for number in range(10))
    begun = [float(line) for line in Path(f"{recording}.begun").read_text().split()]
    assert begun[0] == 0.0
    assert begun[1] >= 20.0
    assert begun[2] >= 50.0
    assert result["resumed_at_s"] == begun[2]
    assert not [*(Path(os.environ["FIELDGUIDE_HOME"]) / "transcripts").glob("*.jsonl")]
