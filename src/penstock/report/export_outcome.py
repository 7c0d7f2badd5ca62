"""What the report shows of a model's exported file, which the step *export* has compared with the trained weights."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from penstock.bundle.directory import Bundle
from penstock.bundle.export_record import ComparedCase, ExporterRecord, ExportRecord, export_record, share_of_limit

MAX_CASES = 5
"""Cases over a limit that the page names, the furthest; all of them are in ``export/export.json``."""


@dataclass(frozen=True)
class ExportOutcome:
    """The outcome, for the template."""

    record: ExportRecord
    told: str
    """``USE_ONNX=false``."""
    facts: str
    """``over 54 cases; the exporter wrote the released file again, …``."""
    rows: list[tuple[str, str, str, str]]
    """Value, its largest, its limit, the case."""
    faults: list[tuple[str, str]]
    """Case and what is wrong with it."""
    more: int
    """Other cases with a fault."""


def export_outcome(bundle: Bundle) -> ExportOutcome | None:
    """The outcome of a bundle; ``None`` if nothing was compared.

    Raises:
        UsageError: ``export/export.json`` is broken.
    """
    record = export_record(bundle)
    if record is None:
        return None
    furthest = sorted(record.cases, key=lambda case: _share(case, record), reverse=True)
    # one that the model answers with neither backend says nothing of the export
    faults = [(case.case, case.fault) for case in furthest if case.fault is not None and not case.failed]
    return ExportOutcome(
        record=record,
        told=f"{record.switch}={str(record.use_onnx).lower()}",
        facts="; ".join(_facts(record)),
        rows=[(name, f"{worst.value:.4g}", f"{worst.limit:g}", worst.case) for name, worst in record.worst.items()],
        faults=faults[:MAX_CASES],
        more=max(0, len(faults) - MAX_CASES),
    )


def _share(case: ComparedCase, record: ExportRecord) -> float:
    """How far a case is over its limits; one that could not be compared is further than any."""
    limits = {name: worst.limit for name, worst in record.worst.items()}
    return max((share_of_limit(value, limits.get(name, 0.0)) for name, value in case.values.items()), default=math.inf)


def _facts(record: ExportRecord) -> Iterator[str]:
    compared = sum(not case.failed for case in record.cases)
    yield f"{compared} cases compared"
    if failed := len(record.cases) - compared:
        yield f"{failed} answered with neither"
    yield _exporter(record.exporter)
    names = {"trained": "the trained weights", "exported": "the exported file"}
    yield from (f"{seconds:.1f} s with {names[backend]}" for backend, seconds in record.seconds.items())


def _exporter(exporter: ExporterRecord) -> str:
    if exporter.fault is not None:
        return f"the exporter failed after {exporter.seconds:.1f} s"
    same = "the released file again" if exporter.same else "another file than the released one"
    return f"the exporter wrote {same} in {exporter.seconds:.1f} s"
