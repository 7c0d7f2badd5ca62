"""The checked-out files: their digest, their links, Git LFS pointers."""

import shutil
from pathlib import Path

import pytest
from tests.unit.sources.local_clones import local, nothing_left
from tests.unit.sources.source_servers import commit

from penstock.foundation.errors import UsageError
from penstock.sources.tree import LFS_POINTER


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside", ".git/config"])
def test_link_that_leaves(repository: Path, tmp_path: Path, target: str) -> None:
    (repository / "link").symlink_to(target)
    commit(repository, {"b": "x"})
    with pytest.raises(UsageError, match="symbolic link 'link'"):
        local(repository, "main", tmp_path / "out")
    assert nothing_left(tmp_path / "out")


@pytest.mark.slow
def test_link_inside_counts_in_the_digest(repository: Path, tmp_path: Path) -> None:
    before = local(repository, "main", tmp_path / "a").tree
    (repository / "link").symlink_to("dir/b.txt")
    commit(repository, {"b": "x"})
    (repository / "link").unlink()
    with_link = local(repository, "main", tmp_path / "b").tree
    (repository / "link").symlink_to("a.txt")
    commit(repository, {"b": "x"})
    assert len({before, with_link, local(repository, "main", tmp_path / "c").tree}) == 3


# large files, other owners, broken worlds


def test_lfs_pointers_stay_where_git_lfs_is_not(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(repository, {"w.bin": LFS_POINTER + b"oid sha256:" + b"a" * 64 + b"\nsize 3\n"})
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("git", "sh", "cat", "true"):
        (programs / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(programs))
    assert local(repository, "main", tmp_path / "out").pointers == ("w.bin",)
