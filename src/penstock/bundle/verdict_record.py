"""``verdict.json``: the gate's answer, rule by rule."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from penstock.bundle.record import Record

VERDICT_SCHEMA_VERSION = 2
"""2: each rule of ``verdict.json`` has its bounds as numbers; in version 1 they stand in ``limit`` and ``reason`` only,
see :mod:`penstock.report.old_verdicts`."""
Outcome = Literal["pass", "fail", "inconclusive"]
NotCompared = Literal["margin", "rule"]
"""The part of a rule that had no baseline to be compared with."""


class WaiverRecord(Record):
    """The waiver that was taken into account for a rule."""

    reason: str
    author: str
    expires: str
    """The last day on which it holds, ISO 8601."""
    expired: bool = False
    """It was over when the verdict was given: the rule counts."""


class RuleResult(Record):
    """One rule's answer in ``verdict.json``."""

    metric: str
    slice: str | None
    verdict: Outcome
    reason: str
    predicate: str = ""
    """What the reason says of the metric, without its title and ``needed``, to stand beside the title: ``rose from 7.9
    to 9.3``. Empty where the reason does not begin with the title."""
    severity: Literal["block", "warn"] = "block"
    baseline: float | None
    candidate: float | None
    change: float | None
    """Candidate minus baseline, in the metric's unit."""
    interval: tuple[float, float] | None
    """One-sided bounds of the change, each at the policy's level; ``None``: there is no such interval."""
    limit: str
    """The bounds in words: ``≤ 9.0, no more than +5 % over the baseline``."""
    minimum: float | None = None
    """The least that the mean may be, in the metric's unit, as all of these; ``None``: the rule has no such bound."""
    maximum: float | None = None
    """The most that the mean may be."""
    worst: float | None = None
    """What no case may be worse than."""
    margin: float | None = None
    """How much worse than the baseline's the mean may be, at least 0; ``None`` also without a baseline, where a share
    of it is no number yet."""
    reference_floor: float | None = None
    """How far apart the cases' own references are by this metric, the mean over the cases that have several; ``None``:
    none has."""
    better: Literal["lower", "higher"] | None = None
    """Which way is better, if anything says so."""
    n: int
    """Cases that the rule looked at."""
    needed: int | None = None
    """Of an inconclusive rule: the number of cases that would settle it."""
    ratings_wanted: Annotated[int | None, Field(exclude_if=lambda value: value is None)] = None
    """Of a rule about people's ratings: how many it waits for."""
    advisory: bool = False
    """It blocks nothing, although its severity was not set to ``warn``: a slice of too few cases."""
    waiver: WaiverRecord | None = None
    not_compared: NotCompared | None = None
    """Without a baseline: ``margin``, if only the bounds could be checked; ``rule``, if there is nothing but a margin:
    then nothing was checked, although the verdict is ``pass``."""
    extractor: str | None = None
    """The network that the candidate's values were measured through, ``name@sha256:…``; ``None``: through none."""
    origin: Literal["policy", "floor"] = "policy"
    """Whose rule it is: the repository's, or the platform's."""

    @property
    def waived(self) -> bool:
        """Whether a waiver that holds takes its say away."""
        return self.waiver is not None and not self.waiver.expired

    @property
    def blocks(self) -> bool:
        """Whether its answer counts for the verdict."""
        return self.severity == "block" and not self.advisory and not self.waived


class MeasuredAgain(Record):
    """Values of a stored baseline that were measured again, in the candidate's arithmetic (docs/adr/0020)."""

    metrics: list[str]
    """Whose values these are."""
    stored: dict[str, str]
    """Role → label that the stored values have, of the networks concerned."""
    measured: dict[str, str]
    """The same roles → label that the values of both sides have."""


class NotAsked(Record):
    """A rule of the policy or the floor, or a part of one, that a quick run could not answer: it has no say in the
    verdict.
    """

    metric: str
    slice: str | None
    why: str


class Weakened(Record):
    """Where a commit's policy asks less than the current release's did."""

    metric: str | None = None
    """Of the rule; ``None``: it is about the policy as a whole."""
    slice: str | None = None
    what: str
    """``max 9 became 12``."""


class FloorRecord(Record):
    """Which policy floor was judged beside the policy; the bundle holds it as ``policy-floor.yaml``."""

    sha256: str
    """Of the file."""
    level: float
    min_cases: int


class Verdict(Record):
    """``verdict.json``: the gate's answer."""

    schema_version: int = VERDICT_SCHEMA_VERSION
    verdict: Outcome
    baseline: str | None = None
    """Run id or path of the baseline; ``None`` is recorded for a first release."""
    candidate: str = ""
    level: float
    comparison: Literal["stored", "rerun"] = "stored"
    """Where the baseline's measurements came from."""
    measured_again: MeasuredAgain | None = None
    """Of ``stored``: values that were measured again in place of the stored ones; ``None``: none."""
    rules: list[RuleResult]
    """The policy's, then the floor's."""
    floor: FloorRecord | None = None
    """The platform's floor; ``None``: it had none."""
    cases: Annotated[str, Field(exclude_if=lambda value: not value)] = ""
    """The slice that was run; empty: the whole suite."""
    not_asked: Annotated[list[NotAsked], Field(exclude_if=lambda value: not value)] = Field(default_factory=list)
    """Rules that the run of a pull request could not answer."""
    weakened: Annotated[list[Weakened], Field(exclude_if=lambda value: not value)] = Field(default_factory=list)
    """Of the run of a pull request: where its policy asks less than the current release's."""
    uncompared: Annotated[str, Field(exclude_if=lambda value: not value)] = ""
    """Why the run of a pull request was not compared with a release."""
