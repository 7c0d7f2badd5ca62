"""Whether galleries of the released model's vectors can still be used with the candidate's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from penstock.bundle.models import WHOLE_SUITE, Measurement
from penstock.contract.models import Case
from penstock.evaluation.measurer import Answer, measurement
from penstock.families.face.known_people import DIMENSIONS, known_people
from penstock.metrics.embeddings import all_pairs, image_errors
from penstock.metrics.verification import equal_error_rate, find_edges, threshold_at_eer

NAMES = ("gallery", "gallery_eer")


def gallery_values(
    cases: Sequence[Case], answers: Sequence[Answer], released: Sequence[Answer]
) -> Iterator[Measurement]:
    """``gallery`` and ``gallery_eer``, over the good images of known people that the released model has answered."""
    stored = known_people(cases, released)
    there = ~stored.missing
    stored, probes = stored.kept(there), known_people(cases, answers).kept(there)
    if fault := stored.fault():
        for name in NAMES:
            yield measurement(WHOLE_SUITE, name, f"of the released model: {fault}", applies=False)
        return
    fault = probes.fault()
    if not fault and probes.length != stored.length:
        fault = DIMENSIONS.format(stored.length, probes.length)
    if fault:
        for name in NAMES:
            yield measurement(WHOLE_SUITE, name, fault)
        return
    numbers, missing, lost = stored.numbers, probes.missing, probes.lost() or None
    gallery, asked = stored.vectors(), probes.vectors()
    threshold = threshold_at_eer(all_pairs(gallery, gallery, numbers))
    errors = image_errors(gallery, asked, numbers, np.inf if threshold is None else threshold, missing=missing)
    kept = 1.0 - float(errors.rejected.sum() / errors.genuine.sum())
    yield measurement(WHOLE_SUITE, "gallery", kept, why=lost)
    across = equal_error_rate(find_edges(all_pairs(gallery, asked, numbers, missing=missing)))
    yield measurement(WHOLE_SUITE, "gallery_eer", across, why=lost)
