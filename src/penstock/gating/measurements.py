"""The values that rules look at: read, found by metric and case, and held to be comparable."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from penstock.bundle.directory import Bundle, read_numbered_lines
from penstock.bundle.estimates import StandardError, Tail
from penstock.bundle.models import WHOLE_SUITE, Measurement, Resamples, Run
from penstock.contract.arithmetic import arithmetic_in
from penstock.families.engine_metrics import REFUSAL_METRIC
from penstock.foundation.errors import UsageError

LARGEST = 1e150
"""Values beyond this measure nothing, and sums of them are not finite."""
MAX_ERROR_CHARACTERS = 200


@dataclass(frozen=True)
class MeasurementSource:
    """Where one side of a comparison came from."""

    name: str
    """The run's id, or the path as it was given."""
    measurements: list[Measurement]
    cases: tuple[str, ...] = ()
    """Cases that the run put to the model, where that is known: none of them may be without a value."""
    run: Run | None = None
    """What ran, where that is known."""
    bundle: Bundle | None = None
    """``None``: a bare measurements file."""


def read_source(path: Path) -> MeasurementSource:
    """Read one side: a bundle's directory, or a bare ``measurements.jsonl``.

    A bundle that was sealed is compared with its manifest first: what was edited, cut off, added or removed since is
    refused. One that a run has not sealed yet has no manifest.

    Raises:
        UsageError: there are no measurements, a line is invalid or there twice (``where`` is ``FILE:LINE``), the bundle
            does not match its manifest, or a newer Penstock wrote it.
    """
    if not path.is_dir():
        return MeasurementSource(str(path), _read_measurements(path))
    bundle = Bundle(path)
    if os.path.lexists(bundle.manifest_file):  # a symbolic link that leads nowhere is no reason not to look
        bundle.verify()
    run = bundle.run() if bundle.run_file.exists() else None
    measurements = _read_measurements(bundle.measurements_file)
    cases = tuple(call.case for call in bundle.invocations()) if bundle.invocations_file.exists() else ()
    return MeasurementSource(run.run_id if run is not None else str(path), measurements, cases, run, bundle)


def _read_measurements(path: Path) -> list[Measurement]:
    """All lines, none of them twice."""
    found: dict[tuple[str, str, str | None], tuple[int, Measurement]] = {}
    for number, measurement in read_numbered_lines(path, Measurement):
        place = measurement.metric, measurement.case, measurement.slice
        first, _ = found.setdefault(place, (number, measurement))
        if first != number:
            what = f"{measurement.metric!r} has two values for {_place(measurement)} (the other: line {first})"
            raise UsageError(what, where=f"{path}:{number}", todo="Measure each case once.")
    return [measurement for _, measurement in found.values()]


def _place(measurement: Measurement) -> str:
    if measurement.slice is not None:
        return f"the slice {measurement.slice!r}"
    return f"the case {measurement.case!r}"


@dataclass
class Values:
    """One metric's values on one side, for the cases that a rule looks at."""

    by_case: dict[str, float] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)
    """Case → why there is no value."""
    inapplicable: Mapping[str, str] = field(default_factory=dict)
    """Case of which the metric says nothing, so that it counts neither way → why."""
    resamples: Resamples | None = None
    """Of a value of the whole suite or of a whole slice, if there are some."""
    why: str = ""
    """Of such a value, or of the first case of which that was said: why it is what it is."""
    tail: Tail | None = None
    """Of a quantile over the whole suite: what its upper bound is taken from."""
    standard_error: StandardError | None = None
    """Of a mean over the whole suite: the same."""

    @property
    def cases(self) -> set[str]:
        """All cases, with or without a value."""
        return set(self.by_case) | set(self.lost)


class Table:
    """The measurements of one side, found by metric and case."""

    def __init__(self, side: str, measurements: Iterable[Measurement], expected: Sequence[str] = ()) -> None:
        """Sort the measurements.

        Args:
            side: ``candidate`` or ``baseline``, for messages.
            measurements: in any order.
            expected: cases that must have a value of each metric that has values for cases at all. Of those that the
                model must refuse, which have a line of ``wrongly_accepted``, no other metric is expected.

        Raises:
            UsageError: a metric has two values for a case or a slice, or values both for the whole suite and for cases.
        """
        self.side = side
        self.by_metric: dict[str, dict[str, Measurement]] = {}
        """Without the values of whole slices."""
        self.slices: dict[str, set[str]] = {}
        self._inapplicable: dict[str, dict[str, Measurement]] = {}
        self._of_slices: dict[str, dict[str, Measurement]] = {}
        for measurement in measurements:
            places = (self.by_metric, self._inapplicable)
            of_slices = self._of_slices.setdefault(measurement.metric, {})
            twice = any(measurement.case in place.get(measurement.metric, {}) for place in places)
            if measurement.slice in of_slices if measurement.slice is not None else twice:
                what = f"{measurement.metric!r} has two values for {_place(measurement)}"
                raise UsageError(what, where=side, todo="Measure each case once.")
            if measurement.slice is not None:
                of_slices[measurement.slice] = measurement
                continue
            place = self.by_metric if measurement.applies else self._inapplicable
            place.setdefault(measurement.metric, {})[measurement.case] = measurement
            self.slices.setdefault(measurement.case, set()).update(measurement.slices)
        refused = self.by_metric.get(REFUSAL_METRIC.name, {})
        self.expected = [case for case in expected if case not in refused]
        """Cases that the model must answer."""
        for metric, known in self.by_metric.items():
            of_all = WHOLE_SUITE in known or self._of_slices[metric]
            if of_all and known.keys() - {WHOLE_SUITE}:
                which = f"for the whole suite ('{WHOLE_SUITE}')" if WHOLE_SUITE in known else "for a slice as a whole"
                what = f"'{metric}' has a value {which} and values for single cases"
                raise UsageError(what, where=side, todo="Keep one kind: they have no common mean.")

    def values(self, metric: str, slice_name: str | None) -> Values:
        """The values of ``metric`` for the cases that carry ``slice_name`` (all cases for ``None``).

        One value of the whole suite, or of a slice as a whole, is that of the case ``*``.
        """
        if slice_name is not None and (whole := self._of_slices.get(metric, {}).get(slice_name)) is not None:
            return _of_a_whole(whole)
        inapplicable = {
            case: _cut(measurement.error or "")
            for case, measurement in self._inapplicable.get(metric, {}).items()
            if slice_name is None or slice_name in measurement.slices
        }
        found = Values(inapplicable=inapplicable)
        known = self.by_metric.get(metric, {})
        if WHOLE_SUITE in known and (slice_name is None or slice_name in known[WHOLE_SUITE].slices):
            return _of_a_whole(known[WHOLE_SUITE])
        for case, measurement in known.items():
            if slice_name is not None and slice_name not in measurement.slices:
                continue
            if (why_not := _unusable(measurement)) is not None:
                found.lost[case] = why_not
            elif measurement.value is not None:
                found.by_case[case] = measurement.value
                if measurement.error and not found.why:
                    found.why = _cut(f"'{case}': {measurement.error}")
        if known and WHOLE_SUITE not in known and metric != REFUSAL_METRIC.name:
            for case in self.expected:
                # A case of which nothing at all is known may carry the slice: it counts as lost, never as well.
                if case in known or case in found.inapplicable:
                    continue
                if slice_name is None or slice_name in self.slices.get(case, {slice_name}):
                    found.lost[case] = "it was not measured"
        return found

    def of_a_whole(self, metric: str, slice_name: str | None) -> Measurement | None:
        """The line of ``metric`` about the whole suite (``None``) or a whole slice; ``None`` where there is none."""
        if slice_name is not None:
            return self._of_slices.get(metric, {}).get(slice_name)
        return self.by_metric.get(metric, {}).get(WHOLE_SUITE)

    def whole_slices(self, metric: str) -> set[str]:
        """The slices of which ``metric`` has a value as a whole, or the reason why there is none."""
        return set(self._of_slices.get(metric, {}))

    def has_slice(self, metric: str, slice_name: str) -> bool:
        """Whether ``metric`` can say something of a slice by itself: of its cases, or of it as a whole."""
        if WHOLE_SUITE in self.by_metric.get(metric, {}):
            return slice_name in self.whole_slices(metric)
        return metric in self.by_metric

    def floor(self, metric: str, slice_name: str | None) -> float | None:
        """How far apart the references of these cases are by ``metric``: the mean over those that have several."""
        floors = [
            found.floor
            for found in self.by_metric.get(metric, {}).values()
            if found.floor is not None and (slice_name is None or slice_name in found.slices)
        ]
        return math.fsum(floors) / len(floors) if floors else None

    def extractors(self, metric: str) -> set[str | None]:
        """The extractors that values of ``metric`` were measured with; ``None`` stands for none."""
        places = (self.by_metric, self._of_slices)
        lines = (found for place in places for found in place.get(metric, {}).values())
        return {found.extractor for found in lines if found.value is not None}


def _of_a_whole(measurement: Measurement) -> Values:
    """One value of the whole suite, or of a slice as a whole."""
    if not measurement.applies:
        return Values(inapplicable={WHOLE_SUITE: _cut(measurement.error or "")})
    if (why_not := _unusable(measurement)) is not None:
        return Values(lost={WHOLE_SUITE: why_not})
    return Values(
        by_case={} if measurement.value is None else {WHOLE_SUITE: measurement.value},
        resamples=measurement.resamples,
        why=_cut(measurement.error or ""),
        tail=measurement.tail,
        standard_error=measurement.standard_error,
    )


def _unusable(measurement: Measurement) -> str | None:
    """Why its value does not count; ``None``: it does."""
    if measurement.value is None:
        return _cut(measurement.error or "there is no value")
    return f"{measurement.value:g} is not a measurement" if abs(measurement.value) > LARGEST else None


def extractor_of(metric: str, table: Table) -> str | None:
    """The one network that a metric's values were measured through, as :func:`same_extractor` has checked."""
    return next(iter(table.extractors(metric)), None)


def computed_in(arithmetic: str, metrics: Iterable[str], table: Table) -> None:
    """Where a policy names an arithmetic, every value that it judges must have been computed in it.

    Raises:
        UsageError: names the first metric that was not, and how it was.
    """
    for metric in sorted(metrics):
        for label in sorted(found for found in table.extractors(metric) if found is not None):
            if arithmetic_in(label) != arithmetic:
                raise UsageError(
                    f"'{metric}' was computed in {arithmetic_in(label)}, the policy asks for {arithmetic}",
                    where="policy.arithmetic",
                    todo=f"Measure where {arithmetic} can be computed (precision: auto), or change the policy.",
                )


def same_extractor(metric: str, sides: Iterable[Table]) -> None:
    """Values are compared only under the same extractor.

    Raises:
        UsageError: names both extractors and where they were used.
    """
    first: tuple[str | None, str] | None = None
    for table in sides:
        for extractor in sorted(table.extractors(metric), key=str):
            if first is None:
                first = (extractor, table.side)
            elif extractor != first[0]:
                what = (
                    f"'{metric}' was measured through {extractor or 'no extractor'} in the {table.side} "
                    f"and through {first[0] or 'no extractor'} in the {first[1]}"
                )
                raise UsageError(what, where=table.side, todo="Measure both again with the same extractor.")


def _cut(error: str) -> str:
    """At most 200 characters: what happened stands at the beginning, a log's last and telling line at the end."""
    if len(error) <= MAX_ERROR_CHARACTERS:
        return error
    head = MAX_ERROR_CHARACTERS // 2
    return f"{error[: head - 3]} … {error[-head:]}"
