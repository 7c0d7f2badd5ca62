"""What a deployment repository says of a pair, and whose commit brought it. Commits and reverts: ``test_gitops``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.targets.deployments import deployment_repository, file_of, git, push_of_others
from tests.unit.targets.pairs import pair

from penstock.targets.deployment_repository import DeploymentRepository
from penstock.targets.targets_file import RepositorySettings


def settings(folder: Path) -> RepositorySettings:
    fields = [
        {"at": ["image"], "value": "image"},
        {"at": ["weights", "sonic"], "value": "weights", "path": "w.onnx"},
        {"at": ["note"], "value": "version"},
    ]
    whole = {"repository": str(deployment_repository(folder)), "file": "apps/sonic.yaml", "fields": fields}
    return RepositorySettings.model_validate(whole)


def test_what_names_a_pair_is_its_digests_and_not_its_version(tmp_path: Path) -> None:
    found = DeploymentRepository(settings(tmp_path), None, where="target 'shop'")
    assert found.digests_in(found.values_of(pair())) == [pair().image, "1" * 64]


@pytest.mark.slow
def test_a_commit_is_ours_to_revert_as_long_as_the_file_says_so(tmp_path: Path) -> None:
    found = DeploymentRepository(settings(tmp_path), None, where="target 'shop'")
    state = found.head()
    assert (found.brought(pair()), found.pushed()) == (None, False)
    found.bring(pair(), None)
    commit = git(tmp_path / "deploy.git", "rev-parse", "main")
    assert (found.brought(pair()), found.pushed()) == (commit, True)
    another = DeploymentRepository(settings_of_same(tmp_path), None, where="target 'shop'")
    another.own(commit)
    assert another.take_back(f"{commit}^") == found.values_of(pair("hello", "0"))
    assert found.take_back(state) == found.values_of(pair("hello", "0")), "reverted already: nothing is pushed"
    assert len(git(tmp_path / "deploy.git", "log", "--format=%s", "main").splitlines()) == 3
    found.bring(pair(), None)
    push_of_others(tmp_path, "1.1.0", "by hand")
    assert found.brought(pair()) is None


@pytest.mark.slow
def test_who_was_killed_once_it_had_pushed_is_taken_over(tmp_path: Path) -> None:
    """Nothing has applied the commit yet, so the cluster shows nothing of it."""
    first, second = pair("1.0.0", "0"), pair()
    one(tmp_path).bring(second, first)
    found = one(tmp_path, "again")
    state = found.head()
    found.bring(second, first)
    assert found.pushed()
    assert found.take_back(state) == found.values_of(pair("hello", "0"))
    assert subjects(tmp_path)[0] == 'Revert "sonic-lite 1.1.0"'


@pytest.mark.slow
def test_what_is_current_is_brought_once_more_and_never_reverted(tmp_path: Path) -> None:
    one(tmp_path).bring(pair(), None)
    found = one(tmp_path, "again")
    state = found.head()
    found.bring(pair(), pair())
    assert (found.take_back(state), len(subjects(tmp_path))) == (None, 2)


@pytest.mark.slow
def test_a_rollback_that_was_killed_gives_back_what_it_came_from(tmp_path: Path) -> None:
    """It came by a revert; the commit that once brought the same pair came after something else."""
    first, second, third = pair("1.0.0", "0"), pair("1.1.0", "1"), pair("1.2.0", "2")
    killed = one(tmp_path)
    killed.bring(second, first)
    killed.bring(third, second)
    killed.bring(second, third)
    assert subjects(tmp_path)[0] == "Revert sonic-lite 1.2.0"
    found = one(tmp_path, "again")
    commit = found.brought(second)
    assert commit == git(tmp_path / "deploy.git", "rev-parse", "main")
    found.own(commit)
    assert found.take_back(f"{commit}^") == found.values_of(third)


@pytest.mark.slow
def test_a_commit_is_not_ours_if_it_changed_more_or_the_pair_was_another_since(tmp_path: Path) -> None:
    one(tmp_path).bring(pair(), None)
    push_of_others(tmp_path, f"{'1' * 64}   #", f"{'3' * 64}   #")
    push_of_others(tmp_path, f"{'3' * 64}   #", f"{'1' * 64}   #")
    assert one(tmp_path, "a").brought(pair()) is None, "what was there before is what somebody put there"
    ops = tmp_path / "ops"
    push_of_others(tmp_path, "1" * 64, "4" * 64)
    file = ops / "apps" / "sonic.yaml"
    file.write_text(file.read_text().replace("4" * 64, "1" * 64))
    (ops / "theirs.yaml").write_text("a: 1\n")
    git(ops, "add", ".")
    git(ops, "commit", "--quiet", "-m", "squashed\n\nPenstock-Release: sonic-lite 1.1.0")
    git(ops, "push", "--quiet", "origin", "HEAD:refs/heads/main")
    assert one(tmp_path, "b").brought(pair()) is None, "a revert would take theirs.yaml with it"


@pytest.mark.slow
def test_a_commit_that_only_quotes_the_line_hides_no_other(tmp_path: Path) -> None:
    one(tmp_path).bring(pair(), None)
    commit = git(tmp_path / "deploy.git", "rev-parse", "main")
    ops = tmp_path / "ops"
    git(ops, "pull", "--quiet", "--rebase", "origin", "main")
    for quoted in (
        "see Penstock-Release: sonic-lite 1.1.0",
        "Penstock-Release: sonic-lite 1.1.0-rc1",
        "Penstock-Release: sonic-lite 1x1.0",
    ):
        git(ops, "commit", "--quiet", "--allow-empty", "-m", f"a note\n\n{quoted}")
    git(ops, "push", "--quiet", "origin", "HEAD:refs/heads/main")
    assert one(tmp_path, "again").brought(pair()) == commit


@pytest.mark.slow
def test_what_somebody_else_has_pushed_as_well_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of our commit is left then; the branch's last commit is theirs, whatever else it changed."""
    found = one(tmp_path)
    state, commit = found.head(), DeploymentRepository._commit

    def meanwhile(*arguments: Any) -> None:
        commit(*arguments)
        ops = tmp_path / "ops"
        (ops / "theirs.yaml").write_text("a: 1\n")
        git(ops, "add", ".")
        file = ops / "apps" / "sonic.yaml"
        file.write_text(file.read_text().replace("0" * 64, "1" * 64).replace("hello", '"1.1.0"'))
        git(ops, "commit", "--quiet", "-am", "by hand")
        git(ops, "push", "--quiet", "origin", "HEAD:refs/heads/main")

    monkeypatch.setattr(DeploymentRepository, "_commit", meanwhile)
    found.bring(pair(), None)
    assert (found.take_back(state), subjects(tmp_path)) == (None, ["by hand", "the shop"])


@pytest.mark.slow
def test_what_others_squashed_into_our_commit_stays(tmp_path: Path) -> None:
    first, second, third = pair("1.0.0", "0"), pair("1.1.0", "1"), pair("1.2.0", "2")
    one(tmp_path).bring(second, first)
    ops = tmp_path / "ops"
    git(ops, "pull", "--quiet", "--rebase", "origin", "main")
    file = ops / "apps" / "sonic.yaml"
    moved = file.read_text().replace("1" * 64, "2" * 64).replace("1.1.0", "1.2.0")
    file.write_text(moved.replace("replicas: 2", "replicas: 9"))
    git(ops, "commit", "--quiet", "-am", "squashed\n\nPenstock-Release: sonic-lite 1.2.0")
    git(ops, "push", "--quiet", "origin", "HEAD:refs/heads/main")
    assert one(tmp_path, "again").brought(third) is None
    one(tmp_path, "back").bring(second, third)
    assert "replicas: 9" in file_of(tmp_path / "deploy.git")
    assert subjects(tmp_path)[0] == "sonic-lite 1.1.0"


@pytest.mark.slow
def test_what_was_taken_from_the_branch_by_force_does_not_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, ops, commit = one(tmp_path), tmp_path / "ops", DeploymentRepository._commit
    (ops / "secret").write_text("hunter2")
    git(ops, "add", ".")
    git(ops, "commit", "--quiet", "-m", "by mistake")
    git(ops, "push", "--quiet", "origin", "HEAD:refs/heads/main")

    def meanwhile(*arguments: Any) -> None:
        commit(*arguments)
        git(ops, "reset", "--quiet", "--hard", "HEAD^")
        git(ops, "commit", "--quiet", "--allow-empty", "-m", "instead")
        git(ops, "push", "--quiet", "--force", "origin", "HEAD:refs/heads/main")

    monkeypatch.setattr(DeploymentRepository, "_commit", meanwhile)
    found.bring(pair(), None)
    assert subjects(tmp_path) == ["sonic-lite 1.1.0", "instead", "the shop"]
    assert "secret" not in git(tmp_path / "deploy.git", "ls-tree", "--name-only", "main").splitlines()


def one(folder: Path, name: str = "") -> DeploymentRepository:
    """For one change; the first makes the repository."""
    found = settings_of_same(folder, name) if name else settings(folder)
    return DeploymentRepository(found, None, where="target 'shop'")


def subjects(folder: Path) -> list[str]:
    return git(folder / "deploy.git", "log", "--format=%s", "main").splitlines()


def settings_of_same(folder: Path, name: str = "another") -> RepositorySettings:
    there = settings(folder / name)
    return there.model_copy(update={"repository": str(folder / "deploy.git")})
