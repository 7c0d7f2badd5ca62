"""How long each test file took, and what two ways take of it: to users, and to people's eyes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Protocol

TO_USERS = (
    *("test_admission", "test_canary", "test_canary_in_git", "test_drift", "test_one_card"),
    *("test_prebuilt", "test_probes", "test_promoted", "test_targets"),
)
"""From the verdict to users, and back: these together may take sixteen minutes of a warm ``make e2e``."""
TO_EYES = ("test_gitea", "test_nightly", "test_pulls", "test_served", "test_spoken", "test_suites")
"""From a pull request to people's eyes: these together may take twenty minutes of it."""
WAYS = (
    ("from the verdict to users", TO_USERS, 16 * 60),
    ("from a pull request to people's eyes", TO_EYES, 20 * 60),
)
"""What it is called, its files, and the seconds that these may take together."""


class Timed(Protocol):
    """A part of a test that ran: pytest makes one for setup, call and teardown."""

    nodeid: str
    duration: float


def seconds_by_file(parts: Iterable[Timed]) -> dict[str, float]:
    """Name of the file without ``.py`` → seconds of its tests, setup and teardown included; the longest first."""
    seconds: Counter[str] = Counter()
    for part in parts:
        seconds[PurePosixPath(part.nodeid.partition("::")[0]).stem] += part.duration  # type: ignore[assignment]
    return dict(seconds.most_common())


def summary(parts: Iterable[Timed]) -> list[str]:
    """Lines for the terminal: a file each, all of them, and those of each way."""
    seconds = seconds_by_file(parts)
    lines = [f"{taken:7.0f} s  {name}" for name, taken in seconds.items()]
    lines.append(f"{sum(seconds.values()):7.0f} s  together")
    for way, names, limit_s in WAYS:
        of_it = [taken for name, taken in seconds.items() if name in names]
        if of_it:
            files = f"{len(of_it)} file{'s' if len(of_it) > 1 else ''}"
            lines.append(f"{sum(of_it):7.0f} s  {way}, in {files}; at most {limit_s}")
    return lines
