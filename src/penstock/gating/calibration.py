"""How much a metric moves between runs of one and the same model: the file of ``penstock calibrate``.

The gate uses four things:

- ``read_calibration(path: Path) -> Calibration``
- ``Calibration.noise(metric: str, slice_name: str | None) -> float | None``: standard deviation of the metric's mean
- ``Calibration.too_fine(metric: str, slice_name: str | None, margin_in_unit: float) -> str | None``: a warning in words
- ``Calibration.margin(metric, slice_name, count: float, extractors: Collection[str | None]) -> float``:
  ``count`` standard deviations in the metric's unit; refuses (``UsageError``) what was not recorded, or was recorded
  through another extractor (``Calibration.same_extractor(metric, extractors)`` is that check alone)
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from pathlib import Path
from statistics import NormalDist
from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator, model_validator

from penstock.bundle.directory import explain, write_model
from penstock.bundle.models import Machine
from penstock.bundle.record import Record
from penstock.contract.policy import Policy
from penstock.families.registry import find_metric
from penstock.foundation.errors import UsageError
from penstock.foundation.files import inside, read_regular

SCHEMA_VERSION = 1
MAX_BYTES = 16 << 20
POWER = 0.8
"""How often a change of the smallest detectable size is to be found."""
FEWEST_SD = 2.0
"""A margin below so many standard deviations of the noise is always too fine."""
NORMAL = NormalDist()
AGAIN = "Make it again with penstock calibrate."

Finite = Annotated[float, Field(allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Noise(Record):
    """One metric over all cases, or over one slice of them, in runs of the same model.

    With ``x`` of a run and a case, over ``runs`` runs and ``cases`` cases; a value of the whole suite is one case.
    """

    metric: Annotated[str, Field(min_length=1)]
    slice: str | None = None
    unit: str = ""
    extractor: str | None = None
    runs: Annotated[int, Field(ge=2)]
    cases: Annotated[int, Field(ge=1)]
    mean: Finite
    """Of all values, over runs and cases."""
    sd_difference: NotNegative
    """Standard deviation of one case's difference between two runs: √2 times that of one case in one run, which is
    taken about each case's own mean and pooled over the cases, with ``runs - 1`` degrees of freedom a case."""
    sd_mean: NotNegative
    """Standard deviation of the mean of one run, as ``runs`` runs show it (``runs - 1`` degrees of freedom). Between
    two runs the mean differs by √2 times as much."""
    noise: NotNegative
    """What ``sd`` in a margin counts: the larger of ``sd_mean`` and ``sd_difference / √2 / √cases``. The first sees
    what moves all cases of a run together, but a few runs may agree by luck; the second does not depend on luck."""
    sd_resampled: NotNegative | None = None
    """Of a value of the whole suite that was computed again on resamples of its cases: standard deviation of the
    difference of two runs over the resamples. It holds the choice of cases too, and may be far above ``sd_mean``."""
    smallest_change: NotNegative
    """The smallest change of the mean that a comparison of two runs finds in 80 % of cases, in the metric's unit:
    ``factor(level) × error``. Where nothing moves all cases of a run together, that is
    ``2.49 × sd_difference / √cases`` at the level 0.05."""
    smallest_change_per_cent: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    """The same as per cent of ``|mean|``; ``None`` for a mean of 0."""
    smallest_margin: NotNegative | None = None
    """The smallest margin with which at most ``level`` of unchanged models fail to pass: ``reach + z(level)`` errors,
    where ``reach`` is how many errors the gate's bound lies above the change: 3.29 in all at the level 0.05, more with
    fewer than 20 cases. With a finer one, more of them are inconclusive. ``None``: one case that is not the same in
    every run never tells a change from noise."""

    @property
    def error(self) -> float:
        """Standard error of the difference between two runs: √2 × ``noise``, or ``sd_resampled`` if that is larger."""
        return max(math.sqrt(2) * self.noise, self.sd_resampled or 0.0)

    @property
    def deterministic(self) -> bool:
        """Every run gave the same values: any change at all is one of the model."""
        return self.error == 0


class MeasuredOn(Record):
    """What the runs were runs of. Empty: not known, as the values came from bare files of measurements."""

    model: str = ""
    family: str = ""
    url: str = ""
    commit: str = ""
    tree: str = ""
    image: str = ""
    suite: str = ""
    """Digest of the suite."""
    cases: int = 0
    weights: dict[str, str] = Field(default_factory=dict)
    """Path → SHA-256."""
    extractors: dict[str, str] = Field(default_factory=dict)
    """Role → ``name@sha256:…``."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    machine: Machine | None = None


class Calibration(Record):
    """The file of ``penstock calibrate``."""

    schema_version: Annotated[int, Field(ge=1)]
    penstock: str
    created: str
    """UTC, ISO 8601."""
    level: Annotated[float, Field(gt=0, lt=0.5)]
    """The share of unchanged models that a rule may stop, for ``smallest_change``."""
    runs: Annotated[list[str], Field(min_length=2)]
    """The runs' ids, or the paths of their measurements."""
    measured_on: MeasuredOn
    metrics: Annotated[list[Noise], Field(min_length=1)]
    path: Annotated[str, Field(exclude=True)] = ""
    """Where it was read from, for messages."""

    @field_validator("path", mode="before")
    @classmethod
    def _never_from_the_file(cls, value: object) -> object:
        return value if isinstance(value, str) else ""

    @model_validator(mode="after")
    def _each_once(self) -> Calibration:
        seen: set[tuple[str, str | None]] = set()
        for noise in self.metrics:
            if (noise.metric, noise.slice) in seen:
                raise ValueError(f"the noise of {_named(noise.metric, noise.slice)} stands there twice")
            seen.add((noise.metric, noise.slice))
        return self

    def of(self, metric: str, slice_name: str | None) -> Noise | None:
        """What was recorded of ``metric`` in a slice (``None``: over all cases); ``None`` if nothing was."""
        found = (noise for noise in self.metrics if (noise.metric, noise.slice) == (metric, slice_name))
        return next(found, None)

    def noise(self, metric: str, slice_name: str | None) -> float | None:
        """Standard deviation of the metric's mean between runs of the same model; ``None`` if it was not recorded.

        0 is the noise of a metric that gave the same values in every run.
        """
        found = self.of(metric, slice_name)
        return found.noise if found is not None else None

    def margin(
        self, metric: str, slice_name: str | None, count: float, extractors: Collection[str | None] = ()
    ) -> float:
        """``count`` standard deviations of the noise, in the metric's unit.

        Args:
            metric: the rule's.
            slice_name: the rule's; ``None`` for all cases.
            count: the number before ``sd`` in the policy.
            extractors: those that the compared values were measured through.

        Raises:
            UsageError: the noise was not recorded, or through another extractor.
        """
        found = self.of(metric, slice_name)
        if found is None:
            raise UsageError(
                f"there is no noise of {_named(metric, slice_name)} in it",
                where=self.path or "calibration",
                todo="Calibrate with a suite that has it, or give the margin as a number or a share.",
            )
        self.same_extractor(metric, extractors)
        return count * found.noise

    def same_extractor(self, metric: str, extractors: Collection[str | None]) -> None:
        """Noise speaks only about values that were measured through the same extractor.

        Raises:
            UsageError: it was recorded through another one than any of ``extractors``; names both.
        """
        recorded = next((noise for noise in self.metrics if noise.metric == metric), None)
        if recorded is None:
            return
        for extractor in sorted(extractors, key=str):
            if extractor != recorded.extractor:
                raise UsageError(
                    f"the noise of '{metric}' was recorded through {recorded.extractor or 'no extractor'}, "
                    f"the measurements were made through {extractor or 'no extractor'}",
                    where=self.path or "calibration",
                    todo="Calibrate again with the extractor that is used now.",
                )

    def too_fine(self, metric: str, slice_name: str | None, margin_in_unit: float) -> str | None:
        """A warning if a margin is too fine for the noise; ``None`` if it is not, or nobody knows.

        It is too fine below 2 standard deviations of the noise, and wherever more models that did not change than the
        level says would not be passed.
        """
        found = self.of(metric, slice_name)
        if found is None or found.deterministic:
            return None
        known = find_metric(metric)
        subject = _named(known.title if known else metric, slice_name)
        if found.smallest_margin is None:
            return f"{subject} is not the same in every run, and one case cannot tell a change from noise"
        if margin_in_unit >= max(found.smallest_margin, FEWEST_SD * found.noise):
            return None
        unit = f" {found.unit}" if found.unit else ""
        times = f"{margin_in_unit / found.noise:.2g} sd of its noise" if found.noise else "below its noise"
        beyond = (margin_in_unit - found.smallest_margin) / found.error
        stopped = 1 - NORMAL.cdf(beyond - NORMAL.inv_cdf(self.level))
        return (
            f"the margin of {subject} ({margin_in_unit:.4g}{unit}) is {times} between runs of the same model: about "
            f"{stopped:.0%} of models that did not change would not be passed; from {found.smallest_margin:.4g}{unit} "
            f"on it is {self.level:.0%}"
        )


def _named(metric: str, slice_name: str | None) -> str:
    return f"'{metric}'" if slice_name is None else f"'{metric}' in the slice '{slice_name}'"


def factor(level: float) -> float:
    """Standard errors between no change and one that is found in 80 % of cases: 2.49 at the level 0.05."""
    return round(NORMAL.inv_cdf(1 - level) + NORMAL.inv_cdf(POWER), 2)


def calibration_of(policy: Policy, directory: Path) -> Calibration | None:
    """The record of the noise that a policy names; ``None`` if it names none.

    Args:
        policy: its ``calibration`` is a path relative to ``directory``.
        directory: where the policy lies; the record has to lie in it, too.

    Raises:
        UsageError: it lies elsewhere, or is not a calibration.
    """
    if policy.calibration is None:
        return None
    return read_calibration(inside(directory, policy.calibration, where="policy.calibration"))


def read_calibration(path: Path) -> Calibration:
    """Read a file of ``penstock calibrate``.

    Raises:
        UsageError: there is none; it is truncated, of another schema, or no such file; a number in it cannot be.
    """
    where = str(path)
    content = read_regular(path, max_bytes=MAX_BYTES, where=where)
    try:
        value = json.loads(content.decode("utf-8"))
    except RecursionError:
        raise UsageError("not a calibration: it is nested too deeply", where=where, todo=AGAIN) from None
    except ValueError as error:
        what = "it is empty" if not content.strip() else f"it is not a whole JSON text ({error})"
        raise UsageError(f"not a calibration: {what}", where=where, todo=AGAIN) from None
    if not isinstance(value, dict) or "metrics" not in value:
        raise UsageError("not a calibration: 'metrics' is missing", where=where, todo=AGAIN)
    version = value.get("schema_version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise UsageError(f"its schema version is {version!r}, which never was one", where=where, todo=AGAIN)
    if version > SCHEMA_VERSION:
        raise UsageError("written by a newer Penstock", where=where, todo="Update Penstock.")
    try:
        calibration = Calibration.model_validate(value | {"path": where})
    except ValidationError as error:
        raise UsageError(f"not a calibration: {explain(error)}", where=where, todo=AGAIN) from None
    for noise in calibration.metrics:
        _coherent(noise, where)
    return calibration


def _coherent(noise: Noise, where: str) -> None:
    """A number that was changed by hand no longer fits the others."""
    least = max(noise.sd_mean, noise.sd_difference / math.sqrt(2 * noise.cases))
    if not math.isclose(noise.noise, least, rel_tol=1e-6, abs_tol=1e-300):
        raise UsageError(
            f"the noise of {_named(noise.metric, noise.slice)} ({noise.noise:g}) does not fit its standard deviations "
            f"({least:g}): it was changed by hand",
            where=where,
            todo=AGAIN,
        )


def write_calibration(path: Path, calibration: Calibration) -> None:
    """Write the file, whole or not at all."""
    write_model(path, calibration)
