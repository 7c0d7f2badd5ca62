"""Secrets as they are mounted."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.foundation.errors import UsageError
from penstock.targets.secret_files import MAX_SECRET_BYTES, read_secret


def test_a_mounted_secret_is_a_link_and_has_no_line_end(tmp_path: Path) -> None:
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "hook").write_bytes(b" sixteen bytes!! \n")
    (tmp_path / "hook").symlink_to("..data/hook")
    assert read_secret(tmp_path, "hook", least=16) == b" sixteen bytes!! "


def test_what_is_no_secret(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no secrets were given.*--secrets DIR"):
        read_secret(None, "hook")
    with pytest.raises(UsageError, match="secret 'hook': the directory of the secrets has no such file"):
        read_secret(tmp_path, "hook")
    (tmp_path / "hook").write_bytes(b"hunter2\n")
    with pytest.raises(UsageError, match="shorter than 16 bytes") as caught:
        read_secret(tmp_path, "hook", least=16)
    assert "hunter2" not in str(caught.value)
    (tmp_path / "hook").write_bytes(b"x" * (MAX_SECRET_BYTES + 1))
    with pytest.raises(UsageError, match="larger"):
        read_secret(tmp_path, "hook")
