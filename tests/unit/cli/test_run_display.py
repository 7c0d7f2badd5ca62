"""What a person sees while a run goes on, and at its end."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from tests.unit.cli.made_runs import made_run

from penstock.bundle.failures import remember_failure
from penstock.cli.run_display import Display
from penstock.cli.run_end import as_json, ending, refused_at_start, sentence, show
from penstock.cli.run_request import Options, show_end
from penstock.foundation.errors import ExitCode
from penstock.tekton.run_json import Event, PipelineRunResult, TaskRunRecord


def shown(capsys: pytest.CaptureFixture[str], *events: Event, quiet: bool = False) -> list[str]:
    with Display(quiet=quiet, terminal=False) as display:
        for event in events:
            display(event)
    return capsys.readouterr().err.splitlines()


def line(task: str, event: str, **fields: object) -> Event:
    return Event("output", task, f"r-{task}", step=task, text=json.dumps({"time": "t", "event": event, **fields}))


def task(kind: str, name: str, text: str = "") -> Event:
    return Event(kind, name, f"r-{name}", text=text)


def test_all_that_was_skipped_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    names = ("check", "weights", "clone-released", "build", "plan", "infer")
    lines = shown(capsys, *(task("task-skipped", name, "PipelineRun was stopping") for name in names))
    assert lines == ["not run: check, weights, build, plan, infer"]


@pytest.mark.parametrize(("code", "word"), [(1, "rejected"), (3, "inconclusive")])
def test_a_verdict_is_no_error_and_is_not_tried_again(capsys: pytest.CaptureFixture[str], code: int, word: str) -> None:
    error = line("enforce", "error", error="verdict fail: the gate rejected the model", exit_code=code)
    lines = shown(
        capsys,
        task("taskrun-started", "enforce"),
        error,
        task("taskrun-retried", "enforce", '"step-enforce" exited with code 1: Error'),
        error,
        task("taskrun-finished", "enforce", "StepFailed"),
    )
    assert lines == ["enforce: started", f"enforce: {word} in 0.0 s"]


def test_a_refusal_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    error = line("check", "error", error="penstock.yaml:3: name: must be text", exit_code=2)
    lines = shown(capsys, error, task("taskrun-retried", "check", "Error"), error)
    assert lines == ["check: error: penstock.yaml:3: name: must be text"]
    assert shown(capsys, error, error, quiet=True) == lines


def test_what_may_change_is_tried_again_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    error = line("clone", "error", error="the server does not answer after 10 s", exit_code=4)
    again = line("clone", "error", error="the server does not answer after 11 s", exit_code=4)
    lines = shown(capsys, error, task("taskrun-retried", "clone", "exited with code 4"), again)
    assert lines == [
        "clone: error: the server does not answer after 10 s",
        "clone: tried again: exited with code 4",
        "clone: the same error again",
    ]


def test_a_fault_is_its_sentence_and_what_the_end_tells_is_not_told_twice(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(
        capsys,
        line("check", "fault", what="penstock.yaml:9: unknown field 'naem' (warning)", warning=True),
        line("archive", "archived", uri="u", files=3),
        line("notify", "notified", title="t", sent=0),
        line("plan", "released model", version="1.0.0"),
    )
    assert lines == ["check: penstock.yaml:9: unknown field 'naem' (warning)", "plan: released model: version 1.0.0"]


def test_every_fault_of_a_contract_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    faults = ["penstock.yaml:2: naem: unknown field", "penstock.yaml:9: suite: must be text"]
    error = line("check", "error", error=f"{faults[0]} (and 1 more: `penstock check` lists them)", exit_code=2)
    events = [line("check", "fault", what=what, warning=False, repeated=what == faults[0]) for what in faults]
    lines = shown(capsys, *events, error, task("taskrun-retried", "check"), *events, error)
    assert lines == [f"check: error: {faults[0]} (and 1 more: `penstock check` lists them)", f"check: {faults[1]}"]


def ended(*records: tuple[str, str], status: str = "True") -> PipelineRunResult:
    runs = [TaskRunRecord(name=name, pipeline_task=name, status=state) for name, state in records]  # type: ignore[arg-type]
    return PipelineRunResult("r", "release", status, "Failed", "Tasks Completed: 3", task_runs=runs)  # type: ignore[arg-type]


ACCEPTED = ended(("gate", "True"), ("publish", "True"))
REJECTED = ended(("gate", "True"), ("enforce", "False"), status="False")
BROKEN = ended(("clone", "True"), ("weights", "False"), status="False")


def said(result: PipelineRunResult, folder: Path, code: ExitCode) -> str:
    return sentence(result, folder, code, ending(result, folder, code))


def test_the_end_of_an_accepted_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = made_run(tmp_path / "runs", "r", "1.0.0").path.parent
    assert said(ACCEPTED, folder, ExitCode.OK) == (
        "sonic 1.0.0: accepted. Published as 1.0.0. Report: runs/runs/r/bundle/report/index.html"
    )
    assert as_json(ending(ACCEPTED, folder, ExitCode.OK)) == {
        "verdict": "pass",
        "published": "1.0.0",
        "reason": "",
        "bundle": str(folder / "bundle"),
        "report": str(folder / "bundle" / "report" / "index.html"),
    }


def test_the_end_of_a_rejected_release_says_the_first_reason(tmp_path: Path) -> None:
    folder = made_run(tmp_path / "runs", "r", "1.1.0", verdict="fail").path.parent
    told = said(REJECTED, folder, ExitCode.REJECTED)
    assert told.startswith("sonic 1.1.0: rejected. Not published: sharpness fell from 9 to 5. Report: ")
    console = Console(width=200, file=io.StringIO(), soft_wrap=True)
    show(console, REJECTED, folder, ExitCode.REJECTED, ending(REJECTED, folder, ExitCode.REJECTED))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert text.count("sharpness fell from 9 to 5") == 1
    assert text.rstrip().splitlines()[-1].startswith("sonic 1.1.0: rejected.")


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


@pytest.mark.parametrize(
    ("code", "hinted"),
    [
        (ExitCode.OK, False),
        (ExitCode.REJECTED, False),
        (ExitCode.USAGE, False),
        (ExitCode.INCONCLUSIVE, False),
        (ExitCode.WORLD, True),
        (ExitCode.BUG, True),
    ],
)
def test_going_on_is_offered_where_it_can_help(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], code: ExitCode, hinted: bool
) -> None:
    folder = made_run(tmp_path / "runs", "r", "1.0.0").path.parent
    show_end(BROKEN, folder, code, track=True, options=Options(what="release", out=tmp_path / "runs"))
    assert ("--resume r" in capsys.readouterr().out) == hinted


def test_what_was_refused_before_any_model_ran() -> None:
    assert refused_at_start(BROKEN, ExitCode.USAGE)
    assert not refused_at_start(BROKEN, ExitCode.WORLD)
    assert refused_at_start(ended(status="False"), ExitCode.USAGE)
    assert not refused_at_start(ended(("clone", "True"), ("infer", "False"), status="False"), ExitCode.USAGE)
