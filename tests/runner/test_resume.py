"""Runs that are interrupted, killed, repeated: what is kept, what is run again, what is left running (nothing)."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from tests.unit.tekton.documents import ENVIRONMENT, pipeline, step, task, write

from penstock.foundation.errors import UsageError, WorldError
from penstock.tekton.load_manifests import load_pipeline
from penstock.tekton.runner import run_pipeline

PROGRAM = """
import sys
from pathlib import Path
from penstock.foundation.errors import PenstockError
from penstock.tekton.load_manifests import load_pipeline
from penstock.tekton.runner import run_pipeline
file, run_dir, resume, mark = sys.argv[1:]
try:
    result = run_pipeline(load_pipeline(Path(file)), {}, {}, Path(run_dir), name="r",
        environment={"PATH": "/usr/bin:/bin", "MARK": mark}, resume=resume == "resume")
except PenstockError as error:
    sys.exit(int(error.exit_code))
sys.exit(0 if result.succeeded else 1)
"""


def start(path: Path, run_dir: Path, *, resume: bool = False) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", PROGRAM, path, run_dir, "resume" if resume else "start", run_dir])


def wait_for(condition: Callable[[], object]) -> None:
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen in 30 s")


def left(mark: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("MARK") == str(mark):
                found.append(process)
        except psutil.Error:
            continue
    return found


def chain(tmp_path: Path) -> Path:
    """Four tasks; the third waits until it is allowed to go on, and leaves a process that detached itself."""
    log, go = tmp_path / "log", tmp_path / "go"
    wait = f"echo c >> {log}; setsid sleep 600 & while [ ! -e {go} ]; do sleep 0.01; done"
    return write(
        tmp_path / "p.yaml",
        pipeline(
            task("a", f"echo a >> {log}; printf A > $(results.r.path)", results=["r"]),
            task("b", f"echo b >> {log}", runAfter=["a"]),
            task("c", wait, runAfter=["b"]),
            task(
                "d",
                f"echo d$(params.x) >> {log}",
                runAfter=["c"],
                spec_params=[{"name": "x"}],
                params=[{"name": "x", "value": "$(tasks.a.results.r)"}],
            ),
            finally_=[task("f", f"echo f >> {log}")],
        ),
    )


def lines(tmp_path: Path) -> list[str]:
    path = tmp_path / "log"
    return path.read_text().split() if path.exists() else []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_ended_from_outside_goes_on_where_it_was(tmp_path, number):
    path, run_dir = chain(tmp_path), tmp_path / "run"
    process = start(path, run_dir)
    try:
        wait_for(lambda: "c" in lines(tmp_path))
        process.send_signal(number)
        code = process.wait(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert code == (-signal.SIGKILL if number == signal.SIGKILL else 130)
    wait_for(lambda: not left(run_dir))
    (tmp_path / "go").touch()
    assert start(path, run_dir, resume=True).wait(timeout=30) == 0
    assert lines(tmp_path) == ["a", "b", "c", "c", "dA", "f"]
    assert left(run_dir) == []


def test_killed_again_and_again_at_any_moment(tmp_path):
    log = tmp_path / "log"
    path = write(
        tmp_path / "p.yaml",
        pipeline(
            *(task(f"t{i}", f"echo t{i} >> {log}", **({"runAfter": [f"t{i - 1}"]} if i else {})) for i in range(8))
        ),
    )
    run_dir = tmp_path / "run"
    code = None
    for attempt in range(12):
        process, before = start(path, run_dir, resume=(run_dir / "state.json").exists()), len(lines(tmp_path))
        wait_for(lambda process=process, before=before: process.poll() is not None or len(lines(tmp_path)) > before)
        time.sleep(0.004 * attempt)
        code = process.poll()
        if code is not None:
            break
        process.kill()
        process.wait()
    else:
        code = start(path, run_dir, resume=True).wait(timeout=30)
    assert code == 0
    # each task ran, in order; one that was cut off may have run twice
    seen = lines(tmp_path)
    assert list(dict.fromkeys(seen)) == [f"t{i}" for i in range(8)]
    assert seen == sorted(seen)


def test_a_second_run_at_the_same_time_is_refused(tmp_path):
    path, run_dir = chain(tmp_path), tmp_path / "run"
    process = start(path, run_dir)
    try:
        wait_for(lambda: "c" in lines(tmp_path))
        for resume in (True, False):
            assert start(path, run_dir, resume=resume).wait(timeout=20) == 2
        (tmp_path / "go").touch()
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.wait()


def test_a_second_run_in_the_same_directory_is_refused(run):
    document = pipeline(task("a"))
    run(document)
    with pytest.raises(UsageError, match="there is already a run 'r'"):
        run(document)


def test_there_is_nothing_to_resume(run):
    with pytest.raises(UsageError, match="there is no run to go on with"):
        run(pipeline(task("a")), resume=True)


def test_a_failed_run_goes_on_from_the_failed_task(run, tmp_path):
    log, good = tmp_path / "log", tmp_path / "good"
    document = pipeline(
        task("a", f"echo a >> {log}"),
        task("b", f"echo b >> {log}; test -e {good}", runAfter=["a"]),
        task("c", f"echo c >> {log}", runAfter=["b"]),
        finally_=[task("f", f"echo f >> {log}")],
    )
    first = run(document)
    assert first.result.reason == "Failed"
    good.touch()
    second = run(document, resume=True)
    assert second.result.reason == "Succeeded"
    assert lines(tmp_path) == ["a", "b", "f", "b", "c", "f"]
    assert [event.task_run for event in second.events if event.kind == "taskrun-reused"] == ["r-a"]
    assert [record.name for record in second.result.task_runs] == ["r-a", "r-b", "r-c", "r-f"]
    third = run(document, resume=True)
    assert third.result.reason == "Succeeded"
    assert lines(tmp_path) == ["a", "b", "f", "b", "c", "f"]


def test_what_must_not_change_between_the_two(run, tmp_path):
    (tmp_path / "w").mkdir()
    (tmp_path / "v").mkdir()

    def document(script: str) -> dict[str, object]:
        return pipeline(task("a", script), params=[{"name": "x", "default": "1"}], workspaces=[{"name": "w"}])

    given = {"params": {"x": "2"}, "workspaces": {"w": tmp_path / "w"}}
    run(document("exit 1"), **given)
    for words, script, change in (
        ("the parameter x", "exit 1", {**given, "params": {"x": "3"}}),
        ("the workspace w", "exit 1", {**given, "workspaces": {"w": tmp_path / "v"}}),
        ("the pipeline", "exit 0", given),
    ):
        with pytest.raises(UsageError, match=f"this has changed: {words}"):
            run(document(script), resume=True, **change)
    with pytest.raises(UsageError, match="is called 'r', not 'other'"):
        run(document("exit 1"), resume=True, name="other", **given)
    assert run(document("exit 1"), resume=True, **given).result.reason == "Failed"


def test_the_successful_part_of_a_fan_out_is_kept(run, tmp_path):
    log, good = tmp_path / "log", tmp_path / "good"
    script = f"echo $(params.x) >> {log}; test $(params.x) != b || test -e {good}"
    matrix = {"params": [{"name": "x", "value": ["a", "b"]}]}
    document = pipeline(task("m", script, spec_params=[{"name": "x"}], matrix=matrix))
    run(document)
    good.touch()
    assert run(document, resume=True).result.succeeded
    assert sorted(lines(tmp_path)) == ["a", "b", "b"]


@pytest.mark.parametrize("content", ["{", "[]", '{"version": 99}', '{"version": 1, "name": 3}'])
def test_a_state_that_is_broken(run, content):
    ran = run(pipeline(task("a", "exit 1")))
    (ran.directory / "state.json").write_text(content)
    with pytest.raises(UsageError, match="this is not the state of a run"):
        run(pipeline(task("a", "exit 1")), resume=True)


def test_the_state_is_whole_json_at_any_time(run):
    ran = run(pipeline(task("a", "printf x > $(results.r.path)", results=["r"])))
    state = json.loads((ran.directory / "state.json").read_text())
    assert state["taskRuns"]["r-a"]["results"] == [{"name": "r", "type": "string", "value": "x"}]
    assert state["finished"]["reason"] == "Succeeded"


def test_a_directory_that_cannot_be_written(tmp_path):
    path = write(tmp_path / "p.yaml", pipeline(task("a")))
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="this is a file"):
        run_pipeline(load_pipeline(path), {}, {}, tmp_path / "file", name="r", environment=ENVIRONMENT)


def test_a_machine_that_fails_in_the_middle_leaves_nothing_running(run, tmp_path):
    """The listener is part of the machine: if it breaks, the run ends, and its processes with it."""
    seen: list[str] = []

    def broken(event: object) -> None:
        seen.append(str(event))
        if "output" in str(event):
            raise WorldError("the screen is full")

    path = write(
        tmp_path / "p.yaml",
        pipeline(task("a", steps=[step("echo hi; sleep 600")]), task("b", "sleep 600")),
    )
    environment = {**ENVIRONMENT, "MARK": str(tmp_path)}
    with pytest.raises(WorldError, match="the screen is full"):
        run_pipeline(load_pipeline(path), {}, {}, tmp_path / "run", name="r", environment=environment, on_event=broken)
    assert left(tmp_path) == []
    assert (tmp_path / "run/state.json").exists()
