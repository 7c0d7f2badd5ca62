"""``drift.json``: a released model that was run again, beside the evidence of its release."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from penstock.bundle.directory import Bundle, read_model, write_model
from penstock.bundle.models import SCHEMA_VERSION, Run
from penstock.bundle.record import Record

RECORD = "drift.json"
WATCH_TRACK = "watch"
"""``track`` in ``run.json`` of a released model that is run again to be compared with its own record."""
DriftOutcome = Literal["same", "conditions", "values"]
"""``values``: a value of a rule moved; ``conditions``: none did or it cannot be told, and something that it was
measured with moved, or a rule has to be looked at; ``same``: neither."""
ConditionKind = Literal["driver", "card", "data", "network", "parameter", "software", "machine", "export"]
"""``driver``, ``card``: NVIDIA's; ``data``: the suite's files, or others of the commit; ``network``: one that values
are measured through, or how it was computed; ``parameter``: of the cases; ``software``: packages of Penstock and the
model; ``machine``: processor and cores; ``export``: whether the model computes with its exported file."""
RuleDrift = Literal["same", "moved", "open", "not run"]
"""``open``: it differs, and the cases are too few, or not measured alike, to say more; ``not run``: only a whole
release measures it (pages, loads, interfaces), the release itself had no value, or nothing says how far it may go."""


class MovedCondition(Record):
    """One thing that is not as it was when the release was judged."""

    kind: ConditionKind
    what: str
    """``driver of the card``, ``suite``, ``onnxruntime``."""
    then: str
    now: str


class RuleMovement(Record):
    """One rule of the release's verdict: its metric then and now."""

    metric: str
    slice: str | None = None
    unit: str = ""
    state: RuleDrift
    then: float | None = None
    """Mean over the cases that have a value both times, in the metric's unit."""
    now: float | None = None
    change: float | None = None
    """Now minus then."""
    interval: tuple[float, float] | None = None
    """Bounds of the change, which hold together for all rules at the verdict's level; ``None``: too few cases."""
    tolerance: float = 0.0
    """How far the bounds must lie from 0 for ``moved``: of a metric that measures the machine, too, the rule's margin;
    of all others 0."""
    n: int = 0
    """Cases that were compared."""
    note: str = ""
    """Why there is no change, or what it leaves out."""


class DriftRecord(Record):
    """``drift.json``."""

    schema_version: int = SCHEMA_VERSION
    model: str
    version: str
    """Of the release that was run again: the current one."""
    released_run: str
    """Run id of the release, whose evidence it is compared with."""
    run: str
    """Id of the new run."""
    time: str
    """UTC, ISO 8601."""
    level: float
    """Of the release's verdict."""
    outcome: DriftOutcome
    conditions: list[MovedCondition] = Field(default_factory=list)
    rules: list[RuleMovement] = Field(default_factory=list)
    answers: int = 0
    """Files that the model returned both times."""
    answers_same: int = 0
    """Those of them that are the same byte by byte. Of some models none ever are: this decides nothing."""
    current: str | None = None
    """The version that was current when the run had ended, if another by then; ``None``: still this one."""
    not_known: list[str] = Field(default_factory=list)
    """What was not recorded both times, and so not compared."""


def is_watched(run: Run) -> bool:
    """Whether the run is of a released model that is run again as it was released."""
    return run.track == WATCH_TRACK


def write_drift(bundle: Bundle, record: DriftRecord) -> None:
    """Write it."""
    write_model(bundle.path / RECORD, record)


def read_drift(bundle: Bundle) -> DriftRecord | None:
    """Read it; ``None`` where nothing was compared."""
    path = bundle.path / RECORD
    return read_model(path, DriftRecord) if path.exists() else None
