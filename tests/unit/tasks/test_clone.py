"""The step clone: the commit that was named, and a bundle that says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.sources.source_servers import commit, git, new_repository
from tests.unit.tasks.step_folders import StepFolders

from penstock.bundle.models import SuiteOrigin
from penstock.contract.suite_sources import FOLDER
from penstock.suites.suite_files import digest_of, listed


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = new_repository(tmp_path / "model")
    commit(path, {"a.txt": "one\n"})
    git(path, "tag", "v1.0.0")
    commit(path, {"a.txt": "two\n"})
    return path


def test_the_commit_of_the_tag_and_a_bundle_that_says_so(folders: StepFolders, repository: Path) -> None:
    named = [f"--url={repository}", "--run-id=run-2", "--allow-local=true"]
    answer = folders.call("clone", *named, "--revision=v1.0.0")
    oid = git(repository, "rev-parse", "v1.0.0")
    assert answer.code == 0
    assert answer.results["commit"] == oid
    assert answer.results["version"] == "1.0.0"
    assert answer.results["committer-date"] == "2024-05-01T10:00:00+02:00"
    assert (folders.source / "a.txt").read_text() == "one\n"
    source = folders.bundle.run().source
    assert source is not None
    assert (source.commit, source.version, source.revision, len(source.tree)) == (oid, "1.0.0", "v1.0.0", 64)
    again = folders.call("clone", *named, "--revision=v1.0.0")
    assert again.results == answer.results
    assert folders.bundle.run().steps[-1].status == "unchanged"


def test_path_of_this_machine_is_refused_unless_allowed(folders: StepFolders, repository: Path) -> None:
    answer = folders.call("clone", f"--url={repository}", "--run-id=run-2", "--revision=main")
    assert answer.code == 2
    assert not folders.source.exists() or not list(folders.source.iterdir())


def test_bundle_of_another_run_is_left_alone(folders: StepFolders, repository: Path) -> None:
    answer = folders.call("clone", f"--url={repository}", "--run-id=other", "--revision=main", "--allow-local=true")
    assert answer.code == 2
    assert folders.bundle.run().run_id == "run-2"
    assert folders.bundle.run().source is None


def test_released_code_that_changed_is_the_worlds_failure(folders: StepFolders, repository: Path) -> None:
    """Its Git LFS files and submodules are fetched by name: the same commit can bring other content."""
    folders.cloned(version="0.9.0")
    oid = git(repository, "rev-parse", "main")
    named = [f"--url={repository}", "--run-id=run-2", "--allow-local=true", f"--revision={oid}", "--released=true"]
    answer = folders.call("clone", *named)
    assert answer.code == 4
    source = folders.bundle.run().source
    assert source is not None
    assert source.commit == "c" * 40


@pytest.mark.slow
def test_released_code_keeps_the_version_that_it_was_released_as(folders: StepFolders, repository: Path) -> None:
    oid = git(repository, "rev-parse", "main")
    named = [f"--url={repository}", "--run-id=run-2", "--allow-local=true", f"--revision={oid}"]
    assert folders.call("clone", *named).code == 0
    run = folders.bundle.run()
    assert run.source is not None
    folders.bundle.update_run(run.model_copy(update={"source": run.source.model_copy(update={"version": "0.9.0"})}))
    assert folders.call("clone", *named, "--released=true").code == 0
    source = folders.bundle.run().source
    assert source is not None
    assert source.version == "0.9.0"


# a suite from elsewhere


@pytest.fixture
def with_suite(tmp_path: Path, repository: Path) -> tuple[Path, str]:
    """A folder with a suite, and its digest, which the repository's contract names."""
    bound = tmp_path / "bound"
    bound.mkdir()
    (bound / "suite.yaml").write_text("version: 1\n")
    digest = digest_of(listed(bound))
    commit(repository, {"penstock.yaml": f"suite: workspace://suite#sha256={digest}\n"})
    return bound, digest


def test_the_suite_is_brought_from_elsewhere_and_stands_in_the_bundle(
    folders: StepFolders, repository: Path, with_suite: tuple[Path, str]
) -> None:
    bound, digest = with_suite
    named = [f"--url={repository}", "--run-id=run-2", "--allow-local=true", "--revision=main"]
    answer = folders.call("clone", *named, f"--suite={bound}")
    assert answer.code == 0
    assert (folders.source / FOLDER / "suite.yaml").read_text() == "version: 1\n"
    run = folders.bundle.run()
    assert run.suite_from == SuiteOrigin(address=f"workspace://suite#sha256={digest}", files=digest)
    assert folders.call("clone", *named).code == 0
    again = folders.bundle.run()
    assert again.source == run.source  # the tree is the commit's alone
    assert again.suite_from == run.suite_from  # from the cache


def test_the_suite_of_a_fork_is_not_kept(folders: StepFolders, repository: Path, with_suite: tuple[Path, str]) -> None:
    bound, digest = with_suite
    named = [f"--url={repository}", "--run-id=run-2", "--allow-local=true", "--revision=main", "--fork=true"]
    assert folders.call("clone", *named, f"--suite={bound}").code == 0
    assert (folders.source / FOLDER / "suite.yaml").read_text() == "version: 1\n"
    origin = folders.bundle.run().suite_from
    assert origin is not None
    assert origin.files == digest
    assert not list(folders.cache.glob("suites/*"))
    assert not list(folders.bundle.path.glob(".suite-*"))


def test_a_repository_that_puts_its_own_there_is_refused(
    folders: StepFolders, repository: Path, with_suite: tuple[Path, str]
) -> None:
    commit(repository, {f"{FOLDER}/suite.yaml": "version: 1\n"})
    named = [f"--url={repository}", "--run-id=run-2", "--allow-local=true", "--revision=main"]
    answer = folders.call("clone", *named, f"--suite={with_suite[0]}")
    assert answer.code == 2
    assert "holds a '.penstock' of its own" in answer.error


def test_the_released_model_gets_the_place_and_no_suite_of_its_own(
    folders: StepFolders, repository: Path, with_suite: tuple[Path, str]
) -> None:
    del with_suite
    named = [f"--url={repository}", "--run-id=run-2", "--allow-local=true", "--revision=main", "--released=true"]
    assert folders.call("clone", *named).code == 0
    assert list((folders.source / FOLDER).iterdir()) == []
    assert folders.call("clone", *named).code == 0, "a lost pod is tried again"
    assert folders.bundle.run().suite_from is None
