"""The step check: every fault of the contract first, then the repository's own checks."""

from __future__ import annotations

import hashlib

import pytest
from tests.pipeline.pipeline_runs import contract, text
from tests.unit.tasks.step_folders import StepFolders


@pytest.mark.slow
def test_checks_of_the_repository_are_run(folders: StepFolders) -> None:
    folders.write_repository()
    folders.cloned()
    answer = folders.call("check")
    assert (answer.code, answer.results) == (0, {"checks": "1"})
    assert list((folders.bundle.path / "logs").iterdir())
    assert [step.note for step in folders.bundle.run().steps] == ["1 checks"]


@pytest.mark.slow
def test_release_notes_of_model_version_are_recorded(folders: StepFolders) -> None:
    weights = [{"path": "weights/w.dat", "sha256": hashlib.sha256(b"w").hexdigest(), "source": "lfs"}]
    version = f"MODEL_NAME=tiny\nWEIGHT_SHA256={weights[0]['sha256']}\nRELEASE_NOTES=Softer hair\n"
    folders.write_repository(**{"penstock.yaml": text(contract(weights=weights)), "weights/w.dat": b"w"})
    (folders.source / "model_version.txt").write_text(version, encoding="utf-8")
    folders.cloned()
    assert folders.call("check").code == 0
    assert folders.bundle.run().notes == "Softer hair"
    (folders.source / "model_version.txt").write_text(version.replace("tiny", "large"), encoding="utf-8")
    answer = folders.call("check")
    assert answer.code == 2
    assert "model_version.txt:1: MODEL_NAME: 'large' is not the model that the contract names" in answer.error


@pytest.mark.slow
def test_check_that_fails_stops_the_run(folders: StepFolders) -> None:
    folders.write_repository(answer_mp4=None)
    folders.cloned()
    answer = folders.call("check")
    assert answer.code != 0
    assert "smoke" in answer.error
    assert folders.bundle.run().steps == []


def test_contract_with_faults_runs_no_check_and_each_fault_is_a_line(folders: StepFolders) -> None:
    broken = contract(build={"containerfile": "nowhere"}, checks=[{"name": "smoke", "argv": ["./gone"]}])
    folders.write_repository(**{"penstock.yaml": text(broken), "suite/stimme.wav": None})
    folders.cloned()
    answer = folders.call("check")
    assert answer.code == 2
    assert len([line for line in answer.lines if line["event"] == "fault"]) >= 2
    assert "`penstock check` lists them" in answer.error
    assert not list((folders.bundle.path / "logs").iterdir())
