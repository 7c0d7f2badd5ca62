"""How long a gate takes over 10 metrics of 500 cases each, side by side with SciPy's bootstrap of the same differences.

``python tests/bench/bench_gate.py [--json FILE] [--repeats N]`` prints a Markdown table of medians. Each route draws
10,000 resamples of the cases for each metric; SciPy's draws anew for each, ours once for all, with a fixed seed.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy import stats

from penstock.bundle.models import Measurement
from penstock.contract.policy import Policy
from penstock.gating import resampling
from penstock.gating.evidence import weigh
from penstock.gating.gate import gate

METRICS, CASES = 10, 500
TARGET_S = 1.0


def ours(differences: list[list[float]]) -> None:
    """The standard error of each metric, from cold."""
    resampling._kept_draws.cache_clear()
    for row in differences:
        weigh(row)


def scipys(differences: list[list[float]]) -> None:
    """The same by SciPy, its percentile interval."""
    for row in differences:
        stats.bootstrap((row,), np.mean, n_resamples=resampling.RESAMPLES, method="percentile", batch=500)


def whole_gate(lines: tuple[list[Measurement], list[Measurement]], policy: Policy) -> None:
    """All of the gate, from measurements to verdict."""
    resampling._kept_draws.cache_clear()
    gate(lines[0], lines[1], policy, candidate_name="new", baseline_name="old")


def seconds(work: Callable[[], None], repeats: int) -> float:
    """Median seconds of one call."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def measured(repeats: int) -> dict[str, float]:
    """Median seconds of each route."""
    random = np.random.default_rng(1)
    before = random.normal(7, 1, size=(METRICS, CASES))
    after = before + random.normal(0, 0.3, size=before.shape)
    differences = [list(row) for row in after - before]
    rules = [{"metric": f"m{index}", "direction": "lower", "margin": 0.1} for index in range(METRICS)]
    new, old = (
        [
            Measurement(case=f"case-{case}", metric=f"m{index}", value=float(value))
            for index, row in enumerate(side)
            for case, value in enumerate(row)
        ]
        for side in (after, before)
    )
    policy = Policy.model_validate({"rules": rules})
    return {
        "bootstrap": seconds(lambda: ours(differences), repeats),
        "gate": seconds(lambda: whole_gate((new, old), policy), repeats),
        "SciPy's bootstrap": seconds(lambda: scipys(differences), max(1, repeats // 3)),
    }


def main() -> int:
    """Print the table; exit code 1 if the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    found = measured(arguments.repeats)
    lines = [f"{METRICS} metrics of {CASES} cases, {resampling.RESAMPLES} resamples:", ""]
    lines += ["| route | s | × |", "|---|---:|---:|"]
    lines += [f"| {name} | {value:.3f} | {value / found['bootstrap']:.1f} |" for name, value in found.items()]
    lines += ["", f"Target: the bootstrap under {TARGET_S:g} s."]
    sys.stdout.write("\n".join(lines) + "\n")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return int(found["bootstrap"] > TARGET_S)


if __name__ == "__main__":
    sys.exit(main())
