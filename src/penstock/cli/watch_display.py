"""How ``penstock watch`` shows a verdict: some lines, or JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from penstock.foundation.errors import printable

if TYPE_CHECKING:
    from penstock.watch.watcher import WatchVerdict

MARKS = {"within": "✓", "worse": "✗", "open": "?"}


def verdict_json(verdict: WatchVerdict) -> str:
    """One object."""
    return json.dumps(verdict.as_json(), indent=2, ensure_ascii=False, allow_nan=False)


def verdict_lines(verdict: WatchVerdict) -> list[str]:
    """The same for people, line by line."""
    lines = [f"{verdict.decision}: {_first(verdict)}"]
    if verdict.found is not None:
        lines += [f"{MARKS[signal.state]} {signal.reason}" for signal in verdict.found.signals]
    if verdict.canary_requests is not None:
        users = f", {verdict.canary_users:,} users" if verdict.canary_users is not None else ""
        lines.append(f"the canary had {verdict.canary_requests:,} requests{users}")
    if verdict.decision in ("not yet", "inconclusive") and verdict.requests_needed:
        lines.append(f"about {verdict.requests_needed:,} more canary requests are needed")
    return [printable(line) for line in (*lines, *(f"! {note}" for note in verdict.notes))]


def progress_line(verdict: WatchVerdict) -> str:
    """One look, while it goes on."""
    requests = "–" if verdict.canary_requests is None else f"{verdict.canary_requests:,}"
    needed = f", about {verdict.requests_needed:,} more needed" if verdict.requests_needed else ""
    why = f": {verdict.reason}" if verdict.found is None else ""
    return printable(f"{verdict.decision}, {requests} canary requests{needed}{why}").replace("\n", " ")


def _first(verdict: WatchVerdict) -> str:
    if verdict.found is None or verdict.decision == "inconclusive":
        return verdict.reason
    if verdict.decision == "good":
        return "every signal is within its margin"
    if verdict.decision == "bad":
        return ", ".join(signal.name for signal in verdict.found.signals if signal.state == "worse")
    return verdict.reason if not any(signal.state == "open" for signal in verdict.found.signals) else "not settled"
