"""What is kept of a case."""

from __future__ import annotations

from penstock.families.recognition.features import CaseFeatures


def test_a_case_that_names_nothing_keeps_its_schema_alone() -> None:
    kept = CaseFeatures({(): {"an object": 1}})
    assert (kept.fault, kept.confidence, kept.surest, kept.boxes) == ("", None, None, None)
