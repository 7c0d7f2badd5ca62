"""Files are whole or absent; digests are of content; paths stay where they belong."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import UsageError, WorldError, printable
from penstock.files import disk_errors, inside, regular_files, replacing, sha256_json, sha256_tree, write_json


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    write_json(target, {"old": 1})

    def killed_here() -> None:
        with replacing(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        killed_here()
    assert target.read_text() == '{\n  "old": 1\n}\n'
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_nan_is_not_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Out of range"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_the_worlds_fault() -> None:
    with (
        pytest.raises(WorldError, match="no space is left") as caught,
        disk_errors(Path("/dev/full")),
        Path("/dev/full").open("wb", 0) as full,
    ):
        full.write(b"x")
    assert caught.value.exit_code == 4


def test_another_error_is_not_hidden() -> None:
    with pytest.raises(OSError, match="loop"), disk_errors(Path("x")):
        raise OSError(errno.ELOOP, "loop")


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "", "a\x00b", ".."])
def test_paths_that_leave_are_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(UsageError) as caught:
        inside(tmp_path, path, where="penstock.yaml: suite")
    assert "penstock.yaml: suite" in str(caught.value)


def test_a_link_that_leaves_is_refused_and_one_that_stays_is_not(tmp_path: Path) -> None:
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo" / "out").symlink_to(tmp_path)
    (tmp_path / "repo" / "file").write_text("x")
    (tmp_path / "repo" / "in").symlink_to("file")
    with pytest.raises(UsageError, match="symbolic link"):
        inside(tmp_path / "repo", "out/secret", where="x")
    assert inside(tmp_path / "repo", "in", where="x") == (tmp_path / "repo" / "file").resolve()


def test_a_tree_with_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc")
    with pytest.raises(UsageError, match="symbolic link"):
        regular_files(tmp_path)


def test_the_digest_of_a_tree_is_of_names_and_content(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "d").mkdir(parents=True)
        (tmp_path / name / "d" / "f").write_text("x")
    assert sha256_tree(tmp_path / "one") == sha256_tree(tmp_path / "two")
    (tmp_path / "two" / "d" / "f").rename(tmp_path / "two" / "d" / "g")
    assert sha256_tree(tmp_path / "one") != sha256_tree(tmp_path / "two")


@given(st.dictionaries(st.text(), st.integers() | st.text()))
def test_equal_values_have_equal_digests(value: dict[str, object]) -> None:
    assert sha256_json(value) == sha256_json(dict(reversed(list(value.items()))))


@given(st.text())
def test_what_is_printed_cannot_drive_a_terminal(text: str) -> None:
    assert all(c.isprintable() or c in "\n\t" for c in printable(text))
