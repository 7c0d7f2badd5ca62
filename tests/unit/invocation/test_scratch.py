"""The one directory that a model may write to: what it leaves there leads nowhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.invocation.scratch import CALL, Scratch, collect


@pytest.fixture
def scratch(tmp_path: Path):
    made = Scratch(tmp_path / "scratch")
    yield made
    made.close()


def test_each_call_has_a_folder_of_its_own(scratch: Scratch, tmp_path: Path) -> None:
    with scratch.call():
        (scratch.path / CALL / "output.mp4").write_bytes(b"first")
    with scratch.call() as folder:
        assert collect(folder, "output.mp4", tmp_path / "output.mp4") is not None
    scratch.close()
    assert not scratch.path.exists()


def test_output_is_copied(scratch: Scratch, tmp_path: Path) -> None:
    with scratch.call() as folder:
        (scratch.path / CALL / "output.mp4").write_bytes(b"video")
        assert collect(folder, "output.mp4", tmp_path / "output.mp4") is None
    assert (tmp_path / "output.mp4").read_bytes() == b"video"


@pytest.mark.parametrize("kind", ["nothing", "empty", "link", "hard link", "pipe", "folder"])
def test_what_leads_elsewhere_or_is_no_file_is_refused(scratch: Scratch, tmp_path: Path, kind: str) -> None:
    (tmp_path / "secret").write_text("secret")
    with scratch.call() as folder:
        path = scratch.path / CALL / "output.mp4"
        if kind == "empty":
            path.touch()
        elif kind == "link":
            path.symlink_to(tmp_path / "secret")
        elif kind == "hard link":
            os.link(tmp_path / "secret", path)
        elif kind == "pipe":
            os.mkfifo(path)
        elif kind == "folder":
            path.mkdir()
        assert collect(folder, "output.mp4", tmp_path / "output.mp4")
    assert not (tmp_path / "output.mp4").exists()


def test_folder_that_the_model_closed_is_opened(scratch: Scratch, tmp_path: Path) -> None:
    with scratch.call() as folder:
        (scratch.path / CALL / "output.mp4").write_bytes(b"video")
        (scratch.path / CALL).chmod(0)
        assert collect(folder, "output.mp4", tmp_path / "output.mp4") is None


def test_what_lay_there_before_is_removed(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "old").touch()
    made = Scratch(tmp_path / "s")
    assert not (tmp_path / "s" / "old").exists()
    made.close()
