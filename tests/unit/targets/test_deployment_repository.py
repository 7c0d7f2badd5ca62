"""What a deployment repository says of a pair, and whose commit brought it. Commits and reverts: ``test_gitops``."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.targets.deployments import deployment_repository, git, push_of_others
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


def settings_of_same(folder: Path) -> RepositorySettings:
    there = settings(folder / "another")
    return there.model_copy(update={"repository": str(folder / "deploy.git")})
