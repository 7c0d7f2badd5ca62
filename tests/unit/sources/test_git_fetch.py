"""What a revision means at a remote, and bringing it here."""

from pathlib import Path

import pytest
from tests.unit.sources.local_clones import local, nothing_left
from tests.unit.sources.source_servers import commit, git, new_repository

from penstock.foundation.errors import UsageError, WorldError
from penstock.sources.tree import LFS_POINTER


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["branch", "slash", "full", "short", "head", "ref", "ref-tag"])
def test_revisions(repository: Path, tmp_path: Path, kind: str) -> None:
    head = git(repository, "rev-parse", "main")
    first = git(repository, "rev-parse", "v1.0.0^{commit}")
    revision, expected = {
        "branch": ("main", head),
        "slash": ("release/2", first),
        "full": (first, first),
        "short": (first[:8], first),
        "head": ("HEAD", head),
        "ref": ("refs/heads/main", head),
        "ref-tag": ("refs/tags/v1.0.0", first),
    }[kind]
    result = local(repository, revision, tmp_path / "out")
    assert result.commit == expected
    assert result.version == ("1.0.0" if kind == "ref-tag" else f"0.0.0+{expected[:12]}")


@pytest.mark.slow
def test_depth(repository: Path, tmp_path: Path) -> None:
    local(repository, "main", tmp_path / "one")
    local(repository, "main", tmp_path / "all", depth=0)
    assert git(tmp_path / "one", "rev-list", "--count", "HEAD") == "1"
    assert git(tmp_path / "all", "rev-list", "--count", "HEAD") == "2"
    assert git(tmp_path / "all", "describe", "--tags").startswith("v1.0.0-1-g")


@pytest.mark.slow
def test_commit_behind_the_tip_of_a_shallow_server(repository: Path, tmp_path: Path) -> None:
    commit(repository, {"a.txt": "4\n"})
    middle = git(repository, "rev-parse", "main~1")
    assert local(repository, middle, tmp_path / "out").commit == middle


@pytest.mark.parametrize(
    "revision",
    [
        "-x",
        "--upload-pack=touch pwned",
        "",
        "a b",
        "a..b",
        "a~1",
        "main^",
        "x:y",
        "a\nb",
        "@{-1}",
        "a" * 300,
        "\x1b[31m",
    ],
)
def test_refused_revision(repository: Path, tmp_path: Path, revision: str) -> None:
    with pytest.raises(UsageError):
        local(repository, revision, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("revision", ["v1.0.1", "mian", "f" * 40, "deadbee"])
def test_unknown_revision(repository: Path, tmp_path: Path, revision: str) -> None:
    with pytest.raises(UsageError, match="no branch, tag or commit") as caught:
        local(repository, revision, tmp_path / "out")
    assert {"v1.0.1": "v1.0.0", "mian": "main"}.get(revision, "") in caught.value.todo
    assert nothing_left(tmp_path / "out")


def test_empty_repository(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="empty"):
        local(new_repository(tmp_path / "empty"), "main", tmp_path / "out")


@pytest.mark.slow
def test_lfs(repository: Path, tmp_path: Path, fake_lfs: Path) -> None:
    commit(repository, {"w.bin": LFS_POINTER + b"oid sha256:" + b"a" * 64 + b"\nsize 3\n"})
    assert local(repository, "main", tmp_path / "off", lfs=False).pointers == ("w.bin",)
    assert local(repository, "main", tmp_path / "on").pointers == ()
    assert (tmp_path / "on" / "w.bin").read_bytes() == b"content"
    (fake_lfs / "fail").touch()
    with pytest.raises(WorldError, match="failed to fetch") as caught:
        local(repository, "main", tmp_path / "out")
    assert "hunter2" not in str(caught.value)


@pytest.mark.slow
def test_an_object_that_git_lfs_does_not_have_is_named(repository: Path, tmp_path: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 12\n"
    attributes = "*.bin filter=lfs diff=lfs merge=lfs -text\n"
    files: dict[str, str | bytes] = {f"w/{letter}.bin": pointer.format(letter * 64) for letter in "abc"}
    commit(repository, {**files, ".gitattributes": attributes})
    with pytest.raises(WorldError) as caught:
        local(repository, "main", tmp_path / "clone")
    assert caught.value.what == (
        f"Git LFS has no content for 'w/a.bin': object {'a' * 64} is missing there (and 2 more: 'w/b.bin', 'w/c.bin')"
    )
    assert "git lfs push" in caught.value.todo
