"""A git that reads no configuration but ours."""

import os
from pathlib import Path

import pytest
from tests.unit.sources.local_clones import local, nothing_left
from tests.unit.sources.source_servers import commit

from penstock.foundation.errors import WorldError
from penstock.sources.git import clone


def test_hooks_filters_and_configuration_of_others_do_not_run(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = tmp_path / "witness"
    home = tmp_path / "home"
    hooks = home / "hooks"
    hooks.mkdir(parents=True)
    (hooks / "post-checkout").write_text(f"#!/bin/sh\ntouch {witness}\n")
    (hooks / "post-checkout").chmod(0o755)
    (home / ".gitconfig").write_text(
        f'[core]\nhooksPath={hooks}\n[filter "x"]\nsmudge=touch {witness}; cat\n[init]\ntemplateDir={hooks}\n'
    )
    monkeypatch.setenv("HOME", str(home))
    commit(repository, {".gitattributes": "*.txt filter=x\n"})
    local(repository, "main", tmp_path / "out")
    assert not witness.exists()


@pytest.mark.slow
def test_git_that_is_not_there_and_git_that_hangs(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="cannot start"):
        clone(str(repository), "main", tmp_path / "out", allow_local=True, git="git-that-is-not-there")
    hanging = tmp_path / "hanging"
    hanging.write_text("#!/bin/sh\nsleep 600 & wait\n")
    hanging.chmod(0o755)
    with pytest.raises(WorldError, match="did not finish"):
        clone(str(repository), "main", tmp_path / "out", allow_local=True, git=str(hanging), timeout_s=0.2)
    assert nothing_left(tmp_path / "out")


def test_repository_of_another_owner(repository: Path, tmp_path: Path) -> None:
    """Only root can give files away; for others the repository is their own, which must work just as well."""
    if os.geteuid() == 0:
        for path in [repository, *repository.rglob("*")]:
            os.chown(path, 12345, 12345, follow_symlinks=False)
    assert local(repository, "main", tmp_path / "out").commit
