"""The error rates of the verdict, simulated: unchanged models stopped, regressions passed.

``python tests/bench/bench_error_rates.py [--repetitions 4000] [--seconds 10] [--json FILE]`` prints Markdown tables;
exit code 1 if a rate is beyond its limit by more than simulation can explain. ``--decide MODULE:FUNCTION`` tries
another method: ``(differences, margin, direction, level)`` → verdict.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
# one thread a process: there is a process for each core, and threads would wait for each other
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

from tests.bench.error_rates import (
    CASES,
    ENOUGH_SE,
    FEWER_SE,
    NOISES,
    SHIFTS,
    SYMMETRIC,
    Breach,
    Cell,
    Decide,
    Rate,
    breaches,
    cells,
    limits,
    simulate,
)

BY_CHANCE = 3.5
"""Standard errors that the worst of some hundred rates may be beyond its limit by chance."""


def main() -> int:
    """Simulate all cells on all cores, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decide", default="penstock.gating.decision:decide", help="MODULE:FUNCTION")
    parser.add_argument("--repetitions", type=int, default=4000, help="comparisons a shift")
    parser.add_argument("--seconds", type=float, default=10.0, help="at most so long a cell; 100 comparisons at least")
    parser.add_argument("--cases", type=int, nargs="+", default=list(CASES))
    parser.add_argument("--noise", nargs="+", default=list(NOISES), choices=list(NOISES), metavar="NAME")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write all rates to this file")
    options = parser.parse_args()
    wanted = cells(options.noise, options.cases)
    work = partial(
        one_cell,
        method=options.decide,
        repetitions=options.repetitions,
        seconds=options.seconds,
        seed=options.seed,
    )
    began, rates = time.perf_counter(), []
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        # the slowest first, so that no core is left alone with one at the end
        for done, found in enumerate(pool.map(work, sorted(wanted, key=lambda cell: -cell.cases)), 1):
            rates += found
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{done}/{len(wanted)} cells ")
            elif done % 20 == 0:
                sys.stderr.write(f"{done}/{len(wanted)} cells\n")
    found_breaches = breaches(rates)
    sys.stdout.write(tables(rates, options.noise, options.cases))
    sys.stdout.write(f"\n{summary(rates, found_breaches)} {time.perf_counter() - began:.0f} s in all.\n")
    if options.json:
        options.json.write_text(json.dumps([asdict(rate) for rate in rates], indent=1) + "\n", encoding="utf-8")
    return 1 if any(breach.errors > BY_CHANCE for breach in found_breaches) else 0


def one_cell(cell: Cell, *, method: str, repetitions: int, seconds: float, seed: int) -> list[Rate]:
    """One cell in a process of its own."""
    return simulate(cell, loaded(method), repetitions=repetitions, seconds=seconds, seed=seed)


def loaded(method: str) -> Decide:
    """``MODULE:FUNCTION`` as a function."""
    module, _, name = method.partition(":")
    function: Decide = getattr(importlib.import_module(module), name)
    return function


def tables(rates: Sequence[Rate], noises: Sequence[str], cases: Sequence[int]) -> str:
    """One Markdown table where there are cases enough, one where there are fewer. A star: beyond the limit."""
    found = {(rate.cell, rate.shift): rate for rate in rates}
    heads = ("unchanged: stopped", "½ margin: passed", "margin: passed", "2 margins: stopped")
    words = ("stopped", "passed", "passed", "stopped")
    text = f"Margin of {ENOUGH_SE:g} standard errors, per cent ± standard error:\n\n"
    text += f"| noise | cases | {' | '.join(heads)} |\n|---|---:|{'---:|' * len(heads)}\n"
    for noise in noises:
        for count in cases:
            cell = Cell(noise, count, ENOUGH_SE)
            row = [shown(found[cell, shift], word) for shift, word in zip(SHIFTS, words, strict=True)]
            text += f"| {noise} | {count} | {' | '.join(row)} |\n"
    text += "\nThe full margin passed, with a margin of fewer standard errors:\n\n"
    text += f"| noise | cases | {' | '.join(f'{se:g} standard errors' for se in FEWER_SE)} |\n|---|---:|---:|---:|\n"
    for noise in [noise for noise in noises if noise in SYMMETRIC]:
        for count in cases:
            row = [shown(found[Cell(noise, count, se), 1.0], "passed") for se in FEWER_SE]
            text += f"| {noise} | {count} | {' | '.join(row)} |\n"
    return text


def shown(rate: Rate, word: str) -> str:
    """``4.1 ± 0.3``, with a star if it is beyond its limit."""
    share = rate.counted(word)
    over = any(limit.shift == rate.shift and limit.over(share) > 0 for limit in limits(rate.cell))
    return f"{share * 100:.1f} ± {rate.standard_error * 100:.1f}{' *' if over else ''}"


def summary(rates: Sequence[Rate], found: Sequence[Breach]) -> str:
    """How many rates there are, how many are beyond their limits, and the worst."""
    held = sum(limit.shift == rate.shift for rate in rates for limit in limits(rate.cell))
    least = min(rate.repetitions for rate in rates)
    text = f"{held} rates from {least} or more comparisons each; beyond the limit (*): {len(found)}, "
    text += f"by more than {BY_CHANCE} standard errors: {sum(breach.errors > BY_CHANCE for breach in found)}."
    if found:
        cell = found[0].rate.cell
        text += f" The worst: {cell.noise}, {cell.cases} cases, {found[0].errors:.1f} standard errors."
    return text


if __name__ == "__main__":
    sys.exit(main())
