"""Answers that are there already become a bundle's outputs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.unit.evaluation.photo_folders import photo_folders
from tests.unit.evaluation.test_photo_suite import made

from penstock.bundle.directory import Bundle
from penstock.bundle.steps import begin
from penstock.evaluation.given_answers import take_answers
from penstock.foundation.errors import UsageError


@pytest.mark.slow
def test_they_are_copied_with_a_record_each_and_no_time(tmp_path: Path) -> None:
    suite, bundle = made(photo_folders(tmp_path)), Bundle(tmp_path / "bundle")
    begin(bundle, run_id="new", track="evaluation")
    calls = take_answers(suite, "answer", bundle)
    assert bundle.invocations() == calls
    assert [(call.case, call.status, call.latency_s) for call in calls] == [
        (name, "ok", None) for name in ("anna", "bob", "cleo")
    ]
    copy, kept = bundle.path / "outputs/bob/output.png", tmp_path / "new" / "bob.png"
    assert copy.read_bytes() == kept.read_bytes()
    assert not copy.samefile(kept)  # what its owner changes later is not evidence
    assert bundle.run().steps[-1].note == "3 answers that were there already"


@pytest.mark.slow
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    suite, bundle = made(photo_folders(tmp_path)), Bundle(tmp_path / "bundle")
    begin(bundle, run_id="new", track="evaluation")
    (tmp_path / "new" / "bob.png").unlink()
    os.mkfifo(tmp_path / "new" / "bob.png")
    with pytest.raises(UsageError, match="not a regular file"):
        take_answers(suite, "answer", bundle)
