"""The released model beside the candidate: its faults are the world's, its evidence is kept, the machine is one."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.bisect.histories import measurements, write_bundle

from penstock.bundle.directory import Bundle
from penstock.bundle.failures import first_failure, remember_failure
from penstock.bundle.machine import this_machine
from penstock.bundle.models import Inference, Machine, Run, ShardRecord
from penstock.bundle.rerun_bundle import (
    EVIDENCE,
    TRACK,
    gather_failures,
    hold_side_by_side,
    is_rerun,
    keep_evidence,
    released_errors,
)
from penstock.bundle.steps import begin
from penstock.foundation.errors import Rejected, UsageError, WorldError


def test_only_a_bundle_of_this_run_is_a_rerun(tmp_path: Path) -> None:
    assert not is_rerun(Bundle(tmp_path / "nothing"))
    for track, wanted in (("release", False), (TRACK, True)):
        bundle = Bundle(tmp_path / track)
        begin(bundle, run_id="a", track=track)
        assert is_rerun(bundle) is wanted


@pytest.mark.parametrize("error", [UsageError("bad contract", where="penstock.yaml:3"), WorldError("it crashed")])
def test_fault_of_the_released_model_is_the_worlds_and_said_once(error: Exception) -> None:
    with pytest.raises(WorldError) as told, released_errors(), released_errors():
        raise error
    assert told.value.exit_code == 4
    assert str(told.value).count("the released model") == 1
    with pytest.raises(type(error)) as own, released_errors(False):
        raise error
    assert own.value is error


def test_verdict_and_bug_pass_through() -> None:
    with pytest.raises(Rejected), released_errors():
        raise Rejected("no")
    with pytest.raises(ZeroDivisionError), released_errors():
        raise ZeroDivisionError


def ran_on(*machines: Machine) -> Run:
    shards = [ShardRecord(shard="1/1", cases=1, started="", machine=machine) for machine in machines]
    return Run(penstock="0", run_id="a", inference=Inference(unchanged=False, parts=["1/1"], shards=shards))


@pytest.mark.parametrize("change", [{"processor": "another"}, {"gpu": "another"}, {"memory_bytes": 1 << 33}])
def test_another_machine_is_no_pair(change: dict[str, object]) -> None:
    here = this_machine()
    hold_side_by_side(ran_on(here), ran_on(here, here))
    with pytest.raises(WorldError):
        hold_side_by_side(ran_on(here), ran_on(here.model_copy(update=change)))
    with pytest.raises(WorldError):
        hold_side_by_side(ran_on(here, here.model_copy(update=change)), ran_on(here))


def test_what_was_measured_is_evidence_of_the_candidates_bundle(tmp_path: Path) -> None:
    lines = measurements("lse_d", {"a": 1.0})
    released = write_bundle(tmp_path / "released", "c" * 40, lines)
    ours = write_bundle(tmp_path / "ours", "d" * 40, lines)
    begin(ours, run_id="a-run", track="release")
    begin(released, run_id="a-run", track="release")
    keep_evidence(ours, released)
    ours.seal()
    assert {f"{EVIDENCE}/{name}" for name in ("run.json", "measurements.jsonl", "invocations.jsonl")} <= set(
        ours.verify().files
    )
    remember_failure(released, "infer", "it crashed")
    gather_failures(ours, released)
    failure = first_failure(ours)
    assert failure is not None
    assert failure.error == "it crashed"
