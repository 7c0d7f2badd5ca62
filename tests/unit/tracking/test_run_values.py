"""What MLflow is told of a run: within its limits, the same every time, nothing lost by a name."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.store.stored_bundle import accepted_bundle

from penstock.bundle.models import Measurement, StepRecord
from penstock.foundation.errors import UsageError
from penstock.tracking.run_values import MAX_VALUE, _key, tracked_run


def test_values(tmp_path: Path) -> None:
    bundle = accepted_bundle(tmp_path, url="https://me:hunter2@git.example.org/a?token=hunter2")
    bundle.write_measurements(
        [
            Measurement(case="a", metric="lse_d", value=7.0),
            Measurement(case="b", metric="lse_d", value=8.0),
            Measurement(case="c", metric="lse_d", value=None, error="no face"),
            Measurement(case="*", metric="fid", value=3.5),
        ]
    )
    steps = [StepRecord(name="infer", status="done", started="2026-01-01T00:00:00+00:00", seconds=2.5)]
    parameters = {"steps": 25, "size": [1, 2], "prompt": "x" * 900}
    bundle.update_run(bundle.run().model_copy(update={"parameters": parameters, "steps": steps}))
    run = tracked_run(bundle, "s3://releases/runs/sonic-lite/run-1")
    assert run.metrics == {"case/lse_d/a": 7.0, "case/lse_d/b": 8.0, "lse_d": 7.5, "fid": 3.5}
    assert run.params["parameter.size"] == "[1, 2]"
    assert len(run.params["parameter.prompt"]) == MAX_VALUE
    assert run.ended_ms - run.started_ms == 2500
    assert "hunter2" not in str(run)
    assert tracked_run(bundle, "s3://releases/runs/sonic-lite/run-1").digest == run.digest
    assert tracked_run(bundle, "s3://elsewhere").digest != run.digest


@pytest.mark.parametrize("started", ["yesterday", "0001-01-01T00:00:00"])
def test_a_step_without_a_time(tmp_path: Path, started: str) -> None:
    bundle = accepted_bundle(tmp_path)
    steps = [StepRecord(name="infer", status="done", started=started, seconds=2.5)]
    bundle.update_run(bundle.run().model_copy(update={"steps": steps}))
    with pytest.raises(UsageError, match="has no valid time in 'started'"):
        tracked_run(bundle)


def test_a_run_that_came_nowhere_is_a_run(tmp_path: Path) -> None:
    bundle = accepted_bundle(tmp_path)
    bundle.verdict_file.unlink()
    bundle.measurements_file.unlink()
    run = tracked_run(bundle)
    assert (run.metrics, run.started_ms) == ({}, 0)
    assert not {"penstock.verdict", "penstock.evidence"} & set(run.tags)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(
    names=st.lists(
        st.one_of(st.text(max_size=20), st.text("a./ _-", max_size=8), st.text(min_size=190, max_size=260)), max_size=6
    )
)
def test_keys(names: list[str]) -> None:
    keys = {_key(name) for name in names}
    assert len(keys) == len(set(names)), "no two become one"
    for key in keys:
        assert re.fullmatch(r"[A-Za-z0-9_./ -]{1,250}", key)
        assert posixpath.normpath(key) == key
        assert not key.startswith(("/", ".", " "))
