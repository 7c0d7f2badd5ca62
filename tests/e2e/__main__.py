"""The end-to-end tests, in three processes: ``python -m tests.e2e``.

The first makes releases, all at once, and keeps both cores busy for as long as these take; then it looks at what came
of them, and mostly waits. From there on two more run beside it, as they wait more than they compute: one tries what
comes after the verdict (tests marked ``delivery``), one what comes before a merge (``merge``). Their output is printed
when they have ended. Exits 1 if a test of any failed. ``python -m pytest tests/e2e`` runs all one after another.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.e2e.joined import FILE, VARIABLE, Joined

BESIDE = {"delivery": "what comes after the verdict", "merge": "what comes before a merge"}
"""Marker of the tests of a process → what they try."""
PYTEST = (sys.executable, "-m", "pytest", "-v", "--capture=no", "--durations=10")
LOOK_S = 2.0


def main() -> int:
    """Run all; returns the exit code."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.unlink(missing_ok=True)
    began = time.monotonic()
    running = [subprocess.Popen([*PYTEST, "tests/cluster", "tests/e2e", "-m", f"not ({' or '.join(BESIDE)})"])]
    try:
        while running[0].poll() is None and not released():
            time.sleep(LOOK_S)
        for marker, what in BESIDE.items():
            say(began, f"the tests of {what} begin beside the others; their output: {log_of(marker)}")
            running.append(beside(marker))
        codes = []
        for process, name in zip(running, ("the others", *BESIDE), strict=True):
            codes.append(process.wait())
            say(began, f"{name}: ended with {codes[-1]}")
    except BaseException:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()
        raise
    for marker, what in BESIDE.items():
        say(began, f"what the tests of {what} said:")
        sys.stdout.write(log_of(marker).read_text(encoding="utf-8", errors="replace"))
    say(began, f"ended with {', '.join(map(str, codes))}")
    return int(any(codes))


def released() -> bool:
    """Whether the runs that keep the machine busy have ended."""
    joined = Joined.read()
    return joined is not None and joined.released


def beside(marker: str) -> subprocess.Popen[bytes]:
    """A further process. Where there is no session to join, as nothing could be installed, it makes one."""
    environment = dict(os.environ) | ({VARIABLE: str(FILE)} if FILE.exists() else {})
    with log_of(marker).open("wb") as out:
        return subprocess.Popen(
            [*PYTEST, "tests/e2e", "-m", marker], env=environment, stdout=out, stderr=subprocess.STDOUT
        )


def log_of(marker: str) -> Path:
    """Where a further process writes."""
    return FILE.with_name(f"{marker}.log")


def say(began: float, text: str) -> None:
    """A line, with the time since the beginning."""
    sys.stdout.write(f"e2e [{time.monotonic() - began:5.0f} s] {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
