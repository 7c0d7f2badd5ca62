"""How long the comparison of all pairs of vectors takes, and its intervals by identity.

``python tests/bench/bench_verification.py [--json FILE] [--images N]`` prints Markdown.

10,000 vectors of 512 numbers (drawn: 1,000 people with ten images each), all 5 × 10⁷ pairs; then EER and TAR at each
FAR on 1,000 resamples of the people. Beside them the same by a list: a million comparisons with identities, read from
CSV, sorted and resampled. Times by the clock and of the processor, since other work on the machine moves the first.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from penstock.families.face.pair_file import read_pairs
from penstock.metrics import embeddings
from penstock.metrics.embeddings import score_all_pairs
from penstock.metrics.verification_scores import verification_scores

IMAGES, EACH, VALUES = 10_000, 10, 512
LINES = 1_000_000
TARGET_PAIRS_S = 10.0
TARGET_INTERVALS_S = 20.0
TARGET_MIB = 2048.0


def timed(work: Callable[[], object]) -> dict[str, float]:
    """Seconds by the clock and of the processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}


def vectors(images: int) -> tuple[np.ndarray, np.ndarray]:
    """Vectors and whose they are: an EER of some 6 %."""
    random = np.random.default_rng(1)
    people = np.repeat(np.arange(images // EACH), EACH)
    rows = random.normal(size=(images // EACH, VALUES))[people] + 2.5 * random.normal(size=(images, VALUES))
    return rows.astype(np.float32), people


def of_vectors(images: int) -> dict[str, dict[str, float]]:
    """All pairs without intervals, then with them."""
    rows, people = vectors(images)
    kept = embeddings.verification_scores
    embeddings.verification_scores = lambda pairs, owners: kept(pairs, owners, resamples=1)
    try:
        alone = timed(lambda: score_all_pairs(rows, rows, people))
    finally:
        embeddings.verification_scores = kept
    whole = timed(lambda: score_all_pairs(rows, rows, people))
    return {"pairs": alone, "intervals": {key: whole[key] - alone[key] for key in whole}}


def write_list(path: Path, lines: int) -> None:
    """Comparisons of 2,000 people."""
    random = np.random.default_rng(2)
    first, second = random.integers(0, 2000, (2, lines))
    second = np.where(random.random(lines) < 0.05, first, second)
    scores = random.normal(3.0 * (first == second))
    with path.open("w", encoding="utf-8") as file:
        file.write("score,same,identity_a,identity_b\n")
        rows = zip(scores.tolist(), (first == second).tolist(), first.tolist(), second.tolist(), strict=True)
        file.writelines(f"{score:.6f},{int(same)},person {a},person {b}\n" for score, same, a, b in rows)


def of_list(lines: int) -> dict[str, dict[str, float]]:
    """A list read, and its rates with intervals."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pairs.csv"
        write_list(path, lines)
        reading = timed(lambda: read_pairs(path))
        pairs, owners = read_pairs(path)
    return {"reading": reading, "rates": timed(lambda: verification_scores(pairs, owners))}


def main() -> int:
    """Print the table; 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--images", type=int, default=IMAGES)
    options = parser.parse_args()

    found = of_vectors(options.images)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found |= of_list(LINES)
    count = options.images * (options.images - 1) // 2
    names = {
        "pairs": (f"all {count:,} pairs of {options.images:,} vectors", TARGET_PAIRS_S),
        "intervals": ("intervals of the same, 1,000 resamples by identity", TARGET_INTERVALS_S),
        "reading": (f"a list of {LINES:,} comparisons read", None),
        "rates": ("rates of the list with intervals, 1,000 resamples by identity", TARGET_INTERVALS_S),
    }
    missed = [text for name, (text, target) in names.items() if target and found[name]["seconds"] > target]
    missed += ["memory"] if peak > TARGET_MIB else []
    machine = f"{platform.machine()}, {os.cpu_count()} cores, NumPy {np.__version__}"
    lines = [f"Comparisons ({machine})", "", "| | by the clock | processor | at most |", "|---|---:|---:|---:|"]
    for name, (text, target) in names.items():
        most = f"{target:.0f} s" if target else ""
        lines.append(f"| {text} | {found[name]['seconds']:.1f} s | {found[name]['cpu_seconds']:.1f} s | {most} |")
    lines.append(f"| peak memory of the vectors and their pairs | {peak:.0f} MiB | | {TARGET_MIB:.0f} MiB |")
    lines += ["", f"MISSED: {', '.join(missed)}" if missed else "met"]
    sys.stdout.write("\n".join(lines) + "\n")
    if options.json:
        result = {"benchmark": "verification", "machine": machine, "peak_mib": peak, **found, "met": not missed}
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
