"""One side of a comparison, whole or bare."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.bisect.histories import measurements, write_bundle

from penstock.bundle.directory import Bundle
from penstock.foundation.errors import UsageError
from penstock.report.run_records import read_side


def test_what_a_bundle_says_of_itself(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "b", "c" * 40, measurements("lse_d", {"a": 1.0, "b": 2.0}))
    run = bundle.run()
    steps = [run.steps[0].model_copy(update={"started": "2026-05-01T10:00:00+00:00"}), *run.steps[1:]]
    bundle.update_run(run.model_copy(update={"steps": steps}))
    side = read_side(bundle)
    assert (side.name, side.date, sorted(side.calls)) == ("0", "2026-05-01", ["a", "b"])
    assert [line.value for line in side.measurements] == [1.0, 2.0]


def test_measurements_alone_are_a_side_of_their_own(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path / "bare")
    bundle.path.mkdir()
    with pytest.raises(UsageError):
        read_side(bundle)
    bundle.write_measurements(measurements("lse_d", {"a": 1.0}))
    side = read_side(bundle)
    assert (side.name, side.date, side.calls) == ("bare", "", {})


def test_broken_record_is_refused(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "b", "c" * 40, measurements("lse_d", {"a": 1.0}))
    bundle.invocations_file.write_text("{")
    with pytest.raises(UsageError):
        read_side(bundle)
