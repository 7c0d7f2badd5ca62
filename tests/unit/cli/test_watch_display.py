"""What ``penstock watch`` says."""

from __future__ import annotations

import json
from dataclasses import replace

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


def test_which_evidence_was_used() -> None:
    within = replace(OPEN, state="within", reason="errors of probes: within the margin", of="probes")
    good = LiveDecision("good", "by probes", (OPEN, within), 1200, 9.0, ("probes",), 0)
    found = WatchVerdict("Successful", "good", "by probes", 1.0, 2.0, 3, None, good, (), 126)
    assert verdict_lines(found) == [
        "good: every signal of the probes is within its margin",
        "? errors: 1 % on the canary: not settled",
        "✓ errors of probes: within the margin",
        "the canary had 3 requests",
        "126 pairs of probes; the answer rests on probes",
    ]
    waiting = replace(good, answer="not yet", used=("users", "probes"), probes_needed=12)
    found = replace(found, phase="Running", decision="not yet", reason="users' requests will decide", found=waiting)
    lines = verdict_lines(found)
    assert (lines[0], lines[-1]) == ("not yet: users' requests will decide", "about 12 more pairs of probes are needed")
    assert "the answer rests on users and probes" in lines[4]
    assert progress_line(found).endswith("126 pairs of probes, about 12 more needed")


def test_progress() -> None:
    assert progress_line(verdict()) == "not yet, 4,000 canary requests, about 1,200 more needed"
    assert progress_line(verdict(decided=False)) == "not yet, 4,000 canary requests: gone\\x1b[31m forged"


def test_json() -> None:
    found = json.loads(verdict_json(verdict()))
    assert (found["version"], found["requests_needed"], found["signals"][0]["name"]) == (1, 1200, "errors")
