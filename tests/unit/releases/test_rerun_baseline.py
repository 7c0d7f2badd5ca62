"""What a candidate is compared with: the stored bundle of the release, or the released model run again beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.store.stored_bundle import accepted_bundle

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Inference, Invocation, Machine, Measurement, ShardRecord
from penstock.contract.policy import Policy, Rule
from penstock.foundation.errors import WorldError
from penstock.releases.baseline import baseline, published
from penstock.releases.release import publish
from penstock.releases.rerun_baseline import baseline_of, plan_rerun
from penstock.store.archive import archive
from penstock.store.local import LocalStore
from penstock.store.store import Store

MODEL = "sonic-lite"
HERE = Machine(system="Linux", processor="A CPU", cores=2, memory_bytes=1 << 30, gpu="NVIDIA H200, 550", python="3")
RULES = [{"metric": "latency", "margin": 0.1}]
STORED, RERUN = (Policy.model_validate({"rules": RULES, "baseline": name}) for name in ("stored", "rerun"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return LocalStore(tmp_path / "store")


def released(
    store: Store, folder: Path, run_id: str = "run-1", version: str = "1.0.0", baseline: str | None = None
) -> Bundle:
    bundle = accepted_bundle(folder / run_id, run_id=run_id, version=version, baseline=baseline)
    archive(bundle, store, model=MODEL, run_id=run_id)
    publish(store, bundle)
    return bundle


def ran_on(bundle: Bundle, machine: Machine, value: float) -> Bundle:
    """A bundle of which the model has run."""
    shard = ShardRecord(shard="1/1", cases=1, started="2024-01-01T00:00:00+00:00", machine=machine)
    inference = Inference(unchanged=False, parts=["1/1"], shards=[shard])
    bundle.update_run(bundle.run().model_copy(update={"inference": inference}))
    bundle.write_invocations([Invocation(case="c", status="ok", latency_s=value)])
    bundle.write_measurements([Measurement(case="c", metric="latency", value=value)])
    return bundle


@pytest.fixture
def candidate(tmp_path: Path) -> Bundle:
    return ran_on(accepted_bundle(tmp_path / "candidate", run_id="run-2", version="1.1.0"), HERE, 1.0)


def test_stored_is_the_bundle_of_the_release(store: Store, candidate: Bundle, tmp_path: Path) -> None:
    assert baseline_of(store, MODEL, STORED, candidate, tmp_path / "baseline") == (None, None)
    first = released(store, tmp_path)
    pointer, bundle = baseline_of(store, MODEL, STORED, candidate, tmp_path / "baseline")
    assert pointer is not None
    assert bundle is not None
    assert (pointer.run_id, bundle.verify()) == ("run-1", first.verify())
    assert not (candidate.path / "baseline").exists()


def test_answers_are_compared_with_those_of_the_current_release(
    store: Store, candidate: Bundle, tmp_path: Path
) -> None:
    """Another release while the run was under way: values that compare with the one before say nothing of it."""
    released(store, tmp_path)
    for compared, there in (("run-1", True), (None, True), ("run-0", False)):
        candidate.update_run(candidate.run().model_copy(update={"compared_with": compared}))
        if there:
            assert baseline_of(store, MODEL, STORED, candidate, tmp_path / "baseline")[0] is not None
            continue
        with pytest.raises(WorldError, match=r"the current release is 'run-1'.*compared with those of 'run-0'"):
            baseline_of(store, MODEL, STORED, candidate, tmp_path / "baseline")


@pytest.mark.parametrize("use_onnx", [None, True, False])
def test_a_released_model_is_told_what_its_release_says(store: Store, tmp_path: Path, use_onnx: bool | None) -> None:
    bundle = accepted_bundle(tmp_path / "run-1", run_id="run-1", version="1.0.0")
    bundle.update_run(bundle.run().model_copy(update={"use_onnx": use_onnx}))
    archive(bundle, store, model=MODEL, run_id="run-1")
    publish(store, bundle)
    pointer = baseline(store, MODEL)
    assert pointer is not None
    assert pointer.release is not None
    assert pointer.release.use_onnx is use_onnx
    record = published(store, MODEL, "1.0.0")
    assert record is not None
    assert record.use_onnx is use_onnx
    assert plan_rerun(store, MODEL, tmp_path / "baseline") is not None
    assert Bundle(tmp_path / "baseline").run().use_onnx is use_onnx


def test_rerun_is_what_ran_beside_the_candidate_and_its_records_are_kept(
    store: Store, candidate: Bundle, tmp_path: Path
) -> None:
    released(store, tmp_path)
    where = tmp_path / "baseline"
    found = plan_rerun(store, MODEL, where)
    assert found is not None
    assert (found.run_id, found.source.version, found.source.tree) == ("run-1", "1.0.0", "a" * 64)
    ran_on(Bundle(where), HERE, 0.5)
    pointer, bundle = baseline_of(store, MODEL, RERUN, candidate, where)
    assert pointer is not None
    assert bundle is not None
    assert [item.value for item in bundle.measurements()] == [0.5]
    kept = Bundle(candidate.path / "baseline")
    assert (kept.run(), kept.invocations()) == (bundle.run(), bundle.invocations())
    assert "baseline/measurements.jsonl" in candidate.seal().files


def test_first_release_has_nothing_to_run_again(store: Store, candidate: Bundle, tmp_path: Path) -> None:
    assert plan_rerun(store, MODEL, tmp_path / "baseline") is None
    assert baseline_of(store, MODEL, RERUN, candidate, tmp_path / "baseline") == (None, None)


def test_stored_measurements_are_never_taken_for_a_rerun(store: Store, candidate: Bundle, tmp_path: Path) -> None:
    """Nothing ran, or something was fetched, or another version was released while the two ran."""
    where = tmp_path / "baseline"
    released(store, tmp_path)
    with pytest.raises(WorldError, match=r"the current release is 'run-1', and beside the candidate ran none"):
        baseline_of(store, MODEL, RERUN, candidate, where)
    baseline_of(store, MODEL, STORED, candidate, where)
    with pytest.raises(WorldError, match="beside the candidate ran none"):
        baseline_of(store, MODEL, RERUN, candidate, where)
    again = tmp_path / "again"
    plan_rerun(store, MODEL, again)
    released(store, tmp_path, "run-3", "1.0.1", "run-1")
    with pytest.raises(WorldError, match="the current release is 'run-3', and beside the candidate ran 'run-1'"):
        baseline_of(store, MODEL, RERUN, candidate, again)


@pytest.mark.parametrize(
    "elsewhere", [{"gpu": "NVIDIA A100, 550"}, {"processor": "Another"}, {"memory_bytes": 2 << 30}], ids=str
)
def test_another_machine_is_no_pair(
    store: Store, candidate: Bundle, tmp_path: Path, elsewhere: dict[str, object]
) -> None:
    released(store, tmp_path)
    where = tmp_path / "baseline"
    plan_rerun(store, MODEL, where)
    ran_on(Bundle(where), HERE.model_copy(update=elsewhere), 0.5)
    with pytest.raises(WorldError, match=r"did not run on the same machine: .*A CPU, 1\.0 GiB, NVIDIA H200"):
        baseline_of(store, MODEL, RERUN, candidate, where)


def test_a_value_that_the_released_model_lacks_is_not_held_against_the_candidate(
    store: Store, candidate: Bundle, tmp_path: Path
) -> None:
    released(store, tmp_path)
    where = tmp_path / "baseline"
    plan_rerun(store, MODEL, where)
    ran_on(Bundle(where), HERE, 0.5)
    nothing = {"case": "c", "value": None, "error": "no face"}
    Bundle(where).write_measurements([Measurement(metric="latency", **nothing), Measurement(metric="lse_d", **nothing)])
    with pytest.raises(WorldError, match="case c: the released model cannot be run again: its answer has no 'latency'"):
        baseline_of(store, MODEL, RERUN, candidate, where)
    candidate.write_measurements([Measurement(metric="latency", **nothing)])
    assert baseline_of(store, MODEL, RERUN, candidate, where)[1] is not None, "neither has it: the gate says so"


def test_a_margin_of_the_floor_wants_its_values_as_well(store: Store, candidate: Bundle, tmp_path: Path) -> None:
    """The policy's own rules do not compare that metric."""
    released(store, tmp_path)
    where = tmp_path / "baseline"
    plan_rerun(store, MODEL, where)
    ran_on(Bundle(where), HERE, 0.5)
    Bundle(where).write_measurements([Measurement(case="c", metric="lse_d", value=None, error="no face")])
    candidate.write_measurements([Measurement(case="c", metric="lse_d", value=8.0)])
    assert baseline_of(store, MODEL, RERUN, candidate, where)[1] is not None
    floor = Rule.model_validate({"metric": "lse_d", "margin": 0.1})
    with pytest.raises(WorldError, match="its answer has no 'lse_d'"):
        baseline_of(store, MODEL, RERUN, candidate, where, rules=[*RERUN.rules, floor])
