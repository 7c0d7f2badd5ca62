"""What the process that compares two answers is told, and what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from penstock.bundle.record import Record
from penstock.contract.placeholders import Scalar
from penstock.foundation.references import Reference

COMPARED: Final = "compared.json"
"""What came of it, a file of the process's folder."""


class ComparisonOrder(Record):
    """One comparison: what :func:`penstock.evaluation.answers_apart.answers_apart` is given."""

    compare: Reference
    limits: dict[str, float]
    one: dict[str, Path]
    other: dict[str, Path]
    given: dict[str, Scalar]
    folder: Path
    """The only directory that may be written to."""
    readable: list[str]
    """What may be read beside the answers."""


class ComparedAnswers(Record):
    """What the process says."""

    values: dict[str, float]
    fault: str | None
