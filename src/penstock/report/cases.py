"""The cases of a report: each with its numbers beside the baseline's, worst first."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from penstock.bundle.directory import Bundle
from penstock.bundle.models import WHOLE_SUITE, Invocation, Measurement, Verdict
from penstock.metrics.registry import METRICS


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


@dataclass(frozen=True)
class CaseRow:
    """One case as the page shows it."""

    name: str
    slices: list[str]
    status: str
    error: str
    numbers: list[Number]
    worst: float


def number(metric: str, candidate: float | None, baseline: float | None, *, unit: str = "", error: str = "") -> Number:
    """Put one value beside the baseline's, with the digits that the metric deserves."""
    known = METRICS.get(metric)
    shape = f"+.{known.digits}f" if known else "+.4g"
    change, worse = "", 0.0
    if candidate is not None and baseline is not None:
        difference = candidate - baseline
        change = f"{difference:{shape}}"
        if baseline != 0:
            change += f" ({difference / abs(baseline):+.1%})"
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
    )


def shown(metric: str, value: float | None) -> str:
    """A value with the metric's digits; a dash where there is none."""
    if value is None:
        return "–"
    known = METRICS.get(metric)
    return f"{value:.{known.digits}f}" if known else f"{value:.4g}"


def _by_case(measurements: list[Measurement]) -> dict[str, dict[str, Measurement]]:
    cases: dict[str, dict[str, Measurement]] = defaultdict(dict)
    for measurement in measurements:
        cases[measurement.case][measurement.metric] = measurement
    return cases


def _calls(bundle: Bundle) -> dict[str, Invocation]:
    return {call.case: call for call in bundle.invocations()} if bundle.invocations_file.exists() else {}


def case_rows(bundle: Bundle, baseline: Bundle | None, verdict: Verdict) -> list[CaseRow]:
    """All cases, failed ones first, then by how much worse a ruled metric is than the baseline's."""
    ruled = {rule.metric for rule in verdict.rules}
    here = _by_case(bundle.measurements())
    there = _by_case(baseline.measurements()) if baseline else {}
    calls = _calls(bundle)
    rows = []
    for case in [name for name in here if name != WHOLE_SUITE]:
        numbers = _numbers(here[case], there.get(case, {}))
        call = calls.get(case)
        rows.append(
            CaseRow(
                name=case,
                slices=sorted({name for measurement in here[case].values() for name in measurement.slices}),
                status=call.status if call else "ok",
                error=(call.error or "") if call else "",
                numbers=numbers,
                worst=max((entry.worse for entry in numbers if entry.metric in ruled), default=0.0),
            )
        )
    return sorted(rows, key=lambda row: (row.status == "ok", -row.worst, row.name))


def suite_numbers(bundle: Bundle, baseline: Bundle | None) -> list[Number]:
    """Each metric's mean over the cases (or its one value for the suite) beside the baseline's."""
    here, there = _means(bundle.measurements()), _means(baseline.measurements() if baseline else [])
    return [number(metric, here[metric], there.get(metric)) for metric in _ordered(here)]


def _means(measurements: list[Measurement]) -> dict[str, float | None]:
    values: dict[str, list[float | None]] = defaultdict(list)
    for measurement in measurements:
        values[measurement.metric].append(measurement.value)
    # a mean over only those cases that worked would flatter a model that fails on the hard ones
    return {
        metric: None if None in have else sum(v for v in have if v is not None) / len(have)
        for metric, have in values.items()
    }


def _numbers(here: dict[str, Measurement], there: dict[str, Measurement]) -> list[Number]:
    numbers = []
    for metric in _ordered(here):
        mine, other = here[metric], there.get(metric)
        comparable = other is not None and other.extractor == mine.extractor
        before = other.value if other is not None and comparable else None
        numbers.append(number(metric, mine.value, before, unit=mine.unit, error=mine.error or ""))
    return numbers


def _ordered(metrics: dict[str, Measurement] | dict[str, float | None]) -> list[str]:
    """Known metrics in the registry's order, then the others by name."""
    order = list(METRICS)
    return sorted(metrics, key=lambda metric: (order.index(metric) if metric in order else len(order), metric))
