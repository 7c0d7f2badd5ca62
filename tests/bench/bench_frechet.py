"""How long FID's statistic takes, side by side with the eigenvalue and matrix-root routes on the same features.

``python tests/bench/bench_frechet.py [--json FILE] [--repeats N] [--root]`` prints a Markdown table of medians.

The eigenvalue route is what torch-fidelity 0.4 does (``numpy.linalg.eigvals`` of the product of the covariances); its
whole statistic is timed from features to distance, as Penstock's is. ``--root`` also times ``scipy.linalg.sqrtm``
(slow). A suite of 50 clips of 10 s against a reference of 2,500 frames is timed once: both values, and how far they are
from torch-fidelity's routes in float64 (KID subset by subset).
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy
import scipy.linalg

from penstock.metrics.frechet import KID_SEED, KID_SUBSET_SIZE, KID_SUBSETS, frechet_distance, kernel_distance

Features = npt.NDArray[np.float32]

SHAPES = ((300, 2048), (50, 2048), (1000, 2048), (1000, 128))
TARGET_SHAPE = (300, 2048)
TARGET_RATIO = 50.0
TARGET_DIFFERENCE = 1e-4
SUITE = (12_500, 2_500, 2048)
"""Frames of a suite, frames of its reference, features."""
SUITE_SECONDS = 8.0
"""For each value of a suite, on two cores."""
SUITE_ABSOLUTE = 1e-7


def eigenvalue_route(a: Features, b: Features) -> float:
    """FID as torch-fidelity computes it."""
    mean_a, mean_b = a.mean(axis=0), b.mean(axis=0)
    covariance_a, covariance_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    gap = mean_a - mean_b
    shared = np.sum(np.sqrt(np.linalg.eigvals(covariance_a.dot(covariance_b)).astype("complex128")).real)
    return float(gap.dot(gap) + np.trace(covariance_a) + np.trace(covariance_b) - 2 * shared)


def root_route(a: Features, b: Features) -> float:
    """FID as the original implementation computes it."""
    covariance_a, covariance_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    gap = a.mean(axis=0) - b.mean(axis=0)
    root = scipy.linalg.sqrtm(covariance_a.dot(covariance_b))
    return float(gap.dot(gap) + np.trace(covariance_a) + np.trace(covariance_b) - 2 * np.trace(root).real)


def features(n: int, d: int, seed: int) -> Features:
    """Features that look like Inception's: not negative, with a falling spectrum."""
    random = np.random.default_rng(seed)
    mixing = np.random.default_rng(0).normal(size=(d, d)) * np.geomspace(1, 0.01, d)[:, None] / np.sqrt(d)
    return np.abs(random.normal(size=(n, d)) @ mixing * 3 + 0.3 + 0.1 * (seed % 2)).astype(np.float32)


def seconds(work: Callable[[], float], repeats: int) -> tuple[float, float, float]:
    """Median seconds of one call, by wall time and of the CPU, and its value."""
    times, cpu, value = [], [], 0.0
    for _ in range(repeats):
        start, cpu_start = time.perf_counter(), time.process_time()
        value = work()
        times.append(time.perf_counter() - start)
        cpu.append(time.process_time() - cpu_start)
    return statistics.median(times), statistics.median(cpu), value


def measure(n: int, d: int, repeats: int, *, root: bool) -> dict[str, float | int | None]:
    """One row of the table."""
    a, b = features(n, d, 1), features(n, d, 2)
    frechet_distance(a, b)
    ours, ours_cpu, value = seconds(lambda: frechet_distance(a, b), max(5, repeats * 3))
    theirs, theirs_cpu, reference = seconds(lambda: eigenvalue_route(a, b), repeats)
    row: dict[str, float | int | None] = {
        "n": n,
        "d": d,
        "penstock_s": ours,
        "eigenvalues_s": theirs,
        "ratio": theirs / ours,
        "cpu_ratio": theirs_cpu / ours_cpu,
        "relative_difference": abs(value - reference) / abs(reference),
        "kid_s": seconds(lambda: kernel_distance(a, b), max(5, repeats))[0],
        "root_s": seconds(lambda: root_route(a, b), 1)[0] if root else None,
    }
    return row


def subset_route(a: Features, b: Features) -> float:
    """KID as torch-fidelity computes it, subset by subset, in float64."""

    def kernel(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return (x @ y.T / x.shape[1] + 1.0) ** 3

    random, size = np.random.RandomState(KID_SEED), KID_SUBSET_SIZE
    values = []
    for _ in range(KID_SUBSETS):
        x, y = (rows[random.choice(len(rows), size, replace=False)].astype(np.float64) for rows in (a, b))
        within = sum(kernel(z, z).sum() - (((z * z).sum(axis=1) / z.shape[1] + 1.0) ** 3).sum() for z in (x, y))
        values.append(within / (size * (size - 1)) - 2.0 * kernel(x, y).mean())
    return float(np.mean(values))


def suite() -> dict[str, float | bool]:
    """FID and KID of a suite: seconds, and whether they are near enough to the reference."""
    n, m, d = SUITE
    a, b = features(n, d, 1), features(m, d, 2)
    found: dict[str, float | bool] = {"met": True}
    for name, ours, theirs in (
        ("fid", frechet_distance, eigenvalue_route),
        ("kid", kernel_distance, subset_route),
    ):
        found[f"{name}_s"], found[f"{name}_cpu_s"], value = seconds(lambda ours=ours: ours(a, b), 1)
        found[f"{name}_reference_s"], _, reference = seconds(lambda theirs=theirs: theirs(a, b), 1)
        found[f"{name}_difference"] = abs(value - reference)
        near = abs(value - reference) <= max(TARGET_DIFFERENCE * abs(reference), SUITE_ABSOLUTE)
        found["met"] = bool(found["met"] and near and found[f"{name}_s"] < SUITE_SECONDS)
    return found


def suite_table(found: dict[str, float | bool]) -> str:
    """What :func:`suite` found, in Markdown."""
    n, m, d = SUITE
    lines = [
        f"\n{n} × {d} against {m} × {d}",
        "",
        "| | Penstock | CPU | reference | difference |",
        "|---|---|---|---|---|",
    ]
    for name in ("fid", "kid"):
        times = " | ".join(f"{found[f'{name}_{which}']:.2f} s" for which in ("s", "cpu_s", "reference_s"))
        lines.append(f"| {name.upper()} | {times} | {found[f'{name}_difference']:.1e} |")
    goal = f"under {SUITE_SECONDS:.0f} s each, equal to {TARGET_DIFFERENCE:.0e} or {SUITE_ABSOLUTE:.0e} absolute"
    return "\n".join([*lines, "", f"{'met' if found['met'] else 'MISSED'}: {goal}"]) + "\n"


def table(rows: list[dict[str, float | int | None]], machine: str) -> str:
    """The rows in Markdown."""
    lines = [
        f"FID's statistic, features to distance, medians ({machine})",
        "",
        "| n × d | Penstock | eigenvalues (torch-fidelity) | ratio | by CPU | difference | matrix root | KID |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        root = "" if row["root_s"] is None else f"{row['root_s']:.2f} s"
        ratios = f"{row['ratio']:.1f} × | {row['cpu_ratio']:.1f} ×"
        times = f"{row['penstock_s']:.4f} s | {row['eigenvalues_s']:.3f} s | {ratios}"
        difference = f"{row['relative_difference']:.1e}"
        lines.append(f"| {row['n']} × {row['d']} | {times} | {difference} | {root} | {row['kid_s']:.4f} s |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Print the table; 1 if a target is missed (50 times at 300 × 2048, a suite's values in 8 s, equal to 1e-4)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--repeats", type=int, default=3, help="calls of the slow route a shape (median)")
    parser.add_argument("--root", action="store_true", help="also time scipy.linalg.sqrtm")
    options = parser.parse_args()

    rows = [measure(n, d, options.repeats, root=options.root) for n, d in SHAPES]
    target = next(row for row in rows if (row["n"], row["d"]) == TARGET_SHAPE)
    fast = min(float(target["ratio"] or 0), float(target["cpu_ratio"] or 0)) >= TARGET_RATIO
    met = fast and float(target["relative_difference"] or 1) <= TARGET_DIFFERENCE
    machine = f"{platform.machine()}, {os.cpu_count()} cores, NumPy {np.__version__}, SciPy {scipy.__version__}"
    sys.stdout.write(table(rows, machine))
    goal = f"at least {TARGET_RATIO:.0f} × at 300 × 2048, equal to {TARGET_DIFFERENCE:.0e}"
    sys.stdout.write(f"\n{'met' if met else 'MISSED'}: {goal}\n")
    whole = suite()
    sys.stdout.write(suite_table(whole))
    met = met and bool(whole["met"])
    if options.json:
        result = {"benchmark": "frechet", "machine": machine, "rows": rows, "suite": whole, "met": met}
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
