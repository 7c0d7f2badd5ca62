"""A release on the cluster: the good one is published by digest, the worse one is stopped and says why."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.e2e.repositories import Repository
from tests.e2e.run import Run
from tests.e2e.session import GOOD, WORSE, Session

from penstock.bundle.directory import Bundle
from penstock.foundation.files import sha256_file
from penstock.releases.attest import UnverifiedError, verify
from penstock.releases.baseline import baseline
from penstock.releases.envelope import public_key

MODEL = "sonic-lite"


@pytest.fixture(scope="module")
def first_bundle(first: Run, bundles: Path) -> Bundle:
    return first.must_be_green().bundle(bundles / "first")


@pytest.fixture(scope="module")
def worse_bundle(worse: Run, bundles: Path) -> Bundle:
    return worse.must_be_red().bundle(bundles / "worse")


def test_a_good_release_is_green_and_every_task_ran(first: Run) -> None:
    first.must_be_green()
    assert first.results["verdict"] == "pass"
    assert first.skipped == {}


def test_what_was_released_is_the_commit_of_the_tag(first: Run, first_bundle: Bundle, sonic_lite: Repository) -> None:
    run = first_bundle.run()
    assert first.results["commit"] == sonic_lite.commits[GOOD]
    assert run.source is not None
    assert (run.source.commit, run.source.version, run.source.url) == (
        sonic_lite.commits[GOOD],
        "1.0.0",
        sonic_lite.url,
    )


def test_the_model_ran_as_the_image_that_was_built_in_the_cluster(first: Run, first_bundle: Bundle) -> None:
    image = first_bundle.run().image
    assert image is not None
    assert image.kind == "image"
    (infer,) = first.task_runs("infer")
    (step,) = infer["status"]["steps"]
    assert step["imageID"].endswith(image.digest)
    assert infer["spec"]["params"]
    assert [call.status for call in first_bundle.invocations()] == ["ok"] * 24


def test_its_image_has_the_version_as_its_tag(session: Session, first_bundle: Bundle) -> None:
    image = first_bundle.run().image
    assert image is not None
    images = session.images(MODEL)
    assert image.url == images.url
    assert images.digest(image.digest) == image.digest
    assert images.digest("1.0.0") == image.digest


def test_its_evidence_in_s3_is_whole(session: Session, first: Run, first_bundle: Bundle) -> None:
    """The bundle was fetched with every file held against the manifest; nothing lies there beside it."""
    manifest = first_bundle.verify()
    prefix = f"runs/{MODEL}/{first.name}"
    assert first.results["evidence"] == f"{session.place.store}/{prefix}"
    stored = {entry.key.removeprefix(f"{prefix}/") for entry in session.cluster.store.list(prefix)}
    assert stored == {*manifest.files, "manifest.json"}
    assert {"run.json", "measurements.jsonl", "verdict.json", "report/index.html"} <= stored


def test_it_was_published(session: Session, first: Run, first_bundle: Bundle) -> None:
    record = session.cluster.store.get_pointer(f"published/{MODEL}/1.0.0.json")
    image = first_bundle.run().image
    assert record is not None
    assert image is not None
    assert record["run_id"] == first.name
    assert record["image"]["digest"] == image.digest
    assert record["manifest_sha256"] == sha256_file(first_bundle.manifest_file)


def test_its_verdict_is_signed(session: Session, first: Run, first_bundle: Bundle, tmp_path: Path) -> None:
    run, public = first_bundle.run(), tmp_path / "penstock.pub"
    public.write_text(session.installed.public_key, encoding="utf-8")
    assert run.image is not None
    weights = {file.path: file.sha256 for file in run.weights}
    store, key = session.cluster.store, public_key(public)
    (proof,) = verify(store, run.image.digest, key, weights=weights, today=datetime.now(UTC).date())
    assert (proof.pair.version, proof.pair.run) == ("1.0.0", first.name)
    with pytest.raises(UnverifiedError, match="is not among the weights"):
        verify(store, run.image.digest, key, weights={"other": "0" * 64}, today=datetime.now(UTC).date())
    # the same envelope lies beside the image, where cosign and admission policies look
    beside = f"docker://{run.image.url}:{run.image.digest.replace(':', '-')}.att"
    argv = ["skopeo", "inspect", "--raw", "--tls-verify=false", beside]
    asked = subprocess.run(argv, capture_output=True, check=True)
    store.get_file(proof.key, tmp_path / "envelope")
    assert f"sha256:{sha256_file(tmp_path / 'envelope')}" in [
        layer["digest"] for layer in json.loads(asked.stdout)["layers"]
    ]


def test_a_worse_release_is_red_only_by_its_verdict(worse: Run, worse_bundle: Bundle) -> None:
    worse.must_be_red()
    assert worse_bundle.verdict().verdict == "fail"
    failed = [
        item["metadata"]["labels"]["tekton.dev/pipelineTask"]
        for item in worse.task_runs()
        if item["status"]["conditions"][0]["status"] == "False"
    ]
    assert failed == ["enforce"]
    assert set(worse.skipped) == {"publish"}


def test_tkn_pr_describe_says_why(worse: Run, worse_bundle: Bundle) -> None:
    (first_failed, *_) = (rule for rule in worse_bundle.verdict().rules if rule.verdict == "fail")
    described = worse.describe()
    assert first_failed.metric == "lse_d"
    assert " ".join(first_failed.reason.split()) in " ".join(described.split())
    assert "LSE-D rose from" in described


def test_the_worse_ones_report_is_in_s3(worse_bundle: Bundle, first: Run) -> None:
    report = (worse_bundle.report / "index.html").read_text(encoding="utf-8")
    assert "LSE-D rose from" in report
    assert worse_bundle.verdict().baseline == first.name


def test_nothing_of_the_worse_one_is_published(session: Session, worse_bundle: Bundle, first_bundle: Bundle) -> None:
    image = worse_bundle.run().image
    assert image is not None
    images = session.images(MODEL)
    assert images.digest(image.digest) == image.digest, "the image was built and pushed, by digest"
    assert images.digest("1.1.0") is None
    published = {entry.key for entry in session.cluster.store.list(f"published/{MODEL}")}
    assert published == {f"published/{MODEL}/1.0.0.json"}
    released = baseline(session.cluster.store, MODEL)
    assert released is not None
    assert released.version == "1.0.0"
    released_image = first_bundle.run().image
    assert released_image is not None
    assert released.image.digest == released_image.digest


def test_an_unchanged_release_skips_inference_and_says_so(again: Run, first: Run, bundles: Path) -> None:
    again.must_be_green()
    assert set(again.skipped) == {"infer"}
    assert again.task_runs("infer") == []
    assert [pod.name for pod in again.pods() if pod.gpus] == []
    assert "unchanged" in again.log("plan")
    run = again.bundle(bundles / "again").run()
    assert run.inference is not None
    assert run.inference.unchanged
    assert {step.name: step.status for step in run.steps}["infer"] == "unchanged"
    # nor is it built a second time
    assert {step.name: step.status for step in run.steps}["build"] == "unchanged"
    assert "image, used again: built from the same files" in next(
        step.note for step in run.steps if step.name == "build"
    )


def test_an_unchanged_release_has_the_measurements_and_the_verdict_of_the_first(
    again: Run, first_bundle: Bundle, bundles: Path
) -> None:
    bundle = again.must_be_green().bundle(bundles / "again-measured")
    assert bundle.measurements() == first_bundle.measurements()
    assert bundle.verdict().verdict == "pass"


def test_an_unchanged_release_is_published_already(session: Session, again: Run, first: Run) -> None:
    again.must_be_green()
    record = session.cluster.store.get_pointer(f"published/{MODEL}/1.0.0.json")
    assert record is not None
    assert record["run_id"] == first.name


def test_the_worse_tag_is_not_the_good_ones_commit(worse_bundle: Bundle, sonic_lite: Repository) -> None:
    run = worse_bundle.run()
    assert run.source is not None
    assert run.source.commit == sonic_lite.commits[WORSE] != sonic_lite.commits[GOOD]


def test_results_stay_small(first: Run, worse: Run) -> None:
    """Tekton carries them in a pod's termination message, 4 KB in all: ours stay under 1 KB."""
    for run in (first, worse):
        for task_run in run.task_runs():
            results = task_run["status"].get("results", [])
            assert sum(len(json.dumps(item)) for item in results) < 1024, task_run["metadata"]["name"]
