"""What ``penstock watch`` says."""

from __future__ import annotations

import json

from penstock.cli.watch_display import progress_line, verdict_json, verdict_lines
from penstock.watch.decision import LiveDecision, WatchedSignal
from penstock.watch.watcher import WatchVerdict

OPEN = WatchedSignal("errors", "open", "errors: 1 % on the canary: not settled", 0.01, 0.01, 1.0, 5.0, 1.0, 1200)


def verdict(*, decided: bool = True, users: int | None = 80) -> WatchVerdict:
    found = LiveDecision("not yet", OPEN.reason, (OPEN,), 1200, None) if decided else None
    reason = OPEN.reason if decided else "gone\x1b[31m\nforged"
    return WatchVerdict("Running", "not yet", reason, 1.0, 2.0, 4000, users, found, ("a note",))


def test_lines() -> None:
    assert verdict_lines(verdict()) == [
        "not yet: not settled",
        "? errors: 1 % on the canary: not settled",
        "the canary had 4,000 requests, 80 users",
        "about 1,200 more canary requests are needed",
        "! a note",
    ]
    assert "users" not in "".join(verdict_lines(verdict(users=None)))


def test_progress() -> None:
    assert progress_line(verdict()) == "not yet, 4,000 canary requests, about 1,200 more needed"
    assert progress_line(verdict(decided=False)) == "not yet, 4,000 canary requests: gone\\x1b[31m forged"


def test_json() -> None:
    found = json.loads(verdict_json(verdict()))
    assert (found["version"], found["requests_needed"], found["signals"][0]["name"]) == (1, 1200, "errors")
