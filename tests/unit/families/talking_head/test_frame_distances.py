"""FID and KID over all frames of a suite: in any order of the cases, and none where a case failed."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.families.talking_head.frame_distances import frame_distances
from penstock.metrics.frechet import frechet_distance, kernel_distance

RNG = np.random.default_rng(3)
REFERENCE = RNG.normal(size=(30, 4)).astype(np.float32)
CLIPS = {name: RNG.normal(0.3, 1.1, size=(12, 4)).astype(np.float32) for name in "abc"}


def lines(names: str) -> dict[str, object]:
    found = frame_distances(list(names), [CLIPS.get(name) for name in names], REFERENCE, "x@sha256:1")
    return {line.metric: line for line in found}


def test_values_are_those_of_all_frames_whatever_the_order() -> None:
    found = lines("abc")
    frames = np.concatenate([CLIPS[name] for name in "abc"])
    assert found["fid"].value == pytest.approx(frechet_distance(frames, REFERENCE), rel=1e-9)
    assert found["kid"].value == pytest.approx(kernel_distance(frames, REFERENCE), rel=1e-9)
    assert found == lines("cab")
    assert {line.extractor for line in found.values()} == {"x@sha256:1"}
    assert {line.resamples.cases for line in found.values()} == {3}


def test_case_that_failed_leaves_no_value_of_the_suite() -> None:
    for line in lines("abX").values():
        assert line.value is None
        assert "1 of 3" in line.error


def test_one_case_has_a_value_and_no_resamples() -> None:
    assert all(line.value is not None and line.resamples is None for line in lines("a").values())
