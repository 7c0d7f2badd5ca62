"""What a person sees while a run goes on, and at its end."""

from __future__ import annotations

import json

import pytest

from penstock.cli.run_display import Display
from penstock.tekton.run_json import Event


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
    names = ("check", "weights", "clone-released", "build", "plan", "infer", "outputs-released", "measure-again")
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
