"""``baseline: rerun`` on the cluster: the released image beside the candidate's, in turns, on one node and one card."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from tests.e2e.gpu import holding, overlaps
from tests.e2e.repositories import RERUN_POLICY, Repository
from tests.e2e.run import Run
from tests.e2e.session import WORSE, Session

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Image
from penstock.cli.run_display import (
    ONLY_AGAIN,
    ONLY_SOMETIMES,
    ONLY_WITH_EXPORT,
    ONLY_WITH_INTERFACE,
    ONLY_WITH_LOAD,
    ONLY_WITH_PAGE,
)

BLOCKS = ("infer", "infer-released", "infer-released-again", "infer-again")


@pytest.fixture(scope="module")
def beside(session: Session, sonic_lite: Repository, first: Run) -> Run:
    """The worse release, judged beside the released one; ended."""
    first.must_be_green()
    return session.release(sonic_lite, WORSE, policy=RERUN_POLICY).wait().must_be_red()


@pytest.fixture(scope="module")
def bundle(beside: Run, bundles: Path) -> Bundle:
    return beside.bundle(bundles / "beside")


def image_of(bundle: Bundle) -> Image:
    image = bundle.run().image
    assert image is not None
    assert image.kind == "image"
    return image


def test_the_worse_release_is_caught_by_a_fresh_pair(beside: Run, bundle: Bundle, first: Run) -> None:
    verdict = bundle.verdict()
    assert (verdict.verdict, verdict.comparison, verdict.baseline) == ("fail", "rerun", first.name)
    failed = [rule.metric for rule in verdict.rules if rule.verdict == "fail"]
    assert "lse_d" in failed
    without = (*ONLY_AGAIN, *ONLY_WITH_PAGE, *ONLY_WITH_EXPORT, *ONLY_WITH_INTERFACE, *ONLY_WITH_LOAD)
    assert set(beside.all_skipped) == {"infer-turns", "publish", *without}


def test_the_released_image_ran_by_its_digest(beside: Run, bundle: Bundle, first: Run, bundles: Path) -> None:
    released = image_of(first.bundle(bundles / "beside-first"))
    for task, image in zip(BLOCKS, (image_of(bundle), released, released, image_of(bundle)), strict=True):
        (run,) = beside.task_runs(task)
        (step,) = run["status"]["steps"]
        assert step["imageID"].endswith(image.digest), task
    assert image_of(bundle).digest != released.digest


def test_the_blocks_alternate_on_the_one_card_and_never_meet(session: Session, beside: Run) -> None:
    pods = [pod for task in BLOCKS for pod in beside.pods(task)]
    assert [pod.gpus for pod in pods] == [1, 1, 1, 1]
    for earlier, later in itertools.pairwise(pods):
        assert earlier.finished is not None
        assert later.started is not None
        assert earlier.finished <= later.started
    assert overlaps([holding(session.cluster.api, pod) for pod in pods]) == []
    assert {pod.task for pod in beside.pods() if pod.gpus} == set(BLOCKS)


def test_the_pairs_are_in_the_evidence(bundle: Bundle, first: Run) -> None:
    kept = Bundle(bundle.path / "baseline")
    run, released = bundle.run(), kept.run()
    assert (released.run_id, released.track) == (first.name, "rerun")
    assert (released.suite, released.parameters) == (run.suite, run.parameters)
    ours, theirs = bundle.invocations(), kept.invocations()
    assert [call.case for call in ours] == [call.case for call in theirs]
    calls = sorted((call.started or "", side) for side, found in (("C", ours), ("R", theirs)) for call in found)
    half = len(ours) // 2
    assert "".join(side for _, side in calls) == half * "C" + len(theirs) * "R" + half * "C"
    machines = [shard.machine for one in (run, released) if one.inference for shard in one.inference.shards]
    assert len(machines) == len(BLOCKS)
    assert len({(m.processor, m.memory_bytes, m.gpu, m.system) for m in machines if m is not None}) == 1


def test_the_model_still_sees_no_cache_and_no_secret(beside: Run) -> None:
    for pod in (pod for task in BLOCKS for pod in beside.pods(task)):
        assert not [volume for volume in pod.volumes if "secret" in volume], pod.name


def test_results_stay_small(beside: Run) -> None:
    for task_run in beside.task_runs():
        results = task_run["status"].get("results", [])
        assert sum(len(json.dumps(item)) for item in results) < 1024, task_run["metadata"]["name"]


def test_a_run_with_stored_measurements_has_none_of_it(first: Run) -> None:
    assert set(first.all_skipped) == set(ONLY_SOMETIMES)
    assert not {pod.task for pod in first.pods()} & set(ONLY_SOMETIMES)
