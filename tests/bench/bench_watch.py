"""How long ``penstock watch`` takes over a million requests: ``python tests/bench/bench_watch.py``.

Prints a Markdown table; medians of five, in CPU seconds. *Decide* is what each look takes once the requests are known:
counting them by stretch and user, and weighing. *Read* is JSON lines to requests, once each. Exit code 1 if deciding
takes 0.5 s or more.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
from tests.error_rates.made_canaries import POLICY

from penstock.watch.decision import decide
from penstock.watch.evidence import LiveEvidence, RequestTable, tabulate
from penstock.watch.records import RecordsSource

REQUESTS, USERS, SECONDS = 1_000_000, 200_000, 3600.0
LIMIT_S = 0.5


def main() -> int:
    """Measure and print."""
    table = requests()
    decided = statistics.median(cpu_seconds(lambda: decide(_evidence(table), POLICY)) for _ in range(5))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "requests.jsonl"
        write(table, path)
        read = cpu_seconds(lambda: RecordsSource(path).last_time)
    sys.stdout.write("| 1,000,000 requests of 200,000 users | CPU s |\n|---|---:|\n")
    sys.stdout.write(f"| decide | {decided:.2f} |\n| read JSON lines | {read:.1f} |\n")
    return int(decided >= LIMIT_S)


def requests() -> RequestTable:
    """An hour of them, one in twenty on the canary."""
    rng = np.random.default_rng(1)
    return RequestTable(
        np.sort(rng.random(REQUESTS) * SECONDS),
        rng.random(REQUESTS) < 0.05,
        rng.integers(0, USERS, REQUESTS),
        rng.random(REQUESTS) < 0.01,
        300 * np.exp(0.5 * rng.normal(size=REQUESTS)),
        rng.random(REQUESTS) < 0.01,
    )


def write(table: RequestTable, path: Path) -> None:
    """As JSON lines."""
    with path.open("w", encoding="utf-8") as file:
        for index in range(REQUESTS):
            record = {
                "time": 1_764_200_000 + round(float(table.time[index]), 3),
                "side": "canary" if table.canary[index] else "stable",
                "user": f"u{table.user[index]}",
                "status": 500 if table.failed[index] else 200,
                "latency_ms": round(float(table.latency_ms[index]), 1),
            }
            file.write(json.dumps(record) + "\n")


def cpu_seconds(work: Callable[[], object]) -> float:
    """Of this process."""
    before = time.process_time()
    work()
    return time.process_time() - before


def _evidence(table: RequestTable) -> LiveEvidence:
    return tabulate(table, start=0.0, end=SECONDS, stretch_s=60.0)


if __name__ == "__main__":
    sys.exit(main())
