"""The end-to-end tests, up to three processes at once: ``python -m tests.e2e``.

The first makes releases, all at once, and keeps both cores busy for as long as these take; then it looks at what came
of them, and mostly waits. From there on others run beside it, as they wait more than they compute: first the canaries,
which need a machine that is not at its limit, then at once the rest of what comes after the verdict and what comes
before a merge. Their output is printed when all have ended. Exits 1 if a test of any failed. ``python -m pytest
tests/e2e`` runs all one after another.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.cluster import binaries
from tests.cluster.settings import Settings
from tests.e2e.joined import FILE, VARIABLE, Joined

WAVES = (("canary",), ("delivery", "merge"))
"""Markers of the tests that run beside the others: those of a wave at once, one wave after the other."""
PYTEST = (sys.executable, "-m", "pytest", "-v", "--capture=no", "--durations=10")
LOOK_S = 2.0


def main() -> int:
    """Run all; returns the exit code."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.unlink(missing_ok=True)
    # beside the tests each takes ten minutes, and the first test that needs one waits for it
    binaries.build_missing(Settings.from_environment().cache, (*binaries.CANARY, binaries.ADMISSION))
    began, beside = time.monotonic(), [marker for wave in WAVES for marker in wave]
    first = subprocess.Popen([*PYTEST, "tests/cluster", "tests/e2e", "-m", f"not ({' or '.join(beside)})"])
    running, codes = [first], list[int]()
    try:
        while first.poll() is None and not released():
            time.sleep(LOOK_S)
        for wave in WAVES:
            say(began, f"beside the others: {' and '.join(wave)}; their output: {', '.join(map(log_of, wave))}")
            started = [start(marker) for marker in wave]
            running += started
            codes += [process.wait() for process in started]
        codes.append(first.wait())
    except BaseException:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()
        raise
    for marker in beside:
        say(began, f"what {marker} said:")
        sys.stdout.write(Path(log_of(marker)).read_text(encoding="utf-8", errors="replace"))
    told = ", ".join(f"{name} with {code}" for name, code in zip((*beside, "the others"), codes, strict=True))
    say(began, f"ended: {told}")
    return int(any(codes))


def released() -> bool:
    """Whether the runs that keep the machine busy have ended."""
    joined = Joined.read()
    return joined is not None and joined.released


def start(marker: str) -> subprocess.Popen[bytes]:
    """A further process. Where there is no session to join, as nothing could be installed, it makes one."""
    environment = dict(os.environ) | ({VARIABLE: str(FILE)} if FILE.exists() else {})
    with Path(log_of(marker)).open("wb") as out:
        return subprocess.Popen(
            [*PYTEST, "tests/e2e", "-m", marker], env=environment, stdout=out, stderr=subprocess.STDOUT
        )


def log_of(marker: str) -> str:
    """Where a further process writes."""
    return str(FILE.with_name(f"{marker}.log"))


def say(began: float, text: str) -> None:
    """A line, with the time since the beginning."""
    sys.stdout.write(f"e2e [{time.monotonic() - began:5.0f} s] {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
