"""How long the first set of values of an alpha matte takes, side by side with the usual Python routes.

``python tests/bench/bench_matte.py [--json FILE] [--repeats N]`` prints Markdown.

One matte of 1024 × 1024 with hair, as 8-bit files hold it, on one core and one thread; medians of CPU seconds, which
other work on the machine moves less; the two sides take turns. The other side is what public code does, written anew:
the gradient filtered in two dimensions and connected regions with statistics (OpenMMLab), regions labelled threshold by
threshold (the port that most matting repositories carry), a k-d tree over the edge pixels (scikit-image's Hausdorff
distance, both percentiles from one search), erosion for boundary IoU (Cheng et al.). Where there are two, the faster
one counts. Usable edge accuracy has no public code: Penstock's set has it, the other has not. A second matte has noise
in every pixel, which suits what Penstock leaves out least.

Runs under the interpreter that ``PENSTOCK_PARITY_PYTHON`` names, which has scikit-image; without the variable, regions
are labelled by SciPy, which takes as long.

Then a suite: 327 mattes of 1024 × 1024 read from PNG and scored by two processes.
"""

import argparse
import json
import multiprocessing
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from penstock.metrics.matte import MatteScores, matte_scores
from penstock.metrics.matte_edges import boundary_iou, hausdorff, iou, usable_edge
from penstock.metrics.matte_errors import conn, grad, mae, mse, sad

try:
    from skimage.measure import label as _label

    LABELS = "scikit-image"

    def label(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        return _label(mask, connectivity=1)
except ImportError:
    from scipy import ndimage

    LABELS = "SciPy in place of scikit-image"

    def label(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        return ndimage.label(mask)[0]


Matte = npt.NDArray[np.float64]
Values = dict[str, float]
Route = Callable[[Matte, Matte], Values]

SOURCE = Path(__file__).parents[2] / "src"
SIDE = 1024
SUITE = 327
TARGET_SET_MS = 150.0
AIM_SET_MS = 100.0
TARGET_SET = 3.0
TARGET_CONN = 4.0
TARGET_SUITE_S = 40.0
TARGET_GROWTH = 1.1
"""Peak memory of a worker at the end of the suite, of that after its first mattes."""
WARM = 20
TARGET_DIFFERENCE = 1e-9


def subject(seed: int) -> npt.NDArray[np.uint8]:
    """A true matte, uint8: a body with 400 strands of hair."""
    random = np.random.default_rng(seed)
    matte = np.zeros((SIDE, SIDE), np.uint8)
    centre, axes = (SIDE // 2, int(SIDE * 0.62)), (int(SIDE * 0.25), int(SIDE * 0.34))
    cv2.ellipse(matte, centre, axes, 0, 0, 360, 255, -1, cv2.LINE_AA)
    for _ in range(400):
        angle = random.uniform(np.pi, 2 * np.pi)
        heading = angle + random.normal(0, 0.3)
        at = np.array([SIDE / 2 + np.cos(angle) * SIDE * 0.24, SIDE * 0.62 + np.sin(angle) * SIDE * 0.33])
        points = [at]
        for _ in range(12):
            heading += random.normal(0, 0.25)
            at = at + SIDE * 0.012 * np.array([np.cos(heading), np.sin(heading)])
            points.append(at)
        line = np.round(np.array(points) * 16).astype(np.int32)
        cv2.polylines(matte, [line], False, int(random.integers(90, 255)), 1, cv2.LINE_AA, 4)
    return np.asarray(cv2.GaussianBlur(matte, (0, 0), 0.7), dtype=np.uint8)


def answer_to(truth: npt.NDArray[np.uint8], seed: int, *, noise: bool = False) -> npt.NDArray[np.uint8]:
    """A model's answer: softer, uneven, its faint hair lost; with ``noise``, wrong by a little everywhere."""
    random = np.random.default_rng(seed)
    soft = cv2.GaussianBlur(truth, (0, 0), 1.2).astype(np.float64)
    uneven = cv2.resize(random.normal(0, 1, (32, 32)), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    answer = np.clip(soft + 25 * uneven * ((soft > 0) & (soft < 255)), 0, 255)
    answer = np.where(answer < 12, 0, np.where(answer > 246, 255, answer))
    if noise:
        answer += random.normal(0, 1.5, answer.shape)
    return np.clip(np.round(answer), 0, 255).astype(np.uint8)


def plain_differences(prediction: Matte, truth: Matte) -> Values:
    absolute = np.abs(prediction - truth)
    return {
        "mae": float(absolute.mean()),
        "mse": float(((prediction - truth) ** 2).mean()),
        "sad": float(absolute.sum()) / 1000,
    }


def filtered_gradient(prediction: Matte, truth: Matte) -> Values:
    """OpenMMLab's: two filters of 9 × 9 for each matte."""
    at = np.arange(-4, 5)
    bell = np.exp(-(at**2) / (2 * 1.4**2))
    across = np.outer(bell, at * bell)
    across /= np.sqrt((across**2).sum())
    lengths = []
    for matte in (prediction, truth):
        stretched = cv2.normalize(matte, None, 0.0, 1.0, cv2.NORM_MINMAX)
        sides = [cv2.filter2D(stretched, -1, kernel, borderType=cv2.BORDER_REPLICATE) for kernel in (across, across.T)]
        lengths.append(np.sqrt(sides[0] ** 2 + sides[1] ** 2))
    return {"grad": float(((lengths[0] - lengths[1]) ** 2).sum()) / 1000}


def _connectivity(prediction: Matte, truth: Matte, largest: Callable[[npt.NDArray[np.bool_]], Matte]) -> Values:
    level = -np.ones_like(truth)
    for number in range(1, 11):
        region = largest((prediction >= number / 10) & (truth >= number / 10))
        level[(level == -1) & (region == 0)] = (number - 1) / 10
    level[level == -1] = 1
    above = [matte - level for matte in (prediction, truth)]
    phi = [1 - over * (over >= 0.15) for over in above]
    return {"conn": float(np.abs(phi[0] - phi[1]).sum()) / 1000}


def labelled_connectivity(prediction: Matte, truth: Matte) -> Values:
    """The usual port, its background no region and its thresholds i/10, so that the values are equal."""

    def largest(mask: npt.NDArray[np.bool_]) -> Matte:
        labels = label(mask)
        return (labels == np.argmax(np.bincount(labels.flat, weights=mask.flat))).astype(np.float64)

    return _connectivity(prediction, truth, largest)


def counted_connectivity(prediction: Matte, truth: Matte) -> Values:
    """OpenMMLab's: OpenCV's regions with their sizes."""

    def largest(mask: npt.NDArray[np.bool_]) -> Matte:
        _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
        return (labels == 1 + np.argmax(stats[1:, -1])).astype(np.float64)

    return _connectivity(prediction, truth, largest)


def plain_iou(prediction: Matte, truth: Matte) -> Values:
    one, other = prediction >= 0.5, truth >= 0.5
    return {"iou": float((one & other).sum() / (one | other).sum())}


def eroded_boundary_iou(prediction: Matte, truth: Matte) -> Values:
    bands = []
    for matte in (prediction, truth):
        mask = (matte >= 0.5).astype(np.uint8)
        padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        depth = round(0.02 * np.hypot(*mask.shape))
        bands.append(mask - cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=depth)[1:-1, 1:-1])
    return {"boundary_iou": float((bands[0] & bands[1]).sum() / (bands[0] | bands[1]).sum())}


def searched_distances(prediction: Matte, truth: Matte) -> Values:
    points = []
    for matte in (prediction, truth):
        mask = (matte >= 0.5).astype(np.uint8)
        cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
        points.append(np.argwhere(mask - cv2.erode(mask, cross)))
    both = [KDTree(points[1]).query(points[0])[0], KDTree(points[0]).query(points[1])[0]]
    return {"hd95": max(float(np.percentile(d, 95)) for d in both), "hd100": max(float(d.max()) for d in both)}


def _set(prediction: Matte, truth: Matte) -> Values:
    return {name: value for name, value in vars(matte_scores(prediction, truth)).items() if isinstance(value, float)}


OURS: dict[str, Route] = {
    "MAE, MSE, SAD": lambda p, t: {"mae": mae(p, t), "mse": mse(p, t), "sad": sad(p, t)},
    "Grad": lambda p, t: {"grad": grad(p, t)},
    "Conn": lambda p, t: {"conn": conn(p, t)},
    "IoU": lambda p, t: {"iou": iou(p, t)},
    "boundary IoU": lambda p, t: {"boundary_iou": boundary_iou(p, t)},
    "Hausdorff 95, 100": lambda p, t: dict(vars(hausdorff(p, t))),
    "UEA, spurious": lambda p, t: {"uea": (found := usable_edge(p, t)).uea, "spurious": found.spurious},
}
THEIRS: dict[str, dict[str, Route]] = {
    "MAE, MSE, SAD": {"NumPy": plain_differences},
    "Grad": {"cv2.filter2D": filtered_gradient},
    "Conn": {LABELS: labelled_connectivity, "cv2 with statistics": counted_connectivity},
    "IoU": {"NumPy": plain_iou},
    "boundary IoU": {"cv2.erode": eroded_boundary_iou},
    "Hausdorff 95, 100": {"k-d tree": searched_distances},
    "UEA, spurious": {},
}


def measure(prediction: Matte, truth: Matte, repeats: int) -> dict[str, object]:
    """Medians in milliseconds of the set and its parts, and how far the values are apart, relatively."""
    routes: dict[str, Route] = {"set": _set, **{f"ours {part}": route for part, route in OURS.items()}}
    routes |= {f"{part} by {name}": route for part, found in THEIRS.items() for name, route in found.items()}
    times: dict[str, list[float]] = {name: [] for name in routes}
    values: dict[str, Values] = {}
    for _ in range(repeats):
        for name, route in routes.items():
            start = time.process_time()
            values[name] = route(prediction, truth)
            times[name].append(1000 * (time.process_time() - start))
    medians = {name: statistics.median(found) for name, found in times.items()}
    others = {part: {name: medians[f"{part} by {name}"] for name in found} for part, found in THEIRS.items() if found}
    exact = values["set"]
    apart = max(
        abs(exact[key] - value) / max(abs(exact[key]), 1e-300)
        for name, found in values.items()
        for key, value in found.items()
    )
    fastest = sum(min(found.values()) for found in others.values())
    usual = others["Conn"][LABELS]
    return {
        "set_ms": medians["set"],
        "parts_ms": {part: medians[f"ours {part}"] for part in OURS},
        "others_ms": others,
        "fastest_together_ms": fastest,
        "ratio": fastest / medians["set"],
        "conn_ratio": usual / medians["ours Conn"],
        "relative_difference": apart,
    }


@dataclass(frozen=True)
class Scored:
    """One matte of the suite, and the process that scored it: peak memory and CPU time so far."""

    values: MatteScores
    process: int
    peak_kib: int
    cpu_seconds: float


def score_file(task: tuple[str, str]) -> Scored:
    """Read and score one matte of the suite."""
    prediction, truth = (cv2.imread(path, cv2.IMREAD_GRAYSCALE) / 255 for path in task)
    values = matte_scores(prediction, truth)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return Scored(values, os.getpid(), usage.ru_maxrss, usage.ru_utime + usage.ru_stime)


def _one_thread() -> None:
    cv2.setNumThreads(1)


def suite(count: int) -> dict[str, float]:
    """Score many mattes by two processes."""
    with tempfile.TemporaryDirectory() as folder:
        pairs = []
        for seed in range(8):
            truth = subject(seed)
            paths = (f"{folder}/{seed}-answer.png", f"{folder}/{seed}-truth.png")
            cv2.imwrite(paths[0], answer_to(truth, seed))
            cv2.imwrite(paths[1], truth)
            pairs.append(paths)
        start = time.perf_counter()
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(2, mp_context=context, initializer=_one_thread) as pool:
            found = list(pool.map(score_file, (pairs[number % len(pairs)] for number in range(count))))
        seconds = time.perf_counter() - start
    workers = [[one for one in found if one.process == process] for process in {one.process for one in found}]
    return {
        "mattes": count,
        "seconds": seconds,
        "cpu_seconds": sum(worker[-1].cpu_seconds for worker in workers),
        "peak_mib": max(one.peak_kib for one in found) / 1024,
        "growth": max(worker[-1].peak_kib / worker[min(WARM, len(worker) - 1)].peak_kib for worker in workers),
    }


def report(found: dict[str, dict[str, object]], whole: dict[str, float], machine: str) -> tuple[str, bool]:
    """The tables in Markdown, and whether all targets were met."""
    lines = [f"One matte of {SIDE} × {SIDE}, one core, medians of CPU time ({machine})"]
    missed = []
    for name, row in found.items():
        lines += ["", f"{name}", "", "| | Penstock alone | others |", "|---|---:|---|"]
        parts, others = row["parts_ms"], row["others_ms"]
        for part, ours in parts.items():
            theirs = ", ".join(f"{ms:.1f} ms ({by})" for by, ms in others.get(part, {}).items())
            lines.append(f"| {part} | {ours:.1f} ms | {theirs or 'none'} |")
        lines.append(f"| **the set, at once** | **{row['set_ms']:.1f} ms** | {row['fastest_together_ms']:.1f} ms |")
        lines += [
            "",
            f"- the set: {row['set_ms']:.0f} ms (at most {TARGET_SET_MS:.0f}, the aim is {AIM_SET_MS:.0f}), "
            f"{row['ratio']:.1f} times as fast as the fastest others together (at least {TARGET_SET:.0f})",
            f"- Conn: {row['conn_ratio']:.1f} times as fast as by labels of {LABELS} (at least {TARGET_CONN:.0f})",
            f"- relative difference of the values: {row['relative_difference']:.0e} (at most {TARGET_DIFFERENCE:.0e})",
        ]
        missed += [f"{name}: time of the set"] if row["set_ms"] > TARGET_SET_MS else []
        missed += [f"{name}: ratio of the set"] if row["ratio"] < TARGET_SET else []
        missed += [f"{name}: ratio of Conn"] if row["conn_ratio"] < TARGET_CONN else []
        missed += [f"{name}: equality"] if row["relative_difference"] > TARGET_DIFFERENCE else []
    lines += [
        "",
        f"{whole['mattes']:.0f} mattes from PNG, two processes: {whole['seconds']:.1f} s "
        f"(at most {TARGET_SUITE_S:.0f}; {whole['cpu_seconds']:.1f} s of CPU time); "
        f"peak memory {whole['peak_mib']:.0f} MiB a process, {whole['growth']:.2f} of what its first {WARM} "
        f"mattes took (at most {TARGET_GROWTH})",
    ]
    missed += ["time of the suite"] if whole["seconds"] > TARGET_SUITE_S else []
    missed += ["memory of the suite"] if whole["growth"] > TARGET_GROWTH else []
    lines += ["", f"MISSED: {', '.join(missed)}" if missed else "met"]
    return "\n".join(lines) + "\n", not missed


def main() -> int:
    """Print the tables; 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--repeats", type=int, default=9, help="rounds (median)")
    parser.add_argument("--mattes", type=int, default=SUITE, help="mattes of the suite")
    options = parser.parse_args()
    parity = os.environ.pop("PENSTOCK_PARITY_PYTHON", None)
    if parity:
        environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
        return subprocess.run([parity, *sys.argv], env=environment, check=False).returncode

    threads, cores = cv2.getNumThreads(), os.sched_getaffinity(0)
    cv2.setNumThreads(1)
    os.sched_setaffinity(0, {max(cores)})
    truth = subject(0)
    found = {
        "hair": measure(answer_to(truth, 1) / 255, truth / 255, options.repeats),
        "hair, noise everywhere": measure(answer_to(truth, 1, noise=True) / 255, truth / 255, options.repeats),
    }
    os.sched_setaffinity(0, cores)
    cv2.setNumThreads(threads)
    whole = suite(options.mattes)
    machine = f"{platform.machine()}, {len(cores)} cores, NumPy {np.__version__}, OpenCV {cv2.__version__}"
    text, met = report(found, whole, machine)
    sys.stdout.write(text)
    if options.json:
        result = {"benchmark": "matte", "machine": machine, "mattes": found, "suite": whole, "met": met}
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
