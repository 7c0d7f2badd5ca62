"""Error rates over all pairs of images: against pairs listed one by one, with images that have no vector."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from tests.unit.families.face.answers import FAILED, crowd, image, seen

from penstock.bundle.models import Measurement
from penstock.families.face.people_values import people_slice_values, people_values
from penstock.metrics.verification import equal_error_rate, find_edges, sort_pairs, tar_at


def table(cases, answers) -> dict[tuple[str, str], Measurement]:
    return {(line.case, line.metric): line for line in people_values(cases, answers)}


def listed(cases, answers):
    """Scores of all pairs, and whether each is of one person; a failed one scores below all."""
    scores, same = [], []
    for (one, first), (two, second) in itertools.combinations(zip(cases, answers, strict=True), 2):
        same.append(one.identity == two.identity)
        if first.features is None or second.features is None:
            scores.append(-2.0)
            continue
        a, b = (found.features.vector / np.linalg.norm(found.features.vector) for found in (first, second))
        scores.append(float(a @ b))
    return np.array(scores), np.array(same)


@pytest.mark.slow
def test_rates_are_those_of_all_pairs_and_a_face_that_is_not_found_is_a_non_match() -> None:
    cases, answers = crowd(20, 3, noise=1.2)
    before = table(cases, answers)
    answers[4], answers[30] = seen(None), seen(None)
    found = table(cases, answers)
    for lines, said in ((found, answers), (before, crowd(20, 3, noise=1.2)[1])):
        edges = find_edges(sort_pairs(*listed(cases, said)))
        assert lines["*", "eer"].value == pytest.approx(equal_error_rate(edges), abs=0.02)
        assert lines["*", "tar_1e-1"].value == pytest.approx(tar_at(edges, 10), abs=0.02)
    assert (found["*", "tar_1e-1"].value or 1) < (before["*", "tar_1e-1"].value or 0)
    assert found["*", "eer"].error == ("2 without an answer count as rejected at every threshold: 'p01-1', 'p10-0'")
    assert found["*", "tar_1e-2"].value is None
    assert found["*", "tar_1e-2"].error == "190 impostor pairs of identities; 10 ÷ FAR = 1,000 are needed"


@pytest.mark.slow
def test_resamples_are_by_identity_and_pair_two_models() -> None:
    cases, answers = crowd(noise=1.5)
    one, two = table(cases, answers)["*", "eer"], table(cases, crowd(noise=1.4)[1])["*", "eer"]
    assert one.resamples is not None
    assert two.resamples is not None
    assert (one.resamples.key, one.resamples.cases, len(one.resamples.values)) == (two.resamples.key, 12, 1000)
    assert np.std(one.resamples.values) > 0


@pytest.mark.slow
def test_each_image_has_its_share_of_errors_at_the_threshold() -> None:
    cases, answers = crowd()
    answers[0] = seen(-answers[0].features.vector)
    cases.append(image("alone", "zoe", slices=["women"]))
    answers.append(seen(np.eye(16)[0]))
    found = table(cases, answers)
    assert found["p00-0", "fnmr"].value == 1.0
    assert found["p00-1", "fnmr"].value == 0.5
    assert found["p05-0", "fnmr"].value == 0.0
    assert found["p05-0", "fnmr"].slices == ["men"]
    assert (found["alone", "fnmr"].applies, found["alone", "fmr"].applies) == (False, True)
    answers[7] = seen(None)
    assert table(cases, answers)["p02-1", "fnmr"].error == FAILED


def test_what_cannot_be_told_says_why() -> None:
    cases, answers = crowd(5, 1)
    found = table(cases, answers)
    assert {line.error for line in found.values()} == {"the suite has no two good images of one person"}
    assert {"eer", "tar_1e-6", "discard", "fnmr", "fmr"} <= {metric for _, metric in found}


@pytest.mark.slow
def test_discarding_what_is_poor_is_worth_more_than_discarding_what_is_good() -> None:
    """Two images with poor vectors: the area is smaller where their quality says so."""
    cases, answers = crowd(12, 4)
    for place in (0, 4):
        answers[place] = seen(-answers[place].features.vector, quality=0.1)
    told = table(cases, answers)["*", "discard"]
    for place in (0, 4):
        answers[place] = seen(answers[place].features.vector, quality=0.99)
    hidden = table(cases, answers)["*", "discard"]
    assert 0 < (told.value or 0) < (hidden.value or 0)
    assert told.resamples is not None
    assert told.resamples.cases == 12
    answers[0] = seen(None)
    lost = table(cases, answers)["*", "discard"]
    assert "'p00-0'" in str(lost.error)
    assert (lost.value or 0) >= (hidden.value or 0), "a face that is not found is not discarded first"


def test_a_slice_has_the_rates_of_its_own_images() -> None:
    cases, answers = crowd(noise=0.9)
    men = [(case, answer) for case, answer in zip(cases, answers, strict=True) if case.slices == ["men"]]
    whole = {line.metric: line for line in people_values(*map(list, zip(*men, strict=True)))}
    part = {line.metric: line for line in people_slice_values(*map(list, zip(*men, strict=True)))}
    assert part.keys() == whole.keys() - {"fnmr", "fmr", "discard"}
    assert part["eer"] == whole["eer"]
    assert part["tar_1e-2"].error == "15 impostor pairs of identities; 10 ÷ FAR = 1,000 are needed"
    one = [line.error for line in people_slice_values(cases[:1], answers[:1])]
    assert set(one) == {"the slice has good images of 1 known people, and error rates need two"}
