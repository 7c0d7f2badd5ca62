"""A run's temporary files are gone when it ends, also if it was killed; nothing else is ever removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.foundation.errors import UsageError
from penstock.local_run import run_scratch
from penstock.local_run.run_scratch import PREFIX, RECORD, scratch


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(run_scratch.tempfile, "tempdir", str(folder))
    return folder


def test_private_and_gone_in_the_end(tmp_path: Path) -> None:
    with scratch(tmp_path) as made:
        assert made.stat().st_mode & 0o777 == 0o700
        assert (tmp_path / RECORD).read_text() == str(made)
        (made / "key").write_text("secret")
        with pytest.raises(UsageError), scratch(tmp_path):
            pass
        assert made.exists()
    assert not made.exists()


def test_whoever_goes_on_removes_what_a_killed_run_left(tmp_path: Path, temporary: Path) -> None:
    left = temporary / f"{PREFIX}left"
    left.mkdir()
    (left / "key").write_text("secret")
    (tmp_path / RECORD).write_text(str(left))
    with scratch(tmp_path):
        assert not left.exists()


@pytest.mark.parametrize("record", ["precious", "/etc", "../precious", "penstock-run-relative", "\0", ""])
def test_record_that_is_not_ours_removes_nothing(tmp_path: Path, record: str) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (tmp_path / RECORD).write_text(str(precious) if record == "precious" else record)
    with scratch(tmp_path):
        assert precious.exists()
        assert Path("/etc/passwd").exists()


def test_record_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("keep")
    (tmp_path / RECORD).symlink_to(tmp_path / "target")
    with pytest.raises(Exception), scratch(tmp_path):  # noqa: B017, PT011 (whatever it is, it is not written through)
        pass
    assert (tmp_path / "target").read_text() == "keep"
