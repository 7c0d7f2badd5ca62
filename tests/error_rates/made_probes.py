"""Canaries that are decided by probes alone, made up by thousands: the tables of docs/watch.md on probes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from penstock.watch.probe_pairs import ProbeCounts, slow_from
from penstock.watch.probe_policy import ProbePolicy
from penstock.watch.probe_signals import look_at_probes

SEED = 56
LEVEL, RISK = 0.05, 0.02
POLICY = ProbePolicy(canary="http://canary", stable="http://stable", recorded="bundle")
PAIRS, A_STRETCH = 500, 6
"""At most, and in a minute: one each ten seconds."""
CHUNK = 500
NEVER = 1 << 30


@dataclass(frozen=True)
class ProbedScenario:
    """One kind of canary beside its stable side."""

    name: str
    kind: str
    """``same``: unchanged, or no worse; ``bad``: worse by a margin; ``between``."""
    fails: float = 0.0
    """Share of the stable side's probes."""
    canary_fails: float | None = None
    """``None``: as many."""
    slower: float = 1.0
    noise: float = 0.1
    """Spread of the logarithm of one answer's time to the same case."""
    wrong: float = 0.0
    """Share of the canary's answers that are not those on record."""
    brownouts: float = 0.0
    """In each minute each of the two pods that are asked begins one with this probability, in which half fails."""


SCENARIOS = [
    ProbedScenario("nothing fails", "same"),
    ProbedScenario("one probe in a hundred fails, on either side", "same", fails=0.01),
    ProbedScenario("one in twenty fails, on either side", "same", fails=0.05),
    ProbedScenario("one in five fails, on either side", "same", fails=0.2),
    ProbedScenario("times vary by half", "same", noise=0.5),
    ProbedScenario("10 % slower", "same", slower=1.1),
    ProbedScenario("20 % slower, times vary by half", "same", slower=1.2, noise=0.5),
    ProbedScenario("one answer in 200 differs", "same", wrong=0.005),
    ProbedScenario("brownouts: each pod every ten hours, two minutes long", "same", brownouts=1 / 600),
    ProbedScenario("fails every probe", "bad", canary_fails=1.0),
    ProbedScenario("fails one probe in five", "bad", canary_fails=0.2),
    ProbedScenario("fails one probe in ten", "bad", canary_fails=0.1),
    ProbedScenario("errors doubled, from 20 %", "bad", fails=0.2, canary_fails=0.4),
    ProbedScenario("errors doubled, from 10 %", "bad", fails=0.1, canary_fails=0.2),
    ProbedScenario("50 % slower", "bad", slower=1.5),
    ProbedScenario("50 % slower, times vary by half", "bad", slower=1.5, noise=0.5),
    ProbedScenario("every answer is wrong", "bad", wrong=1.0),
    ProbedScenario("one answer in five is wrong", "bad", wrong=0.2),
    ProbedScenario("errors doubled, from 5 %", "between", fails=0.05, canary_fails=0.1),
    ProbedScenario("errors doubled, from 1 %", "between", fails=0.01, canary_fails=0.02),
    ProbedScenario("brownouts: each pod every hour", "between", brownouts=1 / 60),
]


@dataclass(frozen=True)
class ProbedRates:
    """What became of the canaries of one kind."""

    name: str
    kind: str
    canaries: int
    stopped: int
    promoted: int
    pairs: float
    """In the mean, until it was decided; all of them where it was not."""
    most: int
    """Nineteen in twenty were decided by then."""

    @property
    def interval(self) -> tuple[float, float]:
        """Of the share that was stopped, with 95 % confidence (Clopper and Pearson)."""
        count, rest = self.stopped, self.canaries - self.stopped
        low = float(beta.ppf(0.025, count, rest + 1)) if count else 0.0
        return low, float(beta.ppf(0.975, count + 1, rest)) if rest else 1.0

    def holds(self) -> bool:
        """Whether this kind of canary fares as is promised."""
        if self.kind == "same":
            kept = self.promoted >= 0.9 * self.canaries or self.name in MANY_FAIL
            return self.interval[1] <= 0.05 and kept
        return self.kind != "bad" or self.stopped >= 0.95 * self.canaries

    def line(self) -> str:
        """A row of the table."""
        stopped, promoted = self.stopped / self.canaries, self.promoted / self.canaries
        low, high = (f"{100 * bound:.2f}" for bound in self.interval)
        shares = f"{100 * promoted:.2f} % | {100 * (1 - stopped - promoted):.2f} %"
        pairs = f"{self.pairs:,.0f} | {self.most if self.most < NEVER else '–'}"
        return f"| {self.name} | {100 * stopped:.2f} % | {low} … {high} % | {shares} | {pairs} |"


MANY_FAIL = {
    "one in twenty fails, on either side",
    "one in five fails, on either side",
    "20 % slower, times vary by half",
}
"""Kinds that lie too close to what is called worse to be known as good within so many pairs."""
HEAD = (
    "| probed canary | stopped | 95 % interval | promoted | inconclusive | mean pairs | 95 % decided by |\n"
    "|---|---:|---:|---:|---:|---:|---:|\n"
)


def simulate_probes(canaries: int) -> Iterator[ProbedRates]:
    """Each kind of canary, one after the other."""
    for scenario in SCENARIOS:
        rng = np.random.default_rng([SEED, *scenario.name.encode()])
        bad, good = [], []
        for start in range(0, canaries, CHUNK):
            counts = make_counts(scenario, min(CHUNK, canaries - start), rng)
            looks = look_at_probes(counts, POLICY, level=LEVEL, risk=RISK)
            bad.append(_first(looks.bad))
            good.append(_first(looks.good))
        yield _rates(scenario, np.concatenate(bad), np.concatenate(good))


def make_counts(scenario: ProbedScenario, canaries: int, rng: np.random.Generator) -> ProbeCounts:
    """What 500 pairs of each of so many canaries come to, by minute."""
    stretches = PAIRS // A_STRETCH
    shape = (canaries, stretches, A_STRETCH)
    ours = rng.random(shape) < (scenario.fails if scenario.canary_fails is None else scenario.canary_fails)
    theirs = rng.random(shape) < scenario.fails
    if scenario.brownouts:
        ours, theirs = (side | _dark(scenario.brownouts, shape, rng) for side in (ours, theirs))
    noise = scenario.noise * (rng.standard_normal(shape) - rng.standard_normal(shape))
    slow = np.log(scenario.slower) + noise > np.log(slow_from(POLICY.latency.ratio))
    wrong = rng.random(shape) < scenario.wrong
    return ProbeCounts(
        *(
            np.sum(kind, axis=-1).astype(np.float64)
            for kind in (
                ~(ours & theirs),
                ours & ~theirs,
                theirs & ~ours,
                ~ours & ~theirs,
                ~ours & ~theirs & slow,
                ~ours,
                ~ours & wrong,
            )
        )
    )


def _dark(share: float, shape: tuple[int, int, int], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which probes of one pod fail: half of those in the two minutes after it began one."""
    canaries, stretches, each = shape
    begins = rng.random((canaries, stretches * each)) < share / each
    dark = np.zeros_like(begins)
    for later in range(2 * each):
        dark[:, later:] |= begins[:, : begins.shape[1] - later]
    return dark.reshape(shape) & (rng.random(shape) < 0.5)


def _first(looks: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The first look at which it is so."""
    return np.where(looks.any(axis=1), looks.argmax(axis=1), NEVER)


def _rates(scenario: ProbedScenario, bad: NDArray[np.int64], good: NDArray[np.int64]) -> ProbedRates:
    """Counted; at the same look, bad comes before good."""
    stopped, promoted = (bad <= good) & (bad < NEVER), good < bad
    decided = np.minimum(np.minimum(bad, good), PAIRS // A_STRETCH)
    ends = np.minimum((decided + 1) * A_STRETCH, PAIRS)
    most = np.quantile(np.where(stopped | promoted, ends, NEVER), 0.95, method="higher")
    return ProbedRates(
        scenario.name, scenario.kind, len(bad), int(stopped.sum()), int(promoted.sum()), float(ends.mean()), int(most)
    )
