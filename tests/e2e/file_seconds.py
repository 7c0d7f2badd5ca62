"""How long each test file took, and what the way from the verdict to users takes of it."""

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
LIMIT_S = 16 * 60


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
    """Lines for the terminal: a file each, all of them, and those that bring releases to users."""
    seconds = seconds_by_file(parts)
    lines = [f"{taken:7.0f} s  {name}" for name, taken in seconds.items()]
    lines.append(f"{sum(seconds.values()):7.0f} s  together")
    to_users = [taken for name, taken in seconds.items() if name in TO_USERS]
    if to_users:
        files = f"{len(to_users)} file{'s' if len(to_users) > 1 else ''}"
        lines.append(f"{sum(to_users):7.0f} s  from the verdict to users, in {files}; at most {LIMIT_S}")
    return lines
