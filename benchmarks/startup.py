"""How long the program takes to answer `--help`, and `import fieldguide`.

    python benchmarks/startup.py [--runs 15] [--peer COMMAND ...]

Each run is a process of its own, after one that warms the file cache; peers (such as `--peer llm --peer hf`) take turns
with ours, `--help` for each. Printed: median and range of the seconds by the clock, and the ratio of the medians.
"""

from __future__ import annotations

import argparse
import shlex
import statistics
import subprocess
import sys
import time


def seconds(command: list[str]) -> float:
    began_s = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--peer", action="append", default=[])
    arguments = parser.parse_args()
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "import fieldguide": [sys.executable, "-c", "import fieldguide"],
        "fieldguide --help": [sys.executable, "-m", "fieldguide", "--help"],
        "fieldguide exam ladder": [sys.executable, "-m", "fieldguide", "exam", "ladder"],
        "fieldguide show qwen2.5": [sys.executable, "-m", "fieldguide", "show", "qwen2.5"],
        **{f"{peer} --help": [*shlex.split(peer), "--help"] for peer in arguments.peer},
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for run in range(arguments.runs + 1):
        for name, command in commands.items():
            taken_s = seconds(command)
            if run:
                times[name].append(taken_s)
    ours = statistics.median(times["fieldguide --help"])
    for name, taken in times.items():
        median = statistics.median(taken)
        print(f"{name:24} {median:6.3f} s ({min(taken):.3f} to {max(taken):.3f}), {median / ours:5.2f} x our --help")


if __name__ == "__main__":
    main()
