"""``history.json``: a mean is a number or missing, and older files stay readable."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from penstock.bundle.directory import read_model, write_model
from penstock.bundle.metric_history import HISTORY_FILE, History, PastRelease, PastValue


def test_what_was_written_is_read(tmp_path: Path) -> None:
    value = PastValue(mean=7.5, n=8, extractor="syncnet@sha256:1", slices={"fast": None})
    wanted = History(
        model="sonic", releases=[PastRelease(run_id="a", metrics={"lse_d": value}), PastRelease(run_id="b")]
    )
    write_model(tmp_path / HISTORY_FILE, wanted)
    assert read_model(tmp_path / HISTORY_FILE, History) == wanted


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_no_line_is_drawn_through_what_is_no_number(text: str) -> None:
    with pytest.raises(ValidationError):
        PastValue.model_validate_json(f'{{"mean": {text}, "n": 1}}')
    with pytest.raises(ValidationError):
        PastValue.model_validate_json(f'{{"mean": 1, "n": 1, "slices": {{"fast": {text}}}}}')


def test_fields_of_a_newer_version_are_no_error() -> None:
    assert History.model_validate_json('{"model": "sonic", "releases": [{"run_id": "a", "colour": 1}]}').releases
