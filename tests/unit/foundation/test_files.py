"""Files are whole or absent; digests are of content; paths stay where they belong."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.foundation.trees import deep

from penstock.foundation.errors import MissingFileError, NoSpaceError, UsageError, WorldError
from penstock.foundation.files import (
    disk_errors,
    inside,
    open_inside,
    open_regular,
    regular_files,
    replacing,
    sha256_json,
    sha256_tree,
    write_json,
)
from penstock.foundation.handles import discard_tree


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
    assert (type(caught.value), caught.value.exit_code, caught.value.full_disk) == (NoSpaceError, 4, True)


def test_a_file_that_is_not_there_is_told_apart_from_one_that_cannot_be_read(tmp_path: Path) -> None:
    for opened in (open_regular, open_inside):
        with pytest.raises(MissingFileError, match="the file is missing"):
            opened(tmp_path / "none", where="x")
        with pytest.raises(UsageError) as caught:
            opened(tmp_path, where="missing")
        assert not isinstance(caught.value, MissingFileError)


def test_another_error_is_not_hidden() -> None:
    with pytest.raises(OSError, match="loop"), disk_errors(Path("x")):
        raise OSError(errno.ELOOP, "loop")


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "", "a\x00b", ".."])
def test_paths_that_leave_are_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(UsageError) as caught:
        inside(tmp_path, path, where="penstock.yaml: suite")
    assert "penstock.yaml: suite" in str(caught.value)


def test_a_link_on_any_part_of_a_path_is_refused(tmp_path: Path) -> None:
    (tmp_path / "repo" / "d").mkdir(parents=True)
    (tmp_path / "repo" / "out").symlink_to(tmp_path)
    (tmp_path / "repo" / "d" / "file").write_text("x")
    (tmp_path / "repo" / "in").symlink_to("d")
    (tmp_path / "way").symlink_to("repo")
    for path in ("out", "out/secret", "in", "in/file", "in/none"):
        with pytest.raises(UsageError, match="is a symbolic link"):
            inside(tmp_path / "repo", path, where="x")
    # the way to the repository is ours
    assert inside(tmp_path / "way", "d/file", where="x") == (tmp_path / "repo" / "d" / "file").resolve()
    assert inside(tmp_path / "way", "d/none", where="x") == (tmp_path / "repo" / "d" / "none").resolve()


@pytest.mark.parametrize("name", ["n" * 256, "ü" * 128, "d/" * 2100 + "f"])
def test_a_path_that_cannot_be_one_is_a_message(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"longer than (255|4095) bytes"):
        inside(tmp_path, name, where="x")


def test_a_name_as_long_as_names_can_be_is_written(tmp_path: Path) -> None:
    for name in ("n" * 255, "ü" * 127, "a" + "ü" * 127):
        write_json(tmp_path / name, {})
    assert len(list(tmp_path.iterdir())) == 3
    with pytest.raises(UsageError, match="too long"):
        write_json(tmp_path / ("n" * 256), {})


def test_a_link_that_comes_in_later_is_refused_when_the_file_is_opened(tmp_path: Path) -> None:
    (tmp_path / "repo" / "d").mkdir(parents=True)
    (tmp_path / "repo" / "d" / "file").write_text("own")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("other")
    path = inside(tmp_path / "repo", "d/file", where="x")
    with open_inside(path, where="x") as file:
        assert file.read() == b"own"
    (tmp_path / "repo" / "d").rename(tmp_path / "away")
    (tmp_path / "repo" / "d").symlink_to(tmp_path / "other")
    with pytest.raises(UsageError, match="'d' is a symbolic link"):
        open_inside(path, where="x")


def test_a_tree_with_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc")
    with pytest.raises(UsageError, match="symbolic link"):
        regular_files(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["socket", "pipe", "not UTF-8", "deeper than"])
def test_what_is_no_plain_file_in_a_tree_is_a_message(tmp_path: Path, kind: str) -> None:
    tree = tmp_path / "tree"
    (tree / "d").mkdir(parents=True)
    if kind == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(tree / "d" / "s"))
    elif kind == "pipe":
        os.mkfifo(tree / "d" / "p")  # whoever reads it as a file waits for ever
    elif kind == "not UTF-8":
        Path(os.fsdecode(bytes(tree) + b"/d/\xff")).touch()
    else:
        deep(tree / "d", 1100)  # more than Python's own walk survives
    for read in (regular_files, sha256_tree):
        with pytest.raises(UsageError, match=kind):
            read(tree)
    discard_tree(tree)


def test_the_digest_of_a_tree_is_of_names_and_content(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "d").mkdir(parents=True)
        (tmp_path / name / "d" / "f").write_text("x")
    assert sha256_tree(tmp_path / "one") == sha256_tree(tmp_path / "two")
    (tmp_path / "two" / "d" / "f").rename(tmp_path / "two" / "d" / "g")
    assert sha256_tree(tmp_path / "one") != sha256_tree(tmp_path / "two")


@pytest.mark.slow
@given(st.dictionaries(st.text(), st.integers() | st.text()))
def test_equal_values_have_equal_digests(value: dict[str, object]) -> None:
    assert sha256_json(value) == sha256_json(dict(reversed(list(value.items()))))


def test_a_path_with_a_nul_is_told_and_advice_goes_along(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"a: this is not a path\. Give a file\."):
        open_regular(Path("a\0b"), where="a", todo="Give a file.")
    with pytest.raises(MissingFileError, match=r"a: the file is missing\. Give a file\."):
        open_regular(tmp_path / "gone", where="a", todo="Give a file.")


def test_no_device_is_replaced() -> None:
    target = Path("/dev/penstock-is-not-a-device")
    with pytest.raises(UsageError, match="no file that can be replaced"), replacing(target) as temporary:
        temporary.write_text("in the place of a device")
    assert not target.exists()


def test_a_folder_that_leads_to_itself_is_no_crash_of_ours(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="exists"), replacing(tmp_path / "loop" / "file"):
        pass
