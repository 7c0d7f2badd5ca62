"""Checkpoints of PyTorch are read only where PyTorch is, and never on trust."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from penstock.extractors.checkpoint import read_checkpoint
from penstock.foundation.errors import UsageError


def test_files_that_are_none_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").touch()
    (tmp_path / "large").write_bytes(b"x" * 2000)
    for name in ("gone", "pipe", "empty", "large"):
        with pytest.raises(UsageError):
            read_checkpoint(tmp_path / name, max_bytes=1000)


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="says what to install where it is not")
def test_without_pytorch_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "x.pth").write_bytes(b"x" * 100)
    with pytest.raises(UsageError, match="import"):
        read_checkpoint(tmp_path / "x.pth")
