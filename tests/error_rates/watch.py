"""The error rates of ``penstock watch``: ``python tests/error_rates/watch.py [--canaries 10000] [--json FILE]``.

Each kind of canary is made up 10,000 times and put to the whole decision, which is looked at after each minute; the
first answer counts. It prints the table of docs/watch.md. Exit code 1 if one of these does not hold: at most 5 % of the
unchanged canaries stopped, by the upper end of a 95 % interval (Clopper and Pearson); at least 95 % of those worse by
the margin stopped, and at least 90 % of the unchanged ones promoted, within 4,000 canary requests. The same of those
that probes alone decide, within 500 pairs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
from scipy.stats import beta
from tests.error_rates.made_canaries import POLICY, REQUESTS_PER_USER, Scenario, make_evidence, retrying_users
from tests.error_rates.made_probes import HEAD, ProbedRates, simulate_probes

from penstock.watch.decision import look_after_each
from penstock.watch.evidence import tabulate
from penstock.watch.watch_policy import WatchPolicy

SEED = 36
CHUNK = 500
NEVER = 1 << 30
SAME = [
    Scenario("independent errors", "same"),
    Scenario("one in 200 requests fails", "same", errors=0.005, complaints=0.005, requests=8000, minutes=120),
    Scenario("three retries a failing user, users not known", "same", burst=4),
    Scenario("brownouts: each pod every ten hours, two minutes long", "same", brownouts=1 / 600),
    Scenario("brownouts: each pod every hour", "same", brownouts=1 / 60),
    Scenario(
        "a cold pod beside a fresh stable one, two minutes left out",
        "same",
        pods=1,
        cold_minutes=2.0,
        fresh_stable=True,
        left_out=2,
        requests=10_000,
        minutes=150,
    ),
    Scenario("a cold pod beside warm ones, ten minutes left out", "same", cold_minutes=2.0, left_out=10),
    Scenario("10 % slower", "same", slower=1.1),
    Scenario("half the errors", "same", worse_errors=0.5),
]
BAD = [
    Scenario("errors doubled, from 1 %", "bad", worse_errors=2.0),
    Scenario(
        "errors doubled, from 0.5 %, 8,000 requests",
        "bad",
        errors=0.005,
        complaints=0.005,
        worse_errors=2.0,
        requests=8000,
        minutes=120,
    ),
    Scenario(
        "errors doubled, beside one fresh stable pod, 10,000 requests",
        "bad",
        worse_errors=2.0,
        pods=1,
        requests=10_000,
        minutes=150,
    ),
    Scenario("P95 + 50 %, all answers slower", "bad", slower=1.5),
    Scenario("P95 + 50 %, the slowest twentieth slower", "bad", slower_tail=1.5),
    Scenario("complaints doubled, from 1 %", "bad", worse_complaints=2.0),
    Scenario("every request fails", "bad", worse_errors=100.0),
    Scenario(
        "every request fails from minute 30 on, if it is not promoted before",
        "between",
        worse_errors=100.0,
        breaks_at=30,
    ),
]
BETWEEN = [
    Scenario("a cold pod beside warm ones, nothing left out", "between", cold_minutes=5.0),
    Scenario("errors doubled, three retries a failing user, users not known", "between", worse_errors=2.0, burst=4),
    Scenario("errors + 50 %", "between", worse_errors=1.5),
    Scenario("1,000 requests", "between", requests=1000, minutes=15),
    Scenario("errors doubled, 1,000 requests", "between", worse_errors=2.0, requests=1000, minutes=15),
]
PROBED = [
    Scenario("independent errors, probes beside", "same"),
    Scenario("errors doubled, from 1 %, probes beside", "between", worse_errors=2.0),
]
"""By users' requests alone, with the half of level and risk that is theirs where three signals are probed as well."""
HALF = POLICY.model_copy(update={"level": POLICY.level / 2, "risk": POLICY.risk / 2})


@dataclass(frozen=True)
class Rates:
    """What became of the canaries of one kind."""

    name: str
    kind: str
    canaries: int
    stopped: int
    promoted: int
    requests: float
    """Mean of the canary's requests until it was decided; all of them where it was not."""

    @property
    def users(self) -> float:
        """Mean number of users who met it."""
        return self.requests / REQUESTS_PER_USER

    @property
    def interval(self) -> tuple[float, float]:
        """Of the share that was stopped, with 95 % confidence (Clopper and Pearson)."""
        count, rest = self.stopped, self.canaries - self.stopped
        low = float(beta.ppf(0.025, count, rest + 1)) if count else 0.0
        return low, float(beta.ppf(0.975, count + 1, rest)) if rest else 1.0


def main() -> int:
    """Simulate, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--canaries", type=int, default=10_000)
    parser.add_argument("--users", action="store_true", help="only the kinds whose users are known")
    parser.add_argument("--probes", action="store_true", help="only those that probes decide (a minute)")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    if options.probes:
        return int(not all(rates.holds() for rates in _probed(options.canaries)))
    found = []
    for rates in simulate_all(options.canaries, users_only=options.users):
        found.append(rates)
        sys.stdout.write(line(rates) + "\n")
        sys.stdout.flush()
    probed = [] if options.users else list(_probed(options.canaries))
    for scenario in () if options.users else (SAME[0], SAME[2]):
        share = stopped_by_a_fixed_test(scenario, min(options.canaries, 2000))
        sys.stdout.write(f"a test for one look, looked at each minute, {scenario.name}: {100 * share:.0f} % stopped\n")
    if options.json:
        figures = [{**vars(rates), "users": rates.users, "interval": rates.interval} for rates in found]
        figures += [{**vars(rates), "interval": rates.interval} for rates in probed]
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    wrong = [rates.name for rates in found if not holds(rates)]
    wrong += [rates.name for rates in probed if not rates.holds()]
    sys.stdout.write(f"does not hold: {', '.join(wrong)}\n" if wrong else "all hold\n")
    return 1 if wrong else 0


def _probed(canaries: int) -> Iterator[ProbedRates]:
    """Those that probes alone decide, each as a line of a table of their own."""
    sys.stdout.write("\n" + HEAD)
    for rates in simulate_probes(canaries):
        sys.stdout.write(rates.line() + "\n")
        sys.stdout.flush()
        yield rates


def simulate_all(canaries: int, *, users_only: bool = False) -> Iterator[Rates]:
    """One after the other."""
    sys.stdout.write(
        "| canary | stopped | 95 % interval | promoted | inconclusive | mean requests | mean users |\n"
        "|---|---:|---:|---:|---:|---:|---:|\n"
    )
    for scenario in () if users_only else (*SAME, *BAD, *BETWEEN):
        yield simulate(scenario, canaries)
    for scenario in () if users_only else PROBED:
        yield simulate(scenario, canaries, HALF)
    yield simulate_users("three retries a failing user, users known", "same", 1.0, canaries)
    name = "three retries a failing user, users known, brownouts: each pod every hour"
    yield simulate_users(name, "same", 1.0, canaries, brownouts=1 / 60)
    yield simulate_users("errors doubled, three retries a failing user, users known", "bad", 2.0, canaries)
    yield simulate_users("errors + 50 %, three retries a failing user, users known", "between", 1.5, canaries // 5)


def simulate(scenario: Scenario, canaries: int, policy: WatchPolicy = POLICY) -> Rates:
    """So many canaries of one kind, decided by counts a minute."""
    rng = np.random.default_rng([SEED, *scenario.name.encode()])
    bad, good, served = [], [], []
    for start in range(0, canaries, CHUNK):
        evidence = make_evidence(scenario, min(CHUNK, canaries - start), rng)
        looks = look_after_each(evidence, policy)
        bad.append(first(looks.bad))
        good.append(first(looks.good))
        end = np.minimum(np.minimum(bad[-1], good[-1]), scenario.minutes - 1)
        served.append(np.take_along_axis(np.cumsum(evidence.errors.canary_requests, axis=1), end[:, None], 1))
    return rates_of(scenario.name, scenario.kind, np.concatenate(bad), np.concatenate(good), np.concatenate(served))


def simulate_users(
    name: str, kind: str, worse: float, canaries: int, *, minutes: int = 60, brownouts: float = 0.0
) -> Rates:
    """The same of single requests, with users that are known: 4,000 first tries, and what failing users try again."""
    rng = np.random.default_rng([SEED, *name.encode()])
    bad, good, served = (np.zeros(canaries, dtype=np.int64) for _ in range(3))
    for number in range(canaries):
        table = retrying_users(worse, rng, requests=4000, minutes=minutes, pods=19, brownouts=brownouts)
        evidence = tabulate(table, start=0.0, end=minutes * 60.0, stretch_s=60.0)
        looks = look_after_each(evidence, POLICY)
        bad[number], good[number] = first(looks.bad[None])[0], first(looks.good[None])[0]
        end = min(bad[number], good[number], minutes - 1)
        served[number] = np.count_nonzero(table.canary & (table.time < (end + 1) * 60.0))
    return rates_of(name, kind, bad, good, served)


def first(looks: np.ndarray) -> np.ndarray:
    """The first look at which it is so."""
    return np.where(looks.any(axis=1), looks.argmax(axis=1), NEVER)


def rates_of(name: str, kind: str, bad: np.ndarray, good: np.ndarray, served: np.ndarray) -> Rates:
    """Counted; at the same look, bad comes before good."""
    stopped = (bad <= good) & (bad < NEVER)
    promoted = good < bad
    return Rates(name, kind, len(bad), int(stopped.sum()), int(promoted.sum()), float(served.mean()))


def holds(rates: Rates) -> bool:
    """Whether a kind of canary fares as is promised."""
    if rates.kind == "same":
        return rates.interval[1] <= 0.05 and (rates.promoted >= 0.9 * rates.canaries or rates.name != SAME[0].name)
    return rates.kind != "bad" or rates.stopped >= 0.95 * rates.canaries


def line(rates: Rates) -> str:
    """A row of the table."""
    stopped, promoted = rates.stopped / rates.canaries, rates.promoted / rates.canaries
    low, high = (f"{100 * bound:.2f}" for bound in rates.interval)
    cells = (
        f"{100 * stopped:.2f} % | {low} … {high} % | {100 * promoted:.2f} % | {100 * (1 - stopped - promoted):.2f} %"
    )
    return f"| {rates.name} | {cells} | {rates.requests:,.0f} | {rates.users:,.0f} |"


def stopped_by_a_fixed_test(scenario: Scenario, canaries: int) -> float:
    """The share of canaries that a test for one look stops, looked at each minute: two shares of errors, at 5 %."""
    errors = make_evidence(scenario, canaries, np.random.default_rng(SEED)).errors
    ours, events, theirs, others = (
        np.cumsum(counts, axis=1)
        for counts in (errors.canary_requests, errors.canary_events, errors.stable_requests, errors.stable_events)
    )
    pooled = (events + others) / (ours + theirs)
    spread = np.sqrt(np.maximum(pooled * (1 - pooled) * (1 / ours + 1 / theirs), 1e-12))
    return float(np.mean(((events / ours - others / theirs) / spread > NormalDist().inv_cdf(0.95)).any(axis=1)))


if __name__ == "__main__":
    sys.exit(main())
