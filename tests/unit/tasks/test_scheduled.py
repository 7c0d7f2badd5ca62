"""What the CronJob runs: every run of the schedule, also after one that cannot be started."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
from penstock_tasks.move.scheduled import Arguments, main, step
from tests.unit.manifests.installed import objects
from tests.unit.tekton.test_cluster_runs import written

from penstock.foundation.errors import UsageError, WorldError
from penstock.tekton.cluster_runs import ClusterRuns, Started


class Known:
    """A cluster on which one run still goes and another cannot be created."""

    def start(self, name: str, _run: dict[str, Any], *, job: str) -> Started:
        assert job == "tonight"
        if name == "bad":
            raise WorldError("the API server answers 422: no such pipeline", where="bad.yaml")
        return Started(f"{name}-1", "it still goes" if name == "going" else "")


def test_one_that_cannot_be_started_does_not_keep_the_others_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("bad", "going", "new"):
        written(tmp_path, name)
    with pytest.raises(WorldError, match="no such pipeline"):
        step(Arguments("tonight", tmp_path), lambda: cast("ClusterRuns", Known()))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["event"], line["run"]) for line in lines] == [("not started", "going-1"), ("started", "new-1")]


def test_a_mistake_in_a_file_does_not_keep_the_others_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "going", "new"):
        written(tmp_path, name)
    (tmp_path / "a.yaml").write_text("kind: [", encoding="utf-8")
    with pytest.raises(UsageError, match=r"a\.yaml"):
        step(Arguments("tonight", tmp_path), lambda: cast("ClusterRuns", Known()))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["event"], line["run"]) for line in lines] == [("not started", "going-1"), ("started", "new-1")]


def test_a_job_is_known_by_its_uid() -> None:
    """One that is made by hand once more has the name of the one before, and starts something all the same."""
    (container,) = objects("CronJob")["scheduled"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    (job,) = container["env"]
    assert job["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.labels['batch.kubernetes.io/controller-uid']"


def test_a_schedule_of_nothing_is_a_wrong_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--job=tonight", f"--runs={tmp_path}"]) == 2
    assert "there is nothing to start" in capsys.readouterr().out
