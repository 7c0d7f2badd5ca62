"""What a suite of recognition must have for its values as a whole: told of the cases alone."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.contract.models import Case
from penstock.families.recognition.case import RecognitionCase

OF_BOXES = ("map", "map50")


def unmeasurable(metric: str, slice_name: str | None, cases: Sequence[Case]) -> str:
    """Why a metric of the whole suite, or of a slice, can have no value whatever the service answers; empty: it can.

    Args:
        metric: its name.
        slice_name: the slice that is asked about; ``None``: the whole suite.
        cases: all that the model must answer.
    """
    inside = [case for case in cases if slice_name is None or slice_name in case.slices]
    known = [case for case in inside if isinstance(case, RecognitionCase)]
    of = f"of the {'suite' if slice_name is None else 'slice'}"
    if metric in OF_BOXES and not any(case.has_boxes for case in known):
        return f"no case {of} says where its objects are"
    if metric == "ece" and all(case.true_labels is None for case in known):
        return f"no case {of} names labels"
    if metric == "aurc" and not any(case.true_labels for case in known):
        return f"no case {of} names labels that are to be found"
    return ""
