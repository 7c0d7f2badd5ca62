"""The error rates of the rule for ``preference``: ``python tests/error_rates/preference.py [--runs 2000]``.

Raters and cases are made up as for ``penstock suite power`` (:mod:`penstock.ratings.power`). Each made-up run is put to
the whole rule (``min: 0.35``, level 0.05). It prints the tables of docs/ratings.md. Exit code 1 if one of these does
not hold: at most 1 % of equal models fail; at most 6 % of those at the bound pass; of 12 raters and 10 cases without
leanings, 88 % of equal models pass.
"""

from __future__ import annotations

import argparse
import sys
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from penstock.bundle.verdict_record import Outcome
from penstock.contract.policy import Rule
from penstock.ratings.counting import is_careful
from penstock.ratings.power import MadeUpRaters, RatingWay, outcome
from penstock.ratings.turns import CATCHES_AT_LEAST, is_twice

SEED = 58
MINIMUM, LEVEL = 0.35, 0.05
RULE = Rule(metric="preference", min=MINIMUM)
EQUAL, AT_BOUND, WORSE = 0.5, MINIMUM, 0.2
SIZES = ((8, 5), (8, 12), (12, 10), (15, 10), (20, 10), (20, 20))
WAYS = ((0.0, 0.0), (0.3, 0.0), (0.3, 0.3), (0.3, 0.5))
"""Share of "the same"; spread."""


def shares(made: MadeUpRaters, runs: int) -> dict[Outcome, float]:
    """How often the rule says what."""
    generator = np.random.default_rng(
        [SEED, made.raters, made.cases, *(round(1000 * x) for x in (made.share, made.way.same, made.way.spread))]
    )
    said = [outcome(scores, RULE, LEVEL) for scores in made.answers(generator, runs)]
    return {word: said.count(word) / runs for word in ("pass", "inconclusive", "fail")}


def qualified(right: list[float]) -> float:
    """How often a rater counts who is right in each catch pair with these probabilities."""
    total = 0.0
    for outcomes in product((0, 1), repeat=len(right)):
        if is_careful(sum(outcomes), len(right)):
            total += float(np.prod([p if hit else 1 - p for p, hit in zip(right, outcomes, strict=True)]))
    return total


def say(line: str) -> None:
    """A line of a table, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def say_raters() -> None:
    """Who is disqualified."""
    say("\n| a rater | counts, of 3 catch pairs | of 5 | of 8 |\n|---|---:|---:|---:|")
    kinds = {
        "looks: sees 98 % of the blurred sides, says 'the same' of 80 % of the clips shown twice": (0.98, 0.98, 0.8),
        "looks, and never says 'the same'": (0.98, 0.98, 0.0),
        "answers by chance": (1 / 3, 1 / 3, 1 / 3),
        "always the same side": (1.0, 0.0, 0.0),
        "always 'the same'": (0.0, 0.0, 1.0),
    }
    for words, (first, second, same) in kinds.items():
        found = []
        for count in (CATCHES_AT_LEAST, 5, 8):
            pairs = [same if is_twice(n) else (first, second)[(n - (n + 1) // 3) % 2] for n in range(count)]
            found.append(f"{qualified(pairs):.0%}")
        say(f"| {words} | {' | '.join(found)} |")


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    runs = parser.parse_args().runs
    faults = []
    say("| raters × cases | same | spread | equal: pass | inconclusive | fail | at the bound: pass | 0.2: fail |")
    say("|---|---:|---:|---:|---:|---:|---:|---:|")
    for (raters, cases), (same, spread) in product(SIZES, WAYS):
        equal, bound, worse = (
            shares(MadeUpRaters(raters, cases, raters * cases, share, RatingWay(same, spread)), runs)
            for share in (EQUAL, AT_BOUND, WORSE)
        )
        told = (equal["pass"], equal["inconclusive"], equal["fail"], bound["pass"], worse["fail"])
        row = f"{raters} × {cases} = {raters * cases} | {same:.0%} | {spread:g} |"
        say(f"| {row} {' | '.join(f'{100 * share:.1f} %' for share in told)} |")
        if equal["fail"] > 0.01 or bound["pass"] > 0.06:
            faults.append(row)
        if (raters, cases, spread) == (12, 10, 0.0) and equal["pass"] < 0.88:
            faults.append(row)
    say_raters()
    for fault in faults:
        say(f"does not hold: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
