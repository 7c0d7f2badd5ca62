"""The list of a suite's files: what sha256sum prints, and what no suite may hold."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.foundation.errors import UsageError
from penstock.suites import suite_files
from penstock.suites.suite_files import SUMS, as_text, check_paths, digest_of, listed, parse

SUM = "a" * 64
SHELL = r"find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"


def folder(place: Path, *names: str) -> Path:
    for name in ("suite.yaml", *names):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(f"of {name}")
    return place


def test_the_digest_is_what_other_programs_say(tmp_path: Path) -> None:
    place = folder(tmp_path / "suite", "b/a.png", "b.png", "Z.png", "ä.png", "a b.png")
    said = subprocess.run(["bash", "-c", SHELL], cwd=place, capture_output=True, text=True, check=True).stdout
    files = listed(place)
    assert digest_of(files) == said.split()[0]
    (place / SUMS).write_text(as_text(files))
    assert listed(place) == files
    assert parse((place / SUMS).read_bytes(), where="x") == files


@given(st.dictionaries(st.text(max_size=20), st.just(SUM), max_size=5))
def test_what_may_be_a_suite_comes_back_from_its_list(files: dict[str, str]) -> None:
    files = {**files, "suite.yaml": SUM}
    try:
        check_paths(files, where="x")
    except UsageError:
        return
    assert parse(as_text(files).encode(), where="x") == files
    assert not any(part in ("", ".", "..", ".git") for path in files for part in path.split("/"))


@pytest.mark.parametrize(
    ("paths", "what"),
    [
        (["../a"], "leaves the suite"),
        (["/etc/passwd"], "leaves the suite"),
        (["a//b"], "leaves the suite"),
        (["a/./b"], "leaves the suite"),
        ([""], "leaves the suite"),
        (["a\\b"], "a control character or a backslash"),
        (["a\x1b[2Jb"], "a control character or a backslash"),
        ([".GIT/config"], "lies in '.git'"),
        (["x" * 256], "is too long"),
        (["/".join("abcdef" for _ in range(80))], "is too long"),
        (["a.png", "A.png"], "are one file where capitals or accents do not count"),
        (["x/a.png", "X/b.png"], "are one file where capitals or accents do not count"),
        (["\u00e9.png", "e\u0301.png"], "are one file where capitals or accents do not count"),
        (["a", "a/b"], "is a file and a folder"),
    ],
)
def test_paths_that_no_suite_may_have(paths: list[str], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        check_paths(["suite.yaml", *paths], where="x")


def test_a_folder_without_a_suite(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"it holds no suite\.yaml"):
        listed(tmp_path)


def test_links_and_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = folder(tmp_path / "suite", "a.png")
    monkeypatch.setattr(suite_files, "MAX_FILES", 1)
    with pytest.raises(UsageError, match="more than 1 files"):
        listed(place)
    with pytest.raises(UsageError, match="more than 1 files"):
        parse(f"{SUM}  suite.yaml\n{SUM}  a\n{SUM}  b\n".encode(), where="x")
    (place / "link").symlink_to("/etc/passwd")
    with pytest.raises(UsageError, match="link"):
        listed(place)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\xff", "not UTF-8"),
        (b"hello\n", "line 1 of the list of files is not DIGEST"),
        (f"{SUM} *suite.yaml\n".encode(), "line 1 of the list of files is not DIGEST"),
        (f"{SUM}  suite.yaml\n\n".encode(), "line 2 of the list of files is not DIGEST"),
        (f"{SUM}  suite.yaml\n{SUM}  suite.yaml\n".encode(), "line 2 of the list of files names a file for the second"),
        (b"", r"it holds no suite\.yaml"),
    ],
)
def test_lists_that_are_none(content: bytes, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        parse(content, where="x")
