"""The cases of a report: each with its numbers beside the baseline's, worst first."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from penstock.bundle.models import WHOLE_SUITE, Invocation, Measurement
from penstock.bundle.verdict_record import RuleResult
from penstock.contract.policy import Direction
from penstock.families.registry import find_metric, in_order, is_stand_in
from penstock.report.run_records import Side

BEYOND_ALL = 1e9
"""Score of a case that has no value where a rule asks for one: worse than any value."""
HARDLY = 1e-3
"""The most that a case counts for being the worst of those that have nothing to be compared with."""
SMALL_SHARE = 0.05
"""Without a margin, a change is counted in this share of the baseline's mean."""
NO_VALUE = "–"
HUGE = 1e9
"""Numbers from here on are written with an exponent."""


@dataclass(frozen=True)
class Number:
    """One metric of one case, or of the suite: candidate beside baseline."""

    metric: str
    title: str
    unit: str
    candidate: str
    baseline: str
    change: str
    worse: float
    """How much worse than the baseline, as a share of it; 0 if equal, better, or not comparable."""
    error: str
    stand_in: bool = False
    """It was measured through a stand-in network."""


@dataclass(frozen=True)
class CaseRow:
    """One case as the page shows it."""

    name: str
    slices: list[str]
    status: str
    """``ok``, or what became of the call; ``missing``: only the baseline has the case."""
    error: str
    numbers: list[Number]
    worst: float
    """How bad the worst ruled metric is: 1 is a worsening of a whole margin."""
    telling: str
    """The ruled metric that ``worst`` is of; empty if none is worse."""
    change: float = 0.0
    """Against the baseline alone, in margins: above 0 the largest worsening; where none is worse, below 0 the largest
    improvement; 0 if nothing moved or nothing could be compared."""
    changed: str = ""
    """The ruled metric that ``change`` is of; empty if none has a value."""

    def worsened(self, number: Number) -> bool:
        """Whether the candidate has no value of this metric, or one that is worse than the baseline's."""
        told = number.metric == self.changed and self.change > 0
        return told or number.worse > 0 or number.candidate == NO_VALUE

    def number_of(self, metric: str) -> Number | None:
        """The case's number of a metric, if there is one."""
        return next((number for number in self.numbers if number.metric == metric), None)


def number(
    metric: str,
    candidate: float | None,
    baseline: float | None,
    *,
    unit: str = "",
    error: str = "",
    extractor: str | None = None,
) -> Number:
    """Put one value beside the baseline's, with the digits that the metric deserves."""
    known = find_metric(metric)
    change, worse = "", 0.0
    if candidate is not None and baseline is not None:
        difference = candidate - baseline
        change = signed(metric, difference)
        if baseline != 0:
            share = difference / abs(baseline)
            change += f" ({share:+.1%})" if abs(share) < HUGE else ""
        if known and known.direction and baseline != 0:
            worse = max(0.0, (difference if known.direction == "lower" else -difference) / abs(baseline))
    return Number(
        metric=metric,
        title=known.title if known else metric,
        unit=unit or (known.unit if known else ""),
        candidate=shown(metric, candidate),
        baseline=shown(metric, baseline),
        change=change,
        worse=worse,
        error=error,
        stand_in=is_stand_in(extractor),
    )


def shown(metric: str, value: float | None) -> str:
    """A value with the metric's digits; a dash where there is none."""
    if value is None:
        return NO_VALUE
    return _digits(metric, value, "")


def signed(metric: str, value: float) -> str:
    """A change with its sign and the metric's digits."""
    return _digits(metric, value, "+")


def _digits(metric: str, value: float, sign: str) -> str:
    known = find_metric(metric)
    return f"{value:{sign}.{known.digits}f}" if known and abs(value) < HUGE else f"{value:{sign}.4g}"


@dataclass(frozen=True)
class Criterion:
    """What cases are ranked by: a rule, or a metric that is compared without one."""

    metric: str
    slice: str | None = None
    better: Direction | None = None
    """Which way is better; ``None``: the change ranks nothing, only the bounds do."""
    minimum: float | None = None
    maximum: float | None = None
    margin: float | None = None
    """The change that counts as 1, in the metric's unit; ``None``: a share of the baseline's mean."""
    weight: float = 1.0
    """A rule that fell counts more than one that held, however far its cases moved."""


def criterion(rule: RuleResult) -> Criterion:
    """What a rule ranks cases by."""
    fell = rule.verdict != "pass"
    weight = 1000.0 if fell and rule.blocks else 100.0 if fell else 1.0
    return Criterion(rule.metric, rule.slice, rule.better, rule.minimum, rule.maximum, rule.margin, weight)


def case_rows(candidate: Side, baseline: Side | None, criteria: Sequence[Criterion]) -> list[CaseRow]:
    """All cases of either side: without an answer first, then by how much worse the criteria find them.

    Those that are not worse are last, the least improved first.
    """
    here = by_case(candidate.measurements)
    there = by_case(baseline.measurements) if baseline else {}
    calls = candidate.calls
    yardsticks = _yardsticks(criteria, here, there)
    rows = [
        _row(case, here.get(case, {}), there.get(case, {}), calls.get(case), yardsticks)
        for case in dict.fromkeys((*here, *calls, *there))
        if case != WHOLE_SUITE
    ]
    return sorted(rows, key=lambda row: (row.status == "ok", -row.worst, -row.change, row.name))


def by_case(measurements: Iterable[Measurement]) -> dict[str, dict[str, Measurement]]:
    """Case → metric → measurement; values of whole slices are of no case."""
    cases: dict[str, dict[str, Measurement]] = defaultdict(dict)
    for measurement in measurements:
        if measurement.slice is not None:
            continue
        cases[measurement.case][measurement.metric] = measurement
    return dict(cases)


def _row(
    case: str,
    here: dict[str, Measurement],
    there: dict[str, Measurement],
    call: Invocation | None,
    yardsticks: list[_Yardstick],
) -> CaseRow:
    status: str = call.status if call else "ok"
    error = (call.error or "") if call else ""
    if not here and not call:
        status, error = "missing", "the candidate has nothing of this case, the baseline has"
    worst, telling = 0.0, ""
    for yardstick in yardsticks:
        metric = yardstick.by.metric
        score = yardstick.score(here.get(metric), there.get(metric), answered=bool(here))
        if score > worst:
            worst, telling = score, metric
    change, changed = _change(here, there, yardsticks)
    return CaseRow(
        name=case,
        slices=sorted({name for found in (here or there).values() for name in found.slices}),
        status=status,
        error=error,
        numbers=_numbers(here, there),
        worst=worst,
        telling=telling,
        change=change,
        changed=changed,
    )


def _change(
    here: dict[str, Measurement], there: dict[str, Measurement], yardsticks: list[_Yardstick]
) -> tuple[float, str]:
    """The change that tells most, and its metric: the largest worsening, else the largest improvement."""
    found = [
        (change, yardstick.by.metric)
        for yardstick in yardsticks
        if (change := yardstick.change(here.get(yardstick.by.metric), there.get(yardstick.by.metric))) is not None
    ]
    if not found:
        return 0.0, next((by.metric for by in (each.by for each in yardsticks) if _has_value(here.get(by.metric))), "")
    worst = max(found, key=lambda each: each[0])
    return worst if worst[0] > 0 else min(found, key=lambda each: each[0])


def _has_value(measurement: Measurement | None) -> bool:
    return measurement is not None and measurement.applies and measurement.value is not None


@dataclass(frozen=True)
class _Yardstick:
    """How one criterion looks at one case."""

    by: Criterion
    scale: float
    """The change that counts as 1."""
    ends: tuple[float, float]
    """The candidate's smallest and largest value: without a baseline, its worst cases are those with the worst."""

    def score(self, mine: Measurement | None, other: Measurement | None, *, answered: bool) -> float:
        by = self.by
        if not self._concerns(mine or other):
            return 0.0
        if mine is None or mine.value is None:
            return BEYOND_ALL if answered else 0.0
        scores = [0.0]
        moved = self._moved(mine, other)
        if moved is not None:
            scores.append(moved)
        elif by.better and self.ends[0] < self.ends[1]:
            place = (mine.value - self.ends[0]) / (self.ends[1] - self.ends[0])
            scores.append(HARDLY * (place if by.better == "lower" else 1 - place))
        if by.maximum is not None:
            scores.append(_beyond(mine.value - by.maximum, by.maximum))
        if by.minimum is not None:
            scores.append(_beyond(by.minimum - mine.value, by.minimum))
        return by.weight * min(max(scores), BEYOND_ALL / 1e4)

    def change(self, mine: Measurement | None, other: Measurement | None) -> float | None:
        """How much worse than the baseline, below 0 if better; ``None``: the two do not compare.

        A value that only the baseline has is worse than any change.
        """
        if mine is None or other is None or other.value is None or not self._concerns(mine):
            return None
        if mine.value is None:
            return BEYOND_ALL
        moved = self._moved(mine, other)
        most = BEYOND_ALL / 1e4
        return self.by.weight * max(-most, min(moved, most)) if moved is not None else None

    def _concerns(self, known: Measurement | None) -> bool:
        slice_name = self.by.slice
        return known is not None and known.applies and (slice_name is None or slice_name in known.slices)

    def _moved(self, mine: Measurement, other: Measurement | None) -> float | None:
        if mine.value is None or other is None or other.value is None or other.extractor != mine.extractor:
            return None
        if not self.by.better:
            return None
        change = mine.value - other.value
        return (change if self.by.better == "lower" else -change) / self.scale


def _beyond(excess: float, bound: float) -> float:
    return excess / (SMALL_SHARE * abs(bound) or 1.0)


def _yardsticks(
    criteria: Sequence[Criterion], here: dict[str, dict[str, Measurement]], there: dict[str, dict[str, Measurement]]
) -> list[_Yardstick]:
    found = []
    for by in criteria:
        pairs = [
            (mine.value, other.value)
            for case in here.keys() & there.keys()
            if (mine := here[case].get(by.metric)) and (other := there[case].get(by.metric))
        ]
        whole = [(mine, other) for mine, other in pairs if mine is not None and other is not None]
        base = abs(math.fsum(other / len(whole) for _, other in whole))
        largest = max((abs(mine - other) for mine, other in whole), default=0.0)
        scale = by.margin or SMALL_SHARE * base or largest or 1.0
        values = [
            mine.value
            for metrics in here.values()
            if (mine := metrics.get(by.metric)) is not None and mine.value is not None
        ]
        ends = (min(values), max(values)) if values else (0.0, 0.0)
        found.append(_Yardstick(by, scale, ends))
    return found


def suite_numbers(candidate: Side, baseline: Side | None) -> list[Number]:
    """Each metric's mean over the cases (or its one value for the suite) beside the baseline's."""
    here, there = means(candidate.measurements), means(baseline.measurements if baseline else [])
    through = {found.metric: found.extractor for found in candidate.measurements}
    return [number(metric, here[metric], there.get(metric), extractor=through.get(metric)) for metric in in_order(here)]


def means(measurements: Iterable[Measurement]) -> dict[str, float | None]:
    """Metric → its mean over the cases; ``None`` if a case has no value."""
    values: dict[str, list[float | None]] = defaultdict(list)
    for measurement in measurements:
        if measurement.applies:
            values[measurement.metric].append(measurement.value)
    # a mean over only those cases that worked would flatter a model that fails on the hard ones
    return {
        metric: None if None in have else math.fsum(v / len(have) for v in have if v is not None)
        for metric, have in values.items()
    }


def _numbers(here: dict[str, Measurement], there: dict[str, Measurement]) -> list[Number]:
    """All metrics of a case but those that say nothing of a case like this."""
    numbers = []
    for metric in in_order(here | there):
        mine, other = here.get(metric), there.get(metric)
        known = mine or other
        if known is not None and not known.applies:
            continue
        comparable = other is not None and (mine is None or other.extractor == mine.extractor)
        before = other.value if other is not None and comparable else None
        error = (mine.error or "") if mine else "not measured"
        unit = known.unit if known else ""
        through = known.extractor if known else None
        numbers.append(number(metric, mine.value if mine else None, before, unit=unit, error=error, extractor=through))
    return numbers
