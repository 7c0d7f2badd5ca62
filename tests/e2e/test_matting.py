"""Background removal on the cluster: better weights are published without a build, two faults are stopped."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.e2e.install import STORE_SECRET
from tests.e2e.run import Run
from tests.e2e.run_task import run_task
from tests.e2e.session import Session

from penstock.bundle.directory import Bundle
from penstock.bundle.export_record import export_record
from penstock.bundle.page_record import page_record
from penstock.releases.baseline import baseline
from penstock.releases.history import history

MODEL = "rmbg-lite"
FIRST, BETTER, STAIRCASE, DEAD_BUTTON = "v1.0.0", "v1.1.0", "v1.0.4-staircase", "v1.0.11-dead-button"


@pytest.fixture(scope="module")
def found(cutouts: dict[str, Run], bundles: Path) -> dict[str, Bundle]:
    """Release → its evidence in S3."""
    return {tag: run.bundle(bundles / f"cutouts-{tag}") for tag, run in cutouts.items()}


def fallen(bundle: Bundle) -> list[tuple[str, str]]:
    """Metric and verdict of the blocking rules that do not hold."""
    rules = bundle.verdict().rules
    return [(rule.metric, rule.verdict) for rule in rules if rule.verdict != "pass" and rule.severity == "block"]


def test_the_first_is_published_and_its_page_was_tried(cutouts: dict[str, Run], found: dict[str, Bundle]) -> None:
    cutouts[FIRST].must_be_green()
    record = page_record(found[FIRST])
    assert record is not None
    assert record.fault is None
    assert record.difference == 0, "what the page shows is what the interface answers"
    assert "Chrom" in record.browser
    assert "Landlock" in record.confined
    assert "page/screenshot.png" in found[FIRST].verify().files


def test_its_exported_file_answers_as_the_trained_weights_do(cutouts: dict[str, Run], found: dict[str, Bundle]) -> None:
    record = export_record(found[FIRST])
    assert record is not None
    assert (record.use_onnx, record.fault) == (True, None)
    assert found[FIRST].run().use_onnx is True
    assert "export/exporter.log" in found[FIRST].verify().files
    (pod,) = cutouts[FIRST].pods("export")
    steps = [item.name for item in pod.containers if not item.init]
    assert steps == ["step-backends", "step-export"]


def test_no_card_is_held_for_the_page(cutouts: dict[str, Run]) -> None:
    assert {pod.task for pod in cutouts[FIRST].pods() if pod.gpus} == {"export", "infer"}
    (visit,) = cutouts[FIRST].pods("browse")
    assert [item.name for item in visit.containers if item.name.startswith("sidecar-")], "the service is beside it"


def test_better_weights_are_published_with_the_image_that_is_there(
    session: Session, cutouts: dict[str, Run], found: dict[str, Bundle]
) -> None:
    cutouts[BETTER].must_be_green()
    before, after = found[FIRST].run(), found[BETTER].run()
    assert before.image is not None
    assert after.image is not None
    assert after.image.digest == before.image.digest
    assert {step.name: step.status for step in after.steps}["build"] == "unchanged"
    released = baseline(session.cluster.store, MODEL)
    assert released is not None
    assert released.version == "1.1.0"
    assert released.weights == after.weights
    assert released.weights != before.weights
    (hair,) = (rule for rule in found[BETTER].verdict().rules if (rule.metric, rule.slice) == ("mae", "hair"))
    assert hair.candidate is not None
    assert hair.baseline is not None
    assert hair.candidate < hair.baseline


def test_an_edge_in_steps_is_stopped(cutouts: dict[str, Run], found: dict[str, Bundle]) -> None:
    cutouts[STAIRCASE].must_be_red()
    assert ("boundary_iou", "fail") in fallen(found[STAIRCASE])
    assert ("page", "pass") in {(rule.metric, rule.verdict) for rule in found[STAIRCASE].verdict().rules}
    assert set(cutouts[STAIRCASE].skipped) == {"publish"}


def test_a_page_that_does_not_work_is_stopped_by_that_alone(cutouts: dict[str, Run], found: dict[str, Bundle]) -> None:
    cutouts[DEAD_BUTTON].must_be_red()
    assert fallen(found[DEAD_BUTTON]) == [("page", "fail")]
    assert set(cutouts[DEAD_BUTTON].skipped) == {"publish"}


def test_why_the_page_failed_is_in_the_evidence(found: dict[str, Bundle]) -> None:
    record = page_record(found[DEAD_BUTTON])
    assert record is not None
    assert record.fault is not None
    assert {"page/screenshot.png", "page/trace.zip"} <= set(found[DEAD_BUTTON].verify().files)


def test_a_rollback_by_the_task_is_done_once_and_on_record(session: Session, cutouts: dict[str, Run]) -> None:
    cutouts[BETTER].must_be_green()
    asked = {"act": "rollback", "model": MODEL, "by": "ann", "reason": "hair tips turn white"}
    asked["store"] = session.place.store
    workspaces = {"store-credentials": f"secret={STORE_SECRET}"}
    back = {"current": "1.0.0", "changed": "true", "told": "0", "state": ""}
    assert run_task(session.cluster, "move", asked, workspaces) == back
    assert run_task(session.cluster, "move", asked, workspaces) == back | {"changed": "false"}
    last = history(session.cluster.store, MODEL).moves[-1]
    assert (last.kind, last.version, last.before, last.by) == ("rolled back", "1.0.0", "1.1.0", "ann")
    forward = asked | {"act": "promote", "version": "1.1.0", "reason": "it was the page"}
    assert run_task(session.cluster, "move", forward, workspaces) == back | {"current": "1.1.0"}
