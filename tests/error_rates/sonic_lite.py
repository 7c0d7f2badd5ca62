"""The error rates of the verdict on real runs of ``sonic-lite``: ``python tests/error_rates/sonic_lite.py --out DIR``.

What is real: 21 runs of v1.0.0, 2 of v1.1.0 (worse) and 2 of v1.2.0 (better) through the pipeline (clone … measure),
which differ in the noise that the model starts from (see ``seeded_runs``) and in what the machine does to time and
memory. Every pair of v1.0.0 is an A/A comparison: 210 of them, through the whole gate. What is planted: in some tables
the candidate's values are moved by half the margin, the margin, or two. What is drawn: suites whose cases take their
two values from two runs of their own, some of the inputs (8 cases) or each once (24); the values are real, put together
by chance.

A run that was finished before is used again, so that this may be broken off. 25 runs take about ten minutes on two
cores. Exit code 1 if a rate is beyond its limit.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.error_rates.seeded_runs import make_repository, measured, tag

from penstock.bundle.models import Measurement
from penstock.contract.load import load_contract
from penstock.contract.policy import Policy, Rule
from penstock.families.registry import known_metrics
from penstock.gating.calibration import Calibration, Noise
from penstock.gating.gate import gate
from penstock.gating.measurements import MeasurementSource
from penstock.gating.repeats import calibrate

GOOD, WORSE, BETTER = "v1.0.0", "v1.1.0", "v1.2.0"
RUNS, OTHER_RUNS = 21, 2
INPUTS = 24
MARGIN_SE = 5
OF_THE_MACHINE = ("latency", "real_time_factor", "peak_memory", "gpu_memory")
"""What else runs on the machine moves all cases of a run: shown, and held only by the contract's own rules."""
DRAWS = 1000
SHIFTS = (0.0, 0.5, 1.0, 2.0)
Run = list[Measurement]


@dataclass(frozen=True)
class Row:
    """How often something happened to one rule."""

    table: str
    rule: str
    what: str
    comparisons: int
    times: int
    at_most: float | None = None
    at_least: float | None = None

    @property
    def share(self) -> float:
        return self.times / self.comparisons

    @property
    def holds(self) -> bool:
        """Whether the rate is within its limit; near the margin, two standard errors of so many draws are allowed."""
        near = self.what.endswith("margin: passed")
        slack = 2 * (self.share * (1 - self.share) / self.comparisons) ** 0.5 if near else 0.0
        return not (
            (self.at_most is not None and self.share - slack > self.at_most)
            or (self.at_least is not None and self.share + slack < self.at_least)
        )


def main() -> int:
    """Run what has not been run, compare, print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="where the repository and the runs lie")
    parser.add_argument("--runs", type=int, default=RUNS, help="runs of the good release")
    parser.add_argument("--json", type=Path, help="write all rates to this file")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    repository = options.out / "sonic"
    make_repository(repository, options.runs, (GOOD, WORSE, BETTER))
    good = runs_of(repository, options.out, GOOD, options.runs)
    others = {release: runs_of(repository, options.out, release, OTHER_RUNS) for release in (WORSE, BETTER)}
    source = next((options.out / "runs" / "runs").glob("calibrate-*")) / "source"
    noise = calibrate([MeasurementSource(f"run {number}", run) for number, run in enumerate(good, 1)]).calibration
    rows = [
        *by_the_contract(good, others, load_contract(source).policy, noise),
        *planted(good, noise),
        *drawn(good, noise, 8),
        *drawn(good, noise, INPUTS),
    ]
    sys.stdout.write(noise_table(noise) + tables(rows))
    if options.json:
        options.json.write_text(json.dumps([vars(row) for row in rows], indent=1) + "\n", encoding="utf-8")
    beyond = [row for row in rows if not row.holds]
    sys.stdout.write(f"\n{len(rows)} rates, beyond the limit: {len(beyond)}.\n")
    return 1 if beyond else 0


def runs_of(repository: Path, out: Path, release: str, count: int) -> list[Run]:
    """The measurements of ``count`` runs of a release."""
    found = []
    for seed in range(1, count + 1):
        sys.stderr.write(f"{release}: run {seed} of {count}\n")
        found.append(measured(repository, out, tag(release, seed)))
    return found


def by_the_contract(
    good: Sequence[Run], others: Mapping[str, Sequence[Run]], policy: Policy, noise: Calibration
) -> Iterator[Row]:
    """Rule by rule of the model's own contract, all of it real: unchanged, and the releases that are worse and better.

    A margin that the calibration warns of is shown, not held: that is what the warning says.
    """
    table = "the contract's own policy, all real"
    pairs = list(itertools.combinations(good, 2))
    stopped: Counter[int] = Counter()
    for baseline, candidate in pairs:
        results = verdict(policy, candidate, baseline).rules
        stopped.update(place for place, result in enumerate(results) if result.verdict != "pass")
    for place, result in enumerate(results):
        rule = f"{result.metric}{f' ({result.slice})' if result.slice else ''} {result.limit}"
        fine = too_fine(policy.rules[place], noise)
        what = "unchanged: not passed"
        if fine:
            what += " (calibrate warns: too fine)"
        yield Row(table, rule, what, len(pairs), stopped[place], at_most=None if fine else 0.05)
    for release, expected, word in ((WORSE, "fail", "rejected"), (BETTER, "pass", "passed")):
        verdicts = [verdict(policy, candidate, baseline).verdict for baseline in good for candidate in others[release]]
        what = f"{release} against {GOOD}: {word}"
        yield Row(table, "the verdict", what, len(verdicts), verdicts.count(expected), at_least=0.95)


def too_fine(rule: Rule, noise: Calibration) -> bool:
    """Whether the calibration warns of a rule's margin."""
    found = noise.of(rule.metric, rule.slice)
    if rule.margin is None or found is None:
        return False
    amount = rule.margin.amount * (abs(found.mean) if rule.margin.relative else 1)
    return noise.too_fine(rule.metric, rule.slice, amount) is not None


def planted(good: Sequence[Run], noise: Calibration) -> Iterator[Row]:
    """Margins of 5 of the gate's own standard errors over the whole suite: real pairs, planted changes.

    Pairs of one run depend on each other, so that rates near the margin are only shown: they are held on drawn suites.
    """
    table = f"{INPUTS} cases, margin of 5 standard errors, real pairs, planted changes"
    pairs = list(itertools.combinations(good, 2))
    for found in margins(noise):
        margin = MARGIN_SE * (found.sd_resampled or error(found, found.cases))
        policy = one_rule(found.metric, margin)
        for shift in SHIFTS:
            moved = [
                verdict(policy, worse(candidate, found.metric, shift * margin), baseline).rules[0].verdict
                for baseline, candidate in pairs
            ]
            yield row(table, found.metric, shift, moved, held=(0.0, 2.0))


def drawn(good: Sequence[Run], noise: Calibration, cases: int) -> Iterator[Row]:
    """Suites that are put together by chance: so many of the inputs, each with two runs' own values."""
    table = f"{cases} cases drawn from the runs, margin of 5 standard errors, planted changes"
    for found in margins(noise):
        if found.cases == 1:
            continue
        margin = MARGIN_SE * error(found, cases)
        policy = one_rule(found.metric, margin)
        values = [{line.case: line.value for line in run if line.metric == found.metric} for run in good]
        for shift in SHIFTS:
            rng = random.Random(f"{found.metric} {shift} {cases}")
            verdicts = []
            for _ in range(DRAWS):
                baseline, candidate = _suite(values, found.metric, rng, cases)
                moved = worse(candidate, found.metric, shift * margin)
                verdicts.append(verdict(policy, moved, baseline).rules[0].verdict)
            yield row(table, found.metric, shift, verdicts, held=SHIFTS if cases >= 20 else (0.0, 1.0, 2.0))


def _suite(values: Sequence[dict[str, float | None]], metric: str, rng: random.Random, cases: int) -> tuple[Run, Run]:
    sides: tuple[Run, Run] = ([], [])
    for case in sorted(rng.sample(sorted(values[0]), cases)):
        for side, run in zip(sides, rng.sample(range(len(values)), 2), strict=True):
            side.append(Measurement(case=case, metric=metric, value=values[run][case]))
    return sides


def margins(noise: Calibration) -> list[Noise]:
    """The metrics that vary by the model's own chance and have a better and a worse."""
    return [
        found
        for found in noise.metrics
        if found.slice is None
        and not found.deterministic
        and found.metric not in OF_THE_MACHINE
        and known_metrics()[found.metric].direction is not None
    ]


def error(noise: Noise, cases: int) -> float:
    """Standard error of the mean difference of two runs over so many cases."""
    return float(noise.sd_difference / cases**0.5)


def one_rule(metric: str, margin: float) -> Policy:
    """A policy of one rule."""
    return Policy.model_validate({"rules": [{"metric": metric, "margin": margin}]})


def worse(run: Run, metric: str, amount: float) -> Run:
    """The run with every value of a metric worse by ``amount``, those on resamples with it."""
    change = amount if known_metrics()[metric].direction == "lower" else -amount
    moved = []
    for line in run:
        if line.metric == metric and line.value is not None:
            drawn_again = line.resamples
            if drawn_again is not None:
                values = [value + change for value in drawn_again.values]
                drawn_again = drawn_again.model_copy(update={"values": values})
            line = line.model_copy(update={"value": line.value + change, "resamples": drawn_again})
        moved.append(line)
    return moved


def row(table: str, metric: str, shift: float, verdicts: Sequence[str], *, held: Sequence[float]) -> Row:
    """How often a shift was passed or stopped; with its limit if it is ``held``."""
    passed = sum(found == "pass" for found in verdicts)
    count = len(verdicts)
    what, times, at_most, at_least = {
        0.0: ("unchanged: not passed", count - passed, 0.05, None),
        0.5: ("½ margin: passed", passed, None, 0.80),
        1.0: ("margin: passed", passed, 0.07, None),
        2.0: ("2 margins: stopped", count - passed, None, 0.95),
    }[shift]
    if shift not in held:
        at_most = at_least = None
    return Row(table, metric, what, count, times, at_most, at_least)


def verdict(policy: Policy, candidate: Run, baseline: Run):  # type: ignore[no-untyped-def]
    """The gate's answer."""
    return gate(candidate, baseline, policy, candidate_name="candidate", baseline_name="baseline")


def noise_table(noise: Calibration) -> str:
    """What the runs differed by."""
    text = f"{len(noise.runs)} runs of {GOOD} with other noise:\n\n"
    text += "| metric | mean | sd of the mean | sd of a case's difference |\n|---|---:|---:|---:|\n"
    for found in noise.metrics:
        if found.slice is None:
            text += f"| {found.metric} | {found.mean:.4g} | {found.sd_mean:.3g} | {found.sd_difference:.3g} |\n"
    return text


def tables(rows: Sequence[Row]) -> str:
    """One Markdown table for each part; a star is beyond its limit."""
    text = ""
    group: Callable[[Row], str] = lambda found: found.table  # noqa: E731
    for table, members in itertools.groupby(rows, group):
        text += (
            f"\n{table[0].upper()}{table[1:]}:\n\n| rule | what | comparisons | % | limit |\n|---|---|---:|---:|---:|\n"
        )
        for found in members:
            limit = (
                ""
                if found.at_most is None and found.at_least is None
                else (
                    f"≤ {found.at_most * 100:g}" if found.at_most is not None else f"≥ {(found.at_least or 0) * 100:g}"
                )
            )
            star = "" if found.holds else " *"
            text += f"| {found.rule} | {found.what} | {found.comparisons} | {found.share * 100:.1f}{star} | {limit} |\n"
    return text


if __name__ == "__main__":
    sys.exit(main())
