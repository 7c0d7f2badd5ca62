"""Arrays that a service makes of a case's bytes, against the released model's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from penstock.bundle.models import Measurement
from penstock.evaluation.preprocessed import (
    NEVER_ASKED,
    NOT_RELEASED,
    NotAnArrayError,
    difference,
    preprocess_drift,
    read_array,
)

ARRAY = np.arange(12, dtype=np.float32).reshape(1, 3, 2, 2)


def saved(path: Path, array: np.ndarray = ARRAY) -> Path:
    np.save(path, array)
    return path.with_suffix(".npy")


def drift(ours: dict[str, Path | None], theirs: dict[str, Path | None]) -> Measurement:
    return preprocess_drift(ours, theirs)


def test_the_largest_difference_and_where_it_is(tmp_path: Path) -> None:
    same, moved = saved(tmp_path / "same"), saved(tmp_path / "moved", ARRAY[:, ::-1])
    assert difference(same, same) == 0.0
    assert drift({"a": same, "b": same}, {"a": same, "b": same}).value == 0.0
    found = drift({"a": same, "b": moved}, {"a": same, "b": same})
    assert (found.value, found.error) == (8.0, "most in the case 'b', of 2")


def test_another_shape_or_type_is_a_reason(tmp_path: Path) -> None:
    released = saved(tmp_path / "released")
    turned = saved(tmp_path / "turned", ARRAY.transpose(0, 2, 3, 1))
    whole = saved(tmp_path / "whole", ARRAY.astype(np.uint8))
    assert difference(turned, released) == (
        "the array is (1, 2, 2, 3) of float32, where it was (1, 3, 2, 2) of float32"
    )
    assert difference(whole, released) == "the array is (1, 3, 2, 2) of uint8, where it was (1, 3, 2, 2) of float32"
    assert difference(saved(tmp_path / "none", ARRAY[:0]), saved(tmp_path / "none", ARRAY[:0])) == 0.0


def test_where_nothing_is_asked_or_compared(tmp_path: Path) -> None:
    same = saved(tmp_path / "same")
    assert drift({"a": None}, {"a": None}).error == NEVER_ASKED
    assert drift({"a": same}, {"a": None}).error == NOT_RELEASED
    assert not drift({"a": same}, {"a": None}).applies
    lost = drift({"a": None, "b": same}, {"a": same, "b": same})
    assert (lost.value, lost.applies, lost.error) == (None, True, "case 'a': there is no array")
    assert drift({}, {"a": same}).error == "case 'a': there is no array"


def test_what_is_no_array(tmp_path: Path) -> None:
    released, bad = saved(tmp_path / "released"), tmp_path / "bad.npy"
    for content, reason in (
        (b'{"a": 1}', "it is no NumPy file"),
        (released.read_bytes()[:-4], "it has the shape"),
        (saved(tmp_path / "o", np.array([{"a": 1}], object)).read_bytes(), "and the type object"),
        (saved(tmp_path / "n", np.array([np.nan])).read_bytes(), "no finite number"),
    ):
        bad.write_bytes(content)
        with pytest.raises(NotAnArrayError, match=reason):
            read_array(bad)
        assert reason in (drift({"a": bad}, {"a": released}).error or "")
