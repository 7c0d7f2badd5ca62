"""All benchmarks, one after the other, each side by side with what it is held against: ``make bench``.

Prints Markdown. Ratios are of medians in one run; absolute seconds are of the machine named in each part.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PARTS = (
    "bench_start.py",
    "bench_demo.py",
    "bench_gate.py",
    "bench_error_rates.py",
    "bench_frechet.py",
    "bench_resamples.py",
    "bench_lipsync.py",
    "bench_scoring.py",
    "bench_report.py",
)


def main() -> int:
    """Run every part; the exit code is that of the first that failed."""
    worst = 0
    for part in PARTS:
        sys.stdout.write(f"\n## {part}\n\n")
        sys.stdout.flush()
        worst = worst or subprocess.run([sys.executable, str(HERE / part)], check=False).returncode
    return worst


if __name__ == "__main__":
    sys.exit(main())
