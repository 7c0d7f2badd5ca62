"""One way to run a pipeline on this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from penstock.foundation.errors import UsageError
from penstock.foundation.files import write_text
from penstock.invocation.isolation import LOCAL_RUN
from penstock.local_run.engine import environment, load_own, measure_here, run_here
from penstock.local_run.own_pipelines import pipeline_run
from penstock.local_run.run_scratch import RunInUseError, scratch
from penstock.tekton.load_manifests import load_pipeline
from penstock.tekton.run_json import Event, OnEvent

PIPELINE = """
apiVersion: tekton.dev/v1
kind: Pipeline
metadata: {name: p}
spec:
  params: [{name: word}]
  results: [{name: temporary, value: $(tasks.t.results.temporary)}]
  tasks:
    - name: t
      params: [{name: word, value: $(params.word)}]
      taskSpec:
        params: [{name: word}]
        results: [{name: temporary}]
        steps:
          - name: s
            image: x
            command: [sh, -c]
            args: ['printf %s "$TMPDIR" > $(results.temporary.path); test -d "$TMPDIR"; test $(params.word) = well']
"""


class Heard:
    """Is opened for each run, and keeps what it hears."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.opened = self.closed = 0

    @contextmanager
    def __call__(self) -> Iterator[OnEvent]:
        self.opened += 1
        yield self.events.append
        self.closed += 1

    def count(self, kind: str) -> int:
        return sum(event.kind == kind for event in self.events)


def test_a_run_has_its_scratch_its_listener_and_is_gone_on_with(tmp_path: Path) -> None:
    file, folder, heard = tmp_path / "p.yaml", tmp_path / "runs" / "r-1", Heard()
    write_text(file, PIPELINE)
    folder.mkdir(parents=True)
    loaded = load_pipeline(file)
    ended = run_here(folder, loaded, {"word": "ill"}, {}, listening=heard)
    assert (ended.name, ended.succeeded, heard.opened, heard.closed) == ("r-1", False, 1, 1)
    temporary = next(str(event.text) for event in heard.events if event.kind == "run-started")
    assert temporary == "r-1"
    again = run_here(folder, loaded, {"word": "ill"}, {}, listening=heard)
    assert not again.succeeded
    assert (heard.opened, heard.count("taskrun-finished")) == (2, 2), "what failed is run again"


def test_temporary_files_are_gone_in_the_end(tmp_path: Path) -> None:
    file, folder, heard = tmp_path / "p.yaml", tmp_path / "r-2", Heard()
    write_text(file, PIPELINE)
    folder.mkdir()
    ended = run_here(folder, load_pipeline(file), {"word": "well"}, {}, listening=heard, jobs=1)
    ((name, value),) = ended.results
    assert name == "temporary"
    assert isinstance(value, str)
    assert "penstock-run-" in value
    assert not Path(value).exists()
    assert run_here(folder, load_pipeline(file), {"word": "well"}, {}, listening=heard).succeeded
    assert (heard.count("taskrun-finished"), heard.count("taskrun-reused")) == (1, 1), "what is done is not run again"


def test_a_run_that_goes_on_elsewhere_is_left_alone(tmp_path: Path) -> None:
    file, heard = tmp_path / "p.yaml", Heard()
    write_text(file, PIPELINE)
    with scratch(tmp_path), pytest.raises(RunInUseError, match="going on in another process"):
        run_here(tmp_path, load_pipeline(file), {"word": "well"}, {}, listening=heard)
    assert heard.opened == 0


def test_a_refused_parameter_is_the_users_mistake(tmp_path: Path) -> None:
    folder, heard = tmp_path / "runs" / "r-3", Heard()
    task = {"name": "t", "taskRef": {"name": "clone"}}
    run = pipeline_run("r-3", {"pipelineSpec": {"tasks": [task]}})
    with pytest.raises(UsageError) as caught:
        measure_here(folder, run, {"no-such": "x"}, {}, listening=heard)
    assert caught.value.where == "--param, --workspace"
    assert heard.count("taskrun-started") == 0
    assert load_own(folder, run).tasks.keys() == {"clone"}


def test_the_environment_is_this_one_with_our_programs_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("WHATEVER", "kept")
    found = environment(tmp_path)
    assert found["PATH"].split(os.pathsep) == [str(Path(sys.executable).parent), "/usr/bin", "/bin"]
    assert (found["TMPDIR"], found["WHATEVER"], found[LOCAL_RUN]) == (str(tmp_path), "kept", "1")
