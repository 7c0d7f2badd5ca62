"""``export/``: what came of exporting the trained weights anew, and of comparing the exported model with them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

from pydantic import Field

from penstock.bundle.directory import Bundle, read_model, write_model
from penstock.bundle.models import SCHEMA_VERSION, WHOLE_SUITE, Isolation, Measurement
from penstock.bundle.record import Record
from penstock.families.engine_metrics import EXPORT_METRIC

EXPORT_FOLDER = Path("export")
RECORD = EXPORT_FOLDER / "export.json"
TRIED = EXPORT_FOLDER / "tried.json"
EXPORTER_LOG = EXPORT_FOLDER / "exporter.log"
Backend = Literal["trained", "exported"]


class ExporterRecord(Record):
    """One run of the exporter."""

    argv: list[str]
    seconds: float
    fault: str | None = None
    """Why there is no file; ``None``: it wrote one."""
    sha256: str = ""
    """Of the file that it wrote."""
    bytes: int = 0
    same: bool = False
    """Whether that is the released file, byte for byte. Not every exporter writes the same file twice."""


class TriedRecord(Record):
    """``tried.json``: what was run in the model's image; *export* compares what it has left."""

    schema_version: int = SCHEMA_VERSION
    exporter: ExporterRecord
    isolation: Isolation
    fault: str | None = None
    """Why the exported model could not be run at all; ``None``: both were put to the cases."""
    seconds: dict[Backend, float] = Field(default_factory=dict)
    """How long the cases took, with the model's start."""


class ComparedCase(Record):
    """One case, put to both."""

    case: str
    values: dict[str, float] = Field(default_factory=dict)
    """Value → how far apart the two answers are by it."""
    fault: str | None = None
    """Why they cannot be compared, or what is over its limit."""
    failed: bool = False
    """The model answers this case with neither: nothing is said of the export."""


class WorstValue(Record):
    """The largest of one value over all cases."""

    value: float
    limit: float
    case: str


class ExportRecord(Record):
    """``export.json``: the outcome."""

    schema_version: int = SCHEMA_VERSION
    weights: str
    """The exported file."""
    sha256: str
    """Of the exported file that is released."""
    switch: str
    """The variable that tells the model."""
    use_onnx: bool
    fault: str | None = None
    """Why the exported model is not used; ``None``: it is."""
    exporter: ExporterRecord
    isolation: Isolation
    seconds: dict[Backend, float] = Field(default_factory=dict)
    worst: dict[str, WorstValue] = Field(default_factory=dict)
    """Value → its largest, over the cases that were compared."""
    cases: list[ComparedCase] = Field(default_factory=list)
    shown: str | None = None
    """The case whose answers are kept, below ``trained/`` and ``exported/``: the one that is furthest off."""


def share_of_limit(value: float, limit: float) -> float:
    """How far two answers lie apart as a multiple of what is allowed; of a limit of 0, 0 or infinity."""
    return value / limit if limit else math.inf if value else 0.0


def backend_bundle(bundle: Bundle, backend: Backend) -> Bundle:
    """Where the calls and answers of one backend are: a bundle of its own, without a ``run.json``."""
    return Bundle(bundle.path / EXPORT_FOLDER / backend)


def tried_record(bundle: Bundle) -> TriedRecord | None:
    """What was run; ``None``: nothing was."""
    path = bundle.path / TRIED
    return read_model(path, TriedRecord) if path.exists() else None


def export_record(bundle: Bundle) -> ExportRecord | None:
    """The outcome; ``None`` where nothing was compared."""
    path = bundle.path / RECORD
    return read_model(path, ExportRecord) if path.exists() else None


def write_export_record(bundle: Bundle, record: ExportRecord) -> None:
    """Write ``export.json`` and, in ``run.json``, what every start of the model is told."""
    write_model(bundle.path / RECORD, record)
    bundle.update_run(bundle.run().model_copy(update={"use_onnx": record.use_onnx}))


def add_export_value(bundle: Bundle) -> None:
    """Put the outcome among the measurements, in place of an earlier one: 1 the export is used, 0 it is not, and why.

    Without an outcome there is no value.
    """
    record = export_record(bundle)
    if record is None:
        return
    kept = [found for found in bundle.measurements() if found.metric != EXPORT_METRIC.name]
    name, value = EXPORT_METRIC.name, float(record.use_onnx)
    bundle.write_measurements([*kept, Measurement(case=WHOLE_SUITE, metric=name, value=value, error=record.fault)])
