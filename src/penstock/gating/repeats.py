"""Runs of one and the same model, and how much each metric moved between them."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from penstock import __version__
from penstock.bundle.models import WHOLE_SUITE, Run
from penstock.bundle.steps import utc_now
from penstock.foundation.errors import UsageError
from penstock.gating.calibration import Calibration, MeasuredOn, Noise, factor
from penstock.gating.comparable import Difference, differences
from penstock.gating.evidence import margin_factor, reach
from penstock.gating.measurements import MeasurementSource, Table

AGAIN = "Give runs of one and the same revision, suite, extractors and parameters."


@dataclass
class Repeats:
    """What was found out, and what was left out."""

    calibration: Calibration
    left_out: list[str] = field(default_factory=list)
    """Metrics without a value in any run."""


def calibrate(runs: Sequence[MeasurementSource], *, level: float = 0.05) -> Repeats:
    """How much each metric moves between runs of the same model.

    Args:
        runs: two at least: bundles, or bare files of measurements.
        level: the share of unchanged models that a rule may stop: for the smallest detectable change.

    Raises:
        UsageError: there is one run only, or one twice; the runs are not of the same model, commit, image, weights,
            suite, extractors, parameters or GPU; outputs were taken over from an earlier run; a case has no value in
            one of them.
    """
    if len(runs) < 2:
        raise UsageError(
            "one run has no noise" if runs else "there is no run",
            where="calibrate",
            todo="Give two at least; five tell more.",
        )
    _no_run_twice(runs)
    for run in runs[1:]:
        if found := next(_unlike(runs[0], run), None):
            raise UsageError(
                f"the runs are not of the same thing: {found.what} is {found.candidate} in {run.name}, "
                f"{found.baseline} in {runs[0].name}",
                where="calibrate",
                todo=AGAIN,
            )
    tables = [Table(run.name, run.measurements, run.cases) for run in runs]
    made = Repeats(_empty(runs, level))
    noises = []
    for metric in sorted({metric for table in tables for metric in table.by_metric}):
        values = _values(metric, tables)
        if not values:
            made.left_out.append(metric)
            continue
        _same_extractor_and_slices(metric, tables)
        known = tables[0].by_metric[metric]
        unit, extractor = (getattr(next(iter(known.values())), name) for name in ("unit", "extractor"))
        slices = sorted({name for measurement in known.values() for name in measurement.slices})
        for slice_name in [None, *slices, *_whole_slices(metric, tables)]:
            of_slice = values if WHOLE_SUITE not in known else _values(metric, tables, slice_name)
            wanted = WHOLE_SUITE in known or slice_name is None
            cases = [case for case in sorted(known) if wanted or slice_name in known[case].slices]
            columns = [[run[case] for case in cases] for run in of_slice]
            sd_resampled, drawn_from = _resampled(metric, tables, slice_name)
            figures = _Figures(columns, sd_resampled, drawn_from, WHOLE_SUITE in known)
            noises.append(_noise(figures, level, metric=metric, slice_name=slice_name, unit=unit, extractor=extractor))
    if not noises:
        raise UsageError("no metric has a value in any run", where="calibrate", todo="Look at the runs' logs.")
    made.calibration = made.calibration.model_copy(update={"metrics": noises})
    return made


@dataclass(frozen=True)
class _Figures:
    runs: Sequence[Sequence[float]]
    """A row of values for each run, the same cases in each."""
    sd_resampled: float | None
    drawn_from: int | None
    """Cases that a value of the whole suite covers, if it was computed again on resamples of them."""
    whole: bool

    def reach(self, level: float) -> float | None:
        """How many errors the gate's bound lies above the change; ``None``: it has none."""
        if self.whole and self.drawn_from is None:
            return 0.0  # held as it is
        return reach(self.drawn_from or len(self.runs[0]), level)


def _noise(
    figures: _Figures,
    level: float,
    *,
    metric: str,
    slice_name: str | None,
    unit: str,
    extractor: str | None,
) -> Noise:
    """What :class:`Noise` says of one metric."""
    runs = figures.runs
    cases = len(runs[0])
    # exact arithmetic: values that are all the same have a deviation of exactly 0
    within = statistics.fmean(statistics.variance(values) for values in zip(*runs, strict=True))
    sd_mean = statistics.stdev(math.fsum(run) / cases for run in runs)
    noise = max(sd_mean, math.sqrt(within / cases))
    mean = math.fsum(math.fsum(run) / cases for run in runs) / len(runs)
    error = max(math.sqrt(2) * noise, figures.sd_resampled or 0.0)
    smallest = factor(level) * error
    share = smallest / abs(mean) * 100 if mean else math.inf
    above = 0.0 if error == 0 else figures.reach(level)
    return Noise(
        metric=metric,
        slice=slice_name,
        unit=unit,
        extractor=extractor,
        runs=len(runs),
        cases=cases,
        mean=mean,
        sd_difference=math.sqrt(2 * within),
        sd_mean=sd_mean,
        noise=noise,
        sd_resampled=figures.sd_resampled,
        smallest_change=smallest,
        smallest_change_per_cent=share if math.isfinite(share) else None,
        smallest_margin=margin_factor(level, above) * error if above is not None else None,
    )


def _whole_slices(metric: str, tables: Sequence[Table]) -> list[str]:
    """The slices that the metric has a value of as a whole in every run; what cannot be measured moves nothing."""
    slices = set.intersection(*(table.whole_slices(metric) for table in tables))
    return sorted(name for name in slices if all(table.values(metric, name).by_case for table in tables))


def _resampled(metric: str, tables: Sequence[Table], slice_name: str | None) -> tuple[float | None, int | None]:
    """Of a value of the whole suite or of a whole slice: standard deviation of its resamples' differences, over all
    pairs of runs.

    Returns:
        That, and how many cases were drawn from; ``None`` twice where there are no resamples, or not the same.
    """
    found = [table.values(metric, slice_name).resamples for table in tables]
    drawn = [resamples for resamples in found if resamples is not None]
    if len(drawn) < len(tables) or len({(resamples.key, len(resamples.values)) for resamples in drawn}) > 1:
        return None, None
    cases = drawn[0].cases
    if cases < 2 or len(drawn[0].values) < 2:
        return None, None
    squares = []
    for one, other in itertools.combinations(drawn, 2):
        moved = [a - b for a, b in zip(one.values, other.values, strict=True)]
        middle = math.fsum(moved) / len(moved)
        squares.append(math.fsum((value - middle) ** 2 for value in moved) / len(moved))
    # a bootstrap of few cases has too little spread
    return math.sqrt(statistics.fmean(squares) * cases / (cases - 1)), cases


def _values(metric: str, tables: Sequence[Table], slice_name: str | None = None) -> list[dict[str, float]]:
    """Case → value, for each run; empty if no run has any.

    Raises:
        UsageError: a run lacks a value that others have, or its reason is an error.
    """
    found = [table.values(metric, slice_name) for table in tables]
    if not any(values.by_case for values in found):
        return []
    cases = set().union(*(values.cases for values in found))
    for table, values in zip(tables, found, strict=True):
        if missing := sorted(cases - set(values.by_case)):
            subject = "the suite" if missing[0] == WHOLE_SUITE else f"the case '{missing[0]}'"
            more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
            raise UsageError(
                f"'{metric}' has no value for {subject}{more}: {values.lost.get(missing[0], 'it was not measured')}",
                where=table.side,
                todo="Noise is measured on runs that went well: run it again, or leave it out.",
            )
    return [values.by_case for values in found]


def _same_extractor_and_slices(metric: str, tables: Sequence[Table]) -> None:
    first = tables[0]
    extractors = {extractor for table in tables for extractor in table.extractors(metric)}
    if len(extractors) > 1:
        names = " and ".join(sorted(name or "no extractor" for name in extractors))
        raise UsageError(f"'{metric}' was measured through {names}", where="calibrate", todo=AGAIN)
    for table in tables[1:]:
        for case, measurement in table.by_metric[metric].items():
            before = first.by_metric[metric][case]
            if sorted(measurement.slices) != sorted(before.slices) or measurement.unit != before.unit:
                what = "slices" if measurement.unit == before.unit else "unit"
                raise UsageError(
                    f"the {what} of '{metric}' for the case '{case}' differ from those in {first.side}",
                    where=table.side,
                    todo=AGAIN,
                )


def _no_run_twice(runs: Sequence[MeasurementSource]) -> None:
    seen: set[str] = set()
    for run in runs:
        if run.name in seen:
            raise UsageError(
                f"the run '{run.name}' is there twice",
                where="calibrate",
                todo="A run does not differ from itself: give each once.",
            )
        seen.add(run.name)
        inference = run.run.inference if run.run is not None else None
        if inference is not None and inference.unchanged:
            raise UsageError(
                "its outputs are those of an earlier run: the model did not run again",
                where=run.name,
                todo="Run it with --param reuse=false.",
            )


def _unlike(first: MeasurementSource, other: MeasurementSource) -> Iterator[Difference]:
    """What makes two runs no runs of the same thing. What one of them does not record cannot be held."""
    ours, theirs = other.run, first.run
    if ours is None or theirs is None:
        return
    for what, a, b in (
        ("model", ours.model, theirs.model),
        ("commit", *(run.source.commit if run.source else "" for run in (ours, theirs))),
        ("source tree", *(run.source.tree if run.source else "" for run in (ours, theirs))),
        ("image", *(run.image.digest if run.image else "" for run in (ours, theirs))),
        ("set of weights", *(_weights(run) for run in (ours, theirs))),
        ("set of extractors", *(", ".join(sorted(run.extractors.values())) for run in (ours, theirs))),
    ):
        if a and b and a != b:
            yield Difference(f"the {what}", a, b)
    yield from differences(ours, theirs)


def _weights(run: Run) -> str:
    return ", ".join(sorted(f"{weights.path}@sha256:{weights.sha256[:12]}" for weights in run.weights))


def _empty(runs: Sequence[MeasurementSource], level: float) -> Calibration:
    """All but the noises."""
    run = next((source.run for source in runs if source.run is not None), None)
    measured_on = MeasuredOn()
    if run is not None:
        measured_on = MeasuredOn(
            model=run.model,
            family=run.family,
            url=run.source.url if run.source else "",
            commit=run.source.commit if run.source else "",
            tree=run.source.tree if run.source else "",
            image=run.image.digest if run.image else "",
            suite=run.suite.digest if run.suite else "",
            cases=run.suite.cases if run.suite else 0,
            weights={weights.path: weights.sha256 for weights in run.weights},
            extractors=run.extractors,
            parameters=run.parameters,
            machine=run.machine,
        )
    return Calibration.model_construct(
        schema_version=1,
        penstock=__version__,
        created=utc_now(),
        level=level,
        runs=[source.name for source in runs],
        measured_on=measured_on,
        metrics=[],
    )
