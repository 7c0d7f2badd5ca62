"""The end-to-end tests, in two processes: ``python -m tests.e2e``.

The first makes releases, all at once, and keeps both cores busy for as long as these take; then it looks at what came
of them, and mostly waits. From there on a second process tries what comes after the verdict (tests marked
``delivery``), beside it: the canary needs a machine that is not at its limit. Its output is printed when it has ended.
Exits 1 if a test of either failed. ``python -m pytest tests/e2e`` runs all one after another.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.e2e.joined import FILE, VARIABLE, Joined

LOG = FILE.with_name("delivery.log")
PYTEST = (sys.executable, "-m", "pytest", "-v", "--capture=no", "--durations=10")
LOOK_S = 2.0


def main() -> int:
    """Run both; returns the exit code."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.unlink(missing_ok=True)
    began = time.monotonic()
    first = subprocess.Popen([*PYTEST, "tests/cluster", "tests/e2e", "-m", "not delivery"])
    try:
        while first.poll() is None and not released():
            time.sleep(LOOK_S)
        say(began, f"the tests of what comes after the verdict begin beside the others; their output: {LOG}")
        second = delivery(LOG)
    except BaseException:
        first.terminate()
        first.wait()
        raise
    codes = [first.wait(), second.wait()]
    say(began, "what the tests of what comes after the verdict said:")
    sys.stdout.write(LOG.read_text(encoding="utf-8", errors="replace"))
    say(began, f"ended with {codes[0]} and {codes[1]}")
    return int(any(codes))


def released() -> bool:
    """Whether the runs that keep the machine busy have ended."""
    joined = Joined.read()
    return joined is not None and joined.released


def delivery(log: Path) -> subprocess.Popen[bytes]:
    """The second process. Where there is no session to join, as nothing could be installed, it makes one."""
    environment = dict(os.environ) | ({VARIABLE: str(FILE)} if FILE.exists() else {})
    with log.open("wb") as out:
        return subprocess.Popen(
            [*PYTEST, "tests/e2e", "-m", "delivery"], env=environment, stdout=out, stderr=subprocess.STDOUT
        )


def say(began: float, text: str) -> None:
    """A line, with the time since the beginning."""
    sys.stdout.write(f"e2e [{time.monotonic() - began:5.0f} s] {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
