"""The step gate: a verdict over what was measured, against the current release; a rejection is a result."""

from __future__ import annotations

import pytest
from tests.pipeline.pipeline_runs import text
from tests.unit.ratings.made_ratings import prefers, rated
from tests.unit.tasks.step_folders import StepFolders

from penstock.bundle.directory import read_model
from penstock.bundle.models import Measurement
from penstock.contract.floor import FLOOR_FILE
from penstock.foundation.files import sha256_file
from penstock.ratings.kept import open_plan
from penstock.ratings.records import RATINGS_FILE, CountedRatings, RatedPair
from penstock.store.archive import archive
from penstock.store.open import open_store


@pytest.fixture
def ready(folders: StepFolders) -> StepFolders:
    folders.write_repository()
    folders.cloned()
    folders.measured()
    return folders


def test_first_release_is_judged_by_the_bounds_alone(ready: StepFolders) -> None:
    answer = ready.call("gate", f"--store={ready.store}")
    assert answer.code == 0
    assert (answer.results["verdict"], answer.results["baseline"]) == ("pass", "")
    assert ready.bundle.verdict().baseline is None


def test_drop_below_the_current_release_is_a_fail_and_the_step_succeeds(ready: StepFolders) -> None:
    ready.release(sharpness=9.0)
    ready.measured(sharpness=5.0)
    answer = ready.call("gate", f"--store={ready.store}")
    assert answer.code == 0
    assert (answer.results["verdict"], answer.results["baseline"]) == ("fail", "run-1")
    assert "sharpness" in answer.results["reason"].lower()
    verdict = ready.bundle.verdict()
    assert {rule.metric for rule in verdict.rules if rule.verdict == "fail"} == {"sharpness"}
    assert (verdict.baseline, verdict.candidate) == ("run-1", "run-2")
    assert ready.baseline.run().run_id == "run-1"


def test_bound_of_the_policy_that_is_given_counts(ready: StepFolders) -> None:
    stricter = {"rules": [{"metric": "latency", "max": 0.1}]}
    (ready.source / "stricter.yaml").write_text(text(stricter), encoding="utf-8")
    assert ready.call("gate", f"--store={ready.store}", "--policy=stricter.yaml").results["verdict"] == "fail"
    assert ready.call("gate", f"--store={ready.store}", "--policy=../bundle/run.json").code == 2


def test_value_that_is_missing_is_no_pass(ready: StepFolders) -> None:
    lines = ready.bundle.measurements()
    lost = [line.model_copy(update={"value": None, "error": "no face"}) for line in lines if line.case == "two"]
    ready.bundle.write_measurements([line for line in lines if line.case == "one"] + lost)
    assert ready.call("gate", f"--store={ready.store}").results["verdict"] == "fail"


def test_line_that_is_missing_is_no_pass(ready: StepFolders) -> None:
    """The cases are those that were called: what was never measured is missing, not left out."""
    ready.bundle.write_measurements(line for line in ready.bundle.measurements() if line.case == "one")
    assert ready.call("gate", f"--store={ready.store}").results["verdict"] == "fail"


def test_platforms_floor_counts_and_is_kept_with_the_evidence(ready: StepFolders) -> None:
    floor = ready.folder / "floor"
    floor.mkdir()
    (floor / FLOOR_FILE).write_text(text({"rules": [{"metric": "latency", "max": 0.1}]}), encoding="utf-8")
    answer = ready.call("gate", f"--store={ready.store}", f"--policy-floor={floor}")
    assert answer.results["verdict"] == "fail"
    record = ready.bundle.verdict().floor
    assert record is not None
    assert record.sha256 == sha256_file(ready.bundle.path / FLOOR_FILE)
    assert ready.call("gate", f"--store={ready.store}").results["verdict"] == "pass"
    assert not (ready.bundle.path / FLOOR_FILE).exists()


def test_other_network_than_the_releases_is_not_compared(ready: StepFolders) -> None:
    ready.release()
    ready.bundle.write_measurements(
        Measurement(case=line.case, metric=line.metric, value=line.value, extractor=f"other@sha256:{'d' * 64}")
        for line in ready.bundle.measurements()
    )
    answer = ready.call("gate", f"--store={ready.store}")
    assert answer.code != 0 or answer.results["verdict"] != "pass"


def test_values_that_were_measured_again_are_compared_with_and_named(ready: StepFolders) -> None:
    """The release is stored in bf16, this run computed in f32."""
    f32 = f"s@sha256:{'0' * 64}"
    bf16 = {"lipsync": f"{f32}+bf16-openvino"}
    ready.release(extractors=bf16)
    ready.bundle.update_run(ready.bundle.run().model_copy(update={"extractors": {"lipsync": f32}}))
    assert ready.call("weights", f"--store={ready.store}", "--outputs=true").code == 0
    released = ready.baseline.run().model_copy(update={"extractors": {"lipsync": f32}})
    ready.baseline.update_run(released)
    ready.measured(bundle=ready.baseline)
    assert ready.call("gate", f"--store={ready.store}").results["verdict"] == "pass"
    verdict = ready.bundle.verdict()
    assert verdict.baseline == "run-1"
    assert verdict.measured_again is not None
    assert (verdict.measured_again.stored, verdict.measured_again.measured) == (bf16, {"lipsync": f32})


def test_the_same_network_in_another_arithmetic_is_refused_where_nothing_was_measured_again(ready: StepFolders) -> None:
    ready.release(extractors={"lipsync": f"s@sha256:{'0' * 64}+bf16-openvino"})
    ready.bundle.update_run(ready.bundle.run().model_copy(update={"extractors": {"lipsync": f"s@sha256:{'0' * 64}"}}))
    answer = ready.call("gate", f"--store={ready.store}")
    assert answer.code == 2
    assert "extractor 'lipsync'" in answer.error


def watched(ready: StepFolders, sharpness: float) -> StepFolders:
    """A run of the release, up to its measurements."""
    ready.release(sharpness=9.0)
    ready.bundle.run_file.unlink()
    assert ready.call("weights", f"--store={ready.store}", "--watch=tiny", "--run-id=drift-1").code == 0
    ready.cloned(version="1.0.0")
    ready.measured(sharpness)
    return ready


def test_a_release_that_is_run_again_is_compared_and_not_judged(ready: StepFolders) -> None:
    answer = watched(ready, 9.0).call("gate", f"--store={ready.store}")
    assert answer.code == 0, answer.error
    assert (answer.results["verdict"], answer.results["baseline"]) == ("same", "run-1")
    assert answer.results["reason"] == "tiny 1.0.0: nothing moved"
    assert not ready.bundle.verdict_file.exists()
    assert (ready.store / "drift" / "tiny" / "drift-1" / "drift.json").is_file()
    told = ready.call("notify", "--status=Completed")
    assert told.results == told.results | {"sent": "0", "summary": "tiny 1.0.0: nothing moved"}


def test_a_release_whose_record_is_gone_cannot_be_compared_with(ready: StepFolders) -> None:
    watched(ready, 9.0)
    ready.baseline.verdict_file.unlink()
    assert ready.call("gate", f"--store={ready.store}").code == 2


RATED = {"rules": [{"metric": "sharpness", "margin": "10%"}, {"metric": "preference", "min": 0.35, "ratings": 20}]}


def test_a_release_waits_for_ratings_and_a_new_run_over_its_outputs_counts_them(ready: StepFolders) -> None:
    (ready.source / "rated.yaml").write_text(text(RATED), encoding="utf-8")
    ready.release()
    store = open_store(ready.store)
    ask = ("gate", f"--store={ready.store}", "--policy=rated.yaml")
    waits = ready.call(*ask)
    assert (waits.results["verdict"], waits.results["reason"]) == ("inconclusive", "inconclusive: 0 of 20 ratings")
    archive(ready.bundle, store, model="tiny", run_id="run-2")
    pair = RatedPair(case="one", kind="image", candidate="x.png", released="x.png", released_run="run-1")
    cases = [pair.model_copy(update={"case": case}) for case in ("one", "two")]
    plan = open_plan(store, "tiny", "run-2", "run-1", cases)
    for number in range(10):
        rated(store, plan, f"rater-{number}", prefers(True))

    ready.begin_again()
    ready.cloned(regated_from="run-2")
    ready.measured()
    assert ready.call(*ask).results["verdict"] == "pass"
    assert ready.call(*ask).results["verdict"] == "pass"  # the step may run again
    (line,) = [line for line in ready.bundle.measurements() if line.metric == "preference"]
    assert (line.value, line.ratings.counted if line.ratings else 0) == (1.0, 20)
    counted = read_model(ready.bundle.path / RATINGS_FILE, CountedRatings)
    assert (counted.rated_run, len(counted.raters), counted.broken) == ("run-2", 10, [])


def test_a_first_release_waits_for_nobody(ready: StepFolders) -> None:
    (ready.source / "rated.yaml").write_text(text(RATED), encoding="utf-8")
    assert ready.call("gate", f"--store={ready.store}", "--policy=rated.yaml").results["verdict"] == "pass"
    assert not (ready.bundle.path / RATINGS_FILE).exists()


def test_a_slice_has_ratings_of_its_own(ready: StepFolders) -> None:
    of_slice = {"metric": "preference", "slice": "smoke", "min": 0.35, "ratings": 10}
    (ready.source / "rated.yaml").write_text(text({"rules": [*RATED["rules"], of_slice]}), encoding="utf-8")
    ready.release(sharpness=9.0)
    ready.measured(sharpness=9.0)
    lines = ready.bundle.measurements()
    ready.bundle.write_measurements(
        line.model_copy(update={"slices": ["smoke"] if line.case == "one" else []}) for line in lines
    )
    store = open_store(str(ready.store))
    pairs = [
        RatedPair(case=case, kind="video", candidate="c.mp4", released="r.mp4", released_run="run-1")
        for case in ("one", "two")
    ]
    plan = open_plan(store, "tiny", "run-2", "run-1", pairs)
    for number in range(10):
        rated(store, plan, f"rater-{number}", lambda turn: prefers(turn.pair.case == "two")(turn))
    assert ready.call("gate", f"--store={ready.store}", "--policy=rated.yaml").results["verdict"] == "inconclusive"
    shares = {line.slice: line.value for line in ready.bundle.measurements() if line.metric == "preference"}
    assert shares == {None: 0.5, "smoke": 0.0}
    assert read_model(ready.bundle.path / RATINGS_FILE, CountedRatings).slices == {"one": ["smoke"]}
    (rule,) = [rule for rule in ready.bundle.verdict().rules if rule.slice == "smoke"]
    assert (rule.verdict, rule.n) == ("inconclusive", 10)  # all ratings are of one case
