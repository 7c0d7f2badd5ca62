"""A commit's run: what it depends on, and whose fault it is when it fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.pipeline.pipeline_runs import contract, files, text
from tests.unit.bisect.histories import commits
from tests.unit.sources.source_servers import commit, new_repository

from penstock.bisect.bisection import Failed, Watcher
from penstock.bisect.commit_runs import CommitRuns
from penstock.bisect.commits import Commit
from penstock.bisect.fixed_suite import Reference, load_reference
from penstock.foundation.errors import WorldError


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return new_repository(tmp_path / "model")


@pytest.fixture
def reference(repository: Path) -> Reference:
    commit(repository, files() | {"penstock.yaml": text(contract())})
    return load_reference(repository)


def runs(repository: Path, reference: Reference, out: Path, **params: str) -> CommitRuns:
    bad = commits(1)[0]
    return CommitRuns(out, str(repository), reference, bad, params, {}, listening=Watcher().run)


@pytest.mark.slow
def test_a_commit_that_cannot_be_read_is_its_own_fault(repository: Path, reference: Reference, tmp_path: Path) -> None:
    broken = Commit(commit(repository, {"penstock.yaml": "version: 1\n"}), (), "Ann", "a@example.org", "", "broken")
    answer = runs(repository, reference, tmp_path / "out").run(broken)
    assert isinstance(answer, Failed)
    assert answer.code == 2
    assert answer.reason.startswith("same-suite: penstock.yaml:1: name:")


@pytest.mark.slow
def test_a_repository_that_cannot_be_reached_is_no_commits_fault(reference: Reference, tmp_path: Path) -> None:
    away = CommitRuns(tmp_path, "https://127.0.0.1:9/x.git", reference, commits(1)[0], {}, {}, listening=Watcher().run)
    with pytest.raises(WorldError) as caught:
        away.run(commits(1)[0])
    assert caught.value.where == "clone"
