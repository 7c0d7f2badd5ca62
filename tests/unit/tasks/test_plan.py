"""The step plan: what infer is to do, and in which image."""

from __future__ import annotations

import json

import pytest
from tests.pipeline.pipeline_runs import contract, text
from tests.unit.tasks.step_folders import StepFolders

from penstock.bundle.models import Image, SuiteOrigin
from penstock.contract.placed_suite import RECORD
from penstock.contract.suite_sources import FOLDER
from penstock.foundation.files import write_json
from penstock.suites.suite_files import digest_of, listed


@pytest.fixture
def built(folders: StepFolders) -> StepFolders:
    folders.write_repository()
    folders.cloned()
    return folders


@pytest.mark.slow
def test_each_case_belongs_to_one_shard(built: StepFolders) -> None:
    answer = built.call("plan", "--shards=2")
    assert answer.code == 0
    assert json.loads(answer.results["shards"]) == ["1/2", "2/2"]
    assert (answer.results["unchanged"], answer.results["beside"]) == ("false", "")
    # never empty: Tekton skips a task over an empty array, and everything after it
    assert json.loads(answer.results["second"]) == ["1/2"]
    assert (built.cache / "runtime" / answer.results["runtime"] / "bin" / "penstock-infer").is_file()
    inference = built.bundle.run().inference
    assert inference is not None
    assert inference.parts == ["1/2", "2/2"]


@pytest.mark.slow
@pytest.mark.parametrize(("page", "said"), [(None, ""), ({}, "plain"), ({"card": True}, "card")])
def test_says_whether_the_page_is_tried_and_with_a_card(
    built: StepFolders, page: dict[str, object] | None, said: str
) -> None:
    http = {"argv": ["python", "model.py"], "path": "/x", "response": "video/mp4"}
    given = {"page": {"result": {"selector": "#out"}} | page} if page is not None else {}
    built.write_repository(penstock_yaml=text(contract(call={"http": http}, **given)))
    assert built.call("plan").results["page"] == said


@pytest.mark.slow
def test_image_of_the_model_by_digest_or_the_one_for_models_without(built: StepFolders) -> None:
    assert built.call("plan", "--process-image=penstock/infer:1").results["image"] == "penstock/infer:1"
    image = Image(kind="image", url="registry:5000/tiny", digest="sha256:" + "b" * 64)
    built.cloned(image=image)
    assert built.call("plan").results["image"] == f"{image.url}@{image.digest}"


@pytest.mark.slow
def test_outputs_of_an_earlier_run_are_taken_unless_told_not_to(built: StepFolders) -> None:
    built.call("plan")
    built.shard("ok", "ok")
    assert built.call("collect").code == 0
    assert built.call("plan").results["unchanged"] == "true"
    assert built.call("plan", "--reuse=false").results["unchanged"] == "false"


@pytest.mark.slow
def test_input_that_is_missing_is_found_before_the_model_runs(built: StepFolders) -> None:
    (built.source / "suite" / "stimme.wav").unlink()
    answer = built.call("plan")
    assert answer.code == 2
    assert "stimme.wav" in answer.error


def test_what_was_not_built_is_not_planned(folders: StepFolders) -> None:
    folders.write_repository()
    folders.cloned(built=False)
    assert folders.call("plan").code == 2


def test_level_of_isolation_that_is_not_here_is_refused(built: StepFolders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.evaluation.plan.best_level", lambda **_: "none")
    policy = contract()["policy"] | {"isolation": "namespaces"}
    (built.source / "strict.yaml").write_text(text(policy), encoding="utf-8")
    assert built.call("plan", "--policy=strict.yaml").code == 2


def test_a_suite_from_elsewhere_that_a_check_has_changed_is_refused(built: StepFolders) -> None:
    address = f"oci://registry.example.org/suites/a@sha256:{'5' * 64}"
    assert built.call("plan").code == 0
    as_of_the_repository = built.bundle.run().suite
    contract = built.source / "penstock.yaml"
    contract.write_text(contract.read_text().replace("suite: suite", f"suite: {address}"))
    (built.source / FOLDER).parent.mkdir()
    (built.source / "suite").rename(built.source / FOLDER)
    write_json(built.source / RECORD, {"address": address})
    origin = SuiteOrigin(address=address, files=digest_of(listed(built.source / FOLDER)))
    built.begin_again()
    built.cloned(suite_from=origin)
    assert built.call("plan").code == 0
    assert built.bundle.run().suite == as_of_the_repository, "where it is from is no part of its digest"
    (built.source / FOLDER / "more.png").write_bytes(b"x")
    answer = built.call("plan")
    assert answer.code == 2
    assert "the suite's files are not those that were brought" in answer.error
