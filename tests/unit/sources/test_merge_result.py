"""The head of a pull request merged into its base: real repositories, as forges keep them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.sources.local_clones import local, nothing_left
from tests.unit.sources.source_servers import commit, git, new_repository

from penstock.foundation.errors import UsageError

REF = "refs/pull/7/head"


@pytest.fixture
def forge(tmp_path: Path) -> Path:
    """``main`` has moved on since the branch of pull request 7 began; only its ref leads to the head."""
    path = new_repository(tmp_path / "forge")
    commit(path, {"a.txt": "one\n", "b.txt": "one\n"})
    git(path, "checkout", "-q", "-b", "topic")
    commit(path, {"b.txt": "two\n"})
    git(path, "update-ref", REF, "topic")
    git(path, "checkout", "-q", "main")
    git(path, "branch", "-q", "-D", "topic")
    commit(path, {"a.txt": "two\n"})
    return path


def head(forge: Path) -> str:
    return git(forge, "rev-parse", REF)


def test_the_files_are_those_of_the_merge(forge: Path, tmp_path: Path) -> None:
    found = local(forge, head(forge), tmp_path / "out", ref=REF, base="main")
    assert {name: (tmp_path / "out" / name).read_text() for name in ("a.txt", "b.txt")} == dict.fromkeys(
        ("a.txt", "b.txt"), "two\n"
    )
    assert (found.commit, found.base) == (head(forge), git(forge, "rev-parse", "main"))
    assert found.version == f"0.0.0+{found.commit[:12]}"


def test_the_same_two_commits_have_the_same_merge(forge: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        local(forge, head(forge), tmp_path / name, ref=REF, base="main")
    merges = [git(tmp_path / name, "rev-parse", "HEAD") for name in ("one", "two")]
    assert merges[0] == merges[1] != head(forge)
    assert git(tmp_path / "one", "show", "-s", "--format=%an %cI %P", "HEAD") == (
        f"Penstock 2024-05-01T10:00:00+02:00 {git(forge, 'rev-parse', 'main')} {head(forge)}"
    )


def test_a_base_that_moves_on_is_merged_anew(forge: Path, tmp_path: Path) -> None:
    first = local(forge, head(forge), tmp_path / "out", ref=REF, base="main")
    assert local(forge, head(forge), tmp_path / "out", ref=REF, base="main").unchanged
    commit(forge, {"c.txt": "new\n"})
    second = local(forge, head(forge), tmp_path / "out", ref=REF, base="main")
    assert (second.unchanged, second.commit) == (False, first.commit)
    assert second.tree != first.tree
    assert (tmp_path / "out" / "c.txt").is_file()


def test_what_holds_the_base_already_is_tried_as_it_is(forge: Path, tmp_path: Path) -> None:
    first = git(forge, "rev-parse", "main~1")
    found = local(forge, head(forge), tmp_path / "out", ref=REF, base=first)
    assert git(tmp_path / "out", "rev-parse", "HEAD") == found.commit == head(forge)


def test_a_tag_of_the_branchs_name_is_not_merged_instead(forge: Path, tmp_path: Path) -> None:
    git(forge, "tag", "main", "main~1")
    branch = git(forge, "rev-parse", "refs/heads/main")
    found = local(forge, head(forge), tmp_path / "out", ref=REF, base="refs/heads/main")
    assert found.base == branch != git(forge, "rev-parse", "refs/tags/main")


@pytest.mark.parametrize("base", ["main", "refs/heads/main"])
def test_a_conflict_is_one_clear_error(forge: Path, tmp_path: Path, base: str) -> None:
    names = [f"x{number} y\x1b.txt" for number in range(6)]
    commit(forge, {"b.txt": "other\n"} | dict.fromkeys(names, "main\n"))
    git(forge, "checkout", "-q", head(forge))
    git(forge, "update-ref", REF, commit(forge, dict.fromkeys(names, "head\n")))
    with pytest.raises(UsageError) as caught:
        local(forge, head(forge), tmp_path / "out", ref=REF, base=base)
    assert "cannot be merged into 'main': conflicts in b.txt, x0 y" in str(caught.value)
    assert "and 2 more" in str(caught.value)
    assert "Rebase it on 'main'" in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert nothing_left(tmp_path / "out")


@pytest.mark.slow
def test_a_head_that_was_pushed_over(forge: Path, tmp_path: Path) -> None:
    lost = head(forge)
    git(forge, "update-ref", REF, git(forge, "rev-parse", "main~1"))
    git(forge, "reflog", "expire", "--expire=now", "--all")
    git(forge, "gc", "-q", "--prune=now")
    with pytest.raises(UsageError, match="does not lead to the commit"):
        local(forge, lost, tmp_path / "out", ref=REF, base="main")


def test_a_head_behind_its_ref_is_the_one_that_was_asked_for(forge: Path, tmp_path: Path) -> None:
    asked = head(forge)
    git(forge, "checkout", "-q", asked)
    git(forge, "update-ref", REF, commit(forge, {"b.txt": "three\n"}))
    assert local(forge, asked, tmp_path / "out", ref=REF, base="main").commit == asked
    assert (tmp_path / "out" / "b.txt").read_text() == "two\n"


def test_nothing_in_common(forge: Path, tmp_path: Path) -> None:
    git(forge, "checkout", "-q", "--orphan", "other")
    commit(forge, {"z.txt": "alone\n"})
    with pytest.raises(UsageError, match="no commit in common"):
        local(forge, "other", tmp_path / "out", base="main")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"ref": "pull/7/head"}, "is no ref"),
        ({"ref": "--upload-pack=x"}, "would be read as an option"),
        ({"ref": "refs/pull/8/head"}, "has no branch, tag or commit"),
        ({"ref": REF, "revision": "main"}, "not a whole commit"),
        ({"base": "-x"}, "would be read as an option"),
        ({"base": "nowhere"}, "has no branch, tag or commit 'nowhere'"),
        ({"base": "a..b"}, "is not the name of a branch"),
    ],
)
def test_what_cannot_be_is_refused(forge: Path, tmp_path: Path, given: dict[str, str], wanted: str) -> None:
    revision = given.pop("revision", head(forge))
    with pytest.raises(UsageError, match=wanted):
        local(forge, revision, tmp_path / "out", **given)
    assert nothing_left(tmp_path / "out")
