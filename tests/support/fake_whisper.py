"""Stands in for the engine's child process: says what the file that it is given tells it to."""

import json
import os
import signal
import sys
import time

json.loads(sys.stdin.readline())
print(json.dumps({"event": "ready", "languages": ["en", "de"], "compute_type": "float32"}), flush=True)
for line in sys.stdin:
    job = json.loads(line)
    if job["language"] not in (None, "en", "de"):
        print(json.dumps({"event": "wrong_language"}), flush=True)
        continue
    with open(job["path"], encoding="utf-8") as script:  # noqa: PTH123
        for event in script:
            if event == "die\n":
                os.kill(os.getpid(), signal.SIGSEGV)
            elif event == "hang\n":
                time.sleep(60)
            else:
                print(event, end="", flush=True)
