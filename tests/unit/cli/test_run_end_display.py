"""What the end of a run says, to people and to programs."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from tests.unit.cli.made_runs import RULE, made_run

from penstock.bundle.failures import remember_failure
from penstock.bundle.verdict_record import Verdict
from penstock.cli.run_end_display import sentence, show, show_end
from penstock.foundation.errors import ExitCode
from penstock.local_run.requested_run import FinishedRun
from penstock.local_run.run_end import run_end
from penstock.tekton.run_json import PipelineRunResult, TaskRunRecord


def ended(*records: tuple[str, str], status: str = "True") -> PipelineRunResult:
    runs = [TaskRunRecord(name=name, pipeline_task=name, status=state) for name, state in records]  # type: ignore[arg-type]
    return PipelineRunResult("r", "release", status, "Failed", "Tasks Completed: 3", task_runs=runs)  # type: ignore[arg-type]


ACCEPTED = ended(("gate", "True"), ("publish", "True"))
REJECTED = ended(("gate", "True"), ("enforce", "False"), status="False")
BROKEN = ended(("clone", "True"), ("weights", "False"), status="False")


def said(result: PipelineRunResult, folder: Path, code: ExitCode) -> str:
    return sentence(result, folder, code, run_end(result, folder, code))


def test_the_end_of_an_accepted_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = made_run(tmp_path / "runs", "r", "1.0.0").path.parent
    assert said(ACCEPTED, folder, ExitCode.OK) == (
        "sonic 1.0.0: accepted. Published as 1.0.0. Report: runs/runs/r/bundle/report/index.html"
    )


def test_the_end_of_a_rejected_release_says_the_first_reason(tmp_path: Path) -> None:
    folder = made_run(tmp_path / "runs", "r", "1.1.0", verdict="fail").path.parent
    told = said(REJECTED, folder, ExitCode.REJECTED)
    assert told.startswith("sonic 1.1.0: rejected. Not published: sharpness fell from 9 to 5. Report: ")
    console = Console(width=200, file=io.StringIO(), soft_wrap=True)
    show(console, REJECTED, folder, ExitCode.REJECTED, run_end(REJECTED, folder, ExitCode.REJECTED))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert text.count("sharpness fell from 9 to 5") == 1
    assert text.rstrip().splitlines()[-1].startswith("sonic 1.1.0: rejected.")


def test_what_a_model_said_forges_no_line(tmp_path: Path) -> None:
    bundle = made_run(tmp_path / "runs", "r", "1.1.0", verdict="fail")
    forged = "is 0: it exited; the end of its log: x\nerror: all is well"
    warning = RULE.model_copy(update={"metric": "export", "severity": "warn", "predicate": forged, "reason": forged})
    rules = [RULE.model_copy(update={"predicate": forged}), warning]
    bundle.write_verdict(Verdict.model_validate({"verdict": "fail", "level": 0.05, "rules": rules, "candidate": "r"}))
    folder = bundle.path.parent
    console = Console(width=300, file=io.StringIO(), soft_wrap=True)
    show(console, REJECTED, folder, ExitCode.REJECTED, run_end(REJECTED, folder, ExitCode.REJECTED))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert text.count("the end of its log: x error: all is well") == 2
    assert not [line for line in text.splitlines() if line.startswith("error")]
    assert "Not published: sharpness is 0: it exited; the end of its log: x error: all is well. Report" in text


def test_the_end_of_a_run_that_broke_says_where_and_why(tmp_path: Path) -> None:
    bundle = made_run(tmp_path / "runs", "r", "1.0.0")
    bundle.verdict_file.unlink()
    remember_failure(bundle, "weights", "w.onnx: the server does not answer.")
    assert said(BROKEN, bundle.path.parent, ExitCode.WORLD).startswith(
        "sonic 1.0.0: stopped in the step weights. Not published: w.onnx: the server does not answer"
    )


def test_accepted_and_then_broken_is_not_called_published(tmp_path: Path) -> None:
    bundle = made_run(tmp_path / "runs", "r", "1.0.0")
    remember_failure(bundle, "publish", "the store refuses")
    result = ended(("gate", "True"), ("publish", "False"), status="False")
    assert said(result, bundle.path.parent, ExitCode.WORLD).startswith(
        "sonic 1.0.0: accepted, but stopped in the step publish. Not published: the store refuses"
    )


def test_going_on_is_offered_last_and_json_has_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = made_run(tmp_path / "runs", "r", "1.0.0").path.parent
    finished = FinishedRun(BROKEN, folder, ExitCode.WORLD, True, "Go on with: penstock run release --resume r")
    show_end(finished, as_json=False)
    assert capsys.readouterr().out.splitlines()[-1] == finished.go_on
    show_end(finished, as_json=True)
    content = json.loads(capsys.readouterr().out)
    # people find a run by the link beside the folder of all runs
    assert (content["exitCode"], content["verdict"], content["bundle"]) == (
        4,
        "pass",
        str(tmp_path / "runs" / "r" / "bundle"),
    )


def test_any_other_pipeline_ends_with_its_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = PipelineRunResult("r", "p", "True", "Succeeded", "Tasks Completed: 1", results=[("digest", "sha256:1")])
    show_end(FinishedRun(other, tmp_path, ExitCode.OK, False, ""), as_json=False)
    assert capsys.readouterr().out.splitlines() == ["digest: sha256:1", "r: Succeeded: Tasks Completed: 1"]
