"""Stands in for the engine's child process: a recording of ten windows of ten seconds, each heard in a moment.

Where it was told to begin is added to a file beside the recording.
"""

import json
import sys
import time
from pathlib import Path

json.loads(sys.stdin.readline())
print(json.dumps({"event": "ready", "languages": ["en"], "compute_type": "float32"}), flush=True)
for line in sys.stdin:
    job = json.loads(line)
    with Path(f"{job['path']}.begun").open("a", encoding="utf-8") as begun:
        begun.write(f"{job['start_s']}\n")
    for window in range(round(job["start_s"] / 10), 10):
        time.sleep(0.3)
        segment = {
            "event": "segment",
            "start_s": 10.0 * window,
            "end_s": 10.0 * window + 9,
            "text": f" Window {window}.",
            "avg_logprob": -0.1,
            "no_speech_probability": 0.0,
            "words": [],
        }
        reached = {"until_s": 10.0 * (window + 1), "speech": None, "last": window == 9, "damaged_frames": 0}
        print(json.dumps(segment), flush=True)
        print(json.dumps({"event": "reached", **reached}), flush=True)
