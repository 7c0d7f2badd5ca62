"""A process of our own ends in time with all that it started, has no secret, and what it leaves is a stranger's."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from penstock.invocation.helper_process import boot_of, last_said, left_file, readable_code, run_helper


def test_it_gets_its_order_and_nothing_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_SECRET", "hunter2")
    program = "import os, sys; print(sys.stdin.read(), sorted(os.environ), os.getcwd())"
    assert not run_helper(program, b"the order", tmp_path, 20.0, variables={"MORE": "1"})
    said = last_said(tmp_path)
    assert said.startswith("the order ['HOME', 'LANG', ")
    assert "'MORE'" in said
    assert "SECRET" not in said


@pytest.mark.slow
def test_one_that_hangs_is_ended_with_what_it_has_started(tmp_path: Path) -> None:
    program = (
        "import os, subprocess, time\n"
        "child = subprocess.Popen(['sleep', '60'], start_new_session=True)\n"
        "open(os.environ['TMPDIR'] + '/child', 'w').write(str(child.pid))\n"
        "time.sleep(60)"
    )
    began = time.monotonic()
    assert run_helper(program, b"", tmp_path, 1.5)
    assert time.monotonic() - began < 20
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 5
    while Path(f"/proc/{child}/cmdline").exists() and Path(f"/proc/{child}/cmdline").read_bytes():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_it_leaves_is_a_plain_file_of_a_bounded_size(tmp_path: Path) -> None:
    (tmp_path / "good").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe")
    assert left_file(tmp_path, "good", 5) == b"12345"
    assert [left_file(tmp_path, name, 4) for name in ("good", "link", "pipe", "gone")] == [None] * 4


def test_the_last_that_it_said_is_one_line_safe_to_print(tmp_path: Path) -> None:
    assert last_said(tmp_path) == "it said nothing"
    (tmp_path / "said").write_bytes(b"first\nlast \x1b[31m line\n\n")
    assert last_said(tmp_path) == r"last \x1b[31m line"


def test_it_can_read_the_code_that_it_runs(tmp_path: Path) -> None:
    import penstock

    assert str(Path(penstock.__file__).parent) in readable_code()
    assert boot_of("penstock.interface.trial").endswith("from penstock.interface.trial import main; sys.exit(main())")
