"""How long commands take to start, and what the local runner adds to each step.

``python tests/bench/bench_start.py [--repeats N]`` prints a Markdown table of medians.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

START_LIMIT_S = 0.3
STEP_LIMIT_S = 0.3
STEPS = 10
CHAIN = """apiVersion: tekton.dev/v1
kind: Pipeline
metadata: {name: chain}
spec:
  tasks:
"""


def chain(steps: int) -> str:
    """A pipeline of ``steps`` tasks, one after the other, each of which does nothing."""
    text = CHAIN
    for number in range(steps):
        after = f", runAfter: [t{number - 1}]" if number else ""
        text += (
            f'    - {{name: t{number}{after}, taskSpec: {{steps: [{{name: s, image: none, command: ["true"]}}]}}}}\n'
        )
    return text


def median_s(command: list[str], repeats: int, *, codes: tuple[int, ...] = (0,)) -> float:
    """Median wall time of a whole process, after one that is not counted."""
    times = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        done = subprocess.run(command, capture_output=True, check=False)
        times.append(time.perf_counter() - started)
        if done.returncode not in codes:
            sys.exit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.decode()[-500:]}")
    return statistics.median(times[1:])


def main() -> int:
    """Time the starts and the chain."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    repeats: int = parser.parse_args().repeats
    program = str(Path(sys.executable).with_name("penstock"))
    with tempfile.TemporaryDirectory() as folder:
        starter = Path(folder) / "model"
        subprocess.run([program, "init", "--family", "talking-head", str(starter)], check=True, capture_output=True)
        lines = Path(folder) / "m.jsonl"
        lines.write_text('{"case": "a", "metric": "lse_d", "value": 1.0}\n')
        policy = Path(folder) / "policy.yaml"
        policy.write_text("rules: [{metric: lse_d, max: 9}]\n")
        commands = {
            "--help": ([program, "--help"], (0,)),
            "check": ([program, "check", str(starter)], (0, 2)),
            "schema": ([program, "schema"], (0,)),
            "gate": ([program, "gate", "--candidate", str(lines), "--policy", str(policy), "--json"], (0,)),
            "run --help": ([program, "run", "--help"], (0,)),
            "score lipsync --help": ([program, "score", "lipsync", "--help"], (0,)),
        }
        rows = [
            (f"penstock {name}", median_s(command, repeats, codes=codes), START_LIMIT_S)
            for name, (command, codes) in commands.items()
        ]
        short, long = Path(folder) / "short.yaml", Path(folder) / "long.yaml"
        short.write_text(chain(1))
        long.write_text(chain(1 + STEPS))
        out = ["--out", str(Path(folder) / "runs")]
        one = median_s([program, "run", str(short), *out], repeats)
        many = median_s([program, "run", str(long), *out], repeats)
        rows.append(("the runner, each further step", (many - one) / STEPS, STEP_LIMIT_S))
        bare = median_s(["true"], repeats)
    sys.stdout.write("| what | seconds (median) | limit |\n|---|---:|---:|\n")
    for name, seconds, limit in rows:
        sys.stdout.write(f"| `{name}` | {seconds:.3f} | {limit} |\n")
    sys.stdout.write(f"| `penstock run` of one task, from start to end | {one:.3f} | |\n")
    sys.stdout.write(f"| `true`, as a process of its own | {bare:.3f} | |\n")
    return 0 if all(seconds < limit for _, seconds, limit in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
