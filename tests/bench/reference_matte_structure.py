"""PySODMetrics 1.6 and scikit-image on the scene of ``bench_matte_structure.py``, in an environment of their own.

``python tests/bench/reference_matte_structure.py SCENE.npz`` reads names of metrics, a line each, and answers each with
a line of JSON: wall seconds, CPU seconds, the value.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

BACKGROUNDS = ((0, 0, 0), (255, 255, 255), (128, 128, 128), (0, 177, 64))


def timed(call: Callable[[], float]) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and the value of a call."""
    wall, cpu = time.perf_counter(), time.thread_time()
    value = float(call())
    return time.perf_counter() - wall, time.thread_time() - cpu, value


def calls(scene: dict[str, Any]) -> dict[str, Callable[[], float]]:
    """The reference's calls by the names that Penstock has for them."""
    import py_sod_metrics

    answer, mask = scene["answer"], scene["truth"] > 128 / 255

    def value(kind: type, *keys: str) -> float:
        measure = kind()
        measure.step(answer, mask, normalize=False)
        found = measure.get_results()
        for key in keys:
            found = found[key]
        return float(np.mean(found))

    return {
        "s_measure": lambda: value(py_sod_metrics.Smeasure, "sm"),
        "weighted_f": lambda: value(py_sod_metrics.WeightedFmeasure, "wfm"),
        "e_measure": lambda: value(py_sod_metrics.Emeasure, "em", "curve"),
        "hce": lambda: value(py_sod_metrics.HumanCorrectionEffortMeasure, "hce"),
        "fringe": lambda: fringe(scene["rgba"], scene["foreground"], scene["truth"]),
    }


def fringe(rgba: Any, foreground: Any, alpha: Any) -> float:
    """Colour fringe by scikit-image, in the band alone as well."""
    from skimage.color import deltaE_ciede2000, rgb2lab

    band = cv2.dilate(((alpha > 0) & (alpha < 1)).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    pairs = ((rgba[band][:, :3], rgba[band][:, 3] / 255), (foreground[band], alpha[band]))
    total = 0.0
    for background in np.array(BACKGROUNDS) / 255:
        shown, wanted = (rgb2lab(a[:, None] * colour / 255 + (1 - a[:, None]) * background) for colour, a in pairs)
        total += deltaE_ciede2000(wanted, shown).mean()
    return total / len(BACKGROUNDS)


def main() -> None:
    """Answer each name."""
    cv2.setNumThreads(1)
    with np.load(sys.argv[1]) as scene:
        known = calls(dict(scene))
    for name in sys.stdin:
        sys.stdout.write(json.dumps(timed(known[name.strip()])) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
