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
    if verdict.probes is not None and verdict.found is not None:
        lines.append(f"{verdict.probes:,} pairs of probes; the answer rests on {' and '.join(verdict.found.used)}")
    if verdict.decision in ("not yet", "inconclusive"):
        if verdict.requests_needed:
            lines.append(f"about {verdict.requests_needed:,} more canary requests are needed")
        if verdict.probes_needed:
            lines.append(f"about {verdict.probes_needed:,} more pairs of probes are needed")
    return [printable(line) for line in (*lines, *(f"! {note}" for note in verdict.notes))]


def progress_line(verdict: WatchVerdict) -> str:
    """One look, while it goes on."""
    requests = "–" if verdict.canary_requests is None else f"{verdict.canary_requests:,}"
    needed = f", about {verdict.requests_needed:,} more needed" if verdict.requests_needed else ""
    why = f": {verdict.reason}" if verdict.found is None else ""
    pairs = "" if verdict.probes is None else f", {verdict.probes:,} pairs of probes"
    if verdict.probes_needed:
        pairs += f", about {verdict.probes_needed:,} more needed"
    return printable(f"{verdict.decision}, {requests} canary requests{needed}{pairs}{why}").replace("\n", " ")


def _first(verdict: WatchVerdict) -> str:
    if verdict.found is None or verdict.decision == "inconclusive":
        return verdict.reason
    if verdict.decision == "good":
        whose = " of the probes" if verdict.found.used == ("probes",) else ""
        return f"every signal{whose} is within its margin"
    if verdict.decision == "bad":
        worse = [signal for signal in verdict.found.signals if signal.state == "worse"]
        return ", ".join(f"{one.name} of probes" if one.of == "probes" else one.name for one in worse)
    decisive = [signal for signal in verdict.found.signals if verdict.probes is None or signal.of == "probes"]
    return verdict.reason if not any(signal.state == "open" for signal in decisive) else "not settled"
