"""The policy: what a release must hold. Formats are in docs/formats.md."""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from penstock.contract.arithmetic import Arithmetic
from penstock.families.engine_metrics import PREFERENCE_METRIC, base_metric
from penstock.families.registry import needs_released

MetricName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$")]
FiniteFloat = Annotated[float, Field(strict=True, allow_inf_nan=False)]


MAX_CONFIDENCE: Final = 0.9999
RATINGS_WANTED: Final = 120
"""Of a rule for ``preference`` that does not say how many: with 12 raters and 10 cases, docs/ratings.md says why."""
Level = Literal["none", "landlock", "namespaces"]
LEVELS: Final[tuple[Level, ...]] = ("none", "landlock", "namespaces")
"""From the weakest to the strongest; a policy demands at least one of them. What each holds: docs/security.md."""
"""How far a model is confined, from the weakest to the strongest; see docs/security.md."""


class Strict(BaseModel):
    """Base of everything that people write: unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Margin(Strict):
    """How much worse than the baseline is still accepted."""

    amount: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    """In the metric's unit, or a share (0.05 for 5 %) if ``relative``."""
    relative: bool = False
    """True: ``amount`` is a share of the absolute value of the baseline's mean."""
    noise: bool = False
    """True: ``amount`` counts standard deviations of the metric's mean between runs of the same model, as the policy's
    ``calibration`` recorded them."""
    floor: bool = False
    """True: ``amount`` counts the metric's floor: how far apart the references of the suite's own cases are by it."""

    @model_validator(mode="after")
    def _one_unit(self) -> Margin:
        if self.relative + self.noise + self.floor > 1:
            raise ValueError("a margin is relative, in standard deviations of the noise, or in floors: say one of them")
        return self

    @property
    def in_unit(self) -> bool:
        """Whether ``amount`` is in the metric's unit as it stands."""
        return not (self.relative or self.noise or self.floor)


MARGIN_PATTERN = r"^[ ]*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)[ ]*(%|sd|floors?)?[ ]*$"
MARGIN = re.compile(MARGIN_PATTERN)
MarginText = Annotated[float, Field(ge=0)] | Annotated[str, Field(pattern=MARGIN_PATTERN)] | Margin
"""What may stand in a file: ``0.2``, ``5%``, ``2 sd``, ``1 floor``, or the parts written out."""


class Rule(Strict):
    """One line of the policy: absolute bounds and the change against the baseline, for one metric."""

    metric: MetricName
    slice: str | None = None
    """Only cases that carry this slice; ``None`` is all cases."""
    min: FiniteFloat | None = None
    max: FiniteFloat | None = None
    margin: Margin | None = None
    confidence: Annotated[float, Field(ge=0.5, le=MAX_CONFIDENCE, strict=True)] | None = None
    """The maximum must hold with this confidence: not the value itself, but its upper bound (0.95: with 95 %)."""
    worst: FiniteFloat | None = None
    """Bound that the worst case must hold, in the metric's unit: a maximum where lower is better, else a minimum."""
    ratings: Annotated[int, Field(ge=10, le=100_000, strict=True)] | None = None
    """Only of ``preference``: it is decided once there are so many ratings; left out, :data:`RATINGS_WANTED`."""
    direction: Literal["lower", "higher"] | None = None
    """Which way is better; only for metrics that Penstock does not know."""
    severity: Literal["block", "warn"] = "block"
    """Left out, a change in a slice of fewer than 20 cases only warns."""

    @field_validator("margin", mode="before", json_schema_input_type=MarginText | None)
    @classmethod
    def _parse_margin(cls, value: object) -> object:
        """``5%`` is a share, ``2 sd`` counts the noise, ``1 floor`` how far the references lie apart; ``0.2`` (or
        ``"0.2"``) is a number in the metric's unit.
        """
        if isinstance(value, int | float) and not isinstance(value, bool):
            return {"amount": float(value)}
        if isinstance(value, str) and (match := MARGIN.fullmatch(value)):
            number, unit = float(match[1]), match[2] or ""
            kind = {"%": "relative", "sd": "noise"}.get(unit, "floor" if unit else "")
            return {"amount": number / 100 if unit == "%" else number} | ({kind: True} if kind else {})
        if value is None or isinstance(value, Margin | dict):
            return value
        raise ValueError(
            "a margin is a number such as 0.2, a share such as 5%, 2 sd of the noise or 1 floor; not below 0"
        )

    @model_validator(mode="after")
    def _says_something(self) -> Rule:
        if self.min is None and self.max is None and self.margin is None and self.worst is None:
            raise ValueError(f"the rule for '{self.metric}' has no min, max, margin or worst")
        if self.confidence is not None and self.max is None:
            raise ValueError("'confidence' is about a maximum: write 'max' as well")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}")
        return self

    @model_validator(mode="after")
    def _of_ratings(self) -> Rule:
        if self.metric != PREFERENCE_METRIC.name:
            if self.ratings is not None:
                raise ValueError(f"'ratings' belongs to the rule for '{PREFERENCE_METRIC.name}' alone")
            return self
        others = [name for name in ("max", "margin", "worst") if getattr(self, name) is not None]
        if self.min is None or not 0 < self.min < 1 or others:
            named = f", without {', '.join(others)}" if others else ""
            raise ValueError(
                f"the rule for '{self.metric}' has a 'min' above 0 and below 1{named}: 0.5 is no preference"
            )
        return self

    @property
    def ratings_wanted(self) -> int | None:
        """How many ratings it waits for; ``None``: it is not about ratings."""
        return (self.ratings or RATINGS_WANTED) if self.metric == PREFERENCE_METRIC.name else None


class Waiver(Strict):
    """A rule that may be broken until a day, because somebody says why. Every report shows it."""

    metric: MetricName
    slice: str | None = None
    """The slice of the rule that is waived; ``None`` is the rule over all cases."""
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    author: Annotated[str, Field(min_length=1, max_length=200)]
    expires: datetime.date
    """The last day on which it holds, in UTC."""


class Policy(Strict):
    """All rules of a release."""

    level: Annotated[float, Field(gt=0, lt=0.5, strict=True)] = 0.05
    """The share of unchanged models that a rule may stop."""
    rules: Annotated[list[Rule], Field(min_length=1, max_length=200)]
    waivers: Annotated[list[Waiver], Field(max_length=200)] = []
    baseline: Literal["stored", "rerun"] = "stored"
    """Whether the released model's stored measurements are compared with, or new ones, made beside the candidate's."""
    isolation: Level = "none"
    """How far a model has to be confined that is run for this policy: at least so far."""
    arithmetic: Arithmetic | None = None
    """What the values of networks must have been computed in; ``None``: in anything, the same on both sides."""
    calibration: str | None = None
    """File of ``penstock calibrate``, relative to the policy's: what ``sd`` in a margin counts."""


Direction = Literal["lower", "higher"]


@dataclass(frozen=True)
class PolicyFault:
    """What is wrong with a policy, beyond what its types say. A ``warning`` does not stop anything."""

    path: tuple[str | int, ...]
    """Where it is: ``("rules", 2, "margin")``."""
    what: str
    todo: str = ""
    warning: bool = False

    @property
    def place(self) -> str:
        """``rules[2].margin``."""
        return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path).lstrip(".")


def policy_faults(
    policy: Policy,
    *,
    known: Mapping[str, Direction | None],
    slices: Collection[str] | None = None,
    today: datetime.date | None = None,
) -> Iterator[PolicyFault]:
    """Compare the rules with the known metrics and the slices of the suite, and the waivers with the rules.

    Args:
        policy: the rules and waivers.
        known: name of each known metric → which way is better; ``None`` for one that is shown and never ranked.
        slices: all slices of the suite; ``None`` if the suite is not known here.
        today: the day on which waivers must still hold; ``None``: waivers that are over are not mentioned.
    """
    for index, rule in enumerate(policy.rules):
        yield from _metric_faults(("rules", index), rule, known)
        if rule.margin is not None and needs_released(rule.metric):
            yield PolicyFault(
                ("rules", index, "margin"),
                f"'{rule.metric}' compares with the released model already, so that no margin is held on it",
                "Use min or max.",
            )
        if rule.margin is not None and rule.margin.noise and policy.calibration is None:
            yield PolicyFault(
                ("rules", index, "margin"),
                "a margin in 'sd' counts the recorded noise, and the policy names no record",
                "Record it with penstock calibrate, and write 'calibration: FILE' beside 'rules'.",
            )
        if rule.slice is not None and slices is not None and rule.slice not in slices:
            names = ", ".join(sorted(slices)[:10]) or "none"
            yield PolicyFault(
                ("rules", index, "slice"),
                f"no case of the suite has the slice '{rule.slice}'",
                f"Slices of the suite: {names}.",
                warning=True,
            )
    for index, waiver in enumerate(policy.waivers):
        if not any((waiver.metric, waiver.slice) == (rule.metric, rule.slice) for rule in policy.rules):
            of = f" for the slice '{waiver.slice}'" if waiver.slice is not None else ""
            what = f"there is no rule for '{waiver.metric}'{of} to waive"
            yield PolicyFault(
                ("waivers", index, "metric"), what, "Name the metric and the slice as the rule does.", warning=True
            )
        elif today is not None and waiver.expires < today:
            what = f"the waiver by {waiver.author} expired on {waiver.expires.isoformat()}: the rule counts again"
            yield PolicyFault(("waivers", index, "expires"), what, "Take it out, or renew it.", warning=True)


def _metric_faults(place: tuple[str, int], rule: Rule, known: Mapping[str, Direction | None]) -> Iterator[PolicyFault]:
    """What is wrong between a rule and its metric."""
    metric = base_metric(rule.metric)
    better = known.get(metric)
    close = difflib.get_close_matches(metric, known, n=1)
    meant = f"Did you mean '{close[0]}'? " if close and metric not in known else ""
    ranked = "margin" if rule.margin is not None else "worst" if rule.worst is not None else ""
    if better is not None and rule.direction not in (None, better):
        what = f"for '{rule.metric}', {better} is better"
        yield PolicyFault((*place, "direction"), what, "Leave 'direction' out: Penstock knows this metric.")
    elif better is None and rule.direction is None and ranked:
        if rule.metric not in known:
            todo = f"{meant}For a metric of your own, say 'direction: lower' or 'direction: higher'."
            yield PolicyFault((*place, "metric"), f"unknown metric '{rule.metric}'", todo)
        else:
            todo = f"Gate '{rule.metric}_abs' instead." if f"{rule.metric}_abs" in known else "Use min and max."
            words = "no margin can be held" if ranked == "margin" else "no case is the worst"
            what = f"'{rule.metric}' has no better and worse, so that {words}"
            yield PolicyFault((*place, ranked), what, todo)
    elif meant and rule.direction is None:
        what, todo = f"unknown metric '{rule.metric}'", f"{meant}If it is your own, all is well."
        yield PolicyFault((*place, "metric"), what, todo, warning=True)
