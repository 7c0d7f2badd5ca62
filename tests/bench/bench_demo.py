"""How long the demo takes and how much memory all its processes take together.

``python tests/bench/bench_demo.py`` prints a Markdown table; the environment must be there (``make demo`` makes it).
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
TIME_LIMIT_S = 120
MEMORY_LIMIT_MIB = 2048


def memory_mib(root: psutil.Process) -> float:
    """Proportional set size of a process and all its descendants."""
    total = 0
    with contextlib.suppress(psutil.Error):
        for process in [root, *root.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                total += process.memory_full_info().pss
    return total / 2**20


def main() -> int:
    """Run the demo once and watch it."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(ROOT / "test-assets" / "demo.py"), "--out", str(Path(folder) / "demo")]
        started, peak = time.perf_counter(), 0.0
        demo = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        root = psutil.Process(demo.pid)
        while demo.poll() is None:
            peak = max(peak, memory_mib(root))
            time.sleep(0.1)
        seconds = time.perf_counter() - started
    sys.stdout.write("| what | measured | limit |\n|---|---:|---:|\n")
    sys.stdout.write(f"| demo, all three releases | {seconds:.1f} s | {TIME_LIMIT_S} s |\n")
    sys.stdout.write(f"| peak memory over all its processes | {peak:.0f} MiB | {MEMORY_LIMIT_MIB} MiB |\n")
    return 0 if demo.returncode == 0 and seconds < TIME_LIMIT_S and peak < MEMORY_LIMIT_MIB else 1


if __name__ == "__main__":
    sys.exit(main())
