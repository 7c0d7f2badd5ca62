"""How long FID and KID take on resamples of the clips, and how far they are from computing each resample anew.

``python tests/bench/bench_resamples.py [--json FILE] [--clips N] [--frames N] [--checked N]`` prints Markdown.

The features are there already (drawn: not negative, frames of a clip alike, a slowly falling spectrum, which is what
suits the approximation of FID least). Two sides, as a gate has them; the first ``--checked`` resamples of both are also
computed anew from the frames they hold, and the differences of the sides are compared.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from penstock.metrics.clip_resamples import RESAMPLES, draw_clips, resampled_frechet, resampled_kernel
from penstock.metrics.frechet import frechet_distance, kernel_distance

Features = npt.NDArray[np.float32]
Values = npt.NDArray[np.float64]

TARGET_SECONDS = 10.0
TARGET_ERROR = 0.05
"""Of a difference of the two sides, as a share of the standard deviation of these differences."""


def clip(length: int, d: int, seed: int, *, worse: float = 0.0) -> Features:
    """Frames of one clip: around a place of its own, wandering."""
    random = np.random.default_rng(seed)
    spectrum = np.arange(1, d + 1) ** -0.5
    place = random.normal(size=d)
    path = np.cumsum(random.normal(size=(length, 6)), axis=0) / np.sqrt(length) @ random.normal(size=(6, d))
    frames = (place + 0.5 * path + (0.15 + worse) * random.normal(size=(length, d))) * spectrum * (1 + worse)
    return np.maximum(0.0, 0.4 + 2.0 * frames).astype(np.float32)


def weighted_kid(clips: list[Features], reference: Features, counts: npt.NDArray[np.int64]) -> float:
    """KID of one resample by its definition, in float64, up to what no resample changes."""
    d = reference.shape[1]
    rows = np.concatenate(clips).astype(np.float64)
    owner = np.repeat(np.arange(len(clips)), [len(part) for part in clips])
    weights = counts[owner].astype(np.float64)
    total = pairs = 0.0
    for begin in range(0, len(rows), 1000):
        part = slice(begin, begin + 1000)
        times = np.outer(weights[part], weights)
        alike = owner[part, None] == owner[None]
        times[alike] = np.broadcast_to(weights, times.shape)[alike]
        times[np.arange(len(times)), np.arange(begin, begin + len(times))] = 0.0
        total += float((times * (rows[part] @ rows.T / d + 1.0) ** 3).sum())
        pairs += float(times.sum())
    across = weights @ ((rows @ reference.astype(np.float64).T / d + 1.0) ** 3).mean(axis=1) / weights.sum()
    return total / pairs - 2.0 * float(across)


def main() -> int:
    """Print the table; 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--clips", type=int, default=50)
    parser.add_argument("--frames", type=int, default=250, help="of a clip; lengths vary by a tenth")
    parser.add_argument("--reference", type=int, default=2500, help="frames of the reference")
    parser.add_argument("--size", type=int, default=2048, help="features a frame")
    parser.add_argument("--checked", type=int, default=6, help="resamples that are computed anew")
    options = parser.parse_args()

    d = options.size
    lengths = [round(options.frames * (0.95 + 0.1 * (number % 5) / 4)) for number in range(options.clips)]
    reference = np.concatenate(
        [clip(options.frames, d, 9000 + i) for i in range(-(-options.reference // options.frames))]
    )
    sides = [[clip(n, d, seed, worse=worse) for seed, n in enumerate(lengths)] for worse in (0.0, 0.02)]
    draw = draw_clips([f"case-{number:03}" for number in range(options.clips)])
    seconds: dict[str, float] = {}
    values: dict[str, list[Values]] = {"fid": [], "kid": []}
    points: dict[str, list[float]] = {"fid": [], "kid": []}
    for clips in sides:
        whole = np.concatenate(clips)
        for name, point_of, resampled in (
            ("fid", frechet_distance, resampled_frechet),
            ("kid", kernel_distance, resampled_kernel),
        ):
            started = time.perf_counter()
            points[name].append(point_of(whole, reference))
            between = time.perf_counter()
            values[name].append(resampled(clips, reference, draw.counts, point=points[name][-1]))
            seconds[f"{name}, point value"] = between - started
            seconds[f"{name}, {RESAMPLES} resamples"] = time.perf_counter() - between
    spent = sum(value for name, value in seconds.items() if "resamples" in name)
    errors = _errors(sides, reference, draw.counts[: options.checked], values) if options.checked else {}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    machine = f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores, NumPy {np.__version__}"
    met = spent < TARGET_SECONDS and all(error < TARGET_ERROR for error in errors.values())
    lines = [
        f"{options.clips} clips, {sum(lengths)} × {d} features, {len(reference)} of the reference ({machine})",
        "",
        "| | seconds |",
        "|---|---:|",
        *(f"| {name} | {value:.2f} |" for name, value in seconds.items()),
        f"| **both, resamples** | **{spent:.2f}** |",
        "",
        *(f"- {name}: change {points[name][1] - points[name][0]:.4g}, standard deviation of the resampled differences "
          f"{np.std(values[name][1] - values[name][0]):.3g}, their mean "
          f"{np.mean(values[name][1] - values[name][0]):.4g}" for name in values),
        *(f"- {name}: a difference against computing it anew ({options.checked} resamples): "
          f"root mean square {error:.1e} standard deviations" for name, error in errors.items()),
        f"- peak memory, features of both sides included: {peak:.0f} MiB",
        "",
        f"{'met' if met else 'MISSED'}: both under {TARGET_SECONDS:.0f} s, differences off by less than "
        f"{TARGET_ERROR} standard deviations",
    ]  # fmt: skip
    sys.stdout.write("\n".join(lines) + "\n")
    if options.json:
        figures = {"benchmark": "resamples", "machine": machine, "seconds": seconds, "errors": errors, "met": met}
        options.json.write_text(json.dumps({**figures, "peak_mib": peak}, indent=2) + "\n", encoding="utf-8")
    return 0 if met else 1


def _errors(
    sides: list[list[Features]], reference: Features, counts: npt.NDArray[np.int64], values: dict[str, list[Values]]
) -> dict[str, float]:
    """Per metric, the differences' distance from those computed anew, once the level common to all is taken out."""
    found: dict[str, list[float]] = {"fid": [], "kid": []}
    for row in counts:
        drawn = [
            np.concatenate([part for part, count in zip(clips, row, strict=True) for _ in range(count)])
            for clips in sides
        ]
        found["fid"].append(frechet_distance(drawn[1], reference) - frechet_distance(drawn[0], reference))
        kid = [weighted_kid(clips, reference, row) for clips in sides]
        found["kid"].append(kid[1] - kid[0])
    errors = {}
    for name, anew in found.items():
        differences = values[name][1] - values[name][0]
        off = differences[: len(counts)] - np.array(anew)
        errors[name] = float(np.sqrt(np.mean((off - off.mean()) ** 2)) / np.std(differences))
    return errors


if __name__ == "__main__":
    raise SystemExit(main())
