"""``history.json``: each metric's mean in the last releases, for the report to draw."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from penstock.bundle.models import SCHEMA_VERSION
from penstock.bundle.record import Record

HISTORY_FILE = "history.json"

Finite = Annotated[float, Field(allow_inf_nan=False)]


class PastValue(Record):
    """One metric in one release."""

    mean: Finite | None
    """Over all cases; ``None`` if a case has no value."""
    n: int
    extractor: str | None = None
    slices: dict[str, Finite | None] = Field(default_factory=dict)
    """The mean over each slice's cases."""


class PastRelease(Record):
    """One release. Without ``metrics`` it is a gap, and ``note`` says why."""

    run_id: str
    version: str = ""
    time: str = ""
    """When the run began: UTC, ISO 8601."""
    suite: str = ""
    """Digest of the suite: means of other cases are not the same thing."""
    note: str = ""
    metrics: dict[str, PastValue] = Field(default_factory=dict)


class History(Record):
    """The last releases before a run, the oldest first."""

    schema_version: int = SCHEMA_VERSION
    model: str
    releases: list[PastRelease] = Field(default_factory=list)
    note: str = ""
    """Why there is nothing, or nothing older, where more was to be expected."""
