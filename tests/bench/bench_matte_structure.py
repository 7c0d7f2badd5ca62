"""How long the second set of a matte's values takes: S-measure, weighted F, E-measure, MBA, HCE and colour fringe.

``python tests/bench/bench_matte_structure.py [--json FILE] [--repeats N]`` prints a Markdown table of medians, one
1024 x 1024 matte with hair on one core. PySODMetrics 1.6 and scikit-image run beside it, on the same arrays and turn by
turn, under the interpreter that ``PENSTOCK_PARITY_PYTHON`` names; without it only Penstock is timed and nothing is
compared. Targets of one core are judged by CPU seconds, which are what an idle core takes.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.bench.reference_matte_structure import timed

from penstock.metrics.fringe import fringe, fringe_map
from penstock.metrics.matte_corrections import hce
from penstock.metrics.matte_structure import e_measure, mba, s_measure, weighted_f

HERE = Path(__file__).parent

SIDE = 1024
STRANDS = 120
TARGET_FOUR_S = 0.150
"""S-measure, weighted F, E-measure and MBA together."""
TARGET_HCE = 5.0
"""Times as fast as PySODMetrics'."""
TARGET_FRINGE_S = 0.060
"""For each 5 % of the pixels in the band."""
TARGET_DIFFERENCE = 1e-6
FOUR = ("s_measure", "weighted_f", "e_measure", "mba")


def draw() -> dict[str, Any]:
    """A head with hair, and an answer that lost strands, lies a pixel off and carries some of the old background."""
    random = np.random.default_rng(0)
    mattes = []
    for keep in (1.0, 0.8):
        canvas = np.zeros((SIDE, SIDE), np.uint8)
        cv2.ellipse(canvas, (512, 660), (250, 330), 0, 0, 360, 255, -1)
        for number in range(STRANDS):
            strand = np.random.default_rng(number)
            turns = np.cumsum(strand.normal(0, 0.15, 40)) - strand.uniform(0, np.pi)
            begin = np.array([512 + 240 * np.cos(turns[0]), 600 + 300 * np.sin(turns[0])])
            points = begin + np.cumsum(np.stack([np.cos(turns), np.sin(turns)], axis=1) * 6, axis=0)
            if strand.random() < keep:
                width = int(strand.integers(1, 4))
                cv2.polylines(canvas, [np.rint(points).astype(np.int32)], False, 255, width, cv2.LINE_AA)
        mattes.append(cv2.GaussianBlur(canvas, (0, 0), 0.8))
    truth, answer = mattes[0], np.roll(mattes[1], 1, axis=1)
    skin = cv2.GaussianBlur(random.normal(0, 60, (SIDE, SIDE, 3)), (0, 0), 3) * 4 + np.array([110.0, 80.0, 60.0])
    foreground = np.clip(skin, 0, 255).astype(np.uint8)
    bled = foreground * (0.7 + 0.3 * truth[..., None] / 255) + 60 * (1 - truth[..., None] / 255)
    rgba = np.dstack([np.clip(bled, 0, 255).astype(np.uint8), answer])
    return {"answer": answer / 255, "truth": truth / 255, "foreground": foreground, "rgba": rgba}


def ours(scene: dict[str, Any]) -> dict[str, Any]:
    """Our calls by name, on the scene."""
    answer, truth = scene["answer"], scene["truth"]
    calls = {metric.__name__: (lambda metric=metric: metric(answer, truth)) for metric in (*_PAIRS, hce)}
    calls["fringe"] = lambda: fringe(scene["rgba"], scene["foreground"], truth)
    return calls


_PAIRS = (s_measure, weighted_f, e_measure, mba)


class Reference:
    """The reference's process: computes one value at a time, when asked."""

    def __init__(self, python: str, scene: Path) -> None:
        self._process = subprocess.Popen(
            [python, str(HERE / "reference_matte_structure.py"), str(scene)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def call(self, name: str) -> tuple[float, float, float]:
        """Wall seconds, CPU seconds and the value."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(name + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"the reference failed at {name}")
        wall, cpu, value = json.loads(line)
        return wall, cpu, value

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


def measure(repeats: int) -> dict[str, dict[str, float]]:
    """Name → medians and values of both."""
    scene = draw()
    python = os.environ.get("PENSTOCK_PARITY_PYTHON")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "scene.npz")
        np.savez(path, **scene)
        reference = Reference(python, path) if python else None
        rows = {}
        for name, call in ours(scene).items():
            call()
            mine, theirs = [], []
            for _ in range(repeats):
                mine.append(timed(call))
                if reference and name != "mba":
                    theirs.append(reference.call(name))
            rows[name] = {f"ours_{key}": value for key, value in _medians(mine).items()}
            rows[name] |= {f"theirs_{key}": value for key, value in _medians(theirs).items()}
        if reference:
            reference.close()
    band = np.count_nonzero(fringe_map(255 - scene["rgba"], scene["foreground"], scene["truth"]))
    rows["fringe"]["share"] = band / SIDE**2
    return rows


def _medians(runs: list[tuple[float, float, float]]) -> dict[str, float]:
    if not runs:
        return {}
    return {
        "s": statistics.median(wall for wall, _, _ in runs),
        "cpu_s": statistics.median(cpu for _, cpu, _ in runs),
        "value": runs[0][2],
    }


def judge(rows: dict[str, dict[str, float]]) -> list[tuple[bool, str]]:
    """Each target: met, and in words."""
    four = sum(rows[name]["ours_cpu_s"] for name in FOUR)
    found = [(four < TARGET_FOUR_S, f"S, weighted F, E and MBA together: {four * 1000:.0f} ms (target: under 150)")]
    five_percent = rows["fringe"]["ours_cpu_s"] / rows["fringe"]["share"] * 0.05
    share = f"{rows['fringe']['share']:.1%} of the pixels in the band"
    found.append(
        (five_percent < TARGET_FRINGE_S, f"fringe: {five_percent * 1000:.0f} ms for each 5 % ({share}; under 60)")
    )
    if "theirs_s" in rows["hce"]:
        ratio = min(rows["hce"][f"theirs_{key}"] / rows["hce"][f"ours_{key}"] for key in ("s", "cpu_s"))
        found.append((ratio >= TARGET_HCE, f"HCE: {ratio:.1f} times as fast as PySODMetrics (target: at least 5)"))
        worst = max(abs(row["ours_value"] - row["theirs_value"]) for row in rows.values() if "theirs_value" in row)
        found.append((worst <= TARGET_DIFFERENCE, f"values differ by {worst:.0e} at most (target: 1e-06)"))
    return found


def table(rows: dict[str, dict[str, float]], repeats: int) -> str:
    """The rows in Markdown."""
    lines = [
        f"{SIDE} x {SIDE} with hair, {platform.machine()}, one core, medians of {repeats}",
        "",
        "| | Penstock | CPU | reference | CPU | times as fast | by CPU | value | reference's |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, row in rows.items():
        cells = [f"{row['ours_s'] * 1000:.1f} ms", f"{row['ours_cpu_s'] * 1000:.1f} ms"]
        if "theirs_s" in row:
            cells += [f"{row['theirs_s'] * 1000:.1f} ms", f"{row['theirs_cpu_s'] * 1000:.1f} ms"]
            cells += [f"{row['theirs_s'] / row['ours_s']:.1f}", f"{row['theirs_cpu_s'] / row['ours_cpu_s']:.1f}"]
        else:
            cells += ["", "", "", ""]
        cells.append(f"{row['ours_value']:.9g}")
        cells.append(f"{row['theirs_value']:.9g}" if "theirs_value" in row else "")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Print the table; 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    rows = measure(options.repeats)
    judged = judge(rows)
    sys.stdout.write(table(rows, options.repeats) + "\n")
    sys.stdout.write("".join(f"- {'' if met else 'MISSED: '}{words}\n" for met, words in judged))
    if "theirs_s" not in rows["hce"]:
        sys.stdout.write("\nPENSTOCK_PARITY_PYTHON is not set: PySODMetrics was not run, nothing is compared.\n")
    met = all(met for met, _ in judged)
    if options.json:
        figures = {"benchmark": "matte_structure", "rows": rows, "met": met}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
