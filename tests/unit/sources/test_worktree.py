"""What is known of a repository on this machine before it is cloned."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.sources.source_servers import commit, git, new_repository

from penstock.local_run.run_names import made_up_name
from penstock.local_run.run_request import Options, changes_note
from penstock.sources.worktree import model_name, uncommitted


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    repository = new_repository(tmp_path / "checkout")
    commit(repository, {"penstock.yaml": "version: 1\nname: 'sonic-2'  # ours\n", "a b.py": "1\n"}, "first")
    git(repository, "tag", "v1.0.0")
    commit(repository, {"penstock.yaml": "version: 1\nname: other\n"}, "second")
    return repository


def test_the_name_is_that_of_the_revision(repository: Path) -> None:
    assert model_name(repository, "v1.0.0", "penstock.yaml") == "sonic-2"
    assert model_name(repository, "main", "penstock.yaml") == "other"
    assert model_name(repository, "v9", "penstock.yaml") == ""
    assert model_name(repository, "--help", "penstock.yaml") == ""
    assert model_name(repository / "nowhere", "main", "penstock.yaml") == ""
    assert made_up_name("release", str(repository), "v1.0.0").startswith("sonic-2-1.0.0-")


def test_changes_that_are_not_committed_are_named(repository: Path) -> None:
    assert uncommitted(repository) == []
    (repository / "a b.py").write_text("2\n", encoding="utf-8")
    (repository / "new.py").write_text("not under git\n", encoding="utf-8")
    assert uncommitted(repository) == ["a b.py"]
    assert changes_note(Options(what="release", repo=str(repository), revision="v1.0.0")) == (
        f"note: {repository} has changes that are not committed (a b.py): what runs is v1.0.0 as it was committed"
    )
    assert changes_note(Options(what="release", repo="https://git.example.org/x", revision="v1.0.0")) == ""


def test_a_bare_repository_has_no_changes(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(repository), str(tmp_path / "bare.git"))
    assert uncommitted(tmp_path / "bare.git") == []
    assert model_name(tmp_path / "bare.git", "v1.0.0", "penstock.yaml") == "sonic-2"


def test_nothing_of_the_repository_s_configuration_runs(repository: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\ncat\n", encoding="utf-8")
    trap.chmod(0o755)
    (repository / ".git" / "info" / "attributes").write_text("* filter=evil\n", encoding="utf-8")
    for key in ("core.fsmonitor", "filter.evil.clean", "filter.evil.smudge"):
        git(repository, "config", key, str(trap))
    (repository / "a b.py").write_text("3\n", encoding="utf-8")
    assert uncommitted(repository) == ["a b.py"]
    assert not (tmp_path / "ran").exists()
    git(repository, "config", "filter.e=v i.clean", str(trap))
    assert uncommitted(repository) == []
    assert not (tmp_path / "ran").exists()
